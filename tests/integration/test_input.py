#!/usr/bin/env python3
"""Files that are read: a pipe that nobody writes to, a terminal or a device holds nothing up, and those that a
shell makes for <(command) work."""

import concurrent.futures
import os
import pty
import subprocess
import unittest

import firmware
import scenario
from scenario import Scenario, run


class Input(Scenario):

    def setUp(self):
        super().setUp()
        self.image = self.file("fw.bin", firmware.esp8266(5000))

    def options(self, path):
        board = ("-i", "127.0.0.1")
        return (("--auth-file", path, *board, "-f", self.image), ("--hosts", path, "-f", self.image),
                ("--resume", path, *board, "-f", self.image), ("--sign", path, *board, "-f", self.image),
                ("--verify-key", path, *board, "-f", self.image), ("--check", "--verify-key", path, "-f", self.image))

    def check(self, path, status, phrase):
        """With all options at once, as some of them wait."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for result in pool.map(lambda options: run(*options), self.options(path)):
                with self.subTest(result.arguments):
                    self.assertEqual((result.status, result.out), (status, ""), result)
                    self.assertIn(phrase, result.err)
                    self.assertIn(path, result.err)

    def test_pipe_without_a_writer(self):
        path = os.path.join(self.directory, "pipe")
        os.mkfifo(path)
        self.check(path, 2, ": it is a pipe that nothing was written to in time\n")

    def test_device(self):
        self.check("/dev/zero", 2, "/dev/zero: it is a device, not a file\n")

    def test_terminal(self):
        """Not the one that esp-ota itself has."""
        controller, terminal = pty.openpty()
        self.addCleanup(os.close, controller)
        self.addCleanup(os.close, terminal)
        self.check(os.ttyname(terminal), 2, ": it is a device, not a file\n")

    def test_process_substitution(self):
        board = self.board("--password", "open sesame")
        hosts = self.file("hosts", board.address.encode())
        script = ('exec "$0" --auth-file <(cat >/dev/null; echo "open sesame") --hosts <(cat "$1") '
                  '--resume <(echo \'{"event":"start"}\') -p "$2" -f "$3"')
        result = subprocess.run(("bash", "-c", script, scenario.PROGRAM, hosts, str(board.port), self.image),
                                input=b"", capture_output=True, check=False, timeout=scenario.DEADLINE_S,
                                env=scenario.environment())
        self.assertEqual(result.returncode, 0, result)
        board.wait_for("upload result=ok")

    def test_standard_input(self):
        board = self.board("--password", "open sesame")
        for path in ("-", "/dev/stdin"):
            with self.subTest(path):
                result = run("--auth-file", path, "-i", board.address, "-p", str(board.port), "-f", self.image,
                             stdin=b"open sesame\n")
                self.assertEqual((result.status, result.out), (0, ""), result)

    def test_pipe_with_a_late_writer(self):
        path = os.path.join(self.directory, "pipe")
        os.mkfifo(path)
        board = self.board()
        program = scenario.Program("--hosts", path, "-p", str(board.port), "-f", self.image)
        with open(path, "wb") as pipe:  # waits for esp-ota to open it
            pipe.write(board.address.encode())
        self.assertEqual(program.result().status, 0)


if __name__ == "__main__":
    unittest.main()
