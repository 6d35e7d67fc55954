"""What is invited and is no board: a script plays it, datagram by datagram."""

import socket

import scenario


class Peer:
    """A UDP port that is invited, and what it does then."""

    def __init__(self):
        self.address = scenario.address()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((self.address, 0))
        self.udp.settimeout(8)
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
        channel = socket.create_connection((self.host[0], self.back_port), 30,
                                           (source or self.address, 0))
        self.channels.append(channel)
        return channel

    def accept(self):
        self.invited()
        self.reply(b"OK")
        return self.connect()

    def take_image(self, channel):
        left = self.size
        while left:
            left -= len(channel.recv(left))

    def close(self):
        for open_socket in (self.udp, *self.channels):
            open_socket.close()
