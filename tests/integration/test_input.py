#!/usr/bin/env python3
"""Files that are read: a pipe that nobody writes to, a terminal or a device holds nothing up, and those that a
shell makes for <(command) work."""

import concurrent.futures
import gzip
import json
import os
import pty
import subprocess
import unittest

import firmware
import requirement
import scenario
from scenario import Scenario, address, run


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
        self.check(path, 2, ": nothing was written to it in time\n")

    def test_device(self):
        self.check("/dev/zero", 2, "/dev/zero: it is a device, not a file\n")

    def test_tilde(self):
        """In quotes, or behind a =, no shell replaces it."""
        hint = "~/x: No such file or directory; no shell has replaced the ~ (none does in quotes or behind '=')"
        self.check("~/x", 2, hint)
        hosts = self.file("hosts", b"127.0.0.1 file=~/x\n")
        board = ("-i", "127.0.0.1")
        for options, status in (((*board, "-f", "~/x"), 3), (("--hosts", hosts), 3),
                                (("-f", self.image, "-z", "--output=~/x"), 1),
                                ((*board, "--monitor", "--log=~/x"), 1)):
            with self.subTest(options):
                result = run(*options, cwd=self.directory)
                self.assertEqual((result.status, result.out), (status, ""), result)
                self.assertIn("~/x", result.err)
                self.assertIn(": No such file or directory; no shell has replaced the ~", result.err)
                self.assertNotIn("Create the directory", result.err)

    def test_pattern_and_url(self):
        for name in ("C:\\fw.bin", "c:/Users/me/fw.bin", "C:Usersmefw.bin"):
            with self.subTest(name):
                result = run("-i", "127.0.0.1", "-f", name)
                self.assertEqual((result.status, result.out), (3, ""), result)
                self.assertIn("No such file or directory; this is a path of Windows, which WSL has below /mnt", result.err)
        for name, hint in (("build/*.bin", "no shell has replaced the pattern (no file matches, or it stood in quotes)"),
                           ("fw-v?.bin", "no shell has replaced the pattern"),
                           ("$HOME/fw.bin", "no shell has replaced the $ (none does in single quotes)"),
                           ("https://example.org/fw.bin", "a URL is not fetched: download the file first")):
            with self.subTest(name):
                result = run("-i", "127.0.0.1", "-f", name, cwd=self.directory)
                self.assertEqual((result.status, result.out), (3, ""), result)
                self.assertIn(f"cannot open {name}: No such file or directory; {hint}", result.err)

    def test_blank_behind_the_name(self):
        """In quotes, or from a script with the line ends of Windows; only if the file exists without it."""
        hint = "; it exists without the blank or line end behind its name\n"
        for end in (" ", "\r", " \t\n"):
            for options, status in ((("-f", self.image + end), 3), (("-f", self.image, "--auth-file", self.image + end), 2)):
                with self.subTest(options):
                    result = run("-i", "127.0.0.1", *options)
                    self.assertEqual((result.status, result.out), (status, ""), result)
                    self.assertIn(": No such file or directory" + hint, result.err)
        for name in (self.image + "x ", " ", self.image + "/ "):
            self.assertNotIn("behind its name", run("-i", "127.0.0.1", "-f", name).err)

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

    def test_closed(self):
        result = run("--check", "-f", "-", before=("sh", "-c", 'exec "$@" <&-', "sh"))
        self.assertEqual((result.status, result.out), (3, ""), result)
        self.assertEqual(result.err, "esp-ota: cannot read standard input: it is closed\n")

    def test_closed_by_name(self):
        """What stands in the place of the closed one is not called an empty file."""
        closed = ("sh", "-c", 'exec "$@" <&-', "sh")
        for path in ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
            for option, says, status in (("--auth-file", "cannot open the password file {}", 2),
                                         ("--config", "cannot open the configuration {}", 2),
                                         ("--hosts", "cannot open the list of boards {}", 2),
                                         ("--resume", "cannot open the report {}", 2),
                                         ("--sign", "cannot open the key file {}", 2),
                                         ("-f", "cannot open {}", 3)):
                with self.subTest(path, option=option):
                    image = () if option == "-f" else ("-f", self.image)
                    result = run(option, path, "-i", "127.0.0.1", *image, before=closed)
                    self.assertEqual((result.status, result.out), (status, ""), result)
                    self.assertIn(f"esp-ota: {says.format(path)}: standard input is closed\n", result.err)

    def test_closed_without_devices(self):
        requirement.need_root(self, "mounting needs root")
        result = run("--config", "/proc/self/fd/0", "-i", "127.0.0.1", "-f", self.image,
                     before=("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /dev; exec "$@" <&-', "sh"))
        self.assertIn("/proc/self/fd/0: standard input is closed", result.err)

    def test_pipe_to_itself(self):
        """It would never end, as this run holds its other end."""
        says = "the output of this run would be written to it; redirect that to another file\n"
        for path in ("/dev/stdout", "/dev/stderr"):
            for option in ("--resume", "--hosts", "--auth-file"):
                with self.subTest(path, option=option):
                    result = run(option, path, "-i", "127.0.0.1", "-f", self.image, "--json")
                    self.assertEqual(result.status, 2, result)
                    self.assertIn(f"{path}: {says}", result.err)
        pipe = os.path.join(self.directory, "pipe")
        os.mkfifo(pipe)
        result = run("--resume", pipe, "-i", "127.0.0.1", "-f", self.image,
                     before=("sh", "-c", 'exec 3<>"$0"; exec "$@" >"$0"', pipe))
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn(f"{pipe}: {says}", result.err)

    def test_pipe_with_a_late_writer(self):
        path = os.path.join(self.directory, "pipe")
        os.mkfifo(path)
        board = self.board()
        program = scenario.Program("--hosts", path, "-p", str(board.port), "-f", self.image)
        with open(path, "wb") as pipe:  # waits for esp-ota to open it
            pipe.write(board.address.encode())
        self.assertEqual(program.result().status, 0)


class ImageFromStandardInput(Scenario):

    def setUp(self):
        super().setUp()
        self.image = firmware.esp8266(5000)

    def test_upload(self):
        """To each board of a fleet, though it is there only once. What lies beside is not taken."""
        boards = [self.board(), self.board()]
        for name in ("-", "-.signed"):
            self.file(name, b"something else, which is long enough")
        targets = [word for board in boards for word in ("-i", f"{board.address}:{board.port}")]
        result = run(*targets, "-f", "-", "--json", stdin=self.image, cwd=self.directory)
        self.assertEqual(result.status, 0, result)
        self.assertEqual([board.received() for board in boards], [self.image] * 2)
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([event["file"] for event in events if event["event"] == "start"], ["-", "-"])

    def test_its_name(self):
        board = self.board()
        self.file("-", self.image)
        for path, name in (("-", "from standard input"), ("./-", "-")):
            with self.subTest(path):
                result = run("-i", board.address, "-p", str(board.port), "-f", path, stdin=self.image, cwd=self.directory)
                self.assertEqual((result.status, result.out), (0, ""), result)
                self.assertRegex(result.err, f": sketch {name}, 4.9 KiB, sent in ")

    def test_late_writer(self):
        """Who writes it may take as long as a build; it is read to its end."""
        board = self.board()
        script = 'mkfifo pipe late; { cat pipe; cat late; } | "$@"'
        program = scenario.Program("-i", board.address, "-p", str(board.port), "-f", "-", cwd=self.directory,
                                   before=("sh", "-c", script, "sh"))
        for name, part in (("pipe", self.image[:3000]), ("late", self.image[3000:])):
            path = os.path.join(self.directory, name)
            while not os.path.exists(path):  # sh makes them at once
                os.sched_yield()
            with open(path, "wb") as pipe:  # waits for cat
                pipe.write(part)
        self.assertEqual(program.result().status, 0)
        self.assertEqual(board.received(), self.image)

    def test_what_becomes_of_it(self):
        packed = os.path.join(self.directory, "fw.gz")
        result = run("-f", "-", "-z", "--output", packed, stdin=self.image)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn("standard input is compressed from 4.9 KiB", result.err)
        with open(packed, "rb") as file:
            self.assertEqual(gzip.decompress(file.read()), self.image)
        result = run("-f", "-", "--check", stdin=self.image)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, r"^standard input: ESP8266 image, \d+ bytes\n")

    def test_output_is_not_the_file_that_is_read(self):
        path = self.file("fw.bin", self.image)
        result = run("-f", "-", "-z", "--output", path, before=("sh", "-c", 'exec "$@" <"$0"', path))
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("--output names an input file", result.err)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), self.image)

    def test_redirected_into_an_input(self):
        """Nothing is appended to a file that is read, the refusal included."""
        path, password = self.file("fw.bin", self.image), self.file("password", b"kwert\n")
        hosts = self.file("hosts", f"{address()} auth-file={password}\n".encode())
        report = self.file("report", b'{"event":"start"}\n')
        upload = ("--hosts", hosts, "-f", path, "--json", "--retries", "0", "-t", "0.1", "--resume", report)
        for name, options in ((hosts, upload), (path, upload), (password, upload), (path, ("--check", "-f", path)),
                              (report, upload)):
            with open(name, "rb") as file:
                before = file.read()
            for redirection in (">>", "2>>", "1<>"):
                with self.subTest(name, options=options, redirection=redirection):
                    result = run(*options, before=("sh", "-c", f'exec "$@" {redirection}"$0"', name))
                    self.assertEqual(result.status, 2, result)
                    with open(name, "rb") as file:
                        self.assertEqual(file.read(), before)
                    if redirection != "2>>":
                        self.assertIn(f"{name}: the output of this run would be written to it", result.err)

    def test_refused(self):
        for content, options, phrase in (
                (b"", (), "standard input is empty"),
                (self.image[:15], (), "standard input has only 15 bytes"),
                (self.image, ("--max-size", "4000"), "standard input has more than the limit of 4000 bytes"),
                (self.image[:-1], (), "standard input should not be sent: it ")):
            with self.subTest(phrase):
                result = run("-i", "127.0.0.1", "-f", "-", *options, stdin=content)
                self.assertEqual((result.status, result.out), (3, ""), result)
                self.assertIn(phrase, result.err)

    def test_limit(self):
        """A size that is a step of the buffer's, and the limit itself."""
        for size in (64 << 10, (64 << 10) + 1, 128 << 10, 200000):
            content = firmware.esp8266(size)
            program = ("--check", "-f", "-", "--max-size")
            self.assertIn(f", {len(content)} bytes\n", run(*program, str(len(content)), stdin=content).out)
            self.assertEqual(run(*program, str(len(content) - 1), stdin=content).status, 3)

    def test_taken(self):
        hosts = self.file("hosts", b"127.0.0.1 file=-\n")
        for options, phrase in (
                (("-f", "-", "--auth-file", "-", "-i", "127.0.0.1"), "--auth-file and -f cannot both be read from"),
                (("-f", "-", "--hosts", "-"), "--hosts and -f cannot both be read from standard input"),
                (("--hosts", hosts), '"file=-" is possible on the command line only (-f)')):
            with self.subTest(options):
                result = run(*options)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(phrase, result.err)

    def test_terminal(self):
        result = scenario.Terminal("-i", "127.0.0.1", "-f", "-").result()
        self.assertEqual(result.status, 2, result)
        self.assertIn("standard input, which is a terminal; name a file", result.err)

    def test_device_is_no_file(self):
        result = run("-i", "127.0.0.1", "-f", "/dev/null")
        self.assertEqual((result.status, result.out, result.err),
                         (3, "", "esp-ota: /dev/null is a device, not a firmware image\n"), result)

    def test_pipe_is_no_file(self):
        path = os.path.join(self.directory, "pipe")
        os.mkfifo(path)
        result = run("-i", "127.0.0.1", "-f", path)
        self.assertEqual((result.status, result.out), (3, ""), result)
        self.assertIn(f"{path} is a pipe, not a firmware image; -f - reads one from standard input\n", result.err)


if __name__ == "__main__":
    unittest.main()
