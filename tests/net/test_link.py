#!/usr/bin/env python3
"""The link itself: what it is asked for, it does; and the boards' window behind it is the one meant."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import elsewhere
import firmware
import link

OTA_LINK = os.environ["OTA_LINK"]
ESP_OTA = os.environ["ESP_OTA"]
ESP_OTA_SIM = os.environ["ESP_OTA_SIM"]
MIDWAY = 20  # segments of 536 bytes, of the 123 that the image takes
BURST = 500
WINDOWS = ((2144, 536), (5744, 1436), (5840, 1460))


def under_way(counters):
    ended = sum(counters[name] for name in ("delivered", "lost", "overflown", "down", "refused"))
    return counters["frames"] - ended


def burst(net, count=BURST, size=100):
    """The numbers, of count datagrams sent at once to the board, that arrived, as they came."""
    before = settled = net.counters()["host"]
    with net.host.udp_socket() as near, net.board.udp_socket() as far:
        for number in range(count):
            near.sendto(number.to_bytes(size, "big"), far.getsockname())
        while settled["frames"] < before["frames"] + count or under_way(settled):
            settled = net.counters()["host"]
        arrive = settled["delivered"] - before["delivered"]
        return [int.from_bytes(far.recv(size), "big") for _ in range(arrive)]


def round_trips_ms(net, count, limit_ms):
    """Round trips until one takes less than the limit, as most may be late on a busy machine."""
    times_ms = []
    with elsewhere.elsewhere():
        while len(times_ms) < count or min(times_ms) >= limit_ms and len(times_ms) < 50 * count:
            times_ms += [1e3 * time_s for time_s in net.round_trips(count)]
    return times_ms


class Air(unittest.TestCase):

    def test_delay(self):
        """Never too early; nor too late."""
        for delay_ms in (0, 1, 5, 25):
            with self.subTest(delay_ms=delay_ms), link.Link(OTA_LINK, delay=delay_ms) as net:
                times_ms = round_trips_ms(net, 40, 2 * delay_ms + 5)
                self.assertGreaterEqual(min(times_ms), 2 * delay_ms)
                self.assertLess(min(times_ms), 2 * delay_ms + 5)

    def test_jitter(self):
        """It is there, within its bounds, and never overtakes."""
        with link.Link(OTA_LINK, delay=2, jitter=8) as net:
            times_ms = round_trips_ms(net, 60, 4 + 16)
            self.assertGreaterEqual(min(times_ms), 4)
            self.assertGreater(statistics.stdev(times_ms), 1)
            self.assertLess(min(times_ms), 4 + 16)
            self.assertEqual(burst(net), list(range(BURST)))

    def test_loss(self):
        """As often as asked for, each way, and the same again with the same seed."""
        seen = []
        for seed in (1, 1, 2):
            with link.Link(OTA_LINK, loss=20, seed=seed) as net:
                numbers = burst(net)
                seen.append(numbers)
                self.assertEqual(numbers, sorted(set(numbers)))
                self.assertTrue(0.1 < 1 - len(numbers) / BURST < 0.3, len(numbers))
                counters = net.counters()["host"]
                self.assertEqual(counters["frames"], BURST)
                self.assertEqual(counters["lost"], BURST - len(numbers))
        self.assertEqual(seen[0], seen[1])
        self.assertNotEqual(seen[0], seen[2])

    def test_rate(self):
        """100 frames of 1042 bytes at 500 KB/s take 208 ms."""
        with link.Link(OTA_LINK, rate=500) as net:
            with net.host.udp_socket() as near, net.board.udp_socket() as far:
                start = time.monotonic()
                for _ in range(100):
                    near.sendto(bytes(1000), far.getsockname())
                for _ in range(100):
                    far.recv(2000)
                taken_s = time.monotonic() - start
        self.assertTrue(0.2 < taken_s < 2, taken_s)

    def test_queue(self):
        with link.Link(OTA_LINK, delay=200, queue=10) as net:
            self.assertEqual(burst(net, count=30), list(range(10)))
            counters = net.counters()["host"]
            self.assertEqual((counters["delivered"], counters["overflown"]), (10, 20))

    def test_down_and_up(self):
        with link.Link(OTA_LINK) as net:
            self.assertEqual(len(burst(net, count=5)), 5)
            net.tell("down")
            self.assertEqual(burst(net, count=5), [])
            self.assertEqual(net.counters()["host"]["down"], 5)
            net.tell("up")
            self.assertEqual(len(burst(net, count=5)), 5)


class Board(unittest.TestCase):

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="esp-ota-link-")
        self.addCleanup(directory.cleanup)
        self.image = os.path.join(directory.name, "image.bin")
        self.got = os.path.join(directory.name, "got.bin")

    def start(self, net, *options, upload=("-q",), family="esp8266"):
        self.sent = firmware.sketch(family, 65536)
        with open(self.image, "wb") as file:
            file.write(self.sent)
        board = net.simulate(ESP_OTA_SIM, "--fast", "--family", family, "-o", self.got, *options)
        self.addCleanup(board.kill)
        upload = net.upload(ESP_OTA, "-f", self.image, *upload)
        self.addCleanup(upload.kill)
        return board, upload

    @staticmethod
    def new_segments(net):
        """Of the host; what a busy machine made it repeat is not counted again."""
        host = net.counters()["host"]
        return host["data"] - host["repeated"]

    def assert_installed(self, upload):
        self.assertEqual(upload.wait(60), 0, upload.output)
        with open(self.got, "rb") as file:
            self.assertEqual(file.read(), self.sent)

    def test_window(self):
        """The window that the frames themselves offer is the one asked for, never more."""
        for window, mss in WINDOWS:
            with self.subTest(window=window), link.Link(OTA_LINK, delay=1) as net:
                _, upload = self.start(net, "--window", str(window), "--mss", str(mss))
                self.assert_installed(upload)
                counters = net.counters()
                self.assertEqual(counters["board"]["window"], window)
                self.assertEqual(counters["board"]["mss"], mss)
                self.assertLessEqual(counters["host"]["segment"], mss)

    def test_window_closes(self):
        """What a board has not read stays within its window, but for what upload_clamp() adds."""
        for window, mss in WINDOWS:
            with self.subTest(window=window), link.Link(OTA_LINK, delay=1) as net:
                read = 14 * mss
                board, _ = self.start(net, "--window", str(window), "--mss", str(mss), "--fault",
                                      f"stall@{read}")
                board.wait_for("fault order=stall")
                deadline = time.monotonic() + link.DEADLINE_S
                while self.new_segments(net) * mss < read + window:
                    self.assertLess(time.monotonic(), deadline)
                net.round_trips(50)  # time enough for more, if there were room
                self.assertLessEqual(self.new_segments(net) * mss, read + window + 2 * mss)

    def test_cut_midway(self):
        """A transfer survives a second out of reach."""
        with link.Link(OTA_LINK, delay=10, cut_after=MIDWAY) as net:
            _, upload = self.start(net, "--window", "2144", "--mss", "536")
            net.wait_for_cut()
            deadline = time.monotonic() + link.DEADLINE_S
            while net.counters()["host"]["down"] < 3:  # it tries again and again
                self.assertLess(time.monotonic(), deadline)
            net.tell("up")
            self.assert_installed(upload)
            self.assertGreater(net.counters()["host"]["repeated"], 0)


    def change_address(self, family, *options):
        """This computer gets another address in the middle of a transfer; returns the upload."""
        with link.Link(OTA_LINK, delay=10, cut_after=MIDWAY) as net:
            board, upload = self.start(net, "--window", "2144", "--mss", "536", upload=options,
                                       family=family)
            net.wait_for_cut()
            net.host.change_address("10.99.0.3", net.board)
            net.tell("up")
            return upload.wait(60), upload.output, board

    def test_other_address_midway(self):
        """No packet reaches the connection any more, and nobody says so: it stalls."""
        status, says, _ = self.change_address("esp8266", "--retries", "0")
        self.assertEqual(status, 9, says)
        self.assertRegex(says, r"transfer: the board stopped taking data after \d+ of 65536 bytes")

    def test_other_address_and_another_attempt(self):
        """The board has given up by then, and the second invitation comes from the new address."""
        status, says, board = self.change_address("esp32")
        self.assertEqual(status, 0, says)
        self.assertRegex(says, "stopped taking data after .*; attempt 2 of 3, in lock-step")
        board.wait_for("10.99.0.3")
        with open(self.got, "rb") as file:
            self.assertEqual(file.read(), self.sent)


class Usage(unittest.TestCase):

    def test_mistakes(self):
        for arguments, status, says in ((("--help",), 0, "Usage: ota-link"), ((), 2, "two namespaces"),
                                        (("--loss", "101", "1", "1"), 2, '"101"'),
                                        (("--queue", "0", "1", "1"), 2, '"0"'),
                                        (("/nowhere", "1"), 1, "/nowhere")):
            with self.subTest(arguments=arguments):
                done = subprocess.run([OTA_LINK, *arguments], capture_output=True, text=True,
                                      stdin=subprocess.DEVNULL, check=False)
                self.assertEqual(done.returncode, status)
                self.assertIn(says, done.stdout + done.stderr)


if __name__ == "__main__":
    link.run_tests()
