#!/usr/bin/env python3
"""Uploads that succeed: every family, sketches and filesystem images, the command lines that people
already have in their scripts, and what is said meanwhile."""

import hashlib
import itertools
import json
import unittest

import firmware
from scenario import Case, Program, Scenario, image, run, sketch

FAMILIES = {
    "esp8266": (), "pico": (), "ch32h4": (), "esp32": (), "esp32-sha256": (),
    "esp32-sha256 with an MD5 hash": ("-H", "md5"),
}
PASSWORD = "s3cret: \"ä\""

SKETCHES = (336, 1460, 200001)  # bytes: small, one read of a board, many
FILESYSTEMS = (2, 49)           # blocks
# What is sent to port 2040 may be for a Pico W, which checks nothing; a CH32H4's sketches have no known format.
NOT_FOR_A_PICO = {"ch32h4": ("--force",)}


def family_of(name):
    return name.split()[0]


class Families(Scenario):

    def check_family(self, name, options, images, command, word, *args):
        """Uploads each image to a board of the family, with and without a password."""
        self.check(
            Case(f"{name}, a {word} of {len(content)} bytes, {'with' if password else 'without'} a password",
                 (*options, *(("-P", password) if password else ())),
                 (*args, *(("-a", password) if password else ())),
                 family=family_of(name), image=content,
                 says=(f"{word} firmware.bin, .* and confirmed by the board\n",),
                 events=(f"upload result=ok bytes={len(content)} .*command={command}",
                         "answer result=ok" if password else "reply text=OK"))
            for content, password in itertools.product(images, ("", PASSWORD)))

    def test_sketches(self):
        for name, options in FAMILIES.items():
            family = family_of(name)
            images = [sketch(family, size) for size in SKETCHES]
            self.check_family(name, options, images, 0, "sketch", *NOT_FOR_A_PICO.get(family, ()))

    def test_filesystem_images(self):
        images = [firmware.littlefs(blocks) for blocks in FILESYSTEMS]
        for name, options in FAMILIES.items():
            self.check_family(name, options, images, 100, "filesystem image", "-s")


class CommandLines(Scenario):
    """The spellings of espota.py, and the whole lines that Makefiles and IDEs contain."""

    def test_lines_of_others(self):
        board = self.board("-P", "pw")
        path = self.file("fw.bin", image())
        there, port = board.address, str(board.port)
        for line in (
                ("-i", there, "-p", port, "--auth=pw", "-f", path),
                ("-i", there, "-p", port, "--auth", "pw", "-f", path, "-r"),
                ("--debug", "--progress", "-i", there, "-a", "pw", "--spiffs", "-f", path),
                ("--ip", there, "--port", port, "--auth=pw", "--file", path),
                (f"--ip={there}", f"--port={port}", "--auth=pw", f"--file={path}", "--timeout=5"),
                ("-i", there, "-I", "0.0.0.0", "-P", "0", "-a", "pw", "-f", path),
                ("-i", there, "--host_ip=127.0.0.1", "--host_port=0", "-apw", "-f", path),
                ("-i", there, "--host-ip", "127.0.0.1", "--host-port", "0", "-apw", "-f", path),
                ("-d", "-r", "-m", "-t", "10", "-i", there, "-a", "pw", "-f", path),
                ("--md5-target", "-i", there, "-a", "pw", "-f", path),
                ("-i", f"{there}:{port}", "-a", "pw", "--filesystem", "-f", path)):
            with self.subTest(" ".join(line)):
                before = board.count("upload result=ok")
                result = run(*line)
                self.assertEqual((result.status, result.out), (0, ""), result)
                self.assertIn("confirmed by the board", result.err)
                self.assert_no_secret(result, "pw")
                board.wait_for_count("upload result=ok", before + 1)

    def test_empty_password_means_none(self):
        self.check([
            Case("no password wanted", (), ("--auth=", "-r"), says=("confirmed",)),
            Case("a password wanted", ("-P", "pw"), ("--auth=", "-r"), status=6,
                 says=("asks for a password, and none was given",)),
            Case("a password that nobody wants", (), ("-a", "pw"), says=("confirmed",)),
        ])

    def test_port(self):
        """-p, the port in the name, the family of the image, 8266: the first that there is."""
        path = self.file("fw.bin", image())
        esp32 = self.file("esp32.bin", firmware.esp32())
        pico = self.file("pico.bin", firmware.rp2040())
        for family, options, line in (
                ("esp8266", (), ("-f", path)),
                ("esp32", (), ("-f", esp32)),
                ("pico", (), ("-p", "2040", "-f", pico)),
                ("esp8266", ("-p", "9000"), ("-p", "9000", "-f", path)),
                ("esp32", ("-p", "9000"), ("-p", "9000", "-f", esp32))):
            with self.subTest(f"{family} {options} {line[0]}"):
                board = self.board(*options, family=family)
                result = run("-i", board.address, *line)
                self.assertEqual((result.status, result.out), (0, ""), result)
                board.wait_for("upload result=ok")


    def test_port_that_is_a_guess(self):
        """What names no chip goes to the default port of the board that is there."""
        path = self.file("littlefs.bin", firmware.littlefs())
        for family, port in (("esp8266", 8266), ("esp32", 3232), ("pico", 2040)):
            with self.subTest(family):
                board = self.board(family=family)
                result = run("-i", board.address, "-d", "-s", "-f", path)
                self.assertEqual((result.status, result.out), (0, ""), result)
                self.assertIn(f"{board.address}: port {port}, the default port of ", result.err)
                self.assertNotIn("rebooting", result.err)
                board.wait_for("upload result=ok .*command=100")
                board.close()
                self.assertEqual(board.count("invitation command="), 1)

    def test_line_of_platformio(self):
        """As it calls espota.py for the filesystem image of an ESP32: no port, no word of the chip."""
        board = self.board("-P", "pw", family="esp32-sha256")
        path = self.file("littlefs.bin", firmware.littlefs())
        for line in (("--debug", "--progress", "-i", board.address, "--spiffs", "-f", path),
                     ("--debug", "--progress", "-i", board.address, "--auth=pw", "--spiffs", "-f", path)):
            with self.subTest(" ".join(line)):
                result = run(*line, ESP_OTA_AUTH="pw")
                self.assertEqual((result.status, result.out), (0, ""), result)
                self.assertIn("confirmed by the board", result.err)
                self.assert_no_secret(result, "pw")
        board.close()
        self.assertEqual(board.count("upload result=ok .*command=100"), 2)


class Output(Scenario):

    def test_plain_lines(self):
        """Not on a terminal: one line per 10 %, in order, none twice, and no control characters."""
        board = self.board("--window", "2144", "--mss", "536", "--write-ms", "20")
        path = self.file("fw.bin", image(400000))
        result = run("-i", board.address, "-f", path)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertNotRegex(result.err, r"[\x00-\x09\x0b-\x1f\x7f]")
        percents = [int(line.split("%")[0].split()[-1]) for line in result.err.splitlines()
                    if "% (" in line]
        self.assertEqual(percents[-1], 100, result)
        self.assertGreaterEqual(len(percents), 8, result)
        self.assertEqual([percent // 10 for percent in percents],
                         sorted({percent // 10 for percent in percents}), result)
        self.assertRegex(result.err.splitlines()[-1],
                         r"^127[\d.]+: sketch fw.bin, 390.6 KiB, sent in \d+\.\d s "
                         r"\([\d.]+ [KM]iB/s\) and confirmed by the board$")

    def test_levels(self):
        """-q says nothing, -d what happens on the wire; neither a secret."""
        self.check([
            Case("quiet", ("-P", "kwert"), ("-q", "-a", "kwert"), never=(r"(?s).",)),
            Case("debug", ("-P", "kwert"), ("-d", "-a", "kwert"), family="esp32",
                 says=(r"\[ *\d+\.\d+\] 127[\d.]+: invitation 1", "accepted the password", "port")),
        ])

    def test_json(self):
        board = self.board("-P", "kwert", family="esp32-sha256")
        content = sketch("esp32", 50000)
        path = self.file("fw.bin", content)
        result = run("--json", "-i", board.address, "-p", str(board.port), "-a", "kwert", "-f", path)
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual(result.status, 0, result)
        self.assert_no_secret(result, "kwert")
        kinds = [event["event"] for event in events if event["event"] != "progress"]
        self.assertEqual(kinds[0], "start", result)
        self.assertEqual((events[0]["md5"], events[0]["sha256"]),
                         (hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest()), result)
        self.assertEqual(kinds[-1], "result", result)
        for kind in ("resolved", "invited", "authenticated"):
            self.assertIn(kind, kinds)
        last = events[-1]
        self.assertEqual((last["exit_status"], last["code"], last["bytes"]), (0, "ok", 50000), result)
        self.assertEqual((events[0]["protocol"], last["protocol"], last["verified"]),
                         ("espota", "espota", "board"), result)
        self.assertGreater(last["seconds"], 0)
        self.assertTrue(all(event["board"] == board.address for event in events))
        progress = [event["bytes"] for event in events if event["event"] == "progress"]
        self.assertEqual(progress, sorted(set(progress)))
        self.assertEqual(progress[-1], 50000)

    def test_scheme(self):
        """With a scheme in -i or in a list, and with the protocol of those that have none."""
        path = self.file("fw.bin", image())
        for form, options in (("espota://{}:{}", ()), ("ESPOTA://{}:{}/", ("--protocol", "espota")),
                              ("{}:{}", ("--protocol=espota",))):
            for in_list in (False, True):
                board = self.board()
                target = form.format(board.address, board.port)
                named = ("--hosts", self.file("hosts", target.encode() + b"\n")) if in_list else ("-i", target)
                result = run(*named, *options, "-f", path)
                self.assertEqual(result.status, 0, result)
                self.assertIn(f"{board.address}: sketch fw.bin", result.err)

    def test_json_of_a_failure(self):
        board = self.board("-P", "kwert")
        path = self.file("fw.bin", image())
        for arguments, status, code in (
                (("-i", board.address, "-a", "other", "-f", path), 6, "wrong-password"),
                (("-i", board.address, "-f", path + ".not"), 3, "image"),
                (("-i", board.address, "-f"), 2, "usage"),
                (("-f", path), 2, "usage")):
            with self.subTest(code):
                result = run("--json", *arguments)
                events = [json.loads(line) for line in result.out.splitlines()]
                self.assertEqual(result.status, status, result)
                self.assertEqual((events[-1]["event"], events[-1]["exit_status"], events[-1]["code"]),
                                 ("result", status, code), result)
                self.assertTrue(events[-1]["message"], result)
                self.assertTrue(result.err.startswith("esp-ota: "), result)

    def test_process_list(self):
        """While the program runs, its command line shows no password."""
        path = self.file("fw.bin", image(300000))
        for spelling in (("-a", "kwert"), ("-akwert",), ("--auth=kwert",), ("--auth", "kwert")):
            with self.subTest(spelling):
                board = self.board("-P", "kwert", "--fault", "stall@5000")
                program = Program("-i", board.address, *spelling, "-f", path)
                board.wait_for("connect")
                with open(f"/proc/{program.pid}/cmdline", "rb") as file:
                    self.assertNotIn(b"kwert", file.read())
                program.send_signal(15)
                self.assertEqual(program.result().status, -15)


if __name__ == "__main__":
    unittest.main()
