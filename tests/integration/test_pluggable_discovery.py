#!/usr/bin/env python3
"""--pluggable-discovery with a real avahi-daemon: what an IDE learns of the boards, and that it can upload with it."""

import os
import re
import shlex
import signal
import subprocess
import time
import unittest

import ide
from ide import HELLO, done
import mdns
from mdns import Board
from mdns_case import DESK, ESP32, KITCHEN, LAMP, LOOKED_FOR, OnLink, SHED, share_link
import scenario

# What it announces tries to be what it is not.
LIAR = Board("liar", ESP32, "a\tb", v4="10.77.0.40",
             txt=("port=1 -a x", "hostname=kitchen.local.", ".=uno", "board=esp32s3", "empty=", "=x", "flag",
                  "fw_version=1=2", "auth_upload=yes"))
SOURCE = os.environ["ESP_OTA_SOURCE"]


def setUpModule():
    share_link(KITCHEN, LAMP, DESK, SHED, LIAR)


def port(which, label="", address="", **properties):
    address = address or which.v4
    announced = properties or dict(record.replace('"', "").split("=", 1) for record in which.records())
    return {"address": address, "label": f"{label or which.name} at {address}", "protocol": "network",
            "protocolLabel": "Network Port",
            "properties": {"hostname": f"{which.local}.", "port": str(which.port), ".": announced["board"], **announced}}


PORTS = {found["address"]: found for found in (
    port(KITCHEN), port(LAMP), port(DESK), port(SHED, address="fe80::77:20%lan0"),
    port(LIAR, r"a\tb", board="esp32s3", empty="", fw_version="1=2", auth_upload="yes"))}


def error(event, message):
    return {"eventType": event, "error": True, "message": message}


class Discovery(OnLink):

    def greeted(self):
        tool = ide.Tool("--pluggable-discovery")
        self.addCleanup(tool.close)
        self.assertEqual(tool.ask(HELLO[0]), HELLO[1])
        return tool

    def events(self, tool, event, count):
        """The ports of that many further events, by address."""
        found = {}
        for _ in range(count):
            message = tool.message(LOOKED_FOR)
            self.assertEqual((event, 2), (message["eventType"], len(message)), message)
            found[message["port"]["address"]] = message["port"]
        self.assertEqual(count, len(found))
        return found

    def syncing(self):
        tool = self.greeted()
        self.assertEqual(tool.ask("START_SYNC"), done("start_sync"))
        self.assertEqual(PORTS, self.events(tool, "add", len(PORTS)))
        return tool

    def assert_quiet(self, tool):
        self.assertEqual(tool.ask("QUIT"), done("quit"))
        self.assertEqual((0, [], ""), tool.end())

    def test_sync(self):
        """Each board once, with what it announces, and no further event."""
        tool = self.syncing()
        self.assertEqual(tool.ask("LIST"), error("list", "the discovery sends events; LIST needs START"))
        for verb in ("START", "START_SYNC"):
            self.assertEqual(tool.ask(verb),
                             error(verb.lower(), "the discovery is already started; send STOP first"))
        self.assertEqual(tool.ask("STOP"), done("stop"))
        self.assertEqual(tool.ask("STOP"), error("stop", "the discovery is not started"))
        self.assertEqual(tool.ask("START_SYNC"), done("start_sync"))
        self.assertEqual(PORTS, self.events(tool, "add", len(PORTS)))
        self.assert_quiet(tool)

    def test_list(self):
        tool = self.greeted()
        self.assertEqual(tool.ask("LIST"), error("list", "the discovery is not started; send START first"))
        self.assertEqual(tool.ask("START"), done("start"))
        deadline = time.monotonic() + LOOKED_FOR
        while True:
            listed = tool.ask("LIST")
            self.assertEqual(("list", 2), (listed["eventType"], len(listed)), listed)
            if len(listed["ports"]) == len(PORTS):
                break
            self.assertLess(time.monotonic(), deadline, listed)
        self.assertEqual(PORTS, {found["address"]: found for found in listed["ports"]})
        self.assert_quiet(tool)

    def test_come_and_go(self):
        """A board that says goodbye is removed, and one that comes is added."""
        tool = self.syncing()
        boards = self.link.boards
        everyone = boards.boards
        try:
            boards.daemon.stop()  # says goodbye for all
            gone = self.events(tool, "remove", len(PORTS))
            self.assertEqual({address: {"address": address, "protocol": "network"} for address in PORTS}, gone)
            boards.announce()
            self.assertEqual(PORTS, self.events(tool, "add", len(PORTS)))
        finally:
            boards.boards = everyone
        self.assert_quiet(tool)

    def test_no_daemon(self):
        tool = self.greeted()
        with self.without_daemon():
            for verb in ("START", "START_SYNC"):
                reply = tool.ask(verb)
                self.assertEqual((verb.lower(), True), (reply["eventType"], reply["error"]))
                self.assertIn("multicast DNS cannot be asked (avahi-daemon is not on the D-Bus system bus",
                              reply["message"])
        self.assertEqual(tool.ask("START_SYNC"), done("start_sync"))
        self.assertEqual(PORTS, self.events(tool, "add", len(PORTS)))
        self.assert_quiet(tool)

    def test_daemon_restarts(self):
        tool = self.syncing()
        self.link.stop_daemon()
        self.link.start_daemon()
        # Whether the boards go in between depends on how long that takes; at the end all are known.
        self.assertEqual(tool.ask("STOP") if not tool.rest else done("stop"), done("stop"))
        self.assertEqual(tool.ask("START_SYNC"), done("start_sync"))
        self.assertEqual(PORTS, self.events(tool, "add", len(PORTS)))
        tool.close()

    def test_daemon_hangs(self):
        """START is answered all the same, and another process asks once the daemon answers again."""
        tool = self.syncing()
        self.assertEqual(tool.ask("STOP"), done("stop"))
        self.link.daemon.kill(signal.SIGSTOP)
        try:
            self.assertEqual(tool.ask("START_SYNC"),
                             error("start_sync", "multicast DNS cannot be asked (avahi-daemon or the D-Bus system bus "
                                                 "does not answer)"))
        finally:
            self.link.daemon.kill(signal.SIGCONT)
        self.assertEqual(tool.ask("START_SYNC"), done("start_sync"))
        self.assertEqual(PORTS, self.events(tool, "add", len(PORTS)))
        self.assert_quiet(tool)

    def test_ends_with_the_input(self):
        self.assertEqual((0, [], ""), self.syncing().end())

    def test_upload(self):
        """The IDE's next step: it fills in the pattern of esp-ota-callers(7) with the port's properties."""
        simulated = self.simulate(LAMP, "-F", "esp32")
        image = self.file("sketch.ino.bin", scenario.sketch("esp32"))
        self.syncing()
        with open(os.path.join(SOURCE, "man", "esp-ota-callers.7"), encoding="utf-8") as file:
            page = file.read().replace("\\e\n", "").replace("\\-", "-")
        pattern = re.search(r"^tools\.esp_ota\.upload\.pattern=(.*)$", page, re.M)[1]
        chosen = PORTS[LAMP.v4]
        names = {"build.path": os.path.dirname(image), "upload.field.password": "",
                 "build.project_name": "sketch.ino", "upload.port.address": chosen["address"],
                 **{f"upload.port.properties.{key}": value for key, value in chosen["properties"].items()}}
        line = re.sub(r"\{([a-z_.]+)\}", lambda match: names[match[1]], pattern)
        words = shlex.split(line)
        self.assertEqual("esp-ota", words[0])
        sent = subprocess.run([scenario.PROGRAM, *words[1:]], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=scenario.DEADLINE_S, env=scenario.environment())
        self.assertEqual((0, ""), (sent.returncode, sent.stdout), sent.stderr)
        self.assert_got(simulated, image)


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
