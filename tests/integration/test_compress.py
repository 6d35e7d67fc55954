#!/usr/bin/env python3
"""-z and --output: what is compressed, that boards can unpack it, and what becomes of those that do not."""

import errno
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import unittest
import zlib

import firmware
import requirement
from scenario import DEADLINE_S, PROGRAM, Scenario, Terminal, environment, image, run
from test_check import UF2


STACK_KIB = 1024 if "asan" in os.environ["ESP_OTA"] else 64  # a sanitizer's frames are larger


def sketch(size=60000):
    return firmware.esp8266(size, alike=size // 2)


def gunzip(data):
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = unpacker.decompress(data)
    assert unpacker.eof and not unpacker.unused_data
    return unpacked


CONTENTS = {"sketch": sketch(), "filesystem": firmware.littlefs(), "unknown": b"\0neither" + bytes(5000)}


class Compress(Scenario):

    def output(self, content, *options, name="firmware.bin"):
        """What --output makes of it."""
        target = os.path.join(self.directory, "out.gz")
        result = run("-z", "-f", self.file(name, content), "--output", target, *options)
        self.assertEqual((result.status, result.out), (0, ""), result)
        with open(target, "rb") as file:
            return file.read(), result

    def upload(self, content, *options, board=(), family="esp8266", status=0, name="firmware.bin"):
        board = self.board(*board, family=family)
        result = run("-z", "-i", board.address, "-f", self.file(name, content), *options)
        self.assertEqual(result.status, status, result)
        return board, result

    # -- what comes out --

    def test_same_bytes_every_time(self):
        for name, content in CONTENTS.items():
            with self.subTest(name):
                options = ("-s",) if name == "filesystem" else ()
                first, _ = self.output(content, *options)
                second, _ = self.output(content, *options, name="another-name.bin")
                self.assertEqual(first, second)
                self.assertEqual(first[:10], bytes.fromhex("1f8b08000000000002ff"))
                self.assertEqual(gunzip(first), content)
                self.assertLess(len(first), len(content))

    def test_output_in_place_of_a_running_program(self):
        """It runs on with its old file: the new one takes its name."""
        target = os.path.join(self.directory, "out.gz")
        shutil.copy(shutil.which("sleep"), target)
        with subprocess.Popen([target, "600"]) as program:
            try:
                with self.assertRaises(OSError) as refused:
                    os.close(os.open(target, os.O_WRONLY))
                self.assertEqual(refused.exception.errno, errno.ETXTBSY)
                packed, _ = self.output(sketch())
                self.assertEqual(gzip.decompress(packed), sketch())
                self.assertIsNone(program.poll())
            finally:
                program.kill()

    def test_output_says_so(self):
        packed, result = self.output(sketch())
        self.assertRegex(result.err, r"firmware\.bin is compressed from 58\.6 KiB to 25\.\d KiB\n")
        self.assertRegex(result.err, r"out\.gz: 25\.\d KiB written, from 58\.6 KiB; nothing was uploaded\n$")
        self.assertEqual(run("-q", "-z", "-f", self.file("firmware.bin", sketch()), "--output",
                             os.path.join(self.directory, "out.gz")).err, "")
        path = os.path.join(self.directory, "out.gz")
        told = run("--json", "-z", "-f", self.file("firmware.bin", sketch()), "--output", path)
        event = json.loads(told.out)
        self.assertEqual([0, "written", None, path, len(packed), hashlib.md5(packed).hexdigest(), len(sketch()),
                          hashlib.sha256(sketch()).hexdigest(), "sketch"],
                         [told.status, *(event[key] for key in ("event", "board", "output", "size", "md5", "original_size",
                                                                "sha256", "command"))])
        both = run("--json", "-z", "-f", self.file("firmware.bin", sketch()), "--output", "/dev/stdout")
        self.assertEqual((2, "usage"), (both.status, json.loads(both.out)["code"]))
        self.assertIn("--output and --json would both write to standard output", both.err)
        full = run("--json", "-z", "-f", self.file("firmware.bin", sketch()), "--output", path,
                   before=("sh", "-c", 'exec "$@" >/dev/full', "sh"))
        self.assertEqual(1, full.status, full)
        # the board takes the file as well as the upload
        board = self.board()
        self.assertEqual(run("-i", board.address, "-f", os.path.join(self.directory, "out.gz")).status, 0)
        board.close()
        self.assertEqual(board.received(), sketch())

    def test_output_with_the_rest(self):
        """In one file, what the run says would become a part of the image, or of what is in the file."""
        firmware, path = self.file("firmware.bin", sketch()), os.path.join(self.directory, "out.gz")
        for redirection, options, said in (
                ('>>"$0"', ("--json",), f"--output names the file that standard output goes into, {path}; "),
                ('>"$0"', ("--json",), f"--output names the file that standard output goes into, {path}; "),
                ('>"$0" 2>&1', (), None),
                ('>>"$0" 2>&1', ("-q",), None),
                ('2>&1 | cat >"$0"', (), None)):
            with self.subTest(redirection, options=options):
                self.file("out.gz", b"" if " >" in redirection else b"old\n")
                result = run("-z", "-f", firmware, "--output", "/dev/stdout" if "|" in redirection else path, *options,
                             before=("bash", "-c", f'set -o pipefail; "$@" {redirection}', path))
                self.assertEqual((result.status, result.out), (2, ""), result)
                with open(path, "rb") as file:
                    written = file.read()
                self.assertNotIn(b"\x1f\x8b", written)
                self.assertIn(said or "", result.err)
                if redirection.startswith(">>"):
                    self.assertEqual(written, b"old\n")
                elif "|" in redirection:
                    self.assertRegex(written, b"--output names the file that standard error goes into, ")

    # -- uploads --

    def test_boards_unpack(self):
        for family in ("esp8266", "pico"):
            with self.subTest(family):
                board, result = self.upload(sketch(), "-p", "2040" if family == "pico" else "8266", family=family)
                board.close()
                self.assertEqual(board.received(), sketch())
                packed, _ = self.output(sketch())
                board.wait_for(f" invitation command=0 .* size={len(packed)} md5={hashlib.md5(packed).hexdigest()} ")
                board.wait_for(f"unpack result=ok bytes={len(sketch())}")
                self.assertRegex(result.err, r": sketch firmware\.bin, 25\.\d KiB compressed from 58\.6 KiB, sent in")

    def test_filesystem(self):
        content = firmware.littlefs()
        for option, expected in ((("--atomic-fs",), content), ((), self.output(content, "-s")[0])):
            with self.subTest(option):
                board, result = self.upload(content, "-s", board=option)
                board.close()
                self.assertEqual(board.received(), expected)
                self.assertRegex(result.err, r"warning: .* only to ESP8266 boards whose sketch was built with ATOMIC_FS_UPDATE")

    def test_packed_filesystem_reaches_no_esp32(self):
        """It would store the packed bytes, and have no filesystem any more."""
        board = self.board(family="esp32")
        result = run("-z", "-s", "-i", board.address, "-f", self.file("fs.bin", firmware.littlefs()), "-t", "1",
                     "--retries", "0")
        self.assertEqual(result.status, 5, result)
        self.assertEqual(board.count(" invitation "), 0)

    def test_packed_filesystem_for_boards_that_do_not_unpack(self):
        """They would store it packed, and confirm: refused where the port or the name tells the board, and forced."""
        path = self.file("fs.bin", firmware.littlefs())
        packed = self.file("fs.bin.gz", gzip_by_python(firmware.littlefs()))
        for family, port in (("esp32", "3232"), ("pico", "2040")):
            for options in (("-z", "-f", path), ("-f", packed)):
                with self.subTest(family, options=options):
                    board = self.board(family=family)
                    arguments = ("-s", *options, "-i", board.address, "-p", str(board.port))
                    self.assertEqual(str(board.port), port)
                    result = run(*arguments)
                    self.assertEqual((result.status, result.out), (3, ""), result)
                    self.assertRegex(result.err, f"port {port} is the default port of .* boards: the board would store it "
                                                 r"compressed, and then have no filesystem \(--force ")
                    self.assertEqual(board.count(" invitation "), 0)
                    result = run(*arguments, "--force")
                    self.assertEqual(result.status, 0, result)
                    self.assertIn("then have no filesystem; overridden by --force", result.err)

    def test_json(self):
        board, result = self.upload(sketch(), "--json")
        events = {event["event"]: event for event in map(json.loads, result.out.splitlines())}
        packed, _ = self.output(sketch())
        start, last = events["start"], events["result"]
        self.assertEqual((start["size"], start["original_size"], start["md5"], start["sha256"]),
                         (len(packed), len(sketch()), hashlib.md5(packed).hexdigest(),
                          hashlib.sha256(sketch()).hexdigest()))
        self.assertEqual((last["bytes"], last["total"], last["original_size"], last["sha256"]),
                         (len(packed), len(packed), len(sketch()), start["sha256"]))

    def test_resume(self):
        """It is the file that counts, not how it was sent."""
        board, result = self.upload(sketch(), "--json")
        report = self.file("report", result.out.encode())
        again = run("--resume", report, "-i", board.address, "-f", os.path.join(self.directory, "firmware.bin"))
        self.assertEqual(again.status, 0, again)
        self.assertIn("has confirmed this image in an earlier run", again.err)

    def test_terminal(self):
        board = self.board()
        result = Terminal("-z", "-i", board.address, "-f", self.file("firmware.bin", sketch()), columns=100).result()
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r"100% .*  \(from 58\.6 KiB\)")

    def test_fleet(self):
        boards = [self.board(), self.board("--fault", "old-core"), self.board()]
        named = [argument for board in boards for argument in ("-i", board.address)]
        result = run("-z", *named, "-f", self.file("firmware.bin", sketch()), "--json")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count("is compressed from"), 1, result)
        for board in boards:
            board.close()
            self.assertEqual(board.received(), sketch())
        sizes = sorted(json.loads(line)["total"] for line in result.out.splitlines() if '"result"' in line)
        packed, _ = self.output(sketch())
        self.assertEqual(sizes, [len(packed), len(packed), len(sketch())])

    # -- boards that unpack nothing --

    def check_fall_back(self, *options, content=sketch(), board=(), invitations=2):
        board, result = self.upload(content, *options, board=("--fault", "old-core", *board))
        board.close()
        self.assertEqual(board.received(), content)
        self.assertEqual(board.count(" invitation "), invitations, board.events)
        self.assertEqual(result.err.count(
            "result: the board says: ERROR[10]: Magic byte is not 0xE9; its core does not "
            "unpack compressed images; sending this one uncompressed in 1 s\n"), 1, result)
        self.assertRegex(result.err, r": sketch firmware\.bin, [0-9.]+ KiB, sent in")
        return result

    def test_too_large_although_compressed(self):
        """-z is no remedy for those who have used it."""
        _, result = self.upload(sketch(), board=("--capacity", "10000"), status=7)
        self.assertIn("Not Enough Space", result.err)
        self.assertIn("\n  Make the sketch smaller, or choose another flash layout", result.err)
        self.assertNotIn("(-z)", result.err)

    def test_old_core(self):
        self.check_fall_back("--retries", "0")

    def test_ch32h4(self):
        """Its updater takes only what begins as the running sketch does, and unpacks nothing."""
        board, result = self.upload(CONTENTS["unknown"], "--force", family="ch32h4")
        board.close()
        self.assertEqual(board.received(), CONTENTS["unknown"])
        self.assertIn("(upload the OTA binary, not the full firmware.bin); its core does not unpack compressed images; "
                      "sending this one uncompressed in 1 s\n", result.err)

    def test_old_core_json(self):
        """A second start says what is sent now."""
        result = self.check_fall_back("--json")
        events = [json.loads(line) for line in result.out.splitlines()]
        first, second = [event for event in events if event["event"] == "start"]
        self.assertLess(first["size"], second["size"])
        self.assertEqual((len(sketch()), hashlib.md5(sketch()).hexdigest(), first["sha256"]),
                         (second["size"], second["md5"], second["sha256"]))
        self.assertEqual("note", events[events.index(second) - 1]["event"])

    def test_old_core_lockstep(self):
        self.check_fall_back("--retries", "0", "--lockstep")

    def test_old_core_whose_reason_is_lost(self):
        """Streaming, it is cut off by a reset; in lock-step the reason arrives."""
        result = self.check_fall_back("--retries", "1", content=sketch(900016), invitations=3, board=(
            "--fault", "reset@20000*1", "--window", "5744"))
        self.assertIn("attempt 2 of 2, in lock-step, in 1 s", result.err)

    def test_old_core_and_then_trouble(self):
        """The attempts that --retries allows are still there for the plain image."""
        content = sketch(900016)
        packed, _ = self.output(content)
        self.check_fall_back("--retries", "1", content=content, invitations=3, board=(
            "--fault", f"reset@{len(packed) + 1000}*1", "--window", "5744"))

    def test_same_error_of_a_plain_image(self):
        """What we have not compressed is not sent again."""
        for content in (gzip_by_python(sketch()), sketch()):
            board, result = self.upload(content, board=("--fault", "error-end:ERROR[10]: Magic byte is not 0xE9\n",)
                                        if content[0] == 0xE9 else ("--fault", "old-core"), status=10)
            board.close()
            self.assertIsNone(board.received())
            self.assertEqual(board.count(" invitation "), 2 if content[0] == 0xE9 else 1, result)

    # -- what is not compressed --

    def test_sent_as_it_is(self):
        """One line says so; the board gets the file as it is."""
        noise = image(40000)
        for content, phrase in ((gzip_by_python(sketch()), "is compressed already and is sent as it is"),
                                (noise, "does not get smaller by compressing and is sent as it is")):
            with self.subTest(phrase):
                board, result = self.upload(content)
                self.assertEqual(len(re.findall(rf"firmware\.bin {phrase}\n", result.err)), 1, result)
                self.assertNotIn("unpack", result.err)
                board.wait_for(f" invitation .* md5={hashlib.md5(content).hexdigest()} ")
                written, result = self.output(content)
                self.assertEqual(written, content)
                self.assertIn(phrase.replace("sent", "left"), result.err)  # nothing is sent

    def test_unknown(self):
        board, result = self.upload(CONTENTS["unknown"], board=("--fault", "old-core*0"), status=10)
        self.assertIn("may not work: the format inside is unknown, and only ESP8266 and Pico W boards unpack gzip\n",
                      result.err)

    def test_refused(self):
        signed = sketch() + bytes(256) + (256).to_bytes(4, "little")
        for content, status, phrase in (
                (firmware.esp32(), 2, r"\(ESP32 application image\) is for ESP32 boards, which do not unpack images; leave -z out\n"),
                (UF2, 3, r"should not be sent: UF2 is for the board's USB drive"),
                (firmware.uf2(0x7B3EF230), 2, r"\(UF2 file for the BK7231N\) is for boards with LibreTiny, which do not unpack images; "),
                (signed, 2, "is signed, and compressed its signature would not hold; sign after compressing, or "
                            "leave -z out\n")):
            with self.subTest(phrase):
                board, result = self.upload(content, status=status)
                self.assertRegex(result.err, phrase)
                self.assertFalse(board.count(" invitation "))
        beside = self.file("x.bin.signed", signed)
        os.utime(beside, (2_000_000_000, 2_000_000_000))  # the file that upload() writes must not be newer
        board, result = self.upload(sketch(), status=2, name="x.bin")
        self.assertIn("x.bin.signed is signed, and", result.err)

    def test_signed(self):
        """Of every family: for a board, for --dry-run, and into a file."""
        target = os.path.join(self.directory, "out.gz")
        for name, content, family in (("sketch", sketch(), "esp8266"), ("Pico", firmware.rp2040(5000) + bytes(3000), "pico"),
                                      ("filesystem", firmware.littlefs(), "esp8266"),
                                      ("unknown", CONTENTS["unknown"], "esp8266")):
            signed = content + image(256) + (256).to_bytes(4, "little")
            options = ("-s",) if name == "filesystem" else ()
            with self.subTest(name):
                board, result = self.upload(signed, *options, status=2, family=family)
                self.assertEqual(result.err, "esp-ota: " + self.file("firmware.bin", signed)
                                 + " is signed, and compressed its signature would not hold; sign after compressing, or "
                                 "leave -z out\n")
                self.assertFalse(board.count(" invitation "))
                for more in (("--output", target), ("--dry-run", "-i", board.address)):
                    result = run("-z", "-f", self.file("firmware.bin", signed), *options, *more)
                    self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertFalse(os.path.exists(target))

    # -- --output --

    def test_output_of_what_is_not_sent(self):
        """It is judged as for an upload."""
        damaged = bytearray(sketch())
        damaged[9000] ^= 1
        target = os.path.join(self.directory, "out.gz")
        result = run("-z", "-f", self.file("firmware.bin", damaged), "--output", target)
        self.assertEqual(result.status, 3, result)
        self.assertFalse(os.path.exists(target))
        result = run("--force", "-z", "-f", self.file("firmware.bin", damaged), "--output", target)
        self.assertEqual(result.status, 0, result)
        with open(target, "rb") as file:
            self.assertEqual(gunzip(file.read()), damaged)

    def check_output(self, target, status, phrase, *options, **more):
        result = run("-z", "-f", self.file("firmware.bin", sketch()), "--output", target, *options, **more)
        self.assertEqual((result.status, result.out), (status, ""), result)
        self.assertIn(phrase, result.err)
        self.assertEqual(result.err.count("esp-ota: "), 1, result)

    def test_usage(self):
        path = self.file("firmware.bin", sketch())
        for arguments, phrase in (
                (("-f", path, "--output", "x"), "would only copy the file; add -z or --sign KEY\n"),
                (("-z", "--output", "x"), "no firmware is named; add -f FILE\n"),
                (("-z", "-f", path, "--output", ""), "the file name after --output is empty\n"),
                (("-z", "-f", path, "--output", "x", "-i", "kitchen.local"),
                 "--output writes a file and uploads nothing; leave out either --output or the boards\n"),
                (("-z", "-f", path, "--output", "x", "--all"), "leave out either --output or the boards\n"),
                (("-z", "-f", path, "--output", "x", "--check"), "--check only examines a file; leave --output out\n"),
                (("-l", "--output", "x"), "-l prints all boards and uploads nothing; leave --output out\n"),
                (("-z", "-f", path, "--output", path), "--output names an input file, "),
                (("-z", "-f", path, "--output", f"{self.directory}/./firmware.bin"),
                 "--output names an input file, ")):
            with self.subTest(arguments):
                result = run(*arguments, cwd=self.directory)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(phrase, result.err)
                self.assertEqual(os.listdir(self.directory), ["firmware.bin"])
        with open(path, "rb") as file:
            self.assertEqual(file.read(), sketch())

    def read_packed(self, path):
        with open(path, "rb") as file:
            return gunzip(file.read())

    def test_output_is_replaced_whole(self):
        """Also through a symbolic link; it keeps owner and mode, and nothing else is left."""
        target, link = self.file("out.gz", b"old"), os.path.join(self.directory, "link")
        os.symlink("out.gz", link)
        for mode in (0o600, 0o664):
            os.chmod(target, mode)
            if os.geteuid() == 0:
                os.chown(target, 1234, 2345)
            before = os.stat(target)
            result = run("-z", "-f", self.file("firmware.bin", sketch()), "--output", link)
            self.assertEqual(result.status, 0, result)
            self.assertEqual(self.read_packed(target), sketch())
            after = os.stat(target)
            self.assertEqual((after.st_mode, after.st_uid, after.st_gid), (before.st_mode, before.st_uid, before.st_gid))
            self.assertNotEqual(after.st_ino, before.st_ino)
        self.assertEqual(sorted(os.listdir(self.directory)), ["firmware.bin", "link", "out.gz"])

    def test_output_to_a_new_file(self):
        """With the mode of a new file, also where a symbolic link points to nothing."""
        link = os.path.join(self.directory, "link")
        os.symlink("made.gz", link)
        for path, made in ((link, "made.gz"), (os.path.join(self.directory, "new.gz"), "new.gz")):
            result = run("-z", "-f", self.file("firmware.bin", sketch()), "--output", path,
                         before=("sh", "-c", 'umask 27; exec "$@"', "sh"))
            self.assertEqual(result.status, 0, result)
            made = os.path.join(self.directory, made)
            self.assertEqual(self.read_packed(made), sketch())
            self.assertEqual(stat.S_IMODE(os.lstat(made).st_mode), 0o640)
        self.assertTrue(os.path.islink(link))
        self.assertEqual(sorted(os.listdir(self.directory)), ["firmware.bin", "link", "made.gz", "new.gz"])

    def test_output_to_a_stream(self):
        """A pipe, and standard output whatever that is."""
        image, target = self.file("firmware.bin", sketch()), os.path.join(self.directory, "out.gz")
        command = 'exec "$0" -q -z -f "$1" --output'
        for script in (f'{command} /dev/stdout > "$2"', f'{command} /dev/stdout | cat > "$2"',
                       f'{command} >(cat > "$2"); wait $!',
                       f'{{ printf x; {command.removeprefix("exec ")} /dev/stdout; }} > "$2"'):
            with self.subTest(script):
                result = subprocess.run(("bash", "-c", script, PROGRAM, image, target), capture_output=True, check=False,
                                        timeout=DEADLINE_S, env=environment())
                self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))
                with open(target, "rb") as file:
                    content = file.read()
                self.assertEqual(content.startswith(b"x"), "printf x" in script)
                self.assertEqual(gunzip(content.removeprefix(b"x")), sketch())
        pipe = os.path.join(self.directory, "pipe")
        os.mkfifo(pipe)
        self.check_output(pipe, 1, f"cannot write {pipe}: nobody reads from this pipe\n  Check the program that reads")
        self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))

    def test_output_interrupted(self):
        """At whatever call a signal comes, no file is left but the old one or the new one."""
        target, image = self.file("out.gz", b"old"), self.file("firmware.bin", sketch())
        for call in ("fchmod", "fsync", "rename"):
            with self.subTest(call):
                result = subprocess.run(("strace", "-o", "/dev/null", "-e", f"inject={call}:signal=TERM", PROGRAM, "-z", "-f",
                                         image, "--output", target), capture_output=True, check=False,
                                        timeout=DEADLINE_S, env=environment())
                self.assertEqual(result.returncode, -signal.SIGTERM, result)
                self.assertEqual(self.read_packed(target), sketch())
                self.assertEqual(sorted(os.listdir(self.directory)), ["firmware.bin", "out.gz"])

    def test_output_killed(self):
        """What was there stays; a new file has no name before it is whole, where the file system can do that."""
        image, target = self.file("firmware.bin", sketch()), os.path.join(self.directory, "out.gz")
        for call, old in (("fsync", None), ("linkat", None), ("fchmod", b"old"), ("fsync", b"old")):
            with self.subTest(call, old=old):
                if old:
                    self.file("out.gz", old)
                result = subprocess.run(("strace", "-o", "/dev/null", "-e", f"inject={call}:signal=KILL", PROGRAM, "-z", "-f",
                                         image, "--output", target), capture_output=True, check=False,
                                        timeout=DEADLINE_S, env=environment())
                self.assertEqual(result.returncode, -signal.SIGKILL, result)
                left = sorted(set(os.listdir(self.directory)) - {"firmware.bin"})
                if old:
                    with open(target, "rb") as file:
                        self.assertEqual(file.read(), old)
                    self.assertRegex(" ".join(left), r"^\.esp-ota\.\w{6} out\.gz$")
                else:
                    self.assertEqual(left, [])
                for name in left:
                    os.unlink(os.path.join(self.directory, name))

    def test_output_of_a_group_that_one_is_not_in(self):
        """The owner stays; nobody may do more with the file than before."""
        requirement.need_root(self, "only root can become another user")
        image, target = self.file("firmware.bin", sketch()), self.file("out.gz", b"old")
        os.chmod(self.directory, 0o777)
        os.chmod(image, 0o644)
        for mode, after in ((0o640, 0o600), (0o664, 0o644), (0o606, 0o600), (0o644, 0o644), (0o2775, 0o755), (0o600, 0o600)):
            with self.subTest(oct(mode)):
                os.chown(target, 1234, 2345)
                os.chmod(target, mode)
                result = run("-z", "-f", image, "--output", target,
                             before=("setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"))
                self.assertEqual(result.status, 0, result)
                self.assertEqual(self.read_packed(target), sketch())
                found = os.stat(target)
                self.assertEqual((oct(stat.S_IMODE(found.st_mode)), found.st_uid, found.st_gid), (oct(after), 1234, 1234))
        os.chown(target, 1235, 1234)
        os.chmod(target, 0o664)
        result = run("-z", "-f", image, "--output", target,
                     before=("setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"))
        self.assertEqual(result.status, 1, result)
        self.assertIn("Operation not permitted", result.err)
        self.assertEqual(sorted(os.listdir(self.directory)), ["firmware.bin", "out.gz"])

    def test_output_with_an_access_control_list(self):
        """It stays. Where it cannot, the group does not get the limit of the list as its rights."""
        image, target = self.file("firmware.bin", sketch()), self.file("out.gz", b"old")
        user_obj, user, group_obj, mask, other = 1, 2, 4, 16, 32
        entries = (user_obj, 6), (user, 6, 1005), (group_obj, 0), (mask, 6), (other, 0)
        requirement.need_acl(self, target, *entries)
        before = os.getxattr(target, "system.posix_acl_access")
        result = run("-z", "-f", image, "--output", target)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.read_packed(target), sketch())
        self.assertEqual(os.getxattr(target, "system.posix_acl_access"), before)
        self.assertEqual(stat.S_IMODE(os.stat(target).st_mode), 0o660)

        requirement.need_root(self, "only root can become another user")
        os.chmod(self.directory, 0o777)
        os.chmod(image, 0o644)
        os.chown(target, 1234, 2345)
        result = run("-z", "-f", image, "--output", target,
                     before=("setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"))
        self.assertEqual(result.status, 0, result)
        self.assertEqual(os.listxattr(target), [])
        self.assertEqual(stat.S_IMODE(os.stat(target).st_mode), 0o600)

    def test_output_into_a_folder_with_a_default_access_control_list(self):
        """Which is for new files: whom it names gets no right to a file that is replaced."""
        image, target = self.file("firmware.bin", sketch()), self.file("out.gz", b"old")
        os.chmod(target, 0o640)
        requirement.need_acl(self, self.directory, (1, 7), (2, 7, 1005), (4, 7), (16, 7), (32, 0), name="system.posix_acl_default")
        result = run("-z", "-f", image, "--output", target)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(os.listxattr(target), [])
        self.assertEqual(stat.S_IMODE(os.stat(target).st_mode), 0o640)

    def test_output_cannot_be_written(self):
        self.check_output("/nonexistent/out.gz", 1, "cannot write /nonexistent/out.gz: No such file or directory\n")
        self.check_output(self.directory, 1, f"cannot write {self.directory}: it is a directory\n")
        self.check_output("/dev/null", 1, "cannot write /dev/null: it is not a regular file\n  Give the option the name of a file")
        self.check_output("/proc/self/comm", 1, "\n  Choose a place where you may write")  # its folder takes no files
        self.check_output("/proc/out.gz", 1, "cannot write /proc/out.gz: ")  # ENOENT, or EACCES without root
        self.check_output("a\x1b[2J/out.gz", 1, "cannot write a\\x1b[2J/out.gz: ")

    def test_output_with_a_small_stack(self):
        target = self.file("out.gz", b"old")
        run_with = ("sh", "-c", f'ulimit -s {STACK_KIB}; exec "$@"', "sh")
        result = run("-z", "-f", self.file("firmware.bin", sketch()), "--output", target, before=run_with)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.read_packed(target), sketch())
        self.assertEqual(sorted(os.listdir(self.directory)), ["firmware.bin", "out.gz"])

    def test_full_disk(self):
        """What was there stays, and nothing is left of the attempt. (A limit on the file's size stands for the disk.)"""
        target = self.file("out.gz", b"old")
        self.check_output(target, 1, f"cannot write {target}: File too large\n",
                          before=("sh", "-c", 'trap "" XFSZ; ulimit -f 8; exec "$@"', "sh"))
        with open(target, "rb") as file:
            self.assertEqual(file.read(), b"old")
        self.assertEqual(sorted(os.listdir(self.directory)), ["firmware.bin", "out.gz"])
        self.check_output(os.path.join(self.directory, "new.gz"), 1, "new.gz: File too large\n",
                          before=("sh", "-c", 'trap "" XFSZ; ulimit -f 8; exec "$@"', "sh"))
        self.assertEqual(sorted(os.listdir(self.directory)), ["firmware.bin", "out.gz"])


def gzip_by_python(data):
    packer = zlib.compressobj(6, wbits=31)
    return packer.compress(data) + packer.flush()


if __name__ == "__main__":
    unittest.main()
