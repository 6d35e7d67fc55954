#!/usr/bin/env python3
"""-l/--list: the boards that announce themselves, through a real avahi-daemon."""

import json
import re
import unittest

import mdns
from mdns import Board
from mdns_case import (ATTIC, BENCH, DESK, ESP32, ESP8266, GARAGE, KITCHEN, LAMP, OnLink, PICO_W,
                       SHED, SOON, share_link)
import scenario

LOCKED = Board("locked", ESP32, v4="10.77.0.30",
               txt=("auth_upload=yes", "board=esp32s3", "app_name=LOCK", "app_version=1.15.0-dev"))
BARE = Board("bare", ESP8266, v4="10.77.0.31", txt=())
SKETCH = Board("sketch", 65280, v4="10.77.0.32")
WEB = Board("web", 80, v4="10.77.0.33")
# Boards with an update page; "lamp.v3" has ArduinoOTA, too. A printer is no board, and no router either.
WLED = Board("wled-lamp", 80, instance="lamp.v3", v4="10.77.0.34", txt=("mac=0a1b2c3d4e5f",), type="_wled._tcp")
WLED_HTTP = Board("wled-lamp", 80, instance="lamp.v3", v4="10.77.0.34", txt=(), type="_http._tcp")
WLED_OTA = Board("wled-lamp", 8266, instance="lamp.v3", v4="10.77.0.34")
TASMOTA = Board("tasmota-0a1b2c", 8080, v4="10.77.0.35", txt=("devicetype=tasmota",), type="_http._tcp")
PRINTER = Board("printer", 80, v4="10.77.0.36", txt=("rp=ipp/print", "devicetype=printer"), type="_http._tcp")
HALL = Board("hall", 6053, v4="10.77.0.38", type="_esphomelib._tcp",
             txt=("version=2026.9.1", "config_hash=0a1b2c3d", "mac=0a1b2c3d4e5f", "platform=ESP32", "board=esp32dev",
                  "network=wifi", "project_name=acme.lamp", "project_version=1.2",
                  "api_encryption=Noise_NNpsk0_25519_ChaChaPoly_SHA256"))
OLD_HALL = Board("hall-2", 6053, v4="10.77.0.39", type="_esphomelib._tcp",
                 txt=("version=2021.10.3", "mac=0a1b2c3d4e60", "platform=ESP8266", "board=d1_mini"))
ROUTER = Board("router", 80, v4="10.77.0.37", txt=(), type="_http._tcp")

# Sorted as a person would: without regard to case.
ROWS = (
    ("attic", "attic.local", "10.77.0.18", "8300", "new-board", "no", "espota"),
    ("bare", "bare.local", "10.77.0.31", "8266", "-", "?", "espota"),
    ("ch32h4-0a1b2c", "ch32h4-0a1b2c.local", "10.77.0.21", "2040", "ch32h417", "no", "espota"),
    ("desk.v2", "esp32-24a160.local", "10.77.0.15", "3232", "lolin32", "no", "espota"),
    ("Garage v2.1 – Tür №5", "garage.local", "10.77.0.14", "3232", "lolin32", "no", "espota"),
    ("hall", "hall.local", "10.77.0.38", "-", "esp32dev", "?", "esphome"),
    ("hall-2", "hall-2.local", "10.77.0.39", "-", "d1_mini", "?", "esphome"),
    ("kitchen", "kitchen.local", "10.77.0.10", "8266", "ESP8266_NODEMCU", "no", "espota"),
    ("lamp.v3", "wled-lamp.local", "10.77.0.34", "8266", "nodemcuv2", "no", "espota"),
    ("lamp.v3", "wled-lamp.local", "10.77.0.34", "80", "-", "?", "web"),
    ("Living room lamp", "lamp.local", "10.77.0.12", "3232", "lolin32", "no", "espota"),
    ("locked", "locked.local", "10.77.0.30", "3232", "esp32s3", "yes", "espota"),
    ("pico-e66", "pico-e66.local", "fd77::19", "2040", "rpipicow", "no", "espota"),
    ("shed", "shed.local", "fe80::77:20%lan0", "3232", "lolin_s2_mini", "no", "espota"),
    ("sketch", "sketch.local", "10.77.0.32", "65280", "new-board", "no", "sketch"),
    ("tasmota-0a1b2c", "tasmota-0a1b2c.local", "10.77.0.35", "8080", "-", "?", "web"),
    ("web", "web.local", "10.77.0.33", "80", "new-board", "no", "other"),
)


def setUpModule():
    share_link(KITCHEN, LAMP, GARAGE, DESK, ATTIC, PICO_W, SHED, BENCH, LOCKED, BARE, SKETCH, WEB,
               WLED, WLED_HTTP, WLED_OTA, TASMOTA, PRINTER, ROUTER, HALL, OLD_HALL)


HEADING = "INSTANCE HOST ADDRESS PORT BOARD PASSWORD VERSION"
EVENT_KEYS = {"event", "time", "board", "host", "address", "port", "type", "password", "protocol",
              "ambiguous", "firmware_version"}


VERSIONS = {"locked": "1.15.0-dev", "hall": "1.2", "hall-2": "2021.10.3"}
# In a table, ESPHome's project and its own version are told apart.
SHOWN_VERSIONS = {**VERSIONS, "hall": "acme.lamp 1.2, ESPHome 2026.9.1", "hall-2": "ESPHome 2021.10.3"}


def version_of(row):
    return VERSIONS.get(row[0], "-")


def plain(rows):
    return "".join("\t".join((*row, "-", version_of(row))) + "\n" for row in rows)


class Forms(OnLink):
    """The same boards as a table, as fields and as JSON."""

    def test_plain(self):
        result = scenario.run("-l")
        self.assertEqual((0, plain(ROWS), ""), (result.status, result.out, result.err), result)
        self.assertLess(result.undelayed, SOON)

    def test_table(self):
        """In columns: what is below a heading begins where that begins."""
        result = scenario.Terminal("-l", columns=160).result()
        self.assertEqual(0, result.status, result)
        heading, *lines = result.err.splitlines()
        self.assertEqual(HEADING.split(), heading.split())
        self.assertEqual(len(ROWS), len(lines), result)
        for line, row in zip(lines, ROWS):
            for title, cell in zip(HEADING.split(), (*row[:-1], SHOWN_VERSIONS.get(row[0], "-"))):
                self.assertEqual(heading.index(title), line.index(cell, heading.index(title)), line)
            self.assertEqual(line, line.rstrip())
            remark = {"other": ["other", "protocol"], "espota": []}.get(row[-1], ["--protocol", row[-1]])
            remark += [] if row[0] != "hall" else ["encrypted"]
            remark = [word + "," * (word == "esphome" and row[0] == "hall") for word in remark]
            self.assertEqual([row[-2], *SHOWN_VERSIONS.get(row[0], "-").split(), *remark], line[heading.index("PASSWORD"):].split())

    def test_narrow_table(self):
        """Kinds and versions are shortened to the terminal, and marked, before names; a pipe gets them whole."""
        result = scenario.Terminal("-l", columns=110).result()
        self.assertEqual(0, result.status, result)
        self.assertEqual([], [line for line in result.err.splitlines() if len(line) > 110], result)
        self.assertRegex(result.err, r"\nGarage v2.1 – Tür №5  10\.77\.0\.14 ")
        for text in ("  ESP8266_NOD...  ", "  acme.lamp 1.2,...  ", "  ESPHome 2021.10.3  "):
            self.assertIn(text, result.err)
        self.assertNotIn("...", scenario.run("-l").out)

    def test_narrowest_table(self):
        """No line is wrapped; each name can be read."""
        for columns in (80, 40, 20):
            with self.subTest(columns):
                result = scenario.Terminal("-l", columns=columns).result()
                self.assertEqual(0, result.status, result)
                lines = result.err.splitlines()
                self.assertEqual(len(ROWS) + 1, len(lines), result)
                self.assertEqual([], [line for line in lines if len(line) > columns], result)
                for name in ("Living room lamp", "Garage v2.1 – Tür №5"):
                    self.assertIn(f"\n{name}", result.err)

    def test_json(self):
        result = scenario.run("-l", "--json")
        self.assertEqual((0, ""), (result.status, result.err), result)
        events = [json.loads(line) for line in result.out.splitlines()]
        esphome = {event["board"]: event.pop("esphome") for event in events if event["protocol"] == "esphome"}
        self.assertEqual(esphome, {
            "hall": {"version": "2026.9.1", "platform": "ESP32", "project": "acme.lamp", "project_version": "1.2",
                     "config_hash": "0a1b2c3d", "encrypted": True},
            "hall-2": {"version": "2021.10.3", "platform": "ESP8266", "project": None, "project_version": None,
                       "config_hash": None, "encrypted": False}})
        self.assertEqual({frozenset(EVENT_KEYS)}, {frozenset(event) for event in events})
        self.assertEqual({"board"}, {event["event"] for event in events})
        passwords = {True: "yes", False: "no", None: "?"}
        self.assertEqual(list(ROWS), [
            (event["board"], event["host"], event["address"], str(event["port"] or "-"),
             event["type"] or "-", passwords[event["password"]], event["protocol"])
            for event in events])
        self.assertEqual(VERSIONS, {event["board"]: event["firmware_version"] for event in events
                                                    if event["firmware_version"]})

    def test_patterns(self):
        for arguments, names in ((("--match", "ATTIC"), {"attic"}), (("--match", "*lamp*"), {"lamp.v3", "Living room lamp"}),
                                 (("--match", "garage*TÜR ??"), {"Garage v2.1 – Tür №5"}),
                                 (("--board", "esp32s*"), {"locked"}), (("--match", "web"), {"web"}),
                                 (("--match", "*kitchen*", "--board", "esp8266*"), {"kitchen"}), (("--all",), None)):
            with self.subTest(arguments):
                result = scenario.run("-l", *arguments)
                rows = [row for row in ROWS if not names or row[0] in names]
                self.assertEqual((0, plain(rows), ""), (result.status, result.out, result.err), result)
        result = scenario.run("-l", "--match", "cellar")
        self.assertEqual((4, ""), (result.status, result.out), result)
        self.assertIn("none of the boards found (17) matches --match 'cellar'", result.err)

    def test_output_that_cannot_be_written(self):
        for form in ((), ("--json",)):
            with self.subTest(form):
                result = scenario.run("-l", *form, before=("sh", "-c", 'exec "$@" >/dev/full', "sh"))
                self.assertEqual((1, ""), (result.status, result.out), result)
                self.assertIn("cannot write to standard output: No space left", result.err)


    def test_output_that_takes_little_at_once(self):
        """A non-blocking pipe: what it does not take yet is no error."""
        for form in ((), ("--json",)):
            with self.subTest(form):
                expected = scenario.run("-l", *form)
                status, out, err = scenario.read_slowly("-l", *form)
                self.assertEqual((status, err), (0, ""))
                self.assertEqual(*(re.sub(r'"time":[0-9.]+', "", text) for text in (out, expected.out)))


class Usage(scenario.Scenario):
    def test_ignored_options(self):
        for option in ((), ("-q",)):
            result = scenario.run("-l", "-t", "0.001", "-p", "8266", "--retries", "3", *option)
            warning = "esp-ota: warning: --list ignores --port and --retries\n"
            self.assertEqual(0 if option else 1, result.err.count(warning), result)

    def test_with_a_board_or_a_file(self):
        for option in ("-i", "-f"):
            result = scenario.run("-l", option, "x")
            self.assertEqual((2, ""), (result.status, result.out), result)
            self.assertIn(f"-l prints all boards and uploads nothing; leave {option} out", result.err)


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
