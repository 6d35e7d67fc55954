#!/usr/bin/env python3
"""The command line: mistakes that people make, help, aliases. No mistake reaches a board."""

import os
import re
import subprocess
import unittest

import firmware
import requirement
from scenario import DEADLINE_S, Scenario, address, image, read_slowly, run


class Mistakes(Scenario):

    def test_bare(self):
        """Three lines say what to do next."""
        result = run()
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertRegex(result.err, r"^esp-ota: no board is named, and no firmware\n"
                                     r"  To upload .*: esp-ota -i HOST -f FIRMWARE.bin\n"
                                     r"  To see which boards .*: esp-ota -l; .*: esp-ota --help\n$")

    def test_mistakes(self):
        path = self.file("fw.bin", image())
        good = ("-i", "127.0.0.1", "-f", path)
        for line, *phrases in (
                (("-f", path), "no board", "-i HOST"),
                (("-i", "127.0.0.1"), "no firmware", "-f FILE"),
                ((path,), "no board", "-i HOST"),
                (("127.0.0.1",), "no firmware", "-f FILE"),
                (("127.0.0.1", path, path + ".gz"), f"'{path}' and '{path}.gz' are both taken for files, and one image is sent"),
                ((*good, "-f", "other.bin"), "option '-f' is given twice"),
                (("--match", "a*", "--match", "b*", "-f", path), "option '--match' is given twice; write one pattern"),
                ((*good, "more"), "is followed by 'more'; name the one"),
                (("-f", path, "-i", "x", "more"), "unexpected argument 'more'"),
                ((*good, " "), "unexpected argument ' '", "with nothing behind it"),
                ((path, "127.0.0.1", "\\"), r"unexpected argument '\\'", "with nothing behind it"),
                ((*good, "--flie", "x"), "'--flie'", "did you mean '--file'"),
                ((*good, "--fil", "x"), "option '--file' is given twice"),
                ((*good, "--host-", "x"), "option '--host-' is ambiguous: it may be --host-ip or --host-port"),
                ((*good, "-I", "espota.py"), "'-I espota.py' is python's option and its script", "leave both out"),
                (("espota.py", *good), "'espota.py' is a script for python", "leave it out"),
                ((*good, "--frobnicate"), "unknown option '--frobnicate'"),
                ((*good, "--chip", "esp32"), "unknown option '--chip'; esp-ota --help lists all"),
                ((*good, "--baud", "115200"), "unknown option '--baud'; esp-ota --help lists all"),
                ((*good, "-x"), "unknown option '-x'"),
                ((*good, "-rx"), "unknown option '-x'"),
                ((*good, "-f"), "-f", "needs a value"),
                (("-i", "-f", path), "option '-i' needs a value, but '-f' follows"),
                (("-a", "-f", path, "-i", "kitchen"), "option '-a' needs a value, but an option follows; write --auth="),
                (("--auth", "--file", path), "option '-a' needs a value, but an option follows; write --auth="),
                (("-ip", "127.0.0.1", "-f", path), "'-ip' has only one dash; write '--ip'"),
                (("-host", "127.0.0.1", "-f", path), "unknown option '-host'; did you mean '--ip'?"),
                (("-image", path, "-i", "127.0.0.1"), "unknown option '-image'; did you mean '--file'?"),
                ((*good, "-password", "kwert"), "unknown option '-password'; did you mean '--auth'?"),
                ((*good, "-address", "127.0.0.1"), "unknown option '-address'; did you mean '--ip'?"),
                (("-i", "127.0.0.1", "\u2013f", path), "write '-f'"),
                (("/dev/ttyUSB0", path), '"/dev/ttyUSB0" is a serial port, but images are sent over the network'),
                (("-i", "COM3", "-f", path), '"COM3" is a serial port'),
                (("-i", "~/x.bin", "-f", path), '"~/x.bin" is the name of a file, not of a board; -f names the image'),
                (("-i", "127.0.0.1/", "-f", path), 'write only "127.0.0.1"'),
                (("-i", "ftp://127.0.0.1", "-f", path), 'write only "127.0.0.1"'),
                (("-i", "ftp://127.0.0.1", "-f", path), "another scheme than espota://, esphome://, http://, https:// and sketch://"),
                (("-i", "espota://127.0.0.1/update", "-f", path), "has a path, but espota:// takes only a board"),
                (("-i", "espota://me@127.0.0.1", "-f", path), "espota:// takes no user"),
                ((*good, "--protocol", "ftp"), "'ftp' is not known", "there is espota, esphome, sketch and web"),
                (("-i", "a.local,b.local", "-f", path), "several boards"),
                (("-i", "10.77.0.0/24", "-f", path), '"10.77.0.0/24" means several addresses', "--all, --match and --board"),
                (("10.77.0.60", "3232", path), '"3232" is a number, and no board: a port belongs behind -p'),
                (("-i", "10.77.0.1-40", "-f", path), '"10.77.0.1-40" means several addresses'),
                (("-i", "http:127.0.0.1", "-f", path), "is a URL without slashes; write two behind the colon"),
                ((*good, "--password", "x"), "did you mean '--auth'"),
                ((*good, "--auth-file", path + ".none"), "cannot open the password file"),
                ((*good, "-t", "."), "'.'"),
                ((*good, "--quiet=yes"), "--quiet", "takes no value"),
                ((*good, "-p", "0"), "'0'", "65535"),
                ((*good, "-p", "65536"), "'65536'"),
                ((*good, "-p", "http"), "'http'"),
                ((*good, "--port="), "''"),
                ((*good, "-p", "8266x"), "'8266x'"),
                ((*good, "-p", "-1"), "'-1'"),
                ((*good, "-P", "10100-10000"), "'10100-10000'"),
                ((*good, "-P", "1-2-3"), "'1-2-3'"),
                ((*good, "-t", "0"), "'0'"),
                ((*good, "-t", "soon"), "'soon'"),
                ((*good, "-t", "nan"), "'nan'"),
                ((*good, "-t", "1e99"), "'1e99'"),
                ((*good, "--retries", "-1"), "'-1'"),
                ((*good, "--retries", "many"), "'many'"),
                ((*good, "--block", "0"), "'0'"),
                ((*good, "--max-size", "16X"), "'16X'"),
                ((*good, "-I", "somewhere"), "'somewhere'"),
                ((*good, "--peer", "nobody"), "'nobody'"),
                ((*good, "--peer", "fe80::1"), "--peer 'fe80::1' is a link-local address: add the interface"),
                ((*good, "-I", "fe80::1"), "-I 'fe80::1' is a link-local address: add the interface"),
                ((*good, "-q", "-d"), "-q", "-d"),
                ((*good, "-q", "-r"), "-q", "-r"),
                (("-i", "127.0.0.1", "-f", path, "b.bin", "c.bin"), "'b.bin', 'c.bin'; name the one to send"),
                (("-i", "lab-*", "-f", path), '"lab-*" is a pattern', "--match"),
                (("-i", "", "-f", path), "empty"),
                (("-i", "a" * 300, "-f", path), "too long"),
                (("-i", "kitchen\x1b[2J\n", "-f", path), r"\x1b[2J\n"),
                (("-i", "[::1", "-f", path), "[::1"),
                (("-i", "127.0.0.1:99999", "-f", path), "99999"),
                (("-i", "fe80::1", "-f", path), "fe80::1", "%"),
                (("-i", "127.0.0.1", "-I", "::1", "-f", path), "-i and -I must both be IPv4"),
                (("-i", "0.0.0.0", "-f", path), "0.0.0.0"),
                (("-i", "224.0.0.1", "-f", path), "224.0.0.1")):
            with self.subTest(line):
                result = run(*line)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertTrue(result.err.startswith("esp-ota: "), result)
                self.assertNotRegex(result.err, r"[\x00-\x09\x0b-\x1f\x7f]")
                for phrase in phrases:
                    self.assertIn(phrase, result.err)
                self.assertEqual(len(result.err.splitlines()), 1, result)
                self.assertLess(result.undelayed, 10)

    def test_words(self):
        """Without an option, a file is the image and all else a board."""
        path = self.file("fw.bin", firmware.esp32())
        boards = [self.board(family="esp32") for _ in range(2)]
        result = run("-z", "-p", "3232", boards[0].address, path, boards[1].address)
        self.assertEqual((result.status, result.out), (2, ""), result)  # -z is not for an ESP32
        result = run(path, boards[0].address, f"{boards[1].address}:3232")
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn("2 of 2 boards confirmed", result.err)
        result = run(boards[0].address, os.path.join(self.directory, "missing.bin"))
        self.assertEqual((result.status, result.out), (3, ""), result)
        self.assertIn("missing.bin: No such file or directory", result.err)
        self.file("kitchen", b"")  # no image is meant by this name
        result = run("kitchen", "fw.bin", cwd=self.directory)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("'kitchen' and 'fw.bin' are both taken for files", result.err)

    def test_options_without_a_use(self):
        """Whoever types an option of another protocol, or of uploads, expects something of it; a default does not."""
        path, here, page = self.file("fw.bin", image()), address(), f"http://{address()}"
        config = self.file("config", b"page = tasmota\nuser = me\n")
        metrics = os.path.join(self.directory, "metrics")
        upload, log = ("--dry-run", "-f", path, "-i", here), ("-i", here, "--monitor=9", "--monitor-for", "0.01")
        for arguments, ignored in (
                ((*upload, "--page", "tasmota", "--user", "me"),
                 "an upload ignores --user and --page, as no board is updated by web"),
                ((*upload, "--page", "tasmota", "-i", page), None),
                ((*upload, "--config", config), None),
                ((*upload, "--page", "tasmota", "-q"), None),
                (("--dry-run", "-f", path, "-i", page, "--block", "100"),
                 "an upload ignores --block, as no board is updated by espota"),
                ((*log, "--metrics", metrics, "--field", "f"),
                 "a log without an upload ignores --field and --metrics"),
                (log, None)):
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual(result.status, 12 if "--monitor=9" in arguments else 0, result)
                self.assertEqual(re.findall("warning: (.* ignores .*)", result.err), [ignored] if ignored else [], result)
        self.assertFalse(os.path.exists(metrics))

    def test_a_mistyped_password_option_is_not_shown(self):
        path = self.file("fw.bin", image())
        for line in (("--auht=kwert",), ("--auth-fiel=kwert",), ("-a", "one", "kwert")):
            with self.subTest(line):
                result = run("-i", "127.0.0.1", "-f", path, *line)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertNotIn("kwert", result.err)


class UrlsWithPasswords(Scenario):
    """A URL in the wrong place, which may be anywhere, may have a password in it."""

    URLS = ("http://me:hunter2@lamp/fw.bin", "https:/me:hunter2@lamp", "https://hunter2@lamp/fw.bin")
    HOST = "me:hunter2@lamp"

    def assert_hidden(self, *line):
        """With --json, standard error has the message for people, too; other texts only differ for the first URL."""
        has_first = any(self.URLS[0] in word for word in line)
        for more in ((), ("--json",)) if has_first else (("--json",),):
            with self.subTest(line=line + more):
                result = run(*line, *more, cwd=self.directory)
                self.assertNotIn("hunter2", result.out + result.err)

    def setUp(self):
        super().setUp()
        self.file("fw.bin", image())

    def test_options(self):
        """No option shows the password in its value, whatever becomes of it."""
        usual = ("-t", "0.1", "--retries", "0", "--force")
        options = dict(re.findall(r"^ .* --([a-z-]+)(?:\[=\[?| )([A-Z]+)", run("--help").out.split("\nExamples:")[0], re.M))
        self.assertGreater(len(options), 45)
        for option, kind in options.items():
            values = list(self.URLS)
            if kind not in ("FILE", "KEY", "REPORT", "REGEX", "TEXT"):
                values.append(self.HOST)
            good = () if option == "file" else ("-f", "fw.bin")
            good += () if option == "ip" else ("-i", "127.0.0.1:9")
            for value in values if option != "auth" else ():
                self.assert_hidden(f"--{option}={value}", *good, *usual)

    def test_words(self):
        for url in (*self.URLS, self.HOST):
            for line in ((url,), (url, "-z"), ("-i", url, "-f", "fw.bin"), ("-i", "127.0.0.1:9", "-f", "fw.bin", url),
                         ("-f", "fw.bin", url, "-i", "127.0.0.1:9"), ("-l", url), (url, "fw.bin"), ("--check", url),
                         ("-i", f"@{url}", "-f", "fw.bin"), ("-i", f"{url}:x", "-f", "fw.bin"),
                         ("--output", "out", "-z", url), ("flash", url)):
                self.assert_hidden(*line)

    def test_lists_of_other_programs(self):
        """What stands behind a separator is neither shown nor looked up."""
        for line in ("127.0.0.1;3232;kwert", "lamp.local,kwert", "127.0.0.1, 3232, kwert", "- 127.0.0.1"):
            self.file("hosts", (line + "\n").encode())
            result = run("--hosts", "hosts", "-f", "fw.bin", "-t", "0.1", cwd=self.directory)
            self.assertEqual(result.status, 2, result)
            self.assertIn("hosts, line 1: ", result.err)
            self.assertNotIn("kwert", result.err)

    def test_files(self):
        """In a configuration and in a list of boards."""
        for text in ("ip = {}", "file = {}", "port = {}", "protocol = {}", "user = me\nmatch = {}", "retries = {}",
                     "{} = 1", "[board {}]", "[board k]\nhost = {}", "[board k]\nfile = {}", "[board k]\nport = {}",
                     "[group g]\nmembers = {}", "[board k]\n{} = 1"):
            for url in (*self.URLS, *((self.HOST,) if re.search("^ip|\\[board {|host|members", text) else ())):
                self.file("conf", (text.format(url) + "\n").encode())
                self.assert_hidden("--config", "conf", "--show-config")
                self.assert_hidden("--config", "conf", "-f", "fw.bin", "--dry-run", "-t", "0.1")
        for text in ("{}", "lamp {}", "lamp port={}", "lamp file={}", "lamp protocol={}", "lamp page={}", "lamp field={}",
                     "lamp user={}", "lamp {}=1"):
            for url in (*self.URLS, *(() if "file" in text else (self.HOST,))):
                self.file("hosts", (text.format(url) + "\n").encode())
                self.assert_hidden("--hosts", "hosts", "-f", "fw.bin", "--dry-run", "-t", "0.1")


class Help(Scenario):

    def test_help(self):
        for line in (("--help",), ("-h",), ("-help",), ("-h", "--frobnicate"), ("-i", "x", "-h")):
            with self.subTest(line):
                result = run(*line)
                self.assertEqual((result.status, result.err), (0, ""), result)
                for option in ("-i, --ip", "-p, --port", "-a, --auth", "-f, --file", "-s, --spiffs",
                               "-I, --host-ip", "-P, --host-port", "-t, --timeout", "-d, --debug",
                               "-r, --progress", "-m, --md5-target", "--json", "-q, --quiet"):
                    self.assertIn(option, result.out)
                self.assertLessEqual(max(map(len, result.out.splitlines())), 80)

    def test_help_by_grep(self):
        """Each line says all about its option: there is no second one that grep would leave out."""
        options = run("--help").out.partition("\nTarget:\n")[2].partition("\nExamples:\n")[0]
        rows = [line for line in options.splitlines() if line.startswith(" ")]
        self.assertGreater(len(rows), 50)
        for row in rows:
            self.assertRegex(row, r"^  (-\w, |    )--\S+( [A-Z]+)?  +\S")

    def test_version_and_usage(self):
        result = run("--version")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, r"^esp-ota \d+\.\d+\.\d+\n"
                                     r"commit: ([0-9a-f]{12}(-dirty)?|unknown)\n"
                                     r"libraries: OpenSSL 3[^;]+; zlib \d[^;]+; jansson \d[^;]+; PCRE2 \d+\.\d+[^;]*; inih \d+\n"
                                     r"boards by name: libavahi-client, loaded when needed\n"
                                     r"update pages: libcurl, loaded when needed\n"
                                     r"--serve: libmicrohttpd, loaded when needed\n"
                                     r"protocols: espota, [a-z, ]*web\n$")
        self.assertEqual(run("-V").out, result.out)
        result = run("--usage")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertIn("--auth", result.out)

    def test_version_loads_no_further_library(self):
        """glibc's dynamic linker names on standard error what it loads, and when."""
        result = run("--version", LD_DEBUG="files")
        self.assertEqual(result.status, 0, result)
        self.assertIn("libcrypto.so.3", result.err)
        for name in ("avahi", "curl", "microhttpd"):
            self.assertNotIn(f"lib{name}", result.err)

    def test_an_upload_loads_what_it_needs(self):
        path = self.file("fw.bin", firmware.sketch("esp8266"))
        for page, expected in (((), []), (("--web", "esp8266", "-p", "0"), ["curl"])):
            with self.subTest(page):
                board = self.board(*page)
                where = f"http://{board.address}:{board.port}" if page else board.address
                result = run("-i", where, "-f", path, LD_DEBUG="files")
                self.assertEqual(result.status, 0, result)
                loaded = [name for name in ("avahi", "curl", "microhttpd") if f"lib{name}" in result.err]
                self.assertEqual(loaded, expected)

    def test_libraries_that_are_missing(self):
        """An empty file stands in for a library that is not installed."""
        for name in ("libcurl.so.4", "libmicrohttpd.so.12"):
            with open(os.path.join(self.directory, name), "wb"):
                pass
        image = os.path.join(self.directory, "firmware.bin")
        with open(image, "wb") as file:
            file.write(b"\xe9" + bytes(1000))
        for line, reason in ((("-i", "http://127.0.0.1"), r"web pages need libcurl: .*libcurl\.so\.4"),
                             (("--serve=127.0.0.1:0",), r"--serve needs libmicrohttpd, .*libmicrohttpd\.so\.12")):
            with self.subTest(line=line):
                result = run("--force", *line, "-f", image, LD_LIBRARY_PATH=self.directory)
                self.assertEqual((result.status, result.out), (1, ""), result)
                self.assertRegex(result.err, f"\nesp-ota: {reason}: file too short\n  Install the library ")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            status = subprocess.run([os.environ["ESP_OTA"], "--help"], stdout=full,
                                    stderr=subprocess.PIPE, check=False, timeout=DEADLINE_S)
        self.assertEqual(status.returncode, 1)
        self.assertIn(b"No space left on device", status.stderr)
        self.assertNotIn(b"upload", status.stderr)

    def test_output_that_takes_little_at_once(self):
        """A non-blocking pipe, as some callers make it: what it does not take yet is no error."""
        config = self.file("conf", "".join(f"[board b{number}]\nhost = 10.0.{number}.1\n" for number in range(250)).encode())
        path = self.file("fw.bin", image())
        for arguments in (("--help",), ("--usage",), ("--version",), ("--show-config", "--config", config),
                          ("--show-config", "--config", config, "--json"), ("--check", "-f", path),
                          ("--check", "--json", "-f", path)):
            with self.subTest(arguments):
                expected = run(*arguments)
                self.assertEqual((expected.status, expected.err), (0, ""), expected)
                status, out, err = read_slowly(*arguments)
                self.assertEqual((status, err), (0, ""))
                self.assertEqual(*(re.sub(r'"time":[0-9.]+', "", text) for text in (out, expected.out)))

    def test_output_that_may_not_become_that_large(self):
        result = run("--help", before=("sh", "-c", 'ulimit -f 0; exec "$@" >help', "sh"), cwd=self.directory)
        self.assertEqual(result.status, 1, result)
        self.assertIn("cannot write to standard output: File too large", result.err)


class Aliases(Scenario):

    def test_alias_of_the_user(self):
        board = self.board("-P", "kwert")
        home = os.path.join(self.directory, "home")
        os.mkdir(home)
        with open(os.path.join(home, ".popt"), "w", encoding="ascii") as file:
            file.write(f"esp-ota alias --kitchen -i {board.address} -a kwert\n")
        path = self.file("fw.bin", image())
        for line in (("--kitchen", "-f", path), ("-f", path, "--kitchen")):
            with self.subTest(line):
                result = run(*line, HOME=home)
                self.assertEqual((result.status, result.out), (0, ""), result)
                self.assert_no_secret(result, "kwert")
        board.wait_for("upload result=ok")

    def test_aliases_that_cannot_be_read(self):
        """A pipe would have to be waited for, and what others can write may be theirs."""
        path, home = self.file("fw.bin", image()), os.path.join(self.directory, "home")
        os.mkdir(home)
        popt = os.path.join(home, ".popt")
        for why, make in (("it is not a regular file", lambda: os.mkfifo(popt)),
                          ("it is longer than 1 MiB", lambda: self.file("home/.popt", b"#\n" * 600_000)),
                          ("other users can write it (chmod go-w makes it yours alone)",
                           lambda: os.chmod(self.file("home/.popt", b"esp-ota alias --x -i x\n"), 0o666))):
            with self.subTest(why):
                make()
                result = run("--check", "-f", path, HOME=home)
                os.unlink(popt)
                self.assertEqual(result.status, 0, result)
                self.assertEqual(f"esp-ota: warning: {popt} is not read: {why}\n", result.err)
                make()
                result = run("--x", "--check", "-f", path, HOME=home)
                os.unlink(popt)
                self.assertEqual(result.status, 2, result)
                self.assertEqual(f"esp-ota: warning: {popt} is not read: {why}\n"
                                 "esp-ota: unknown option '--x'; esp-ota --help lists all\n", result.err)

    def test_aliases_by_the_choice_of_others(self):
        requirement.need_root(self, "a link and a folder are given to another user")
        path, home = self.file("fw.bin", image()), os.path.join(self.directory, "home")
        os.mkdir(home)
        popt, text = os.path.join(home, ".popt"), self.file("text", b"esp-ota alias --x --check\n")
        os.symlink(text, popt)
        for name, why in ((popt, "the symbolic link .popt belongs to another user"), (home, f"the folder {home} belongs to another user"),
                          (None, None)):
            if name:
                os.chown(name, 65534, -1, follow_symlinks=False)
            result = run("--x", "-f", path, HOME=home)
            self.assertEqual(result.status, 2 if why else 0, result)
            self.assertEqual(result.err, f"esp-ota: warning: {popt} is not read: {why}\n"
                             "esp-ota: unknown option '--x'; esp-ota --help lists all\n" if why else "")
            if name:
                os.chown(name, 0, -1, follow_symlinks=False)

    def test_aliases_of_an_unknown_user(self):
        """A user namespace shows all users whom it does not know as the same one, and perhaps this process as well."""
        before = requirement.need_user_namespace(self)
        path, home = self.file("fw.bin", image()), os.path.join(self.directory, "home")
        os.mkdir(home)
        popt = self.file("home/.popt", b"esp-ota alias --x --check\n")
        os.chmod(self.directory, 0o755)
        self.assertEqual(run("--x", "-f", path, HOME=home, before=before).status, 0)
        os.chown(popt, 1001, 1001)
        for command in (before, ("unshare", "--user")):
            result = run("--x", "-f", path, HOME=home, before=command)
            self.assertEqual(result.status, 2, result)
            self.assertEqual(f"esp-ota: warning: {popt} is not read: it belongs to a user whom this user namespace does not know\n"
                             "esp-ota: unknown option '--x'; esp-ota --help lists all\n", result.err)

    def test_aliases_that_multiply(self):
        """500 bytes that stand for 1.9 MB of boards, and for 20 kB."""
        path, home = self.file("fw.bin", image()), os.path.join(self.directory, "home")
        os.mkdir(home)
        levels = ("town", "street", "house", "floor", "room", "board-with-a-name")
        self.file("home/.popt", "".join(f"esp-ota alias --{name}{f' --{part}' * 10 if part in levels[:-1] else f' {part}' * 10}\n"
                                        for name, part in zip(levels, levels[1:])).encode())
        result = run("--town", "-a", "kwert", "-f", path, HOME=home)
        self.assertEqual((result.status, result.out, result.err), (
            2, "", "esp-ota: popt aliases such as '--town' stand for more than 64 KiB of words; shorten them\n"), result)
        result = run("--house", "-f", path, "--dry-run", "--output", "x", HOME=home)
        self.assertNotIn("popt aliases", result.err)

    def test_no_aliases(self):
        """A link to /dev/null is a usual way to say so, here and of a configuration."""
        path, home = self.file("fw.bin", image()), os.path.join(self.directory, "home")
        os.makedirs(os.path.join(home, ".config", "esp-ota"))
        for name in (".popt", ".config/esp-ota/config", ".esp-ota"):
            os.symlink("/dev/null", os.path.join(home, name))
        for stdin in (b"", None):
            result = run("--check", "-f", path, HOME=home, cwd=home, **({} if stdin is None else {"stdin": stdin}))
            self.assertEqual((result.status, result.err), (0, ""), result)

    def test_lines_that_are_no_aliases(self):
        """popt itself would drop an option that an exec line names, and the board would get the image."""
        board, home = self.board(), os.path.join(self.directory, "home")
        os.mkdir(home)
        self.file("home/.popt", b"esp-ota exec --dry-run /bin/false\nesp-ota exec --run /bin/false\n")
        path = self.file("fw.bin", image())
        result = run("-i", board.address, "-f", path, "--run", HOME=home)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("unknown option '--run'", result.err)
        result = run("-i", board.address, "-f", path, "--dry-run", HOME=home)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(board.count("invitation"), 0)


if __name__ == "__main__":
    unittest.main()
