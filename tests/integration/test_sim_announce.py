#!/usr/bin/env python3
"""esp-ota-sim --announce, through a real avahi-daemon: esp-ota finds the simulated board by its name."""

import functools
import json
import os
import re
import subprocess
import time
import unittest

from child import DEADLINE_S
import mdns
from mdns import Board
from mdns_case import OnLink, share_link
import scenario

TAKEN = Board("taken", 8266, v4="10.77.0.10")  # another computer's


def setUpModule():
    share_link(TAKEN)
    link = OnLink.link
    link.start_daemon = functools.partial(link.start_daemon, interfaces=f"lo,{link.INTERFACE}")
    link.stop_daemon()
    link.start_daemon()


def announced_records(name, service="_arduino._tcp"):
    """The TXT records of a service, as avahi-daemon returns them."""
    reply = subprocess.run(["dbus-send", "--system", "--print-reply", "--dest=org.freedesktop.Avahi", "/",
                            "org.freedesktop.Avahi.Server.ResolveService", "int32:-1", "int32:-1",
                            f"string:{name}", f"string:{service}", "string:local", "int32:-1", "uint32:0"],
                           check=True, capture_output=True, text=True, timeout=DEADLINE_S).stdout
    return sorted(re.findall(r'array of bytes "(.*)"', reply))


class Announce(OnLink):

    def announce(self, name, *options, address="127.0.0.1"):
        """A simulated board on this computer; its output is read until it is announced."""
        got = os.path.join(scenario.folder(self.directory), "got.bin")
        process = mdns.Process(scenario.SIMULATOR, "--announce", name, "--address", address, "--fast",
                               "--output", got, *options)
        process.got = got
        self.addCleanup(process.stop)
        process.name = process.wait_for(r" announced name=(\S+)\n").group(1)
        return process

    def listed(self, name):
        result = scenario.run("-l", "--match", name, "--json")
        return [json.loads(line) for line in result.out.splitlines() if '"event":"board"' in line]

    def test_upload_by_name(self):
        board = self.announce("kitchen", "--password", "kwert", "--port", "0", "--family", "esp32-sha256")
        for name in ("kitchen", "kitchen.local", "KITCHEN.local"):
            result = scenario.run("-i", name, "-a", "kwert", "-f", self.file("fw.bin", scenario.sketch("esp32")))
            self.assertEqual((result.status, result.out), (0, ""), result)
            board.wait_for("upload result=ok")

    def test_announced_as_by_a_genuine_board(self):
        """The host's name and address, and the records that the cores announce."""
        board = self.announce("shed", "--password", "kwert", "--family", "esp32", "--chip", "esp32s3")
        (row,) = self.listed("shed")
        self.assertEqual([row[key] for key in ("board", "host", "address", "port", "type", "password", "protocol")],
                         ["shed", "shed.local", "127.0.0.1", 3232, "esp32s3", True, "espota"])
        self.assertEqual(announced_records("shed"),
                         ["auth_upload=yes", "board=esp32s3", "ssh_upload=no", "tcp_check=no"])
        board.stop()
        self.announce("attic", "--family", "pico")
        self.assertEqual(announced_records("attic"), sorted(Board("attic", 2040).records()))

    def test_web_pages(self):
        """Their services, and not that of ArduinoOTA."""
        for page, family, service, records in (
                ("form", "esp8266", "_http._tcp", ""), ("tasmota", "esp32", "_http._tcp", "devicetype=tasmota"),
                ("wled", "esp8266", "_wled._tcp", r"mac=[0-9a-f]{12}"), ("wled", "esp8266", "_http._tcp", ""), ("esphome", "esp32", "_http._tcp", "")):
            with self.subTest(page, service=service):
                board = self.announce(f"page-{page}", "--web", page, "--family", family, "--port", "0")
                self.assertRegex(",".join(announced_records(f"page-{page}", service)), f"^{records}$")
                self.assertEqual([row["board"] for row in self.listed(f"page-{page}") if row["protocol"] == "espota"], [])
                board.stop()

    def test_version_of_a_web_page(self):
        """The record tells the new one after the restart."""
        board = self.announce("porch", "--web", "esphome", "--family", "esp32", "--port", "0")
        where = re.search(r"(\S+) announced", board.output).group(1)
        always = ["board=esp32", "network=wifi", "platform=ESP32"]
        self.assertEqual(announced_records("porch", "_esphomelib._tcp"), sorted([*always, "version=2026.10.0"]))
        file = self.file("fw.bin", scenario.sketch("esp32"))
        subprocess.run(["curl", "--silent", "-F", f"file=@{file}", f"http://{where}/update"], check=True,
                       capture_output=True, timeout=DEADLINE_S)
        board.wait_for(" open\n")
        deadline = time.monotonic() + DEADLINE_S
        while announced_records("porch", "_esphomelib._tcp") != sorted([*always, "version=2026.11.0"]):
            self.assertLess(time.monotonic(), deadline)

    def test_withdrawn_on_exit(self):
        board = self.announce("brief")
        self.assertEqual(len(self.listed("brief")), 1)
        self.assertEqual(board.stop(), 0)
        deadline = time.monotonic() + DEADLINE_S
        while self.listed("brief"):  # others forget a name a second after it was withdrawn
            self.assertLess(time.monotonic(), deadline)

    def test_several_boards(self):
        board = self.announce("lab", "--count", "3", address="127.0.0.21")
        names = {board.name} | {board.wait_for(r" announced name=(\S+)\n").group(1) for _ in range(2)}
        self.assertEqual(names, {"lab-1", "lab-2", "lab-3"})
        self.assertEqual({(row["board"], row["address"]) for row in self.listed("lab-*")},
                         {("lab-1", "127.0.0.21"), ("lab-2", "127.0.0.22"), ("lab-3", "127.0.0.23")})

    def test_taken_names(self):
        """By a board of this computer, which is known at once, and by another computer's."""
        self.announce("desk", address="127.0.0.31")
        for name, address in (("desk", "127.0.0.32"), ("taken", mdns.Link.V4)):
            with self.subTest(name):
                board = self.announce(name, address=address)
                self.assertEqual(board.name, f"{name}-2")
                board.wait_for(f"esp-ota-sim: the name is taken, so this board is announced as {name}-2\n")
                self.assertEqual([row["address"] for row in self.listed(f"{name}-2")], [address])

    def test_esphome(self):
        """As ESPHome announces it: what runs, and after an upload what runs then."""
        key = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
        settings = ("release=2026.9.0", "release-after=2026.9.1", "hash=01234567", "hash-after=89abcdef",
                    "project=maker.lamp", "project-version=1.0", "project-version-after=1.1", f"key={key}")
        board = self.announce("porch", "--esphome", "--family", "esp32", "--port", "0",
                              *(part for setting in settings for part in ("--esphome-set", setting)))
        always = ["api_encryption=Noise_NNpsk0_25519_ChaChaPoly_SHA256", "board=esp32", "network=wifi",
                  "platform=ESP32", "project_name=maker.lamp"]
        self.assertEqual(announced_records(board.name, "_esphomelib._tcp"),
                         sorted([*always, "version=2026.9.0", "config_hash=01234567", "project_version=1.0"]))
        port = re.search(r"127\.0\.0\.1:(\d+) ready", board.output).group(1)
        result = scenario.run("-i", f"esphome://127.0.0.1:{port}", "-f",
                              self.file("fw.bin", scenario.sketch("esp32")))
        self.assertEqual(result.status, 0, result)
        board.wait_for(" open\n")
        deadline = time.monotonic() + DEADLINE_S
        now = sorted([*always, "version=2026.9.1", "config_hash=89abcdef", "project_version=1.1"])
        while announced_records(board.name, "_esphomelib._tcp") != now:
            self.assertLess(time.monotonic(), deadline)

    def test_without_daemon(self):
        for gone in (self.without_daemon, self.without_bus):
            with self.subTest(gone.__name__), gone():
                done = subprocess.run([scenario.SIMULATOR, "--announce", "kitchen", "--port", "0"],
                                      capture_output=True, text=True, timeout=DEADLINE_S, check=False)
                self.assertEqual((done.returncode, done.stderr), (1, "esp-ota-sim: --announce needs a running "
                                                                  "avahi-daemon: Daemon not running\n"))

    def test_daemon_ends(self):
        """The board says so, and works on for those who know its address."""
        board = self.announce("kitchen", "--port", "0")
        port = re.search(r"127\.0\.0\.1:(\d+) ready", board.output).group(1)
        with self.without_daemon():
            board.wait_for("esp-ota-sim: the boards are no longer announced: ")
            result = scenario.run("-i", f"127.0.0.1:{port}", "-f", self.image)
            self.assertEqual(result.status, 0, result)

    def test_refused(self):
        for arguments, reason in ((("--announce", ""), ": a name has 1 to 54 letters, digits and hyphens\n"),
                                  (("--announce", "a.b"), "a.b: a name has 1 to 54 letters, digits and hyphens\n"),
                                  (("--announce", "x" * 55), "x: a name has 1 to 54 letters, digits and hyphens\n"),
                                  (("--announce", "-x"), "-x: a name has 1 to 54 letters, digits and hyphens\n"),
                                  (("--announce", "x", "--address", "0.0.0.0"),
                                   "--announce: needs the address of one interface: see --address\n"),
                                  (("--announce", "x", "--address", "::"),
                                   "--announce: needs the address of one interface: see --address\n")):
            with self.subTest(arguments):
                done = subprocess.run([scenario.SIMULATOR, *arguments], capture_output=True, text=True,
                                      timeout=DEADLINE_S, check=False)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr.endswith(reason), done.stderr)


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
