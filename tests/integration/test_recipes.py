#!/usr/bin/env python3
"""The recipes of esp-ota-callers(7), README.md and docs/ci, filled in as their callers do it."""

import ctypes
import json
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import unittest

import firmware
import scenario

SOURCE = os.environ["ESP_OTA_SOURCE"]
PASSWORD = "kwert"
# Of linux/prctl.h and linux/seccomp.h.
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, KILL_PROCESS = 0x7FFF0000, 0x80000000


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def page():
    """The manual page as it is shown, with the lines of an example joined where they end in a backslash."""
    return read("man", "esp-ota-callers.7").replace("\\e\n", "").replace("\\-", "-")


def recipe(start):
    """The lines of the example that begins like that, up to its end."""
    return re.search(rf"^{re.escape(start)}.*?(?=^\.RE)", page(), re.M | re.S)[0]


def fill(pattern, **names):
    """As the Arduino IDE does it; a name that it does not know stays."""
    return re.sub(r"\{([a-z_.]+)\}", lambda match: names.get(match[1].replace(".", "_"), match[0]), pattern)


class Recipes(scenario.Scenario):

    def setUp(self):
        super().setUp()
        self.path = f"{os.path.dirname(scenario.PROGRAM)}:{os.environ['PATH']}"

    def run_in_shell(self, line, cwd=None, **env):
        return subprocess.run(["sh", "-ec", line], cwd=cwd or self.directory, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False, timeout=scenario.DEADLINE_S,
                              env=scenario.environment(**{"PATH": self.path, **env}))

    def assert_uploaded(self, done, board, image, command=0):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for secret in scenario.secrets(PASSWORD):
            self.assertNotIn(secret, done.stdout + done.stderr)
        board.wait_for(f"upload result=ok .*command={command}")
        self.assertEqual(board.received(), image)

    def esp32(self, *options):
        board = self.board("-P", PASSWORD, *options, family="esp32")
        image = scenario.sketch("esp32")
        return board, image, self.file("sketch.ino.bin", image)

    def names(self, board):
        return {"build_path": self.directory, "build_project_name": "sketch.ino", "serial_port": board.address,
                "upload_port_address": board.address, "network_password": PASSWORD,
                "upload_field_password": PASSWORD}

    def test_platform_local_txt(self):
        first, second = "tools.esptool.upload.network_pattern", "tools.esp_ota.upload.pattern"
        for key, family in ((first, "esp8266"), (first, "esp32"), (first, "pico"), (second, "esp32"), (second, "pico")):
            with self.subTest(key, family=family):
                board = self.board("-P", PASSWORD, family=family)
                image = scenario.sketch(family)
                self.file("sketch.ino.bin", image)
                (line,) = recipe(key + "=").splitlines()
                names = {**self.names(board), "network_port": str(board.port), "upload_port_properties_port": str(board.port)}
                self.assert_uploaded(self.run_in_shell(fill(line.partition("=")[2], **names)), board, image)

    def test_platform_local_txt_to_copy(self):
        """The file of docs/ci has the page's lines, for the tools that the page names."""
        lines = read("docs", "ci", "platform.local.txt").splitlines()
        found = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
        expected = {}
        for start, tools in (("tools.esptool.upload.network_pattern=", ("esptool", "esptool_py", "uf2conv")),
                             ("tools.esp_ota.upload.pattern=", ("esp_ota", "uf2conv-network"))):
            key, pattern = re.sub(r" +", " ", recipe(start).strip()).split("=", 1)
            for tool in tools:
                self.assertIn(tool, page())
                expected[".".join(["tools", tool, *key.split(".")[2:]])] = pattern
        self.assertEqual(found, expected)

    def test_port_of_the_configuration(self):
        board, image, file = self.esp32()
        os.makedirs(os.path.join(self.directory, ".config/esp-ota"))
        self.file(".config/esp-ota/config", recipe("host-port = ").encode())
        done = self.run_in_shell(f"esp-ota -i {board.address} -p {board.port} --auth={PASSWORD} -f {file}", HOME=self.directory)
        self.assert_uploaded(done, board, image)
        self.assertRegex(board.wait_for("invitation command=0"), r" port=10(0\d\d|100) ")

    def test_arduino_cli(self):
        board = self.board(family="esp32")
        image = scenario.sketch("esp32")
        self.file("sketch.ino.bin", image)
        (word,) = (word for word in shlex.split(recipe("arduino-cli upload")) if word.startswith("upload.pattern="))
        self.assert_uploaded(self.run_in_shell(fill(word.partition("=")[2], **self.names(board))), board, image)

    def test_pluggable(self):
        """The tools that an IDE is to start answer it."""
        lines = recipe("pluggable_discovery.esp_ota.pattern=").splitlines()
        self.assertEqual(len(lines), 2)
        for line in lines:
            words = shlex.split(line.partition("=")[2])
            done = subprocess.run(words, input='HELLO 1 "arduino-cli 1.2.2"\nQUIT\n', capture_output=True, text=True,
                                  check=False, timeout=scenario.DEADLINE_S, env=scenario.environment(PATH=self.path))
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual([json.loads(reply)["message"] for reply in done.stdout.splitlines()], ["OK", "OK"])

    def platformio(self, board, file, more=""):
        lines = dict(line.split(" = ") for line in recipe("upload_protocol = espota").splitlines())
        self.assertIn("\n".join(f"{key} = {value}" for key, value in lines.items()), read("README.md"))
        self.assertEqual(lines["upload_protocol"], "espota")
        password = self.file("ota-password", PASSWORD.encode() + b"\n")
        os.chmod(password, 0o600)
        flags = lines["upload_flags"].replace("/home/me/.config/ota-password", password)
        flags = f"{flags} --debug --progress -i {board.address} {more}"  # as espressif32's builder/main.py
        return self.run_in_shell(lines["upload_command"].replace("$UPLOADERFLAGS", flags).replace("$SOURCE", file))

    def test_platformio(self):
        board, image, file = self.esp32()
        self.assert_uploaded(self.platformio(board, file), board, image)

    def test_platformio_filesystem(self):
        board, _, _ = self.esp32()
        image = firmware.littlefs()
        file = self.file("littlefs.bin", image)
        self.assert_uploaded(self.platformio(board, file, "--spiffs"), board, image, command=100)

    def test_make_esp_arduino(self):
        """With the lines of makeEspArduino.mk about OTA."""
        board, image, file = self.esp32()
        self.file("Makefile", b'OTA_ARGS = --progress --ip="$(OTA_ADDR)" --port="$(OTA_PORT)" --auth="$(OTA_PWD)"\n'
                              b'ota:\n\t$(OTA_TOOL) $(OTA_ARGS) --file="$(MAIN_EXE)"\n')
        line = recipe("make ota").strip().replace("kitchen.local", board.address)
        done = self.run_in_shell(f"{line} -s OTA_PORT={board.port} OTA_PWD={PASSWORD} MAIN_EXE={file}")
        self.assert_uploaded(done, board, image)

    def test_cmake(self):
        """A project whose target app makes the image, as ESP-IDF's does."""
        board, image, file = self.esp32()
        lines = recipe("add_custom_target(ota").replace("kitchen.local", board.address)
        self.file("CMakeLists.txt", (
            "cmake_minimum_required(VERSION 3.18)\nproject(demo NONE)\n"
            f"add_custom_target(app COMMAND ${{CMAKE_COMMAND}} -E copy '{file}' demo.bin VERBATIM)\n" + lines
        ).replace("'", '"').encode())
        done = self.run_in_shell("cmake -S . -B build >/dev/null && cmake --build build -t ota", ESP_OTA_AUTH=PASSWORD)
        self.assert_uploaded(done, board, image)

    def test_ci(self):
        """The upload's line of each service; the build before it is theirs."""
        for name, start in (("github-actions.yml", "run: "), ("gitlab-ci.yml", "- ")):
            with self.subTest(name):
                board, image, _ = self.esp32()
                os.makedirs(os.path.join(self.directory, ".pio/build/kitchen"), exist_ok=True)
                self.file(".pio/build/kitchen/firmware.bin", image)
                line = re.search(rf"^ *{start}(esp-ota .*)$", read("docs", "ci", name), re.M)[1]
                done = self.run_in_shell(line, ESP_OTA_AUTH=PASSWORD, OTA_HOST=board.address)
                self.assert_uploaded(done, board, image)
                with open(os.path.join(self.directory, "report.jsonl"), encoding="utf-8") as file:
                    (result,) = [event for event in map(json.loads, file) if event["event"] == "result"]
                self.assertTrue(result["ok"])
                done = self.run_in_shell(line, ESP_OTA_AUTH="wrong", OTA_HOST=board.address)
                self.assertEqual(done.returncode, 6, done.stderr)  # the job fails

    def test_vscode(self):
        tasks = json.loads(read("docs", "ci", "vscode-tasks.json"))["tasks"]
        self.assertEqual(len(tasks), 2)
        for task, name, command in zip(tasks, ("firmware.bin", "littlefs.bin"), (0, 100)):
            with self.subTest(task["label"]):
                board, image, _ = self.esp32()
                image = firmware.littlefs() if command else image
                os.makedirs(os.path.join(self.directory, "build"), exist_ok=True)
                self.file(f"build/{name}", image)
                words = [word.replace("${input:board}", board.address).replace("${workspaceFolder}", self.directory)
                         for word in (task["command"], *task["args"])]
                done = self.run_in_shell(shlex.join(words), ESP_OTA_AUTH=PASSWORD)
                self.assert_uploaded(done, board, image, command)

    def test_dockerfile(self):
        """It is not built here; what it names exists, and its comment's options do, too."""
        text = read("docs", "ci", "Dockerfile")
        self.assertIn('ENTRYPOINT ["esp-ota"]', text)
        for path in re.findall(r"scripts/\w+|docs/ci/\w+", text):
            self.assertTrue(os.path.exists(os.path.join(SOURCE, path)), path)
        self.assertIn('"name": "release"', read("CMakePresets.json"))


class Nightly(scenario.Scenario):
    """The commands of contrib/systemd/esp-ota-nightly.service, as systemd would start them night after night."""

    def commands(self):
        """ExecStartPre and ExecStart, with the unit's paths and specifiers replaced."""
        text = read("contrib", "systemd", "esp-ota-nightly.service").replace("\\\n", "")
        lines = re.findall(r"^ExecStart(?:Pre)?=(.*)$", text, re.M)
        self.assertEqual(len(lines), 2)
        for there, here in (("%d/password", self.password), ("/etc/esp-ota/boards", self.hosts),
                            ("/srv/firmware/firmware.bin", self.image), ("exec esp-ota ", f"exec {scenario.PROGRAM} "),
                            ("$$", "$")):
            self.assertTrue(any(there in line for line in lines), there)
            lines = [line.replace(there, here) for line in lines]
        return [shlex.split(line) for line in lines]

    def night(self):
        """The exit status of the first command that fails, as of the unit."""
        for command in self.commands():
            done = subprocess.run(command, cwd=self.state, env=scenario.environment(), stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False, timeout=scenario.DEADLINE_S)
            if done.returncode != 0:
                break
        return done.returncode

    def counts(self):
        return [board.count("upload result=ok") for board in self.boards]

    def test_nights(self):
        self.state = scenario.folder(self.directory)
        self.password = self.file("password", PASSWORD.encode() + b"\n")
        self.image = self.file("firmware.bin", firmware.esp8266())
        self.boards = [self.board("-p", "0", "-P", PASSWORD) for _ in range(2)]
        targets = [f"{board.address}:{board.port}\n" for board in self.boards]

        # The second board is not on the list yet.
        self.hosts = self.file("boards", targets[0].encode())
        self.assertEqual((self.night(), self.counts()), (0, [1, 0]))
        self.file("boards", "".join(targets).encode())
        self.assertEqual((self.night(), self.counts()), (0, [1, 1]))
        self.assertEqual((self.night(), self.counts()), (0, [1, 1]))

        # A night that was cut short, after the first board, with an image that is new.
        self.file("firmware.bin", firmware.esp8266(21000))
        self.file("boards", targets[0].encode())
        self.assertEqual((self.night(), self.counts()), (0, [2, 1]))
        last = os.path.join(self.state, "last.jsonl")
        with open(last, encoding="utf-8") as file:
            lines = [line for line in file if '"event":"summary"' not in line]
        with open(last, "w", encoding="utf-8") as file:
            file.writelines(lines)
        self.file("boards", "".join(targets).encode())
        self.assertEqual((self.night(), self.counts()), (0, [2, 2]))

        # Nights that were cut short just before the end of a line.
        with open(last, encoding="utf-8") as file:
            results = [line for line in file if '"event":"result"' in line or '"event":"skipped"' in line]
        for _ in range(2):
            with open(last, "w", encoding="utf-8") as file:
                file.write("".join(results).rstrip("\n"))
            self.assertEqual((self.night(), self.counts()), (0, [2, 2]))

        # A night that was cut short within a line, and one without an image.
        self.assertEqual((self.night(), self.counts()), (0, [2, 2]))
        with open(last, "w", encoding="utf-8") as file:
            file.write('{"event":"start","time":0.0,"boa')
        self.file("firmware.bin", b"")
        self.assertEqual(self.night(), 3)
        self.file("firmware.bin", firmware.esp8266(21000))
        self.assertEqual((self.night(), self.counts()), (0, [2, 2]))

        # A board that fails makes the unit fail.
        self.file("firmware.bin", firmware.esp8266(22000))
        self.boards[1].close()
        self.assertNotEqual(self.night(), 0)


def calls_of(word):
    """The system calls of a word of SystemCallFilter=, a set of systemd or one call."""
    if not word.startswith("@"):
        return {word}
    text = subprocess.run(["systemd-analyze", "syscall-filter", word], check=True, capture_output=True, text=True).stdout
    words = (line.strip() for line in text.splitlines()[1:])
    return set().union(*(calls_of(each) for each in words if each and not each.startswith("#")))


class Server(scenario.Scenario):
    """The sandbox of contrib/systemd/esp-ota-serve.service, with the sets of the systemd that is here."""

    def allowed(self):
        names = set()
        for value in re.findall(r"^SystemCallFilter=(.*)$", read("contrib", "systemd", "esp-ota-serve.service"), re.M):
            calls = set().union(*map(calls_of, value.lstrip("~").split()))
            names = names - calls if value.startswith("~") else names | calls
        return names | calls_of("@default")

    def confine(self, allowed):
        """For preexec_fn: any other call kills, so that none is missed; in the unit, it fails with an error."""
        macros = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", os.devnull], check=True,
                                capture_output=True, text=True).stdout
        numbers = [int(number) for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", macros, re.M)
                   if name in allowed]
        load, equal, end = 0x20, 0x15, 0x06
        program = struct.pack("=HBBI", load, 0, 0, 0)
        for number in numbers:
            program += struct.pack("=HBBIHBBI", equal, 0, 1, number, end, 0, 0, ALLOW)
        program += struct.pack("=HBBI", end, 0, 0, KILL_PROCESS)
        library, instructions = ctypes.CDLL(None), ctypes.create_string_buffer(program)

        def apply():
            filter_ = struct.pack("@HP", len(program) // 8, ctypes.addressof(instructions))
            library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
            if library.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter_, 0, 0) != 0:
                raise OSError("no filter")
        return apply

    def test_boards_are_no_failure_of_the_unit(self):
        """Whatever the page says of boards; 1 is about the computer, and 3 may be about the image alone."""
        table = re.search(r'^\.SH "EXIT STATUS"\n.*?^\.TE', read("man", "esp-ota-serve.7"), re.M | re.S)[0]
        successes = re.search("^SuccessExitStatus=(.*)$", read("contrib", "systemd", "esp-ota-serve.service"), re.M)[1]
        self.assertEqual({"0", "1", "3", *successes.split()}, set(re.findall(r"^(\d+)\t", table, re.M)))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not here")
    def test_names_are_looked_for(self):
        """The names are looked up by a process that confines itself first."""
        hosts, image = self.file("boards", b"board.example\n"), self.file("fw.bin", firmware.esp8266())
        server = scenario.Program("--serve=127.0.0.1:0", "--hosts", hosts, "-f", image,
                                  popen={"preexec_fn": self.confine(self.allowed())}, ASAN_OPTIONS="detect_leaks=0")
        server.wait_for("board.example: cannot be recognized by its name yet")
        os.kill(server.pid, signal.SIGTERM)
        run = server.result()
        self.assertEqual((run.status, run.out), (4, ""), run)
        self.assertNotIn("ended unexpectedly", run.err)


if __name__ == "__main__":
    unittest.main()
