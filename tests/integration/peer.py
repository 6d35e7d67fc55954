"""What is asked for an update and is no board: tests play it."""

import socket
import threading

from elsewhere import elsewhere
import scenario


class Served:
    """A socket that a thread serves: take() is called whenever something has come to it.

    The thread ends before its socket is closed. Otherwise the thread, on its way into a call, could wait for whatever
    has got the number next, such as the pipe of a program that another thread starts, and keep that open. shutdown()
    would not do: with a time limit, accept() at a UNIX socket and recvfrom() go round and round after it.
    """

    def __init__(self, served, take):
        self.socket, self._take = served, take
        self._ends, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        with elsewhere():
            self._thread.start()

    def _serve(self):
        """Until close(); what has come by then is taken, too."""
        while self.socket in scenario.readable((self.socket, self._ends)):
            self._take()

    def close(self):
        self._end.close()
        scenario.join(self._thread)
        self._ends.close()
        self.socket.close()


class Server(Served):
    """A listening socket, a TCP port unless given: answer(connection) plays each connection, in a thread of its own.
    broken has what that raised."""

    def __init__(self, answer, listener=None):
        self.broken = []
        self._answer = answer
        super().__init__(listener or socket.create_server((scenario.address(), 0)), self._accept)

    def _accept(self):
        connection, _ = self.socket.accept()
        threading.Thread(target=self._play, args=(connection,), daemon=True).start()

    def _play(self, connection):
        with connection:
            try:
                self._answer(connection)
            except (OSError, AssertionError) as error:
                self.broken.append(error)


class Peer:
    """A UDP port that is invited, and what it does then."""

    def __init__(self):
        self.address = scenario.address()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((self.address, 0))
        self.udp.settimeout(scenario.DEADLINE_S)
        self.port = self.udp.getsockname()[1]
        self.host, self.channels = None, []
        self.size = self.back_port = 0

    def invited(self):
        """Returns once an invitation has come."""
        data, self.host = self.udp.recvfrom(2048)
        _, port, size, _ = data.split()
        self.back_port, self.size = int(port), int(size)

    def answered(self):
        """The two words of the answer to a challenge; what else comes until then is left out."""
        while True:
            data = self.udp.recv(2048).split()
            if data[0] == b"200" and len(data) == 3:
                return data[1].decode(), data[2].decode()

    def say_end(self):
        """Whoever waits for more gets an empty datagram after all that has come."""
        self.udp.sendto(b"", self.udp.getsockname())

    def reply(self, data):
        self.udp.sendto(data, self.host)

    def connect(self, source=None):
        """The back-channel, from here or from elsewhere."""
        channel = socket.create_connection((self.host[0], self.back_port), scenario.DEADLINE_S,
                                           (source or self.address, 0))
        self.channels.append(channel)
        return channel

    def accept(self):
        self.invited()
        self.reply(b"OK")
        return self.connect()

    def take_image(self, channel):
        scenario.received(channel, self.size)

    def close(self):
        for open_socket in (self.udp, *self.channels):
            open_socket.close()


class WebPeer(Server):
    """A web server, which plays each connection with answer()."""

    def __init__(self, where=None, port=0):
        self.address = where or scenario.address()
        listener = socket.create_server((self.address, port))
        self.url = f"http://{self.address}:{listener.getsockname()[1]}"
        super().__init__(self.answer, listener)

    def answer(self, connection):
        raise NotImplementedError
