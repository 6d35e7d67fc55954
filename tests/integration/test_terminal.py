#!/usr/bin/env python3
"""What a person at a terminal sees: one line that is drawn again and again, and then the outcome."""

import json
import os
import re
import signal
import unittest

from faults import wait_until
from scenario import Program, Scenario, Terminal, image, run, shown

SLOW = ("--window", "5744", "--mss", "1436", "--write-ms", "10")


def frames(seen):
    """What was drawn on the progress line, one after the other, as plain text."""
    line = next(line for line in seen.split("\r\n") if "%" in line)
    return [re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", frame) for frame in line.split("\r")
            if "%" in frame]


class Bar(Scenario):

    def upload(self, *arguments, **more):
        board = self.board(*SLOW)
        path = self.file("fw.bin", image(300000))
        return Terminal("-i", board.address, "-f", path, *arguments, **more)

    def test_fits_its_width(self):
        for columns in (200, 80, 40, 20, 5):
            with self.subTest(columns):
                result = self.upload(columns=columns).result()
                self.assertEqual(result.status, 0, result)
                drawn = frames(result.err)
                self.assertGreater(len(drawn), 3, result)
                self.assertLess(max(map(len, drawn)), columns)
                self.assertIn("confirmed by the board\r\n", result.err)

    def test_what_it_shows(self):
        result = self.upload().result()
        drawn = frames(result.err)
        percents = [int(re.search(r"(\d+)%", frame)[1]) for frame in drawn]
        self.assertEqual(percents, sorted(percents))
        self.assertEqual((percents[0], percents[-1]), (0, 100))
        middle = next(frame for frame in drawn if re.search(r"[3-9]\d%", frame))
        self.assertRegex(middle, r"^\[=*> *\] +\d+% +[\d.]+ KiB +[\d.]+ [KM]iB/s +(\d|-):(\d\d|--) left$")
        self.assertIn("verifying", result.err)
        self.assertRegex(drawn[-1], r" 100% .*  delivered$")
        rate = re.search(r"[\d.]+ [KM]iB/s", drawn[-1])[0]
        self.assertRegex(result.err, rf", 293.0 KiB, sent in [\d.]+ s \({rate}\) and confirmed by the board\r\n")
        # Redrawn at most ten times a second; the first, the full one and the last may come in between.
        self.assertLessEqual(len(drawn), result.seconds * 10 + 3)

    def test_lines_and_bar_do_not_mix(self):
        """Whatever is said meanwhile begins on a line of its own."""
        board = self.board(*SLOW, "--fault", "reset@100000*1")
        path = self.file("fw.bin", image(300000))
        result = Terminal("-i", board.address, "-f", path).result()
        self.assertEqual(result.status, 0, result)
        lines = [line.split("\r")[-1] for line in result.err.split("\r\n")]
        self.assertTrue(any(re.match(r"(\x1b\[K)?127[\d.]+: transfer: .*attempt 2 of 3", line)
                            for line in lines), result)

    def test_interrupted(self):
        for key, number in (("\x03", 2), ("\x1c", 3), (None, 1), (None, 15)):
            with self.subTest(number):
                terminal = self.upload()
                terminal.wait_for(r"[1-9]\d%")
                if key:
                    terminal.type(key)
                else:
                    terminal.send_signal(number)
                result = terminal.result()
                self.assertEqual(result.status, -number, result)
                self.assertTrue(terminal.echo_at_end)
                self.assertRegex(result.err, r"\r\n(\x1b\[K)?esp-ota: .*interrupted by SIG")
                self.assertTrue(result.err.endswith("\r\n"))

    def test_interrupted_in_a_loop_of_a_shell(self):
        """One Ctrl-C ends all of it: bash goes on unless the program has died of the signal."""
        board = self.board(*SLOW)
        script = 'for board in a b c; do echo "upload $board"; "$@"; done; echo "after the loop"'
        terminal = Terminal("-i", board.address, "-f", self.file("fw.bin", image(300000)),
                            before=("/bin/bash", "-c", script, "bash"))
        terminal.wait_for(r"[1-9]\d%")
        terminal.type("\x03")
        result = terminal.result()
        self.assertEqual(result.status, -signal.SIGINT, result)
        self.assertIn("interrupted by SIGINT", result.err)
        self.assertEqual(re.findall("upload [abc]|after the loop", result.err), ["upload a"], result)

    def test_status_in_a_shell(self):
        board = self.board(*SLOW)
        terminal = Terminal("-i", board.address, "-f", self.file("fw.bin", image(300000)),
                            before=("/bin/bash", "-c", 'trap : INT; "$@"; echo "status $?"', "bash"))
        terminal.wait_for(r"[1-9]\d%")
        terminal.type("\x03")
        self.assertIn("status 130", terminal.result().err)

    def test_closed(self):
        """The window is closed in the middle: the report is complete, the board not left in doubt."""
        board = self.board(*SLOW)
        output = os.path.join(self.directory, "json")
        terminal = Terminal("-i", board.address, "-f", self.file("fw.bin", image(300000)), "--json",
                            stdout=output)
        terminal.wait_for(r"[1-9]\d%")
        self.assertEqual(terminal.hang_up(), -signal.SIGHUP)
        board.wait_for("upload result=")
        self.assertIsNone(board.received())
        with open(output, encoding="utf-8") as file:
            self.assertRegex(file.read().splitlines()[-1], r'"event":"result".*"exit_status":129,')

    def test_resized(self):
        terminal = self.upload()
        terminal.wait_for(r"[1-9]\d%")
        terminal.resize(30)
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertLess(len(frames(result.err)[-1]), 30)

    def test_stopped_and_continued(self):
        terminal = self.upload()
        terminal.wait_for(r"[1-9]\d%")
        terminal.send_signal(signal.SIGSTOP)
        terminal.send_signal(signal.SIGCONT)
        result = terminal.result()
        self.assertEqual(result.status, 0, result)

    def test_no_color(self):
        result = self.upload(NO_COLOR="1").result()
        self.assertEqual(result.status, 0, result)
        self.assertNotRegex(result.err, r"\x1b\[[0-9;]*m")

    def test_dumb(self):
        result = self.upload(TERM="dumb").result()
        self.assertEqual(result.status, 0, result)
        self.assertNotIn("\x1b", result.err)

    def test_quiet(self):
        result = self.upload("-q").result()
        self.assertEqual((result.status, result.err), (0, ""), result)


class Held(Scenario):
    """Ctrl-S: what the terminal does not take waits, and the uploads go on."""

    def setUp(self):
        super().setUp()
        self.path = self.file("fw.bin", image(300000))
        self.first, self.last = self.board(*SLOW), self.board(*SLOW)
        self.last.hold()

    def upload(self, *arguments, **more):
        """Holds the terminal once the first board is connected, and lets it go after both uploads."""
        terminal = Terminal("-i", self.first.address, "-i", self.last.address, "-p", str(self.first.port),
                            "-f", self.path, *arguments, **more)
        self.first.wait_for("connect ")
        terminal.type("\x13")
        self.first.wait_for("upload result=ok")
        self.last.go_on()
        self.last.wait_for("upload result=ok")
        terminal.type("\x11")
        return terminal.result()

    def assert_installed(self):
        for board in self.first, self.last:
            self.assertEqual(board.received(), image(300000))

    def test_messages(self):
        result = self.upload()
        self.assertEqual(result.status, 0, result)
        confirmed = re.findall(r"(?m)^([\d.]+): confirmed, ", shown(result.err))
        self.assertEqual(confirmed, [self.first.address, self.last.address], result)
        self.assertTrue(result.err.endswith("\r\n"))
        self.assert_installed()

    def test_json(self):
        """Standard output and error are one terminal, and what they bring stays in order."""
        result = self.upload("--json", "-q")
        self.assertEqual(result.status, 0, result)
        lines = [json.loads(line) for line in result.err.split("\r\n") if line.startswith("{")]
        results = [line["board"] for line in lines if line["event"] == "result"]
        self.assertEqual(results, [self.first.address, self.last.address], result)
        self.assert_installed()

    def test_question(self):
        """It is asked, and answered without being seen."""
        self.last.go_on()
        board = self.board(*SLOW, "--password", "kwert")
        board.hold()
        terminal = Terminal("-i", self.first.address, "-i", board.address, "-p", str(board.port), "-f", self.path)
        self.first.wait_for("connect ")
        self.first.hold()
        terminal.type("\x13")
        board.go_on()
        wait_until(lambda: not terminal.has_echo())
        self.first.go_on()
        self.first.wait_for("upload result=ok")  # what was typed before the question is dropped by now
        terminal.type("kwert\n")
        board.wait_for("upload result=ok")
        terminal.type("\x11")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(re.findall(rf"Password of {board.address} .*: \r\n", shown(result.err))), 1, result)
        self.assertEqual(len(re.findall(r"(?m)^[\d.]+: confirmed, ", shown(result.err))), 2, result)


class NoTerminal(Scenario):
    SLOWER = ("--window", "5744", "--mss", "1436", "--write-ms", "40")

    def test_bar_on_demand(self):
        """-r, as espota.py: the bar goes into the pipe."""
        board = self.board(*self.SLOWER)
        path = self.file("fw.bin", image(300000))
        result = Program("-i", board.address, "-r", "-f", path).result()
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn("100%", result.err)
        self.assertIn("\r", result.err)
        self.assertRegex(result.err, r"\[=+> *\]")
        self.assertNotIn("\x1b", result.err)
        for line in re.split(r"[\r\n]", result.err.rstrip("\n")):  # as a reader of lines sees it
            self.assertNotEqual(line.strip(), "", result)

    def test_bar_once_a_second(self):
        """Of a reader that keeps all that was drawn."""
        board = self.board(*self.SLOWER)
        result = run("-i", board.address, "-r", "-f", self.file("fw.bin", image(300000)))
        self.assertEqual(result.status, 0, result)
        drawn = result.err.count("left")
        self.assertGreater(drawn, 1, result)
        self.assertLessEqual(drawn, result.seconds + 2, result)  # the first and the last in any case

    def test_no_bar_for_a_log(self):
        """An IDE started from a desktop has no terminal that it could name: its log has lines."""
        for term in ("", "dumb"):
            board = self.board(*self.SLOWER)
            result = run("-i", board.address, "-r", "-f", self.file("fw.bin", image(300000)), TERM=term)
            self.assertEqual(result.status, 0, result)
            self.assertNotIn("\r", result.err)
            self.assertRegex(result.err, r"\n.*: 9\d% \(.*\n")


if __name__ == "__main__":
    unittest.main()
