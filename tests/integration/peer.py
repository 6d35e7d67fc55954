"""What is asked for an update and is no board: tests play it."""

import socket
import threading

from elsewhere import elsewhere
import scenario


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


class WebPeer:
    """A web server: answer() plays each connection, in a thread of its own. broken has what that raised."""

    def __init__(self, where=None, port=0):
        self.broken = []
        self.address = where or scenario.address()
        self._socket = socket.create_server((self.address, port))
        self.url = f"http://{self.address}:{self._socket.getsockname()[1]}"
        with elsewhere():
            threading.Thread(target=self._listen, daemon=True).start()

    def answer(self, connection):
        raise NotImplementedError

    def _listen(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                self.answer(connection)
            except (OSError, AssertionError) as error:
                self.broken.append(error)

    def close(self):
        self._socket.close()
