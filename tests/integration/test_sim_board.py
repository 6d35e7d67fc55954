#!/usr/bin/env python3
"""The simulated board itself, with plain sockets: what the scenarios rely on."""

import contextlib
import hashlib
import select
import socket
import struct
import unittest

from scenario import Scenario, image

DEADLINE_S = 30
BOTH = ("esp8266", "esp32")


class Host:
    """The other end of an upload, step by step."""

    def __init__(self, board):
        self.board = board
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.connect((board.address, board.port))
        self.udp.settimeout(DEADLINE_S)
        self.listener = socket.create_server((self.udp.getsockname()[0], 0))
        self.listener.settimeout(DEADLINE_S)
        self.channel = None

    def close(self):
        for part in (self.udp, self.listener, self.channel):
            if part:
                part.close()

    def say(self, datagram):
        self.udp.send(datagram)

    def invite(self, content, command=0, size=None):
        """Announces content, or size bytes of it."""
        size = len(content) if size is None else size
        digest = hashlib.md5(content[:size]).hexdigest()
        self.say(f"{command} {self.listener.getsockname()[1]} {size} {digest}\n".encode())

    def reply(self):
        return self.udp.recv(2000)

    def accept(self):
        self.channel, _ = self.listener.accept()
        self.channel.settimeout(DEADLINE_S)
        return self.channel

    def begin(self, content, **more):
        """Up to the connection of a board without a password."""
        self.invite(content, **more)
        assert self.reply() == b"OK"
        return self.accept()

    def read_all(self):
        """What the board says until it closes, and whether it does so with FIN."""
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := self.channel.recv(65536):
                said += chunk
            return said, True
        return said, False

    def probe(self):
        """From now on the kernel probes the connection once a second."""
        for level, option in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                              (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                              (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)):
            self.channel.setsockopt(level, option, 1)
        self.channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, DEADLINE_S)

    def unanswered_probes(self):
        return struct.unpack_from("4B", self.channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8))[3]


class BoardScenario(Scenario):

    def meet(self, *options, **more):
        """A board and its host."""
        board = self.board(*options, **more)
        host = Host(board)
        self.addCleanup(host.close)
        return board, host


class Invitations(BoardScenario):

    def burst(self, *options):
        """Datagrams read of six, and of six more that came when the first had been read."""
        board, host = self.meet("--loop-ms", "300", *options, family="esp32")
        for _ in range(6):
            host.say(b"x")
        board.wait_for(" malformed ")
        for _ in range(6):
            host.say(b"y")
        host.udp.settimeout(0.3)
        reply = b""
        while not reply:
            host.invite(image())
            with contextlib.suppress(TimeoutError):
                reply = host.reply()
        return board.count(" malformed ")

    def test_one_datagram_per_loop(self):
        """An ESP32 reads one each time round, so that its queue of six fills; to order, all."""
        self.assertLess(self.burst(), 12)
        self.assertLess(self.burst("--all-per-loop", "--one-per-loop"), 12)
        self.assertEqual(self.burst("--all-per-loop"), 12)


class Restarts(BoardScenario):

    def assert_gone_until_reset(self, board, host):
        """No probe is answered while the board is away; when it is back, one draws a reset."""
        host.probe()
        while not host.unanswered_probes():
            ready, _, _ = select.select([host.channel], [], [], 0.05)
            self.assertFalse(ready, "it speaks")
        with self.assertRaises(ConnectionResetError):
            host.channel.recv(1)
        board.wait_for(" open$")

    def test_verdict_lost(self):
        """Everything was taken and is installed, and the board restarts unheard."""
        for family in BOTH:
            with self.subTest(family):
                board, host = self.meet("--reboot-ms", "2500", "--fault", "drop-verdict", family=family)
                content = image(5000)
                host.begin(content).sendall(content)
                board.wait_for("fault order=drop-verdict")
                board.wait_for(" rebooting$")
                said = host.channel.recv(65536, socket.MSG_DONTWAIT)
                self.assertTrue(said.isdigit(), said)
                self.assert_gone_until_reset(board, host)
                self.assertEqual(board.received(), content)

    def test_power_lost(self):
        for family in BOTH:
            with self.subTest(family):
                board, host = self.meet("--reboot-ms", "2500", "--fault", "crash@5000", family=family)
                content = image(9000)
                host.begin(content).sendall(content[:5000])
                board.wait_for(" rebooting$")
                host.channel.recv(65536)
                self.assert_gone_until_reset(board, host)
                self.assertIsNone(board.received())

    def test_orderly_end(self):
        """OK and FIN come before the restart; and there is no reset where nobody speaks any more."""
        for family in BOTH:
            with self.subTest(family):
                board, host = self.meet(family=family)
                content = image(5000)
                host.begin(content).sendall(content)
                said, orderly = host.read_all()
                self.assertTrue(said.endswith(b"5000OK" if family == "esp8266" else b"OK"), said)
                self.assertTrue(orderly)
                board.wait_for(" open$")
                self.assertEqual(board.received(), content)


if __name__ == "__main__":
    unittest.main()
