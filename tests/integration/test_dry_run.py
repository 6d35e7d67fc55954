#!/usr/bin/env python3
"""--dry-run: what would be sent where, and what speaks against it; no board gets a datagram."""

import json
import os
import unittest

import firmware
from scenario import Scenario, address, run, sketch


class DryRun(Scenario):

    def assert_untouched(self, *boards):
        for board in boards:
            board.close()
            self.assertEqual(board.count("invitation|connection|request"), 0, board.events)

    def test_one_board(self):
        for family, port in (("esp8266", 8266), ("esp32", 3232), ("pico", 2040)):
            with self.subTest(family):
                board = self.board("-P", "kwert", family=family)
                path = self.file("fw.bin", sketch(family))
                result = run("--dry-run", "-i", board.address, "-p", str(port), "-a", "kwert", "-f", path)
                self.assertEqual((result.status, result.out), (0, ""), result)
                self.assertIn(f"{board.address}: would get the sketch {path}, ", result.err)
                self.assertIn(f", at {board.address}, port {port} (", result.err)
                self.assertIn("), by espota\n", result.err)
                self.assertNotIn("confirmed", result.err)
                self.assert_no_secret(result, "kwert")
                self.assert_untouched(board)

    def test_filesystem_image_of_a_page(self):
        board = self.board("--web", "esp8266", "-p", "0")
        result = run("--dry-run", "-s", "-i", f"http://{board.address}:{board.port}",
                     "-f", self.file("fs.bin", firmware.littlefs()))
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertRegex(result.err, r": would get the filesystem image \S+/fs\.bin, .*, "
                                     rf"port {board.port} \(.*\), by web\n")
        self.assert_untouched(board)

    def test_json(self):
        """No result with ok, which --resume would take for a confirmation."""
        board = self.board(family="esp32")
        path = self.file("fw.bin", sketch("esp32"))
        result = run("--dry-run", "--json", "-q", "-i", board.address, "-f", path)
        self.assertEqual((result.status, result.err), (0, ""), result)
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([event["event"] for event in events], ["start", "resolved", "skipped"])
        self.assertEqual([events[-1][key] for key in ("board", "code", "command", "protocol")],
                         [board.address, "dry-run", "sketch", "espota"])
        self.assertEqual((events[1]["address"], events[1]["port"]), (board.address, 3232))
        report = self.file("report.jsonl", result.out.encode())
        self.assert_untouched(board)
        board = self.board(family="esp32", where=board.address)
        result = run("--resume", report, "-i", board.address, "-f", path)
        self.assertEqual(result.status, 0, result)
        board.wait_for("upload result=ok")

    def test_fleet(self):
        """Of a list, each board with its own image; one that is not for its board, one not found, one named twice."""
        boards = [self.board(family="esp8266"), self.board(family="esp32"), self.board(family="esp32")]
        images = {name: self.file(name, sketch(name[:-4])) for name in ("esp8266.bin", "esp32.bin")}
        hosts = self.file("hosts", (
            f"{boards[0].address} file={images['esp8266.bin']}\n"
            f"{boards[1].address} port=3232 file={images['esp32.bin']}\n").encode())
        result = run("--dry-run", "--hosts", hosts)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn(f"{boards[0].address}: would get the sketch {images['esp8266.bin']}", result.err)
        self.assertIn(f"{boards[1].address}: would get the sketch {images['esp32.bin']}", result.err)
        self.assertRegex(result.err, r"\n2 of 2 boards would be updated; nothing was sent, in \d")

        result = run("--dry-run", "-i", boards[2].address, "-i", "nobody.invalid", "-t", "1", "--retries", "0",
                     "-f", images["esp32.bin"])
        self.assertEqual((result.status, result.out), (4, ""), result)
        self.assertIn("1 of 2 boards would be updated; nothing was sent, 1 failed", result.err)
        self.assert_untouched(*boards)

    def test_image_for_another_board(self):
        board = self.board(family="esp32")
        path = self.file("fw.bin", sketch("esp8266"))
        result = run("--dry-run", "-i", f"{board.address}:3232", "-f", path, "--json")
        self.assertEqual(result.status, run("--check", "-i", f"{board.address}:3232", "-f", path).status, result)
        self.assert_untouched(board)

    def test_absent_image(self):
        path = os.path.join(self.directory, "missing.bin")
        result = run("--dry-run", "-i", address(), "-f", path)
        self.assertEqual((result.status, result.out), (3, ""), result)

    def test_log_is_not_opened(self):
        """--log would append to the file, and --expect would wait for the board."""
        board = self.board(family="esp32")
        log = os.path.join(self.directory, "board.log")
        result = run("--dry-run", "-i", board.address, "-f", self.file("fw.bin", sketch("esp32")), "--monitor",
                     "--log", log, "--expect", "up")
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertFalse(os.path.exists(log))
        self.assert_untouched(board)

    def test_mistakes(self):
        path = self.file("fw.bin", sketch("esp32"))
        for line, message in ((("-i", "x", "--monitor"), "--dry-run is about uploads; add -f FILE"),
                              (("--serve", "-f", path), "leave --dry-run out")):
            with self.subTest(line):
                result = run("--dry-run", *line)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(message, result.err)
        result = run("--check", "--dry-run", "-f", path)
        self.assertEqual(result.status, 0, result)
        self.assertIn("--check ignores --dry-run", result.err)


if __name__ == "__main__":
    unittest.main()
