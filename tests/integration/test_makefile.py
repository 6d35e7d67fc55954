"""esp-ota.mk in a Makefile of a user: real make, a board, and what must not be seen."""

import os
import re
import shlex
import subprocess
import unittest

import scenario

FRAGMENT = os.path.join(os.environ["ESP_OTA_SOURCE"], "scripts", "esp-ota.mk")
PASSWORD = "pa$$ w'$(rd)\""


class Makefile(scenario.Scenario):
    def make(self, text, *arguments, **env):
        """Runs make on a Makefile; the status, and all that was shown."""
        path = self.file("Makefile", text.replace("FRAGMENT", FRAGMENT).encode())
        done = subprocess.run(["make", "-f", path, *arguments], cwd=self.directory, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=scenario.DEADLINE_S,
                              env=scenario.environment(**{"ESP_OTA": scenario.PROGRAM, **env}))
        return done.returncode, done.stdout + done.stderr

    def command(self, text, *arguments):
        """The words that the shell would run, after the program."""
        status, shown = self.make(text, "-n", *arguments, ESP_OTA="esp-ota")
        self.assertEqual(status, 0, shown)
        words = shlex.split(shown.splitlines()[-1])
        self.assertEqual(words[0], "esp-ota", shown)
        return words[1:]

    def makefile_for(self, board, more=""):
        return (f"ESP_OTA_HOST = {board.address} # the board\nESP_OTA_PORT = {board.port}\n"
                f"ESP_OTA_FILE = build/firmware.bin\nESP_OTA_FS_FILE = fs.bin\n{more}\n"
                "include FRAGMENT\n"
                "build/firmware.bin: ; mkdir -p build && cp source $@\n")

    def test_upload_builds_the_image_first(self):
        for jobs in ("-j1", "-j4"):
            with self.subTest(jobs):
                board = self.board()
                image = scenario.image(seed=len(jobs))
                self.file("source", image)
                status, shown = self.make(self.makefile_for(board), jobs, "upload")
                self.assertEqual(status, 0, shown)
                self.assertEqual(board.received(), image)

    def test_shown_command(self):
        """Without blanks for what is not set."""
        text = "ESP_OTA_HOST = b\nESP_OTA_FILE = f.bin\nESP_OTA_FS_FILE = fs.bin\ninclude FRAGMENT\nf.bin fs.bin: ;\n"
        for target, more, line in (("upload", "", "-i 'b' -f 'f.bin'"), ("upload-fs", "", "-i 'b' -s -f 'fs.bin'"),
                                   ("upload", "ESP_OTA_PORT = 1\nESP_OTA_AUTH_FILE = a\nESP_OTA_FLAGS = -d -z",
                                    "-i 'b' -p '1' --auth-file 'a' -f 'f.bin' -d -z")):
            with self.subTest(line):
                status, shown = self.make(text + more, "-n", target, ESP_OTA="esp-ota")
                self.assertEqual((status, shown.splitlines()[-1]), (0, f"esp-ota {line}"), shown)

    def test_upload_fs(self):
        board = self.board()
        image = scenario.image(first=0x00)
        self.file("fs.bin", image)
        status, shown = self.make(self.makefile_for(board), "upload-fs")
        self.assertEqual(status, 0, shown)
        self.assertEqual(board.received(), image)

    def test_password_is_never_shown(self):
        ways = {"environment": ("", {"ESP_OTA_AUTH": PASSWORD}),
                "file": ("ESP_OTA_AUTH_FILE = ~/my\\ password", {"HOME": self.directory})}
        self.file("my password", PASSWORD.encode() + b"\n")
        self.file("source", scenario.image())
        for name, (line, env) in ways.items():
            with self.subTest(name):
                board = self.board("-P", PASSWORD)
                status, shown = self.make(self.makefile_for(board, line), "upload", **env)
                self.assertEqual(status, 0, shown)
                self.assertTrue(board.received())
                self.assertNotIn(PASSWORD, shown)

    def test_password_in_a_public_place_is_refused(self):
        for line, argument in (("ESP_OTA_AUTH = 53cr3t", "-n"), ("", "ESP_OTA_AUTH=53cr3t"),
                               ("ESP_OTA_FLAGS = -a 53cr3t", "-n"), ("ESP_OTA_FLAGS = -a53cr3t", "-n"),
                               ("", "ESP_OTA_FLAGS=--auth=53cr3t")):
            with self.subTest(f"{line} {argument}"):
                self.assert_refused(line, argument)

    def test_any_spelling_of_the_password_is_refused(self):
        """All that esp-ota takes for --auth, with other options around it."""
        said = scenario.run("--help").out
        flags = re.findall(r"(?m)^ +-(\w), --[\w-]+(?:  |$)", said)
        self.assertTrue({"d", "q", "r", "s", "v", "z"} <= set(flags), said)
        names = ["--auth"[:length] for length in range(len("--a"), len("--auth"))]
        for name in names:
            with self.subTest(name):
                result = scenario.run(name + "=53cr3t", "-i", "127.0.0.1", "-f", "missing.bin")
                self.assertEqual(result.status, 3, result)  # it was taken
                self.assert_refused(f"ESP_OTA_FLAGS = -q {name}=53cr3t -d", "-n")
                self.assert_refused(f"ESP_OTA_FLAGS = {name} '53cr3t'", "-n")
        for cluster in (*flags, "rd", "".join(flags)):
            with self.subTest(cluster):
                self.assert_refused(f"ESP_OTA_FLAGS = -t 3 -{cluster}a53cr3t", "-n")
        for flags in ("'-a53cr3t'", '"--auth=53cr3t"', "-d '-r''a' 53cr3t"):
            self.assert_refused(f"ESP_OTA_FLAGS = {flags}", "-n")

    def test_flags_without_a_password(self):
        text = "ESP_OTA_HOST = h\nESP_OTA_FILE = fw.bin\ninclude FRAGMENT\nfw.bin:\n"
        for flags in ("--auth-file=~/secret -rd", "--auth-f secret", "-dvf a.bin", "-I 10.0.0.1 --all", "--field 'a -b'"):
            with self.subTest(flags):
                self.assertEqual(self.command(text, "upload", f"ESP_OTA_FLAGS={flags}")[-len(shlex.split(flags)):],
                                 shlex.split(flags))

    def assert_refused(self, line, argument):
        text = f"ESP_OTA_HOST = h\nESP_OTA_FILE = Makefile\n{line}\ninclude FRAGMENT\n"
        status, shown = self.make(text, "upload", argument)
        self.assertEqual(status, 2, shown)
        self.assertIn("Others can read a password", shown)
        self.assertNotIn("53cr3t", shown)

    def test_status_is_passed_on(self):
        board = self.board("-P", "right")
        self.file("source", scenario.image())
        status, shown = self.make(self.makefile_for(board), "upload", ESP_OTA_AUTH="wrong")
        self.assertEqual(status, 2, shown)
        self.assertRegex(shown, r"\[.*upload\] Error 6\b")
        self.assertIsNone(board.received())

    def test_missing_variable(self):
        text = "include FRAGMENT\n"
        for variable, arguments in (("ESP_OTA_HOST", ("upload", "ESP_OTA_FILE=Makefile")),
                                    ("ESP_OTA_FILE", ("upload", "ESP_OTA_HOST=h")),
                                    ("ESP_OTA_FS_FILE", ("upload-fs", "ESP_OTA_HOST=h"))):
            with self.subTest(variable):
                status, shown = self.make(text, *arguments)
                self.assertEqual(status, 2)
                self.assertRegex(shown, rf"\A\S+: \*\*\* {variable} is not set: .*\n\Z")

    def test_file_that_is_named_too_late(self):
        """Its rule has not run, so the image of yesterday would be uploaded, and nobody would know."""
        self.file("old.bin", scenario.image())
        text = "ESP_OTA_HOST = h\n{}include FRAGMENT\n{}old.bin: new ; touch $@\nnew: ; touch $@\n"
        for variable, target in (("ESP_OTA_FILE", "upload"), ("ESP_OTA_FS_FILE", "upload-fs")):
            warning = f'{variable} is set after the line "include esp-ota.mk": old.bin is uploaded as it is, and not built before\n'
            line = f"{variable} = old.bin\n"
            for first, later, expected in ((line, "", False), ("", line, True)):
                with self.subTest(variable, later=later):
                    status, shown = self.make(text.format(first, later), "-n", target)
                    self.assertEqual((status, warning in shown, "touch old.bin" in shown), (0, expected, not expected), shown)

    def test_words_for_the_shell(self):
        base = "ESP_OTA_FILE = Makefile\ninclude FRAGMENT\n"
        for host in ("It's \"my\"  lamp", "$(touch pwned); `touch pwned`", "a\\b & c"):
            with self.subTest(host):
                text = f"ESP_OTA_HOST = {host.replace('$', '$$')}\n{base}"
                self.assertEqual(self.command(text, "upload"), ["-i", host, "-f", "Makefile"])
        self.file("my firmware.bin", scenario.image())
        text = ("ESP_OTA_HOST = lamp # of the kitchen\nESP_OTA_FILE = my\\ firmware.bin # new\n"
                "ESP_OTA_FLAGS = -d -I 10.0.0.1\nESP_OTA_PORT = 77\ninclude FRAGMENT\n")
        self.assertEqual(self.command(text, "upload"),
                         "-i lamp -p 77 -f".split() + ["my firmware.bin", "-d", "-I", "10.0.0.1"])

    def test_bare_make_does_not_upload(self):
        text = "ESP_OTA_HOST = h\nESP_OTA_FILE = Makefile\ninclude FRAGMENT\nmine: ; @echo mine\n"
        self.assertEqual(self.make(text), (0, "mine\n"))
        self.assertEqual(self.make("first: ; @echo first\n" + text), (0, "first\n"))

    def test_dry_run_sends_nothing(self):
        board = self.board()
        self.file("source", scenario.image())
        status, shown = self.make(self.makefile_for(board), "-n", "upload")
        self.assertEqual(status, 0, shown)
        board.close()
        self.assertEqual(board.count("invitation"), 0, board.events)


if __name__ == "__main__":
    unittest.main()
