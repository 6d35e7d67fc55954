#!/usr/bin/env python3
"""--serve with names that boards announce, through a real avahi-daemon."""

import hashlib
import json
import os
import re
import unittest

import firmware
import mdns
from mdns_case import KITCHEN, LAMP, OnLink, share_link
import scenario
from test_serve import Server

MAC = "24:0A:C4:00:77:{:02X}"


def setUpModule():
    share_link(KITCHEN, LAMP)


class Names(OnLink):

    def setUp(self):
        super().setUp()
        self.content = firmware.esp8266(60000) + b"12:00:00"  # the time of build that a simulated Tasmota tells
        self.path = self.file("fw.bin", self.content)

    def fetch(self, server, board, content=b"old"):
        """What a board at this address gets that runs content: the status, and the image."""
        got = os.path.join(self.directory, "got.bin")
        headers = [f"x-ESP8266-STA-MAC: {MAC.format(int(board.v4.split('.')[3]))}", "x-ESP8266-mode: sketch",
                   f"x-ESP8266-sketch-md5: {hashlib.md5(content).hexdigest()}"]
        asked = mdns.Process(*self.link.boards.prefix, "curl", "--silent", "--http1.0", "--interface", board.v4, "--output",
                             got, "--write-out", "status=%{http_code}\n", "--user-agent", "ESP8266-http-Update",
                             *(part for header in headers for part in ("--header", header)), server.url + "/firmware.bin")
        asked.wait_for(r"status=\d+")
        status = int(asked.output.rpartition("status=")[2])
        asked.stop()
        with open(got, "rb") as file:
            return status, file.read()

    def until_known(self, server, board):
        while True:
            status, got = self.fetch(server, board)
            if status != 503:
                return status, got

    def test_tasmota_at_the_second_address(self):
        """A board that is told to fetch is looked for at each address of its name."""
        self.addCleanup(self.link.write_hosts)
        self.link.write_hosts("10.77.0.99 two.example.org", f"{LAMP.v4} two.example.org")
        board = self.simulate(LAMP, "--web", "tasmota", "--web-set", "hasty", "--web-set", "ota-url=http://ota.example/a.bin",
                              "--reboot-ms", "300", "--family", "esp8266", port=80)
        result = scenario.run(f"--serve={self.link.V4}:0", "-i", "http://two.example.org", "-f", self.path)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn("two.example.org: told to fetch", result.err)
        self.assert_got(board, self.path)

    def test_absent_names(self):
        """Boards that have confirmed, and whose names lead nowhere now, delay nobody."""
        board = self.simulate(LAMP, "--web", "tasmota", "--web-set", "hasty", "--web-set", "ota-url=http://ota.example/a.bin",
                              "--reboot-ms", "300", "--family", "esp8266", port=80)
        names = [f"gone{i}.local" for i in range(9)]  # more than are looked up at a time
        events = [{"event": "result", "board": name, "ok": True, "exit_status": 0, "code": "ok", "port": None, "command": "sketch",
                   "sha256": hashlib.sha256(self.content).hexdigest()} for name in names]
        report = self.file("report", "".join(json.dumps(event) + "\n" for event in events).encode())
        hosts = self.file("hosts", "\n".join([*names, f"http://{LAMP.v4}"]).encode())
        server = Server(self, "--hosts", hosts, "-f", self.path, "--resume", report, where=self.link.V4)
        server.program.wait_for(f"{LAMP.v4}: confirmed")
        result = server.stop()
        self.assertEqual(result.status, 0, result)
        self.assertNotIn("gone", result.err[:result.err.index("told to fetch")])
        self.assert_got(board, self.path)

    def test_list(self):
        """A host name and an announced name, each with its own image; another board gets nothing."""
        other = firmware.esp8266(50000)
        hosts = self.file("hosts", f"kitchen.local\n\"Living room lamp\" file={self.file('other.bin', other)}\n".encode())
        server = Server(self, "--hosts", hosts, "-f", self.path, "--until-confirmed", "2", where=self.link.V4)
        for board, name, image in ((KITCHEN, "kitchen.local", self.content), (LAMP, "Living room lamp", other)):
            self.assertEqual(self.until_known(server, board), (200, image), name)
            server.program.wait_for(f"{name}: took it")
            self.assertEqual(self.fetch(server, board, image)[0], 304, name)
        result = server.result()
        self.assertEqual((result.status, result.out), (0, ""), result)
        for name in ("kitchen.local", "Living room lamp"):
            self.assertRegex(result.err, rf"(?m)^{name}: confirmed, .*; back with it after \d+ s$")

    def test_addresses(self):
        """Each address at which boards can reach this computer has its URL."""
        further = "10.79.0.1"
        mdns.run("ip", "address", "add", further + "/24", "dev", self.link.INTERFACE)
        self.addCleanup(mdns.run, "ip", "address", "del", further + "/24", "dev", self.link.INTERFACE)
        result = scenario.run("--serve=0", "-f", self.path, "--serve-for", "0.1")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(sorted(re.findall(r"(?m)^boards fetch from http://(\S+):\d+/firmware\.bin$", result.err)),
                         sorted((self.link.V4, further, f"[{self.link.V6}]")), result)

    def test_tasmota(self):
        """A board that is told to fetch by its name does so from the address that this computer has on its link."""
        board = self.simulate(KITCHEN, "--web", "tasmota", "--web-set", "hasty", port=80)
        result = scenario.run("--serve=0", "-i", "http://kitchen.local", "-f", self.path)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertRegex(result.err, rf"(?m)^kitchen\.local: told to fetch http://{self.link.V4}:\d+/firmware\.bin ")
        self.assertIn("kitchen.local: confirmed, ", result.err)
        self.assert_got(board, self.path)


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
