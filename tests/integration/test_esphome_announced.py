#!/usr/bin/env python3
"""What a board with ESPHome announces, before the upload and after it, compared with the image."""

import json
import unittest

import firmware
import mdns
from mdns import Board
from mdns_case import OnLink, share_link
import scenario


def txt(version="2026.8.0", project="acme.lamp", project_version="1.2", config="0a1b2c3d"):
    return (f"version={version}", f"config_hash={config}", "platform=ESP32", "board=acme_hall", f"project_name={project}",
            f"project_version={project_version}")


LOFT = Board("loft", 6053, v4="10.77.0.38", type="_esphomelib._tcp", txt=txt())
LOFT_ONLY = ("--match", "loft", "--protocol", "esphome")  # unlike -i, this waits for the announcement
# One board: ESPHome's OTA service, ArduinoOTA and a web server under one name.
TWIN = Board("twin", 6053, v4="10.77.0.40", type="_esphomelib._tcp", txt=("version=2026.9.1", "platform=ESP32", "board=x"))
TWIN_OTA = Board("twin", 3232, v4="10.77.0.40", txt=("auth_upload=no", "board=acme_twin"))
TWIN_WEB = Board("twin", 80, v4="10.77.0.40", type="_http._tcp", txt=("version=2026.9.1",))
PORCH = Board("porch", 8081, instance="porch light", v4="10.77.0.34", txt=("mac=0a1b2c3d4e5f",), type="_wled._tcp")
PLUG = Board("plug", 80, v4="10.77.0.41", txt=("devicetype=tasmota",), type="_http._tcp")
BULB = Board("bulb", 6053, v4="10.77.0.42", type="_esphomelib._tcp", txt=("version=2026.9.1", "platform=BK7231N", "board=x"))
MUTE = Board("mute", 9, v4="10.77.0.43", type="_other._tcp")
MKR = Board("mkr", 65280, v4="10.77.0.37", txt=("auth_upload=yes", "board=esp32"))
BEFORE = "ESPHome 2026.8.0, project acme.lamp 1.2, configuration 0a1b2c3d"


def setUpModule():
    share_link(LOFT, TWIN, TWIN_OTA, TWIN_WEB, PORCH, PLUG, BULB, MUTE, MKR)


class Announced(OnLink):

    def setUp(self):
        super().setUp()
        self.link.boards.announce_instead("loft", txt())

    def firmware(self, *words):
        return self.file("esphome.bin", firmware.esp32_sketch(20000, text=firmware.esphome(*words) if words else b""))

    def test_check(self):
        """What an image says of itself."""
        for words, said, fields in (
                (("2026.9.0", "acme.lamp", "1.3"), "ESPHome    2026.9.0, project acme.lamp 1.3",
                 {"version": "2026.9.0", "project": "acme.lamp", "project_version": "1.3"}),
                (("2026.9.0",), "ESPHome    2026.9.0\n", {"version": "2026.9.0", "project": None, "project_version": None}),
                ((), None, None)):
            with self.subTest(words):
                path = self.firmware(*words)
                result = scenario.run("--check", "-f", path)
                self.assertEqual(result.status, 0, result)
                self.assertIn(said or "ESP32", result.out)
                self.assertEqual("ESPHome" in result.out, bool(said), result)
                self.assertEqual(json.loads(scenario.run("--check", "-f", path, "--json").out)["esphome"], fields)

    def test_another_project(self):
        """A warning, which a dry run gives, too. An image without a project is none of another one."""
        for words, is_told in ((("2026.9.0", "acme.plug", "1.0"), True), (("2026.9.0", "acme.lamp", "9.0"), False),
                               (("2026.9.0",), False), ((), False)):
            with self.subTest(words):
                loft = self.simulate(LOFT, "--family", "esp32", "--esphome", port=3232)
                path = self.firmware(*words)
                for arguments in (("--dry-run",), ()):
                    result = scenario.run(*LOFT_ONLY, "-f", path, *arguments)
                    self.assertEqual(result.status, 0, result)
                    self.assertEqual("the image is of the project acme.plug, but the board announces acme.lamp" in result.err,
                                     is_told, result)
                self.assert_got(loft, path)
                loft.stop()

    def test_note(self):
        self.simulate(LOFT, "--family", "esp32", "--esphome", port=3232)
        result = scenario.run(*LOFT_ONLY, "-f", self.firmware("2026.9.0", "acme.lamp", "1.3"), "-v")
        self.assertEqual(result.status, 0, result)
        self.assertIn("the image is ESPHome 2026.9.0, project acme.lamp 1.3; the board announces " + BEFORE, result.err)

    PORT, SIMULATED, WHICH = 3232, ("--esphome",), LOFT_ONLY

    def upload(self, words, after, *options, proof=("--online=60",)):
        """The result of an upload to a board that announces this when it is back; None: what it did before."""
        loft = self.simulate(LOFT, "--family", "esp32", "--reboot-ms", "2500", *self.SIMULATED, port=self.PORT)
        program = scenario.Program(*self.WHICH, "-f", self.firmware(*words), *proof, "--json", *options)
        loft.wait_for("rebooting")
        self.link.boards.mute(LOFT.v4, True)
        try:
            loft.wait_for(r"\bopen\b")
        finally:
            self.link.boards.mute(LOFT.v4, False)
        if after:
            self.link.boards.announce_instead("loft", after)
        result = program.result()
        loft.stop()
        return json.loads(result.out.splitlines()[-1])

    def test_new(self):
        """The version of ESPHome, or of the project, or only the configuration: it runs what was sent."""
        for words, after, now in (
                (("2026.9.0", "acme.lamp", "1.2"), txt("2026.9.0", config="ffffffff"),
                 "ESPHome 2026.9.0, project acme.lamp 1.2, configuration ffffffff"),
                (("2026.8.0", "acme.lamp", "1.3"), txt(project_version="1.3"),
                 "ESPHome 2026.8.0, project acme.lamp 1.3, configuration 0a1b2c3d"),
                (("2026.8.0", "acme.lamp", "1.2"), txt(config="ffffffff"),
                 "ESPHome 2026.8.0, project acme.lamp 1.2, configuration ffffffff"),
                ((), txt("2026.9.0"), "ESPHome 2026.9.0, project acme.lamp 1.2, configuration 0a1b2c3d")):
            with self.subTest(now):
                self.setUp()
                last = self.upload(words, after)
                self.assertEqual((last["exit_status"], last["verified"], last["phase"]), (0, "readback", "proof of boot"), last)
                self.assertTrue(last["message"].endswith(f"; it runs {now} now (before: {BEFORE})"), last)

    def test_old(self):
        """Status 12 if the image says that it is another version; otherwise it may be the same once more."""
        last = self.upload(("2026.9.0", "acme.lamp", "1.2"), None, "-t", "3")
        self.assertEqual((last["exit_status"], last["verified"]), (12, None), last)
        self.assertIn(f"but it announces {BEFORE} as before, and the image is another version", last["message"])
        last = self.upload(("2026.8.0", "acme.lamp", "1.2"), None, "-t", "3")
        self.assertEqual((last["exit_status"], last["verified"]), (0, "board"), last)
        self.assertTrue(last["message"].endswith(f"; it runs {BEFORE}, as before"), last)

    def test_neither(self):
        last = self.upload(("2026.9.0", "acme.lamp", "1.2"), txt("2026.7.0"))
        self.assertEqual((last["exit_status"], last["verified"]), (12, None), last)
        self.assertIn("but it announces ESPHome 2026.7.0, project acme.lamp 1.2, configuration 0a1b2c3d now, and the image "
                      "is another version", last["message"])


    def test_expected(self):
        """--expect-version, with --online and without."""
        words, new = ("2026.9.0", "acme.lamp", "1.2"), txt("2026.9.0")
        for proof in (("--online=60",), ()):
            with self.subTest(proof):
                expected = ("--expect-timeout", "30", "--expect-version")
                last = self.upload(words, new, *expected, "2026.9.0", proof=proof)
                self.assertEqual((last["exit_status"], last["verified"], last["phase"]), (0, "readback", "proof of boot"), last)
                self.assertIn(f"it runs ESPHome 2026.9.0, project acme.lamp 1.2, configuration 0a1b2c3d now (before: {BEFORE})",
                              last["message"])
                self.setUp()
                for other in "2027", "2026.9":
                    last = self.upload(words, new, "--expect-timeout", "5", "--expect-version", other, proof=proof)
                    self.assertEqual((last["exit_status"], last["verified"]), (12, None), last)
                    self.assertIn("the board has confirmed the upload, but it announces ESPHome 2026.", last["message"])
                    self.setUp()

    def test_expected_after_lost_verdict(self):
        """--expect stands in for the verdict, but not for the version."""
        self.SIMULATED = (*self.SIMULATED, "--fault", "ok-missing", "--telnet", "2323", "--say", "!tick 300 alive")
        for version, status, basis, said in (("2026.9.0", 0, "proof", "it runs ESPHome 2026.9.0"),
                                             ("2027", 12, None, "its verdict was lost, and it announces ESPHome 2026.9.0")):
            with self.subTest(version):
                last = self.upload(("2026.9.0", "acme.lamp", "1.2"), txt("2026.9.0"), "--monitor=2323", "--expect", "alive",
                                   "--expect-timeout", "15", "--expect-version", version, proof=())
                self.assertEqual((last["exit_status"], last["verified"], last["phase"]), (status, basis, "proof of boot"), last)
                self.assertIn("its verdict was lost, ", last["message"])
                self.assertIn(said, last["message"])
                self.setUp()

    def test_expected_as_before(self):
        """An unchanged version proves something only if the board was seen to restart."""
        words, expected = ("2026.8.0", "acme.lamp", "1.2"), ("--expect-timeout", "3", "--expect-version", "acme.lamp 1.2")
        last = self.upload(words, None, *expected)
        self.assertEqual((last["exit_status"], last["verified"]), (0, "board"), last)
        last = self.upload(words, None, *expected, proof=())
        self.assertEqual((last["exit_status"], last["verified"]), (12, None), last)
        self.assertIn(f"but it announced {BEFORE} before the upload, too, and was not seen to restart", last["message"])


class FourProtocols(OnLink):

    def test_discovered(self):
        """Boards that announce themselves by four services, in one run: those of ArduinoOTA by --all, the others by name."""
        boards = {"twin": self.simulate(TWIN_OTA, "--family", "esp32"),
                  "loft": self.simulate(LOFT, "--family", "esp32", "--esphome", port=3232),
                  "porch": self.simulate(PORCH, "--family", "esp32", "--web", "wled-old", port=PORCH.port),
                  "mkr": self.simulate(MKR, "--family", "esp32", "--web", "sketch", "-P", "secret", port=MKR.port)}
        path = self.file("fw.bin", firmware.esp32_sketch(20000))
        result = scenario.run("--all", "-i", "esphome://loft", "-i", f"http://porch.local:{PORCH.port}/update", "-i", "sketch://mkr",
                              "-f", path, "--json", ESP_OTA_AUTH="secret")
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual({"twin": ("espota", 0, "board"), "loft": ("esphome", 0, "board"), "porch": ("web", 0, "board"),
                          "mkr": ("sketch", 0, "received")},
                         {event["board"].split(".")[0].split("/")[-1]: (event["protocol"], event["exit_status"], event["verified"])
                          for event in events if event["event"] == "result"}, result)
        self.assertEqual((4, 4, 0), tuple(events[-1][key] for key in ("boards", "confirmed", "exit_status")))
        for board in boards.values():
            self.assert_got(board, path)


class TwoServices(OnLink):

    def test_listed(self):
        result = scenario.run("-l", "--json", "--match", "twin")
        rows = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([("espota", 3232, "10.77.0.40"), ("esphome", None, "10.77.0.40")],
                         [(row["protocol"], row["port"], row["address"]) for row in rows], result)

    def test_one_upload(self):
        """The board gets the image once, by the right service."""
        path = self.file("fw.bin", firmware.esp32_sketch(20000))
        for arguments, protocol in (
                (("--match", "twin"), "espota"), (("-i", "twin"), "espota"), (("-i", "twin.local"), "espota"),
                (("--all",), "espota"), (("-i", "twin", "--match", "twin"), "espota"),
                (("--match", "twin", "--protocol", "esphome"), "esphome"),
                (("-i", "esphome://twin"), "esphome"), (("-i", "esphome://twin.local"), "esphome"),
                (("-i", "esphome://twin", "-i", "twin.local", "-j", "1"), "esphome")):
            with self.subTest(arguments):
                by_protocol = {"espota": self.simulate(TWIN_OTA, "--family", "esp32"),
                               "esphome": self.simulate(TWIN, "--family", "esp32", "--esphome", port=3232)}
                result = scenario.run(*arguments, "-f", path, "--json")
                results = [event for line in result.out.splitlines() if (event := json.loads(line))["event"] == "result"]
                self.assertEqual([(protocol, 0, 3232)], [(one["protocol"], one["exit_status"], one["port"]) for one in results],
                                 result)
                board = by_protocol.pop(protocol)
                self.assert_got(board, path)
                (other,) = by_protocol.values()
                for one in (board, other):
                    one.stop()
                self.assertNotRegex(other.output, "invitation|features")


class LibreTiny(OnLink):
    """Boards with ESPHome that take the whole UF2 file, at a port of their own."""

    def test_taken(self):
        path = self.file("fw.uf2", firmware.uf2(0x7B3EF230))
        for target in ("bulb", "bulb.local", MUTE.v4):  # nothing but the image tells the chip of the last one
            with self.subTest(target):
                board = self.simulate(MUTE if target == MUTE.v4 else BULB, "--family", "pico", "--esphome", port=8892)
                result = scenario.run("-i", "esphome://" + target, "-f", path)
                self.assertEqual(result.status, 0, result)
                self.assert_got(board, path)
                board.stop()

    def test_refused(self):
        for target, family, said in (
                ("esphome://bulb", 0xA38090A8, 'the image is for the chip ln882x, but the board announces the platform "BK7231N"'),
                ("esphome://loft", 0x7B3EF230, 'the image is for the chip bk72xx, but the board announces the platform "ESP32"'),
                ("bulb", 0x7B3EF230, "the image is a UF2 file for the BK7231N, which boards take only by ESPHome's OTA (esphome://)"),
                ("sketch://mkr", 0x7B3EF230, "the image is a UF2 file for the BK7231N, which boards take only by ESPHome's OTA"),
                ("esphome://bulb", 0xE48BFF56, "UF2 is for the board's USB drive")):
            with self.subTest((target, hex(family))):
                result = scenario.run("-i", target, "-f", self.file("fw.uf2", firmware.uf2(family)))
                self.assertEqual(result.status, 3, result)
                self.assertIn(said, result.err)


class OtherProtocol(OnLink):
    """The failure of a board names the protocol that it announces, if it was asked by another one."""

    def fail(self, target):
        path = self.file("fw.bin", firmware.esp32_sketch(20000))
        result = scenario.run("-i", target, "-f", path, "-t", "1", "--retries", "0")
        self.assertEqual(result.status, 5, result)
        return result

    def test_told(self):
        esphome = "the board announces ESPHome's OTA (_esphomelib._tcp)", "Write esphome:// before the board's name"
        page, scheme = "the board announces an update page ", "Write http:// before the board's name"
        for target, announced, remedy in (
                ("loft.local", *esphome), ("loft", *esphome), (LOFT.v4, *esphome), ("http://loft.local", *esphome),
                ("sketch://" + LOFT.v4, *esphome), ("porch.local", page + "(_wled._tcp)", scheme),
                ("esphome://" + PORCH.v4, page + "(_wled._tcp)", scheme), (PLUG.v4, page + "(_http._tcp)", scheme),
                ("http://mkr.local", "the board announces a sketch server (_arduino._tcp)", "Write sketch:// before")):
            with self.subTest(target):
                result = self.until(announced, lambda target=target: self.fail(target))
                self.assertIn(remedy, result.err)

    def test_other_port(self):
        """Of the protocol that it was asked by. ESPHome announces that of its API only."""
        told = self.until("the board announces port 8081\n", lambda: self.fail(f"http://{PORCH.v4}:81"))
        self.assertIn("Leave the port out", told.err)
        for target in "esphome://loft:6000", "esphome://loft.local:6000", f"esphome://{LOFT.v4}:6000":
            with self.subTest(target):
                self.assertNotIn("announces port", self.fail(target).err)

    def test_not_told(self):
        """A board that announces the protocol that it was asked by, or nothing, is silent for another reason."""
        for target in ("twin.local", "esphome://twin.local", TWIN.v4, MUTE.v4, "esphome://" + MUTE.v4):
            with self.subTest(target):
                result = self.fail(target)
                self.assertNotRegex(result.err, "; the board announces|Write ")


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
