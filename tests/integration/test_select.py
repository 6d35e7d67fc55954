#!/usr/bin/env python3
"""Boards by discovery: --all, --match, --board, and those that somebody chooses at a terminal."""

import concurrent.futures
import json
import os
import re
import signal
import unittest

import firmware
import mdns
import mdns_case
from mdns import Board
from mdns_case import ATTIC, GARAGE, KITCHEN, KITCHEN_2, LAMP, LOOKED_FOR, OnLink, SOON, share_link
import scenario

WEB = Board("web", 80, v4="10.77.0.33")
# A board with an update page, which announces that it is WLED.
PORCH = Board("porch", 8081, instance="porch light", v4="10.77.0.34", txt=("mac=0a1b2c3d4e5f",), type="_wled._tcp")
MKR = Board("mkr", 65280, v4="10.77.0.37", txt=("auth_upload=yes", "board=arduino"))
# Boards with ESPHome: their SRV record has the port of the API. The kind of the first one is not known by its name.
LOFT = Board("loft", 6053, v4="10.77.0.38", type="_esphomelib._tcp",
               txt=("version=2026.9.1", "platform=ESP32", "board=acme_hall", "network=wifi"))
HUT = Board("hut", 6053, v4="10.77.0.39", type="_esphomelib._tcp",
            txt=("version=2021.10.3", "platform=ESP8266", "board=acme_hut"))
EVERYONE = (ATTIC, GARAGE, KITCHEN, KITCHEN_2, LAMP)  # in the order of --list
NAMES = ("attic", "Garage v2.1 – Tür №5", "kitchen", "kitchen-2", "Living room lamp")


def setUpModule():
    share_link(KITCHEN, KITCHEN_2, LAMP, GARAGE, ATTIC, WEB, PORCH, LOFT, HUT, MKR)


class Selection(OnLink):

    def assert_updates(self, result, simulated, expected):
        """Exactly the expected boards have got the image."""
        self.assertEqual(result.status, 0, result)
        for name, board in zip(NAMES, simulated):
            if name in expected:
                self.assert_got(board, self.image)
                self.assertRegex(result.err, rf"(?m)(^|\x1b\[K){re.escape(name)}(\.local)?: ")
            else:
                self.assert_untouched(board)


class Discovery(Selection):

    def test_patterns(self):
        for arguments, expected in (
                (("--all",), NAMES),
                (("--match", "KITCHEN*"), ("kitchen", "kitchen-2")),
                (("--match", "lamp.local"), ("Living room lamp",)),
                (("--match", "*room*"), ("Living room lamp",)),
                (("--board", "esp8266*"), ("kitchen",)),
                (("--match", "kitchen*", "--board", "nodemcu*"), ("kitchen-2",)),
                (("--match", "attic", "-i", "kitchen.local"), ("attic", "kitchen"))):
            with self.subTest(arguments):
                simulated = [self.simulate(board) for board in EVERYONE]
                result = scenario.run(*arguments, "-f", self.image)
                self.assert_updates(result, simulated, expected)
                self.assertLess(result.undelayed, SOON)
                if len(expected) > 1:
                    self.assertIn(f"\n{len(expected)} of {len(expected)} boards confirmed", result.err)
                for board in simulated:
                    board.stop()

    def test_nobody_fits(self):
        for arguments, phrase in (
                (("--match", "cellar"), "matches --match 'cellar'; found: \""),
                (("--board", "pico*"), "matches --board 'pico*'; the announced kinds: 'ESP8266_NODEMCU', "),
                (("--board", "ESP8266"), "matches --board 'ESP8266'; --board '*ESP8266*' would match 1 of them; "
                                         "the kinds with this chip: 'ESP8266_NODEMCU', 'nodemcuv2'\n"),
                (("--board", "esp32"), "matches --board 'esp32'; the only kind with this chip: 'lolin32'\n"),
                (("--match", "kitchen*", "--board", "esp32*"),
                 "matches --match 'kitchen*' and --board 'esp32*'; 2 match --match 'kitchen*', of the kinds "
                 "'ESP8266_NODEMCU', 'nodemcuv2'\n"),
                (("--match", "cellar", "--board", "pico"),
                 "matches --match 'cellar' and --board 'pico'; found: \"")):
            with self.subTest(arguments):
                result = scenario.run(*arguments, "-f", self.image)
                self.assert_result(result, 4, (f"esp-ota: none of the boards found (10) {phrase}",),
                                   SOON)
        result = scenario.run("--match", "web", "-f", self.image)
        self.assert_result(result, 4, ("only boards with another protocol match --match 'web': 1 with other software",), SOON)
        result = scenario.run("--match", "kitchen,attic", "-f", self.image)
        self.assert_result(result, 4, ("matches --match 'kitchen,attic'", "\n  Give one name with each -i"), SOON)

    def test_a_sketch_server_by_name(self):
        """What is announced knows better than the default; with a port, the user does."""
        path = os.path.join(self.directory, "mkr.bin")
        with open(path, "wb") as file:
            file.write(firmware.cortex_m())
        mkr = self.simulate(MKR, "--family", "samd", "--web", "sketch")
        result = scenario.run("-i", "mkr.local", "-f", path)
        self.assert_result(result, 2, ("the board announces the protocol sketch (port 65280), not espota; add "
                                       "--protocol sketch, or write sketch:// before its name\n",), SOON)
        kitchen = self.simulate(KITCHEN)
        result = scenario.run("-i", "sketch://kitchen.local", "-f", self.image)
        self.assert_result(result, 2, ("announces the protocol espota (port 8266), not sketch",), SOON)
        self.assert_untouched(kitchen)
        result = scenario.run("-i", "sketch://mkr.local", "-f", path)
        self.assert_result(result, 0, ("received by the board",), SOON)
        self.assert_got(mkr, path)

    def test_esphome(self):
        """Only --protocol esphome selects these boards; the port is that of the announced platform."""
        esp32 = firmware.esp32_sketch(20000)
        loft = self.simulate(LOFT, "--family", "esp32", "--esphome", port=3232)
        hut = self.simulate(HUT, "--family", "esp8266", "--esphome", port=8266)
        kitchen = self.simulate(KITCHEN)
        path = os.path.join(self.directory, "esp32.bin")
        with open(path, "wb") as file:
            file.write(esp32)
        result = scenario.run("--match", "loft", "-f", path)
        self.assert_result(result, 4, ("esp-ota: only boards with another protocol match --match 'loft': 1 with "
                                       "ESPHome's OTA (--protocol esphome)\n  Give the --protocol of these boards, ",), SOON)
        result = scenario.run("--match", "loft", "-f", path, "--wait", "12", "-t", "5")
        self.assertEqual(result.status, 4, result)
        for end in ("waiting for boards, 12 s at most\n", "the 12 s of --wait are over\n  Give the --protocol of these "):
            self.assertIn(f"--match 'loft': 1 with ESPHome's OTA (--protocol esphome); {end}", result.err)
        result = scenario.run("--all", "--protocol", "esphome", "-f", path, "--json", "--retries", "0")
        events = [json.loads(line) for line in result.out.splitlines()]
        results = {event["board"]: event for event in events if event["event"] == "result"}
        self.assertEqual({"loft", "hut"}, set(results), result)
        self.assertEqual((0, "board", 3232), tuple(results["loft"][key] for key in ("exit_status", "verified", "port")))
        self.assertEqual(3, results["hut"]["exit_status"], result)
        self.assertIn('announces the platform \\"ESP8266\\"', result.out)
        self.assert_got(loft, path)
        self.assert_untouched(hut)
        self.assert_untouched(kitchen)

    def test_update_pages(self):
        """Only --protocol web selects a board by its update page, at the announced port."""
        page = self.simulate(PORCH, "--family", "esp32", "--web", "wled-old", port=PORCH.port)
        kitchen = self.simulate(KITCHEN)
        result = scenario.run("--match", "[kp]*[!2]", "-f", self.image)
        self.assertEqual(result.status, 0, result)
        self.assert_got(kitchen, self.image)
        self.assertNotIn("porch", result.err)
        result = scenario.run("--match", "porch*", "-f", self.image)
        self.assert_result(result, 4, ("only boards with another protocol match --match 'porch*': 1 with an update page "
                                       "(--protocol web)\n",), SOON)
        result = scenario.run("--match", "*k*", "--protocol", "web", "-f", self.image)
        self.assert_result(result, 4, ("only boards with another protocol match --match '*k*': 2 with ArduinoOTA "
                                       "(--protocol espota) and 1 with a sketch server (--protocol sketch)",), SOON)
        self.assertNotIn("request", page.output)

        image = self.file("esp32.bin", mdns_case.make_image("esp32"))
        result = scenario.run("--all", "--protocol", "web", "-f", image, "-d")
        self.assertEqual(result.status, 0, result)
        self.assert_got(page, image)
        self.assertIn(f", port {PORCH.port} (the announced port)\n", result.err)
        self.assertIn("and confirmed by the board", result.err)

    def test_similar_names(self):
        """All boards that can be uploaded to, with the way onto those that need another one."""
        rows = (("lofft", 'is "loft" (ESPHome)'), ("hutt.local", 'is "hut.local" (ESPHome)'),
                ("porch light", 'is "porch light" (WLED)'), ("esphome://kitchne", 'are "kitchen" (ArduinoOTA), "kitchen-2" '))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for result, (name, names) in zip(pool.map(lambda row: scenario.run("-i", row[0], "-f", self.image), rows), rows):
                with self.subTest(name):
                    self.assert_result(result, 4, (f" boards announced here, the most similar {names}",
                                                   "\n  Check the spelling of the name, and write the way to that board before it: esphome:// "), LOOKED_FOR)

    def test_page_by_instance(self):
        """An announced name that is not the host's, as a label and in a URL; its port counts if it is the page's."""
        image = self.file("esp32.bin", mdns_case.make_image("esp32"))
        page = self.simulate(PORCH, "--family", "esp32", "--web", "wled-old", port=PORCH.port)
        for arguments in (("-i", PORCH.instance, "--protocol", "web"), ("-i", f"http://{PORCH.instance}"),
                          ("-i", f"HTTP://{PORCH.instance}:{PORCH.port}/update")):
            with self.subTest(arguments):
                result = scenario.run(*arguments, "-f", image)
                self.assertEqual(result.status, 0, result)
                self.assertIn("update page: WLED", result.err)
        self.assert_got(page, image)
        page = self.simulate(LAMP, "--web", "esp8266", port=80)
        result = scenario.run("-i", f"http://{LAMP.instance}", "-f", self.image)
        self.assertEqual(result.status, 0, result)
        self.assert_got(page, self.image)
        result = scenario.run("-i", "http://porch lamp", "-f", image, "-t", "3")
        self.assert_result(result, 4, ("porch lamp",), SOON)

    def test_no_daemon(self):
        with self.without_daemon():
            result = scenario.run("--all", "-f", self.image)
        self.assert_result(result, 4, ("avahi-daemon", "start"), SOON)

    def test_a_board_that_has_gone(self):
        """It is announced, but does not answer: that is a failure, and the others are updated."""
        simulated = [self.simulate(board) for board in EVERYONE[:-1]]
        result = scenario.run("--match", "*i*", "-f", self.image, "-t", "4", "--retries", "0")
        self.assertEqual(result.status, 5, result)
        self.assertIn(": Living room lamp\n", result.err)
        for name, board in zip(NAMES, simulated):
            if "i" in name:
                self.assert_got(board, self.image)

    def test_waiting(self):
        """Boards that can be found later only are updated then."""
        board = self.simulate(KITCHEN)
        with self.without_daemon():
            program = scenario.Program("--match", "kitchen", "-f", self.image, "--wait", "60")
            program.wait_for("avahi-daemon.*; waiting for boards, 60 s at most")
        result = program.result()
        self.assertEqual(result.status, 0, result)
        self.assert_got(board, self.image)
        self.assertEqual(result.err.count("waiting for boards"), 1, result)


    def test_waiting_in_vain_at_a_terminal(self):
        result = scenario.Terminal("--match", "nobody", "-f", self.image, "--wait", "6", "-t", "1").result()
        self.assertEqual(result.status, 4, result)
        self.assertRegex(result.err, r"waiting for boards, 0:0[1-5] left")
        self.assertRegex(result.err, r"left\r\x1b\[K(?!.*left)(?s:.*); the 6 s of --wait are over")
        self.assertLessEqual(result.err.count("not all boards have been heard"), 1, result)  # of the first search
        counts = re.findall(r"none of the boards found \((\d+)\)", result.err)
        self.assertEqual(len(set(counts)), 1, result)  # the others look for one protocol only

    def test_boards_of_a_chip(self):
        """--board compares kinds: it says what it leaves out of the boards with that chip."""
        note = "--board 'esp8266*' compares kinds, and leaves out "
        kitchen, other = self.simulate(KITCHEN), self.simulate(KITCHEN_2)
        result = scenario.run("--board", "esp8266*", "-f", self.image)
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"{note}1 board with this chip, of the kind 'nodemcuv2'\n", result.err)
        self.assert_got(kitchen, self.image)
        self.assert_untouched(other)
        result = scenario.run("-l", "--board", "esp8266*")
        self.assertEqual((0, f"{note}2 boards with this chip, of the kinds 'acme_hut', 'nodemcuv2'\n"),
                         (result.status, result.err), result)
        result = scenario.run("-l", "--board", "ESP8266_NODEMCU")
        self.assertEqual((0, ""), (result.status, result.err), result)


class Choice(Selection):

    def choose(self, *answers):
        simulated = [self.simulate(board) for board in EVERYONE]
        terminal = scenario.Terminal("-f", self.image, columns=120)
        for answer in answers:
            terminal.wait_for(r"Which ones\? \(numbers, 1-3, names, 'lab-\*', or all\) \Z")
            terminal.seen += "\n"
            terminal.type(answer)
        return terminal.result(), simulated

    def test_numbers(self):
        for answers, expected in ((("3\n",), ("kitchen",)), (("1 3-4\n",), ("attic", "kitchen", "kitchen-2")),
                                  (("all\n",), NAMES), (("kitchen\n",), ("kitchen",)),
                                  (("1,KITCHEN-?\n",), ("attic", "kitchen-2")),
                                  (("Living room lamp, 1\n",), ("attic", "Living room lamp")),
                                  (("cellar\n", "*kitchen*\n"), ("kitchen", "kitchen-2")),
                                  (("9\n", "5,1\n"), ("attic", "Living room lamp"))):
            with self.subTest(answers):
                result, simulated = self.choose(*answers)
                warning, *lines = [" ".join(line.split()) for line in result.err.splitlines()]
                self.assertIn("its format is unknown", warning)
                self.assertEqual(lines[0], "INSTANCE HOST ADDRESS PORT BOARD PASSWORD")
                self.assertIn("3 kitchen kitchen.local 10.77.0.10 8266 ESP8266_NODEMCU no", lines)
                self.assertNotIn("web.local", result.err)
                if answers[0] == "9\n":
                    self.assertIn("'9' is not a number or a range from 1 to 5; an empty line chooses none", lines)
                self.assert_updates(result, simulated, expected)
                for board in simulated:
                    board.stop()

    def test_only_boards_that_the_image_is_for(self):
        """The others are grey, with the reason; no number, name or pattern chooses them."""
        self.image = self.file("esp32.bin", mdns_case.make_image("esp32"))
        result, simulated = self.choose("kitchen\n", "*\n")
        lines = [re.sub(r"\x1b\[\d*m", "", line) for line in result.err.replace("\r", "").splitlines()]
        grey = [line for line in result.err.replace("\r", "").splitlines() if "\x1b[2m" in line]
        self.assertEqual(len(grey), 4, result)
        menu = lines[:[line.startswith("Which ones?") for line in lines].index(True)]
        self.assertLessEqual(max(map(len, menu)), 120, result)
        self.assertTrue(any(re.match(r"  -  kitchen +kitchen\.local", line) for line in lines), result)
        self.assertEqual(sum("the image is for the chip esp32, but the board announces itself as" in line
                             for line in lines), 3, result)
        self.assertTrue(any(line.startswith("'kitchen' cannot be chosen: the image is for the chip esp32")
                            for line in lines), result)
        self.assert_updates(result, simulated, ("attic", "Garage v2.1 – Tür №5", "Living room lamp"))

    def test_reasons_in_a_narrow_terminal(self):
        """What differs between boards stays readable."""
        terminal = scenario.Terminal("-f", self.file("esp32.bin", mdns_case.make_image("esp32")), columns=60, NO_COLOR="1")
        terminal.wait_for(r"Which ones\?")
        lines = terminal.seen.replace("\r", "").splitlines()
        self.assertLessEqual(max(map(len, lines[:-1])), 60, lines)
        for name, kind in (("kitchen", "ESP8266_NODEMCU"), ("kitchen-2", "nodemcuv2")):
            at = [line.split()[:2] for line in lines].index(["-", name])
            self.assertEqual(lines[at + 1], f'     announces itself as "{kind}" (esp8266)')
        terminal.type("\n")
        self.assertEqual(terminal.result().status, 2)

    def test_none_that_the_image_is_for(self):
        """--force offers them all."""
        share = [self.simulate(board) for board in EVERYONE]
        path = self.file("pico.bin", mdns_case.make_image("pico"))
        terminal = scenario.Terminal("-f", path, "--board", "nothing", columns=120)
        self.assertEqual(terminal.result().status, 4)
        terminal = scenario.Terminal("-f", self.file("esp32.bin", mdns_case.make_image("esp32")), "--force",
                                     columns=120)
        terminal.wait_for(r"Which ones\?")
        self.assertIn("3  kitchen ", terminal.seen)
        self.assertNotIn("\x1b[2m", terminal.seen)
        terminal.type("\n")
        self.assertEqual(terminal.result().status, 2)
        for board in share:
            self.assert_untouched(board)

    def test_no_color(self):
        terminal = scenario.Terminal("-f", self.file("esp32.bin", mdns_case.make_image("esp32")), NO_COLOR="1")
        terminal.wait_for(r"  -  kitchen (?s:.*)Which ones\?")
        self.assertNotIn("\x1b[2m", terminal.seen)
        terminal.type("\n")
        self.assertEqual(terminal.result().status, 2)

    def test_status(self):
        """SIGUSR1: the question stays, and what has been typed."""
        terminal = scenario.Terminal("-f", self.image)
        terminal.wait_for(r"Which ones\?")
        terminal.send_signal(signal.SIGUSR1)
        terminal.wait_for(r"waiting for a choice among \d boards\r\nWhich ones\?")
        terminal.type("\n")
        self.assertEqual(terminal.result().status, 2)

    def test_none(self):
        for answer in ("\n", "\x04"):
            with self.subTest(answer):
                result, simulated = self.choose(answer)
                self.assertEqual(result.status, 2, result)
                self.assertIn("\nesp-ota: no board was chosen", result.err)
                for board in simulated:
                    self.assert_untouched(board)

    def test_interrupted(self):
        terminal = scenario.Terminal("-f", self.image)
        terminal.wait_for(r"Which ones\?")
        terminal.type("\x03")
        self.assertEqual(terminal.result().status, -2)

    def test_not_at_a_terminal(self):
        result = scenario.run("-f", self.image)
        self.assert_result(result, 2, ("esp-ota: no board is named; add -i HOST, the board's name or "
                                       "address, or --all",), SOON)


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
