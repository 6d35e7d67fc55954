#!/usr/bin/env python3
"""SIGUSR1 asks how far things are: an answer on standard error, and nothing else changes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import unittest

import firmware
from faults import state_of, wait_until
from requirement import need_root
from scenario import Program, Scenario, Terminal, address, image

PAUSE = ("--fault", "pause:5000@150000")  # in which the question comes
AS_PROCESS_1 = ("unshare", "--pid", "--fork", "--kill-child")
TRANSFER = r"transfer, \d+% \([\d.]+ (bytes|KiB) of 293\.0 KiB, [\d.?]+( [KM]iB/s)?\)\n"


def child_of(program):
    with open(f"/proc/{program.pid}/task/{program.pid}/children", encoding="ascii") as file:
        return int(file.read().split()[0])


class Upload(Scenario):

    def setUp(self):
        super().setUp()
        self.path = self.file("fw.bin", image(300000))

    def start(self, *arguments, **more):
        board = self.board(*PAUSE)
        program = Program("-i", board.address, "-f", self.path, *arguments, **more)
        board.wait_for("fault order=pause")
        return board, program

    def test_one_board(self):
        board, program = self.start()
        program.send_signal(signal.SIGUSR1)
        program.wait_for(rf"(?m)^{board.address}: {TRANSFER}")
        program.send_signal(signal.SIGUSR1)
        program.wait_for(rf"(?s)({board.address}: {TRANSFER}.*){{2}}")
        result = program.result()
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertEqual(board.received(), image(300000))

    def test_quiet(self):
        """Who asks is answered."""
        board, program = self.start("-q")
        program.send_signal(signal.SIGUSR1)
        program.wait_for(TRANSFER)
        result = program.result()
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertRegex(result.err, rf"^{board.address}: {TRANSFER}$")

    def test_json(self):
        """Standard output has nothing but events."""
        board, program = self.start("--json", "-q")
        program.send_signal(signal.SIGUSR1)
        program.wait_for(TRANSFER)
        result = program.result()
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, rf"^{board.address}: {TRANSFER}$")
        self.assertEqual(json.loads(result.out.splitlines()[-1])["event"], "result")
        for line in result.out.splitlines():
            json.loads(line)

    def test_progress_line(self):
        """On a terminal the answer stands above the line that is drawn."""
        board = self.board(*PAUSE)
        terminal = Terminal("-i", board.address, "-f", self.path)
        terminal.wait_for(r"[1-9]\d*%")
        terminal.send_signal(signal.SIGUSR1)
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err.replace("\r\n", "\n"), rf"\r\x1b\[K{board.address}: {TRANSFER}\[")

    def test_fleet(self):
        """Totals, those that are retried, and those that run."""
        slow = self.board("--fault", "stall@100000")
        port = ("-p", str(slow.port))
        silent = self.board(*port, "--fault", "silent", where=address())
        program = Program("-i", slow.address, "-i", silent.address, *port, "-f", self.path, "--json", "-v", "-j",
                          "3", "-t", "1", "--retries", "9")
        program.wait_for(rf"(?m)^{silent.address}: .*; attempt 4 of 10 in 4 s")
        program.send_signal(signal.SIGUSR1)
        program.wait_for(r"(?m)^0 of 2 done, .*1 retrying")
        program.wait_for(rf"(?m)^  {slow.address}: ")
        program.send_signal(signal.SIGTERM)
        result = program.result()
        self.assertEqual(result.status, -signal.SIGTERM, result)
        self.assertRegex(result.err, r"(?m)^0 of 2 done, 1 running, 1 retrying; [\d.]+ (bytes|KiB) of "
                                     r"585\.9 KiB sent, after [\d.]+ s\n")
        self.assertRegex(result.err, rf"(?m)^  {silent.address}: waits for attempt 4 of 10 in [0-4] s, after invitation: ")
        self.assertRegex(result.err, rf"(?m)^  {slow.address}: {TRANSFER}")
        for line in result.out.splitlines():
            json.loads(line)

    def test_retry(self):
        """While a retry runs, its number and its reason."""
        board = self.board("--fault", "reset@100000*1", "--fault", "pause:5000@150000")
        program = Program("-i", board.address, "-p", str(board.port), "-f", self.path)
        board.wait_for("fault order=pause")
        program.send_signal(signal.SIGUSR1)
        program.wait_for(rf"(?m)^{board.address}: {TRANSFER[:-2]}; attempt 2 of 3, after transfer: the board reset")
        self.assertEqual(program.result().status, 0)

    def test_password_prompt(self):
        """The question is repeated, and what has been typed of the answer counts."""
        board = self.board("-P", "kwert")
        terminal = Terminal("-i", board.address, "-f", self.path)
        terminal.wait_for("Password of .*: ")
        terminal.type("kwe")
        terminal.send_signal(signal.SIGUSR1)
        terminal.wait_for(rf"\r\x1b\[K{board.address}: waits for the password\r\nPassword of .*: ")
        self.assertFalse(terminal.has_echo())
        terminal.type("rt\n")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count("Password of"), 2, result)
        self.assert_no_secret(result, "kwert")

    def test_key_prompt(self):
        key = os.path.join(self.directory, "key.pem")
        subprocess.run(["openssl", "genrsa", "-aes128", "-passout", "pass:kwert", "-out", key, "2048"],
                       check=True, stderr=subprocess.DEVNULL)
        path = self.file("esp8266.bin", firmware.esp8266())
        output = os.path.join(self.directory, "signed.bin")
        terminal = Terminal("-f", path, "--sign", key, "--output", output, "-p", "8266")
        terminal.wait_for("Password of the key in .*: ")
        terminal.send_signal(signal.SIGUSR1)
        terminal.wait_for(r"\r(\x1b\[K|\n)waiting for the password of the key in \S+\r\nPassword of the key in .*: ")
        terminal.type("kwert\n")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)


    def test_terminal_restored_after_a_signal(self):
        key = os.path.join(self.directory, "key.pem")
        subprocess.run(["openssl", "genrsa", "-aes128", "-passout", "pass:kwert", "-out", key, "2048"],
                       check=True, stderr=subprocess.DEVNULL)
        path = self.file("esp8266.bin", firmware.esp8266())
        for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGALRM, signal.SIGRTMIN):
            with self.subTest(number):
                terminal = Terminal("-f", path, "--sign", key, "--output", os.path.join(self.directory, "signed.bin"),
                                    "-p", "8266")
                terminal.wait_for("Password of the key in .*: ")
                terminal.send_signal(number)
                self.assertEqual(terminal.result().status, -number)
                self.assertTrue(terminal.echo_at_end)

    def test_key_prompt_of_process_1(self):
        need_root(self, "unshare --pid needs root")
        key = os.path.join(self.directory, "key.pem")
        subprocess.run(["openssl", "genrsa", "-aes128", "-passout", "pass:kwert", "-out", key, "2048"],
                       check=True, stderr=subprocess.DEVNULL)
        path = self.file("esp8266.bin", firmware.esp8266())
        terminal = Terminal("-f", path, "--sign", key, "--output", os.path.join(self.directory, "signed.bin"),
                            "-p", "8266", before=(shutil.which(AS_PROCESS_1[0]), *AS_PROCESS_1[1:]))
        terminal.wait_for("Password of the key in .*: ")
        os.kill(child_of(terminal), signal.SIGTERM)
        result = terminal.result()
        self.assertEqual(result.status, 128 + signal.SIGTERM, result)
        self.assertTrue(terminal.echo_at_end)


class Search(Scenario):
    """A D-Bus that accepts connections and never answers: the search takes as long as it may."""

    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "bus")
        self.bus = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.bus.close)
        self.bus.bind(self.path)
        self.bus.listen(1)

    def search(self, *arguments, before=()):
        program = Program(*arguments, "-t", "60", before=before, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={self.path}")
        connection, _ = self.bus.accept()
        self.addCleanup(connection.close)
        return program

    def test_searches(self):
        path = self.file("fw.bin", firmware.esp8266())
        for arguments, limit in ((("-l",), "60"), (("--all", "-f", path), "60"),
                                 (("--all", "-f", path, "--wait", "90"), "90")):
            with self.subTest(arguments):
                program = self.search(*arguments)
                program.send_signal(signal.SIGUSR1)
                program.wait_for(rf"looking for boards: 0 found so far, after \d+\.\d s of at most {limit} s\n")
                program.send_signal(signal.SIGTERM)
                result = program.result()
                self.assertEqual((result.status, result.out), (-signal.SIGTERM, ""), result)

    def test_each_signal_ends_a_list(self):
        """The program dies of it, as a shell expects."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(number):
                program = self.search("-l")
                program.send_signal(signal.SIGUSR1)
                program.wait_for("looking for boards: ")  # so it takes signals by now
                program.send_signal(number)
                result = program.result()
                self.assertEqual((result.status, result.out), (-number, ""), result)

    def test_signals_reach_process_1(self):
        """In a container, where the kernel gives it no signal that it does not catch."""
        need_root(self, "unshare --pid needs root")
        path = self.file("fw.bin", firmware.esp8266())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2):
            with self.subTest(number):
                program = self.search("--all", "-f", path, "--wait", "3600", before=AS_PROCESS_1)
                os.kill(child_of(program), number)
                result = program.result()
                self.assertEqual((result.status, result.out), (128 + number, ""), result)

    def test_ended_worker_is_waited_for(self):
        """Also if whoever starts the program ignores SIGCHLD: else its number may be another process's when the
        program ends it."""
        program = self.search("-l", before=("env", "--ignore-signal=CHLD"))
        worker = child_of(program)
        program.send_signal(signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: state_of(worker) == "Z")  # or there is none: FileNotFoundError
        program.send_signal(signal.SIGCONT)
        program.result()


if __name__ == "__main__":
    unittest.main()
