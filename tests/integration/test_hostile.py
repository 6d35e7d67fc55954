#!/usr/bin/env python3
"""A peer that means harm: whatever it sends, memory stays flat, time stays bounded, the other end
of a forged address is not believed, and nothing of it reaches the terminal as it came.

The peer is a script in this file, because a simulated board, even a faulty one, is a board.
"""

import concurrent.futures
import contextlib
import re
import signal
import socket
import threading
import time
import unittest

import faults
import scenario
from faults import wait_until
from peer import Peer

MIB = 1 << 20
GROWTH = 64 * MIB if faults.SANITIZED else 2 * MIB  # of the peak of memory, during an attack
PEAK = 1024 * MIB if faults.SANITIZED else 24 * MIB
ESCAPES = b"\x1b]0;owned\x07\x1b[2J\x1b[31m\x00\x07\x08\x9b1m\xc2\x9b2J\r\x0b\x7f\xff"


def endless(channel, chunk, pause=0.0):
    """Sends until the other end has had enough."""
    while True:
        channel.sendall(chunk)
        time.sleep(pause)


def peak(pid):
    """The most memory that a process has used; 0 once it has ended."""
    with contextlib.suppress(FileNotFoundError):
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            found = re.search(r"VmHWM:\s*(\d+) kB", file.read())
        return int(found.group(1)) * 1024 if found else 0
    return 0


class Hostile(scenario.Scenario):

    def attack(self, script, *options, size=200_000, terminal=False):
        """Runs script(peer, program) while esp-ota uploads to the peer; returns the result."""
        peer = Peer()
        path = self.file(f"{peer.address}.bin", scenario.image(size))
        program = (scenario.Terminal if terminal else scenario.Program)(
            "-i", peer.address, "-p", str(peer.port), "-f", path, *options)

        def play():
            try:
                script(peer, program)
            except TimeoutError:
                raise
            except OSError:  # esp-ota has hung up, as it should
                pass

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            played = pool.submit(play)
            try:
                result = program.result()
            finally:
                peer.say_end()
        peer.close()
        self.assertEqual(list(faults.output_differences(result)), [], result)
        played.result()
        return result

    def assert_ends(self, result, status, says):
        """That it ended for the right reason; what does not end fails in attack()."""
        self.assertEqual(result.status, status, result)
        self.assertRegex(result.err, says)

    def all_at_once(self, *rows, options=("--retries", "0")):
        """Rows of script, size of the image, exit status, and key phrase."""
        with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
            results = [pool.submit(self.attack, row[0], *options, size=row[1]) for row in rows]
            for (script, _, status, says), result in zip(rows, results):
                with self.subTest(script.__name__):
                    self.assert_ends(result.result(), status, says)


class BackChannel(Hostile):

    def flood(self, chunk, megabytes=100):
        """Sends as many while esp-ota is in the transfer, or until it has had enough, then SIGTERM.
        Returns the result, and the bytes that were sent."""
        peaks, sent = [], 0

        def script(peer, program):
            nonlocal sent
            channel = peer.accept()
            peaks.append(peak(program.pid))  # it waits for room in a window that stays closed
            while sent < megabytes * MIB:
                channel.sendall(chunk)
                channel.recv(len(chunk) // 64)  # who takes nothing is given up after 15 s
                sent += len(chunk)
                peaks.append(peak(program.pid))
            program.send_signal(signal.SIGTERM)
            endless(channel, chunk)

        result = self.attack(script, size=4 * MIB)
        self.assertGreater(peaks[0], 0)
        self.assertLess(max(peaks) - peaks[0], GROWTH)
        self.assertLess(max(peaks), PEAK)
        return result, sent

    def test_gigabytes_of_digits(self):
        """They are the board's numbers, so they are no reason to end; a signal still ends it."""
        result, sent = self.flood(b"1460" * 65536)
        self.assert_ends(result, -signal.SIGTERM, "interrupted by SIGTERM")
        self.assertGreaterEqual(sent, 100 * MIB)

    def test_slow_and_without_end(self):
        """No verdict ever comes, though something always comes."""
        def digits_and_no_reading(peer, _):
            endless(peer.accept(), b"7", 0.01)

        def digits_instead_of_a_verdict(peer, _):
            channel = peer.accept()
            peer.take_image(channel)
            endless(channel, b"1460", 0.01)

        def a_letter_a_second(peer, _):
            channel = peer.accept()
            for letter in b"ERROR[1]: I have all the time in the world":
                channel.send(bytes([letter]))
                time.sleep(1)

        self.all_at_once(
            (digits_and_no_reading, 16 * MIB, 9, "stopped taking data"),
            (digits_instead_of_a_verdict, 50_000, 11, "verdict did not come"),
            (a_letter_a_second, 50_000, 10, "the board says: ER(?!.*world)"))

    def test_texts_without_end(self):
        """A reason is bounded, and shown escaped."""
        for chunk, shown in ((b"x" * 65536, "the board says: x{100}"),
                             (b"\0" * 65536, r"the board says: (\\x00){30}"),
                             (ESCAPES * 4000, r"the board says: \\x1b\]0;owned\\x07\\x1b\[2J"),
                             (b"O" * 65536, "the board says: O{100}")):
            with self.subTest(chunk[:8]):
                result, _ = self.flood(chunk)
                self.assert_ends(result, 10, shown)
                self.assertLess(len(result.err), 4000)


class Datagrams(Hostile):

    def test_endless_replies(self):
        """As fast as they can be sent: each is judged alone, and the deadline holds. One flood at a time, so that it
        begins before esp-ota has given up."""
        def flood(reply):
            def script(peer, program):
                peer.invited()
                before = now = peak(program.pid)
                self.assertGreater(before, 0)  # it waits for a reply
                while now > 0:
                    peer.reply(reply)
                    now = peak(program.pid)
                    self.assertLess(now - before, GROWTH)
            return script

        for reply, status, says in (
                (b"x" * 65507, 5, "something that is not ArduinoOTA"),
                (b"ERR", 5, "something that is not ArduinoOTA"),
                (ESCAPES, 5, "something that is not ArduinoOTA"),
                (b"", 5, "something that is not ArduinoOTA"),
                (b"AUTH " + b"0" * 65000, 5, "something that is not ArduinoOTA"),
                (b"Authentication Failed", 5, "no answer"),
                (b"OK", 8, "did not connect"),
                (b"ERR: " + ESCAPES * 1000, 7, r"refused: \\x1b\]0;owned"),
                (b"AUTH " + b"0" * 32, 5, "neither accepted nor rejected|no answer")):
            with self.subTest(reply[:12]):
                result = self.attack(flood(reply), "-t", "2", "--retries", "0", "-a", "secret", size=50_000)
                self.assert_ends(result, status, says)

    def test_another_challenge_each_time(self):
        def script(peer, _):
            peer.invited()
            for number in range(1_000_000):
                peer.reply(b"AUTH %032x" % number)
                if not peer.udp.recv(2048):
                    return  # esp-ota has had enough
        self.assert_ends(self.attack(script, "-a", "secret"), 6, "kept sending new challenges")

    def test_challenges_of_every_length(self):
        """Only 32 and 64 digits are a challenge; no other may be answered."""
        answered = []

        def script(peer, _):
            peer.invited()
            for length in range(200):
                if length not in (32, 64):
                    peer.reply(b"AUTH " + b"a" * length)
                    peer.reply(b"AUTH " + b"a" * length + b" " + b"b" * length)
            while data := peer.udp.recv(2048):
                if data.startswith(b"200 "):
                    answered.append(data)
        result = self.attack(script, "-t", "2", "--retries", "0", "-a", "secret")
        self.assertEqual((result.status, answered), (5, []), result)

    def test_forged_replies(self):
        """From other addresses, and from another port of the board's: they never arrive."""
        def script(peer, _):
            peer.invited()
            others = [(scenario.address(), peer.port), (scenario.address(), 0), (peer.address, 0)]
            for other in others:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                    udp.bind(other)
                    for reply in (b"ERR: forged", b"Authentication Failed", b"AUTH " + b"0" * 32):
                        udp.sendto(reply, peer.host)
            peer.reply(b"OK")
            channel = peer.connect()
            peer.take_image(channel)
            channel.send(b"OK")
        self.assert_ends(self.attack(script, "-a", "secret"), 0, "confirmed by the board")


class Strangers(Hostile):

    def test_a_flood_of_connections(self):
        """None gets a byte; the board does; and the report of it stays short."""
        got, stranger = [], scenario.address()

        def knock(peer, until):
            while not until.is_set():
                with contextlib.suppress(OSError):
                    with peer.connect(stranger) as channel:
                        channel.settimeout(5)
                        got.append(channel.recv(1))

        def script(peer, program):
            peer.invited()
            peer.reply(b"OK")
            before, done = peak(program.pid), threading.Event()
            knockers = [threading.Thread(target=knock, args=(peer, done), daemon=True) for _ in range(8)]
            for knocker in knockers:
                knocker.start()
            try:
                wait_until(lambda: len(got) > 500)
                channel = peer.connect()
                peer.take_image(channel)
                self.assertLess(peak(program.pid) - before, GROWTH)
                channel.send(b"OK")
                channel.recv(1)
            finally:
                done.set()
                for knocker in knockers:
                    scenario.join(knocker)

        result = self.attack(script, "-t", "100")
        self.assert_ends(result, 0, f"rejected a connection from {stranger}")
        self.assertEqual(set(got), {b""})
        self.assertLess(result.err.count("rejected a connection"), 20)

    def test_the_board_twice(self):
        """Who has the image already gets no second one."""
        def script(peer, _):
            channel = peer.accept()
            with peer.connect() as second:
                self.assertEqual(second.recv(1), b"")
            peer.take_image(channel)
            channel.send(b"OK")
        self.assert_ends(self.attack(script, size=4 * MIB), 0, "confirmed by the board")


class OnATerminal(Hostile):

    def test_nothing_reaches_it_unescaped(self):
        """Attacks on whoever reads: attack() looks for control characters on the terminal."""
        def refuse(peer, _):
            peer.invited()
            peer.reply(b"x" + ESCAPES)
            peer.reply(b"ERR: " + ESCAPES)

        def say_why(peer, _):
            channel = peer.accept()
            channel.send(b"1460" + ESCAPES + b"\n")
            channel.recv(1)

        self.assert_ends(self.attack(refuse, "-d", terminal=True), 7, r"\\x1b\]0;owned")
        self.assert_ends(self.attack(say_why, "-d", terminal=True), 10, r"\\x1b\]0;owned")


if __name__ == "__main__":
    unittest.main()
