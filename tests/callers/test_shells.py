#!/usr/bin/env python3
"""The lines of README.md in each shell and make of Debian: words, statuses, pipes and the environment."""

import glob
import gzip
import os
import re
import shutil
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import requirement  # noqa: E402
import scenario  # noqa: E402

SHELLS = (("dash",), ("bash",), ("bash", "--posix"), ("zsh",), ("zsh", "--emulate", "sh"), ("busybox", "sh"), ("mksh",))
MAKES = ("make", "bmake")
PASSWORD = "kwert $HOME"

# Each ends with the status of esp-ota; HOST is the board, PORT its port.
LINES = (
    "esp-ota -i HOST -p PORT --auth-file pass -f 'my sketch.bin'",
    "esp-ota HOST -p PORT --auth-file pass 'my sketch.bin'",
    "ESP_OTA_AUTH=$(cat pass) esp-ota -i HOST:PORT -f my\\ sketch.bin",
    "gzip -dc sketch.bin.gz | esp-ota -i HOST -p PORT --auth-file pass -f -",
    "esp-ota -i HOST -p PORT --auth-file - -f 'my sketch.bin' <pass",
    "esp-ota -i HOST -p PORT -a 'kwert $HOME' -f 'my sketch.bin'",
    "if esp-ota -i HOST -p PORT --auth-file pass -f 'my sketch.bin'; then echo sent; else echo failed; exit 3; fi >&2",
)
FAILING = (
    ("esp-ota -i HOST -p PORT -a guess -f 'my sketch.bin'", 6),
    ("esp-ota -i HOST -p PORT --auth-file pass -f none.bin", 3),
    ("esp-ota -i HOST -p PORT --auth-file pass -f 'my sketch.bin' --bogus", 2),
)


class Callers(scenario.Scenario):

    def setUp(self):
        super().setUp()
        self.path = f"{os.path.dirname(scenario.PROGRAM)}:{os.environ['PATH']}"
        self.image = scenario.sketch("esp8266")
        self.file("my sketch.bin", self.image)
        self.file("sketch.bin.gz", gzip.compress(self.image))
        os.chmod(self.file("pass", PASSWORD.encode() + b"\n"), 0o600)

    def call(self, *words):
        return subprocess.run(words, cwd=self.directory, text=True, stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, timeout=scenario.DEADLINE_S, env=scenario.environment(PATH=self.path))

    def boarded(self, line):
        board = self.board("-P", PASSWORD)
        return board, line.replace("HOST", board.address).replace("PORT", str(board.port))

    def assert_sent(self, done, board):
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        for secret in scenario.secrets(PASSWORD):
            self.assertNotIn(secret, done.stderr)
        board.wait_for("upload result=ok")
        self.assertEqual(board.received(), self.image)

    def test_shells(self):
        for shell in SHELLS:
            for text in LINES:
                with self.subTest(shell=shell, line=text):
                    board, line = self.boarded(text)
                    self.assert_sent(self.call(*shell, "-c", line), board)
                    board.close()

    def test_failures(self):
        for shell in SHELLS:
            for text, status in FAILING:
                with self.subTest(shell=shell, line=text):
                    board, line = self.boarded(text)
                    done = self.call(*shell, "-c", line)
                    self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
                    board.close()

    def test_arduino_mk(self):
        """The Makefile of esp-ota-callers(7), for a real build for an ATmega."""
        with open(os.path.join(os.environ["ESP_OTA_SOURCE"], "man", "esp-ota-callers.7"), encoding="utf-8") as file:
            page = file.read().replace("\\-", "-")
        board = self.board("--web", "sketch", "-p", "0", family="samd")
        text = re.search(r"^BOARD_TAG = .*\n(.+\n)+\nota: \$\(TARGET_ELF\)\n(\t.*\n)+", page, re.M)[0].replace("\\&", "")
        self.file("Makefile", text.replace("mega.local", f"{board.address}:{board.port}").encode())
        self.file("blink.ino", b"void setup() {}\nvoid loop() { delay(10); }\n")
        done = self.call("make", "-s", "ota")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("received by the board", done.stderr)
        (built,) = glob.glob(os.path.join(self.directory, "build-mega-atmega2560", "*.bin"))
        with open(built, "rb") as file:
            self.assertEqual(board.received(), file.read())

    def test_makes(self):
        """A rule that any make understands. Both show the status, and end with one of their own."""
        for make in MAKES:
            with self.subTest(make):
                board, line = self.boarded("ota:\n\t@esp-ota -i HOST -p PORT --auth-file pass -f 'my sketch.bin'\n")
                self.file("Makefile", line.encode())
                self.assert_sent(self.call(make, "-s", "ota"), board)
                board.close()
                board, line = self.boarded("bad:\n\t@esp-ota -i HOST -p PORT -a guess -f 'my sketch.bin'\n")
                self.file("Makefile", line.encode())
                done = self.call(make, "-s", "bad")
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stdout + done.stderr, "Error (code )?6")
                board.close()


if __name__ == "__main__":
    for tool in {shell[0] for shell in SHELLS} | set(MAKES):
        if not shutil.which(tool):
            requirement.end(f"not installed: {tool}; scripts/test-callers installs it")
    unittest.main()
