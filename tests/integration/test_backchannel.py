#!/usr/bin/env python3
"""The connection back: who may make it, and what is said when nobody does."""

import re
import socket
import unittest

from scenario import DEADLINE_S, Case, Program, Scenario, address, image, run

ELSEWHERE = "Docker|WSL|VPN|NAT"  # what this computer is not known to have
NOBODY = ("connection: the board accepted 20000 bytes, but did not connect to 127[0-9.]+, TCP port "
          "[0-9]+", "firewall", "-P")
ESP32_WITHOUT_ROOM = "an ESP32 refuses a larger one"


class NoConnection(Scenario):

    def test_nobody_connects(self):
        self.check([
            Case("never", ("--fault", "never-connect"), ("-t", "1"), status=8, says=NOBODY,
                 never=(ESP32_WITHOUT_ROOM, ELSEWHERE), seconds=40),
            Case("to another port", ("--fault", "wrong-port"), ("-t", "1"), status=8, says=NOBODY,
                 never=(ESP32_WITHOUT_ROOM,)),
            Case("an ESP32 without room says nothing", ("--capacity", "10000"), ("-t", "1"),
                 status=8, family="esp32", says=(*NOBODY, ESP32_WITHOUT_ROOM), never=(ELSEWHERE,)),
            Case("late, but it comes", ("--fault", "connect-delay:4000"), ("-t", "1")),
        ])


class Strangers(Scenario):

    def test_a_stranger_first(self):
        """It is closed before it gets a byte, and logged; then the board is served."""
        stranger = address()
        self.check([Case("a stranger", ("--fault", f"stranger:{stranger}"),
                         says=(f"rejected a connection from {re.escape(stranger)}",),
                         events=("stranger result=closed bytes=0",))])

    def test_another_address_of_the_board(self):
        other = address()
        fault = ("--fault", f"connect-from:{other}")
        self.check([
            Case("rejected", fault, ("-t", "1"), status=8,
                 says=(f"rejected a connection from {re.escape(other)}",
                       rf"; a connection from {re.escape(other)} was rejected\n  Give --peer"),
                 never=("firewall",)),
            Case("--peer its address", fault, ("--peer", other)),
            Case("--peer any", fault, ("--peer", "any")),
            Case("--peer somebody else", fault, ("-t", "1", "--peer", address()), status=8),
            Case("--peer any, the usual address", (), ("--peer", "any")),
        ])

    def test_a_board_that_has_its_image(self):
        """It connects once more, while another one is to connect. It is no stranger, and nobody is told of --peer."""
        first = self.board()
        second = self.board("-p", str(first.port), "--fault", f"stranger:{first.address}")
        result = run("-i", first.address, "-i", second.address, "-p", str(first.port), "-f", self.file("fw.bin", image()),
                     "-j", "1")
        self.assertEqual(result.status, 0, result)
        second.wait_for("stranger result=closed bytes=0")
        self.assertNotIn("rejected a connection", result.err)

    def test_a_board_with_the_address_of_another(self):
        """It connects from where another board of the run has its image: told with the failure, besides the usual remedies."""
        first = self.board()
        second = self.board("-p", str(first.port), "--fault", f"connect-from:{first.address}")
        result = run("-i", first.address, "-i", second.address, "-p", str(first.port), "-f", self.file("fw.bin", image()),
                     "-j", "1", "-t", "1", "--retries", "0")
        self.assertEqual(result.status, 8, result)
        self.assertNotIn("rejected a connection", result.err)
        self.assertIn(f"; a connection came from {first.address}, which is another board of this run; if this board has "
                      f"that address, too, give --peer {first.address}\n", result.err)
        self.assertIn("firewall", result.err)

    def test_many_strangers(self):
        """A crowd at the door delays nobody."""
        board = self.board("--fault", "connect-delay:1500")
        path = self.file("fw.bin", image())
        program = Program("-i", board.address, "-p", str(board.port), "-f", path, "-q")
        port = int(re.search(r"port=(\d+)", board.wait_for("invitation"))[1])
        crowd = [socket.create_connection(("127.0.0.1", port), DEADLINE_S) for _ in range(300)]
        for stranger in crowd:
            stranger.settimeout(DEADLINE_S)
            try:
                self.assertEqual(stranger.recv(1), b"")
            except ConnectionResetError:
                pass
            stranger.close()
        result = program.result()
        self.assertEqual(result.status, 0, result)


class Ports(Scenario):

    def take_port(self):
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        return taken.getsockname()[1]

    def reserve_port(self):
        """A port that a program can listen at, and that the kernel gives to nobody else meanwhile."""
        reserved = socket.socket()
        self.addCleanup(reserved.close)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("0.0.0.0", 0))
        return reserved.getsockname()[1]

    def test_port_and_range(self):
        board = self.board()
        path = self.file("fw.bin", image())
        taken = self.take_port()
        for port in (0, self.reserve_port(), f"{taken}-{taken + 40}"):
            with self.subTest(port):
                result = run("-i", board.address, "-P", str(port), "-f", path, "-d")
                self.assertEqual((result.status, result.out), (0, ""), result)
                offered = re.search(r"connect to TCP port (\d+) of this computer", result.err)[1]
                board.wait_for(f"invitation .*port={offered} ")

    def test_used_up(self):
        board = self.board()
        path = self.file("fw.bin", image())
        taken = self.take_port()
        for given, said in ((str(taken), f"TCP port {taken}"),
                            (f"{taken}-{taken}", f"TCP port {taken}")):
            with self.subTest(given):
                result = run("-i", board.address, "-P", given, "-f", path)
                self.assertEqual((result.status, result.out), (1, ""), result)
                self.assertIn(f"cannot listen on {said}", result.err)
                self.assertIn("10000-10100", result.err)
        self.assertEqual(board.count("invitation"), 0)

    def test_not_an_address_of_ours(self):
        result = run("-i", "127.0.0.1", "-I", "192.0.2.7", "-f", self.file("fw.bin", image()))
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("esp-ota: '192.0.2.7' is neither an IP address of this computer nor one of its interfaces", result.err)


if __name__ == "__main__":
    unittest.main()
