#!/usr/bin/env python3
"""What is refused before a board is asked for anything, what only gets a warning, and --force."""

import gzip
import re
import struct
import unittest

import firmware
from scenario import Scenario, image, run

FORCE = "(--force sends it anyway)"


def factory():
    """Boot loader, partition table and application at their places in the flash."""
    table = struct.pack("<HBBII16sI", 0x50AA, 0, 0, 0x10000, 0x100000, b"app0", 0)
    return (firmware.esp32(address=0x3FFF0000)[:0x1000].ljust(0x8000, b"\xff")
            + table.ljust(0x8000, b"\xff") + firmware.esp32())


ESP8266 = firmware.esp8266()
ESP32 = firmware.esp32(size=20000)
UNSUITABLE = {
    "cut short": (ESP32[:-40], (), "should not be sent: it is truncated"),
    "ESP8266, cut short": (ESP8266[:-40], (), "should not be sent: it is truncated"),
    "damaged": (ESP32[:5000] + b"?" + ESP32[5001:], (), "should not be sent: it is corrupt"),
    "ESP8266, damaged": (ESP8266[:5000] + b"?" + ESP8266[5001:], (), "should not be sent: it is corrupt"),
    "factory": (factory(), (), "should not be sent: it holds boot loader, partition table and application in one"),
    "ELF": (b"\x7fELF\x01\x01\x01" + bytes(100), (), "should not be sent: it is the linker's output"),
    "of an unknown chip": (firmware.esp32(chip=77), (), "should not be sent: it is for an unknown ESP32 chip, "
                                                        "number 77"),
    "program with -s": (ESP8266, ("-s",), 
                        "should not be sent as a filesystem image: it is an ESP8266 image, a program; leave -s out"),
    "filesystem without -s": (firmware.littlefs(), (), 
                              "should not be sent as a program: it is a LittleFS filesystem image; add -s"),
}


class Screen(Scenario):

    def test_refused(self):
        """Status 3, one sentence, and the board has heard nothing."""
        for name, (content, options, phrase) in UNSUITABLE.items():
            with self.subTest(name):
                path, board = self.file("fw.bin", content), self.board()
                result = run("-i", board.address, "-p", str(board.port), *options, "-f", path)
                self.assertEqual((result.status, result.out), (3, ""), result)
                self.assertIn(f"esp-ota: {path} {phrase}", result.err)
                self.assertIn(FORCE, result.err)
                self.assertFalse(board.count("invitation"), board.events)

    def test_forced(self):
        """Also -q leaves the reason."""
        for name, (content, options, phrase) in UNSUITABLE.items():
            with self.subTest(name):
                path, board = self.file("fw.bin", content), self.board(family="pico")
                result = run("-q", "-i", board.address, "-p", str(board.port), *options, "--force", "-f", path)
                self.assertEqual((result.status, result.out), (0, ""), result)
                self.assertIn(f"warning: {path} {phrase}", result.err)
                self.assertIn("; overridden by --force\n", result.err)
                self.assertNotIn("cannot be sent", result.err)
                board.wait_for("upload result=ok")
                for mode in (("--dry-run",), ("--check",), ("--check", "--json")):
                    result = run(*mode, "-i", board.address, *options, "--force", "-f", path)
                    self.assertEqual(result.status, 0, result)
                    self.assertIn("; overridden by --force", result.out + result.err)
                    self.assertNotRegex(result.out + result.err, "cannot be sent|sent anyway")

    def test_doubtful(self):
        """An unknown format is sent: other boards speak the protocol, too."""
        path, board = self.file("fw.bin", image()), self.board()
        result = run("-i", board.address, "-p", str(board.port), "-f", path)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn(f"esp-ota: warning: {path} may not work: its format is unknown\n", result.err)

    def test_unknown_for_a_pico(self):
        """It checks nothing, so that an unknown format is refused: status 3, and it has heard nothing."""
        for content in (image(), gzip.compress(image())):
            path, board = self.file("fw.bin", content), self.board(family="pico")
            result = run("-i", board.address, "-p", "2040", "-f", path)
            self.assertEqual((result.status, result.out), (3, ""), result)
            self.assertIn("the format of the image is not known, and the port is the default of Pico W and CH32H4 "
                          "boards: a Pico W does not check images", result.err)
            self.assertIn(FORCE, result.err)
            self.assertFalse(board.count("invitation"), board.events)
            check = run("--check", "-i", board.address, "-p", "2040", "-f", path)
            self.assertEqual(check.status, 3, check)
            self.assertIn("a Pico W does not check images", check.out)
            result = run("-i", board.address, "-p", "2040", "--force", "-f", path)
            self.assertEqual((result.status, result.out), (0, ""), result)

    def test_compressed_and_signed(self):
        """An ESP8266 whose sketch checks no signatures would be lost, so only --force sends such a file."""
        content = gzip.compress(ESP8266) + bytes(range(256)) + struct.pack("<I", 256)
        path, board = self.file("sketch.bin.gz.signed", content), self.board()
        for name in (path, path.removesuffix(".signed")):
            result = run("-i", board.address, "-p", str(board.port), "-f", name)
            self.assertEqual((result.status, result.out), (3, ""), result)
            self.assertIn(f"esp-ota: {path} should not be sent: it is compressed and signed, and an ESP8266 whose sketch "
                          "checks no signatures would never start again", result.err)
            self.assertIn(FORCE, result.err)
        self.assertFalse(board.count("invitation"), board.events)
        check = run("--check", "-f", path)
        self.assertEqual(check.status, 3, check)
        self.assertIn("it is compressed and signed", check.out)
        result = run("-i", board.address, "-p", str(board.port), "--force", "-f", path)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn("overridden by --force", result.err)
        board.wait_for("upload result=ok")

    def test_suitable(self):
        """No word about what is as it should be."""
        for family, content, options in (("esp8266", ESP8266, ()), ("esp32", ESP32, ()),
                                         ("esp8266", firmware.littlefs(), ("-s",))):
            with self.subTest(len(content)):
                path, board = self.file("fw.bin", content), self.board(family=family)
                result = run("-i", board.address, "-p", str(board.port), *options, "-f", path)
                self.assertEqual((result.status, result.out), (0, ""), result)
                self.assertNotIn("warning", result.err)

    def test_port_of_other_boards(self):
        """A port proves nothing: a warning, also with -q, that says what would happen, and the upload."""
        for family, content, port, outcome in (
                ("esp32", ESP8266, 3232, "ESP32 boards: an ESP32 rejects such an image, but only in the middle or "
                 "at the end of the upload"),
                ("pico", ESP32, 8266, "ESP8266 boards: an ESP8266 accepts such an image but cannot start it, and "
                 "then needs a cable"),
                ("pico", ESP32, 2040, "Pico W and CH32H4 boards: a Pico W does not check images; it would not start, "
                 "and then need a cable")):
            with self.subTest(port=port):
                path, board = self.file("fw.bin", content), self.board("--port", str(port), family=family)
                result = run("-q", "-i", board.address, "-p", str(port), "-f", path)
                self.assertRegex(result.err, rf"esp-ota: warning: {board.address}: .*, but port {port} is the default port of "
                                             rf"{re.escape(outcome)}\n")
                board.close()
                self.assertEqual(board.count("invitation"), 1, board.events)

    def test_challenge(self):
        """SHA-256 is an ESP32's: an image for others is refused before the answer; MD5 proves nothing."""
        says = "as only an ESP32 does: "
        for family, content, options, is_refused in (
                ("esp32-sha256", ESP8266, (), True),
                ("esp32-sha256", firmware.rp2040(), (), True),
                ("esp32-sha256", firmware.littlefs(blocks=64, block_size=8192), ("-s",), True),
                ("esp32-sha256", ESP32, (), False),
                ("esp32-sha256", firmware.littlefs(), ("-s",), False),
                ("esp32", ESP8266, (), False)):
            with self.subTest(family=family, size=len(content)):
                path, board = self.file("fw.bin", content), self.board("--password", "secret", family=family)
                arguments = ("-a", "secret", *options, "-f", path)
                result = run("-i", board.address, "-p", str(board.port), *arguments)
                self.assertEqual(says in result.err, is_refused, result)
                self.assertEqual(result.status == 3, is_refused, result)
                board.close()
                self.assertEqual(board.count("answer result=(ok|failed)") == 0, is_refused, board.events)
                if not is_refused:
                    continue
                self.assertIn(f"esp-ota: {board.address}: image: the ", result.err)
                self.assertIn(FORCE, result.err)
                board = self.board("--password", "secret", family=family)
                result = run("-i", board.address, "-p", str(board.port), *arguments, "--force")
                self.assertEqual(result.err.count(says), 1, result)
                self.assertIn("overridden by --force", result.err)
                board.wait_for("answer")

    def test_quiet(self):
        path, board = self.file("fw.bin", image()), self.board()
        result = run("-q", "-i", board.address, "-p", str(board.port), "-f", path)
        self.assertEqual((result.status, result.out, result.err), (0, "", ""), result)

    def test_fleet(self):
        """One unsuitable image among several: nobody gets anything."""
        good, bad = self.file("good.bin", ESP8266), self.file("bad.bin", ESP32[:-1])
        one, two = self.board(), self.board()
        hosts = self.file("hosts", f"{one.address} port={one.port} file={good}\n"
                                   f"{two.address} port={two.port} file={bad}\n".encode())
        result = run("--hosts", hosts)
        self.assertEqual((result.status, result.out), (3, ""), result)
        self.assertIn(f"{bad} should not be sent", result.err)
        self.assertEqual(one.count("upload"), 0)

    def test_room(self):
        """A board that has no room is told apart from one that has less than it looks."""
        path, board = self.file("fw.bin", ESP8266), self.board("--capacity", "8192")
        result = run("-i", board.address, "-p", str(board.port), "-f", path)
        self.assertEqual((result.status, result.out), (7, ""), result)
        self.assertIn("Not Enough Space; the image has 20000 bytes, and was built for a flash of 4096 KiB",
                      result.err)


if __name__ == "__main__":
    unittest.main()
