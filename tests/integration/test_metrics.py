#!/usr/bin/env python3
"""--metrics: what a scraper reads of the boards, after one run and after the next."""

import hashlib
import os
import re
import signal
import time
import unittest

import firmware
import requirement
from scenario import Program, Scenario, address, run

PREFIX = "esp_ota_board_"
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})\{{({LABEL}(?:,{LABEL})*)\}} ([0-9]+(?:\.[0-9]+)?)")


def parse(text):
    """The exposition format, strictly: the value by (name, labels). A series is described before its
    first sample, once, and its samples are together."""
    values, described, current = {}, {}, None
    if not text.endswith("\n"):
        raise ValueError("no line end")
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("# HELP "):
            current = line.split(" ")[2]
            if current in described or next(lines) != f"# TYPE {current} gauge":
                raise ValueError(line)
            described[current] = line.split(" ", 3)[3]
            continue
        match = SAMPLE.fullmatch(line)
        if not match or match[1] != current or not described[current].endswith("."):
            raise ValueError(line)
        labels = tuple(re.findall(LABEL, match[2]))
        if (current, labels) in values or len({label.partition("=")[0] for label in labels}) != len(labels):
            raise ValueError(line)
        values[current, labels] = float(match[3])
    return values


class Metrics(Scenario):

    def setUp(self):
        super().setUp()
        self.image = firmware.esp8266()
        self.path = self.file("firmware.bin", self.image)
        self.metrics = os.path.join(self.directory, "esp-ota.prom")

    def run_on(self, *boards, options=(), **more):
        targets = [word for board in boards for word in ("-i", f"{board.address}:{board.port}")]
        return run(*targets, "-f", self.path, "--metrics", self.metrics, "--retries", "0", "-q", *options, **more)

    def read(self):
        with open(self.metrics, encoding="utf-8") as file:
            return parse(file.read())

    def value(self, name, board, *labels, kind="sketch"):
        named = f'board="{board.address}:{board.port}"', f'image="{kind}"', *labels
        return self.read().get((PREFIX + name, named))

    def image_labels(self):
        return (f'sha256="{hashlib.sha256(self.image).hexdigest()}"', f'md5="{hashlib.md5(self.image).hexdigest()}"')

    def test_results(self):
        good, bad = self.board(), self.board("--fault", "refuse:No room")
        before = int(time.time())
        result = self.run_on(good, bad)
        self.assertEqual((result.status, result.out), (7, ""), result)
        for board, status, code in ((good, 0, "ok"), (bad, 7, "refused")):
            self.assertEqual(self.value("last_upload_exit_status", board), status)
            self.assertEqual(self.value("last_upload_info", board, f'code="{code}"', 'protocol="espota"'), 1)
            self.assertIn(self.value("last_upload_timestamp_seconds", board), range(before, int(time.time()) + 1))
            self.assertGreater(self.value("last_upload_duration_seconds", board), 0)
        self.assertEqual(self.value("last_upload_received_bytes", good), len(self.image))
        self.assertEqual(self.value("last_upload_received_bytes", bad), 0)
        self.assertEqual(self.value("image_info", good, *self.image_labels()), 1)
        self.assertIsNone(self.value("image_info", bad, *self.image_labels()))
        self.assertIsNone(self.value("last_success_timestamp_seconds", bad))
        self.assertEqual(os.listdir(self.directory).count("esp-ota.prom"), 1)
        self.assertFalse([name for name in os.listdir(self.directory) if name.startswith("esp-ota.prom.")])

    def test_next_run(self):
        """What it does not touch stays: other boards, and of one that fails the last success."""
        first, second = self.board(), self.board()
        self.assertEqual(self.run_on(first, second).status, 0)
        before = self.read()
        first.close()
        result = self.run_on(first)
        self.assertEqual(result.status, 5, result)
        after = self.read()
        label = f'board="{first.address}:{first.port}"'
        changed = {name for name, labels in before.keys() | after.keys()
                   if before.get((name, labels)) != after.get((name, labels)) and label in labels}
        self.assertLessEqual({PREFIX + "last_upload_exit_status", PREFIX + "last_upload_info"}, changed)
        self.assertFalse({PREFIX + "last_success_timestamp_seconds", PREFIX + "image_info"} & changed)
        for series, value in before.items():
            if label not in series[1]:
                self.assertEqual(after[series], value, series)

    def test_resumed_board_stays(self):
        board = self.board()
        first = run("-i", f"{board.address}:{board.port}", "-f", self.path, "--json", "--metrics", self.metrics)
        self.assertEqual(first.status, 0, first)
        before = self.read()
        report = self.file("report", first.out.encode())
        for options in (("--resume", report), ("--dry-run",)):
            result = self.run_on(board, options=options)
            self.assertEqual(result.status, 0, result)
            self.assertEqual(self.read(), before, options)

    def test_after_a_signal(self):
        """The board that has confirmed is noted, and the one that was not reached is not."""
        good, silent = self.board(), self.board("--fault", "silent")
        program = Program("-i", f"{good.address}:{good.port}", "-i", f"{silent.address}:{silent.port}", "-f", self.path,
                          "--metrics", self.metrics)
        program.wait_for(r"confirmed, ")
        program.send_signal(signal.SIGINT)
        result = program.result()
        self.assertEqual(result.status, -signal.SIGINT, result)
        self.assertEqual(self.value("last_upload_exit_status", good), 0)
        self.assertIsNone(self.value("last_upload_exit_status", silent))

    def test_names(self):
        """A name from a list goes into a label with its quotes and backslashes."""
        name = 'a "b" \\u00ad'  # a soft hyphen, as esp-ota shows it
        result = run("-i", name, "-f", self.path, "--metrics", self.metrics, "-t", "0.1", "--retries", "0")
        self.assertEqual(result.status, 4, result)
        self.assertEqual(self.read()[PREFIX + "last_upload_exit_status",
                                     ('board="a \\"b\\" \\\\u00ad"', 'image="sketch"')], 4)

    def test_foreign_file(self):
        board = self.board()
        with open(self.metrics, "w", encoding="utf-8") as file:
            file.write("node_load1 0.5\n")
        result = self.run_on(board)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertEqual(result.err, f"esp-ota: {self.metrics}, line 1 was not written by --metrics, so the file is "
                                     "left as it is; give --metrics a file of its own\n")
        with open(self.metrics, encoding="utf-8") as file:
            self.assertEqual(file.read(), "node_load1 0.5\n")
        board.close()
        self.assertEqual(board.count("invitation"), 0)

    def test_places(self):
        file_instead = "\n  Give the option the name of a file: a new one, or one that it may replace or continue.\n"
        dangling = os.path.join(self.directory, "dangling")
        os.symlink("no/m.prom", dangling)
        for path, phrase, status in (("/dev/full", "it is not a regular file" + file_instead, 1),
                                     (self.directory, "it is a directory" + file_instead, 1),
                                     (f"{self.directory}/no/m.prom",
                                      "No such file or directory\n  Create the directory first", 1),
                                     (dangling, "No such file or directory\n  Create the directory first", 1),
                                     ("/proc/m.prom", "cannot write /proc/m.prom: ", 1),
                                     (f"{self.path}/m.prom", "Not a directory\n  Create the directory first", 1),
                                     ("-", "give it a file name", 2), ("", "is empty", 2)):
            with self.subTest(path):
                result = run("-i", address(), "-f", self.path, "--metrics", path)
                self.assertEqual((result.status, result.out), (status, ""), result)
                self.assertIn(phrase, result.err)

    def test_long_name(self):
        """A name of 255 bytes, the most that there is, can be replaced as any other."""
        self.metrics = os.path.join(self.directory, 250 * "m" + ".prom")
        for _ in range(2):
            self.assertEqual(self.run_on(self.board()).status, 0)
            self.read()
        packed = os.path.join(self.directory, 255 * "p")
        for _ in range(2):
            result = run("-q", "-z", "-f", self.path, "--output", packed)
            self.assertEqual((result.status, result.err), (0, ""), result)
        files = [entry.path for entry in os.scandir(self.directory) if not entry.is_dir()]
        self.assertEqual(sorted(files), sorted((self.path, self.metrics, packed)))

    def test_mount_points(self):
        """A file that docker -v has put there cannot be replaced, which is known before an upload."""
        requirement.need_root(self, "only root can mount a file")
        path = self.file("mounted", b"")
        board = self.board()
        before = ("unshare", "--mount", "sh", "-c", f'mount --bind {path} {path} && exec "$@"', "sh")
        for options in (("-i", f"{board.address}:{board.port}", "--metrics"), ("-z", "--output")):
            with self.subTest(options=options):
                result = run("-f", self.path, *options, path, before=before)
                self.assertEqual((result.status, result.out), (1, ""), result)
                self.assertIn(f"esp-ota: cannot write {path}: it is a mount point, which cannot be replaced\n"
                              "  Mount the directory instead of the file", result.err)
        self.assertFalse(board.count(" invitation "))

    def test_remedies(self):
        loop = os.path.join(self.directory, "loop")
        os.symlink("loop", loop)
        for path, remedy in ((os.path.join(self.directory, 256 * "m"), "Choose a shorter name"),
                             (loop, "Correct the symbolic links")):
            for options in (("-i", address(), "--metrics"), ("-z", "--output")):
                with self.subTest(path, options=options):
                    result = run("-f", self.path, *options, path)
                    self.assertEqual((result.status, result.out), (1, ""), result)
                    self.assertIn("\n  " + remedy, result.err)

    def test_foreign_lines_meanwhile(self):
        """Another program writes to the file while the board is updated."""
        board = self.board("--fault", "drop-invitation")
        program = Program("-i", f"{board.address}:{board.port}", "-f", self.path, "-d", "--metrics", self.metrics)
        program.wait_for(r"invitation 1 to")
        self.file("esp-ota.prom", b"node_load1 0.5\n")
        result = program.result()
        self.assertEqual(result.status, 1, result)
        self.assertIn("was not written by --metrics, so the file is left as it is; give --metrics a file of its own\n"
                      "  Give the option the name of a file", result.err)

    def test_two_outputs(self):
        """None of them would be whole."""
        log = ("--monitor", "--log", self.metrics)
        for redirection, options, said in (
                ('>"$0"', ("--json", "--metrics", self.metrics), "--metrics names the file that standard output goes into"),
                ('>"$0"', log, "--log names the file that standard output goes into"),
                ("", (*log, "--metrics", f"{self.directory}/./esp-ota.prom"), "--log and --metrics name the same file")):
            with self.subTest(redirection, options=options):
                result = run("-i", address(), "-f", self.path, *options, before=(
                    "sh", "-c", f'exec "$@" {redirection}', self.metrics))
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(said, result.err)
        board = self.board()
        os.unlink(self.metrics)
        self.assertEqual(self.run_on(board).status, 0)
        noted = self.read()
        for redirection in ('>>"$0"', '2>>"$0"'):
            with self.subTest(redirection):
                result = self.run_on(board, options=("--json",), before=("sh", "-c", f'exec "$@" {redirection}', self.metrics))
                self.assertEqual(result.status, 2, result)
                self.assertEqual(self.read(), noted)
        result = run("-z", "-f", self.path, "--output", self.metrics, before=("sh", "-c", 'exec "$@" 2>"$0"', self.metrics))
        self.assertEqual(result.status, 2, result)

    def test_log_appended_with_messages(self):
        """Both append, as with one file for all that a service says."""
        result = run("-i", address(), "-f", self.path, "--retries", "0", "--timeout", "1", "--monitor", "--log", self.metrics,
                     before=("sh", "-c", 'exec "$@" 2>>"$0"', self.metrics))
        self.assertEqual(result.status, 5, result)

    def test_lost(self):
        """The folder goes away while the board has not got its invitation yet."""
        folder = os.path.join(self.directory, "collector")
        os.mkdir(folder)
        board = self.board("--fault", "drop-invitation")
        program = Program("-i", f"{board.address}:{board.port}", "-f", self.path, "-d", "--metrics",
                          os.path.join(folder, "m.prom"))
        program.wait_for(r"invitation 1 to")
        os.rmdir(folder)
        result = program.result()
        self.assertEqual(result.status, 1, result)
        self.assertIn(f"every upload is confirmed, but cannot write {folder}/m.prom: No such file or directory",
                      result.err)


if __name__ == "__main__":
    unittest.main()
