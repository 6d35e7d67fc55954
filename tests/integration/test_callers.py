#!/usr/bin/env python3
"""What the programs that call espota.py have on their command lines, with scripts/espota.py in the place of theirs."""

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest

import firmware
import scenario

SHIM = os.path.join(os.environ["ESP_OTA_SOURCE"], "scripts", "espota.py")
PASSWORD = "kwert uiop"

# The patterns of the cores' platform.txt, in which the IDE fills in {names}.
PYTHON = '"{python}" "{tools}/espota.py"'
ISOLATED = '"{python}" -I "{tools}/espota.py"'
IDE_1 = ' -i "{serial.port}" -p "{network.port}" "--auth={network.password}" -f "{build.path}/{build.project_name}.bin"'
IDE_2 = (' -i "{upload.port.address}" -p "{upload.port.properties.port}" "--auth={upload.field.password}"'
         ' -f "{build.path}/{build.project_name}.bin"')
IDE_2_ESP32 = IDE_2.replace('"{upload.port.address}"', "{upload.port.address}").replace(
    '"{upload.port.properties.port}"', "{upload.port.properties.port}")
# PlatformIO's UPLOADCMD: upload_flags come first.
PIO = '"{python}" "{tools}/espota.py" %s --debug --progress -i {board} %s -f "{file}"'
PIO_PICO = PIO.replace("-i {board}", "-i {board} -p {port}")
# makeEspArduino.mk: OTA_TOOL, OTA_ARGS
MAKE_ESP = '"{python}" "{tools}/espota.py" --progress --ip="{board}" --port="{port}" %s --file="{file}"'


@dataclasses.dataclass
class Call:
    """A command line of another program, and what espota.py would have done: given the board this image."""

    name: str
    line: str
    family: str = "esp8266"
    password: str = PASSWORD        # of the board, "": none
    filesystem: bool = False
    unfilled: tuple = ()            # names that the caller leaves as they are
    says: tuple = ("confirmed by the board",)


def password_of(text):
    return f'"--auth={text}"'


PW = password_of(PASSWORD)
CALLS = (
    # Arduino IDE 1.8: tools.*.upload.network_pattern
    Call("IDE 1.8, ESP8266 core 2", PYTHON + IDE_1),
    Call("IDE 1.8, ESP8266 core 2, no password", PYTHON + IDE_1, password=""),
    Call("IDE 1.8, ESP8266 core 3", ISOLATED + IDE_1),
    Call("IDE 1.8, ESP8266 core 3, no password", ISOLATED + IDE_1, password=""),
    Call("IDE 1.8, ESP32 core 1", PYTHON + " -r" + IDE_1, "esp32"),
    Call("IDE 1.8, ESP32 core 2, no password", PYTHON + " -r" + IDE_1, "esp32", ""),
    Call("IDE 1.8, ESP32 core 3", PYTHON + " -r" + IDE_1, "esp32-sha256"),
    Call("IDE 1.8, Pico core", ISOLATED + IDE_1, "pico"),
    Call("IDE 1.8, Pico core, no password", ISOLATED + IDE_1, "pico", ""),
    # Upload Using Programmer: tools.espOtaProgrammer.program.pattern
    Call("IDE 1.8, programmer, ESP8266 core 3",
         ISOLATED + f' -i "{{board}}" -p {{port}} {PW} -f "{{build.path}}/{{build.project_name}}.bin"'),
    # IDE 2 and arduino-cli: tools.*.upload.pattern
    Call("IDE 2, ESP8266", ISOLATED + IDE_2),
    Call("IDE 2, ESP32", PYTHON + " -r" + IDE_2_ESP32, "esp32-sha256"),
    Call("IDE 2, ESP32 core 2.0", PYTHON + " -r" + IDE_2_ESP32.replace('"--auth={upload.field.password}"',
                                                                      "--auth={upload.field.password}"), "esp32", "secret"),
    Call("IDE 2, ESP32 core 2.0, no password",
         PYTHON + " -r" + IDE_2_ESP32.replace('"--auth={upload.field.password}"', "--auth={upload.field.password}"),
         "esp32", ""),
    Call("IDE 2, ESP32, no password", PYTHON + " -r" + IDE_2_ESP32, "esp32", ""),
    Call("IDE 2, Pico", ISOLATED + IDE_2, "pico"),
    Call("IDE 2, the port not filled in", PYTHON + " -r" + IDE_2_ESP32, "esp32",
         unfilled=("upload.port.properties.port",),
         says=("did not fill in '{upload.port.properties.port}' of -p; it counts as not given", "confirmed")),
    Call("arduino-cli, neither filled in", PYTHON + " -r" + IDE_2_ESP32, "esp32", "",
         unfilled=("upload.port.properties.port", "upload.field.password"),
         says=("did not fill in '{upload.field.password}' of -a; it counts as not given", "confirmed")),
    Call("platform.local.txt with fixed ports", PYTHON + ' -i {upload.port.address} -p {port} -P 0 '
         '"--auth={upload.field.password}" -f "{build.path}/{build.project_name}.bin"', "esp32"),
    # PlatformIO: espressif8266, espressif32, raspberrypi
    Call("PlatformIO, ESP8266", PIO % (PW, "")),
    Call("PlatformIO, ESP8266, no flags", PIO % ("", ""), password=""),
    Call("PlatformIO, ESP8266, port", PIO % ("--port={port} " + PW, "")),
    Call("PlatformIO, ESP8266, filesystem", PIO % (PW, "-s"), filesystem=True),
    Call("PlatformIO, ESP32", PIO % (PW, ""), "esp32"),
    Call("PlatformIO, ESP32, ports", PIO % ("--port={port} --host_port=0 " + PW, ""), "esp32"),
    Call("PlatformIO, ESP32, host", PIO % ("--host_ip=0.0.0.0 --auth='%s'" % PASSWORD, ""), "esp32-sha256"),
    Call("PlatformIO, ESP32, filesystem", PIO % (PW, "--spiffs"), "esp32", filesystem=True),
    Call("PlatformIO, ESP32, timeout", PIO % ("-t 20 -a '%s'" % PASSWORD, ""), "esp32"),
    Call("PlatformIO, Pico", PIO_PICO % (PW, ""), "pico"),
    Call("PlatformIO, Pico, filesystem", PIO_PICO % (PW, "-s"), "pico", filesystem=True),
    Call("PlatformIO, CH32H4", '"{python}" "{tools}/espota.py" -i {board} %s --force -f "{file}"' % PW, "ch32h4"),
    Call("PlatformIO, custom, flags not filled in", PIO % ("'$UPLOAD_FLAGS'", ""), password="",
         says=("PlatformIO did not fill in '$UPLOAD_FLAGS'", "confirmed")),
    # makeEspArduino
    Call("makeEspArduino", MAKE_ESP % PW),
    Call("makeEspArduino, host port", MAKE_ESP % ("--host_port=0 " + PW)),
    Call("makeEspArduino, no password", MAKE_ESP % "", "esp32", ""),
    Call("makeEspArduino, ota_fs", MAKE_ESP % (PW + " --spiffs"), "esp32", filesystem=True),
    # scripts and Makefiles that people publish
    Call("a Makefile", '"{python}" "{tools}/espota.py" -i {board} -p {port} -f "{file}" -r -d', "esp32", ""),
    Call("a script", '"{python}" "{tools}/espota.py" -d -r -i {board} -I 0.0.0.0 -p {port} -P 0 -a "%s" -f "{file}"' % PASSWORD,
         "esp32"),
    Call("a cron job", '"{python}" "{tools}/espota.py" --ip {board} --port {port} %s  --file "{file}"' % PW),
    Call("values right behind the letters", '"{python}" "{tools}/espota.py" -i {board} -I 0.0.0.0 -p{port} -P0 -f "{file}"',
         "esp32", ""),
    Call("options behind the file", '"{python}" "{tools}/espota.py" --ip={board} -p {port} -f "{file}" -a "%s" -r -d' % PASSWORD),
    Call("a filesystem, options behind the file", '"{python}" "{tools}/espota.py" -i {board} -p {port} -f "{file}" -s -r',
         password="", filesystem=True),
    # a line of PlatformIO's upload_flags is one word
    Call("PlatformIO, a space behind the letter", PIO % ("'-p {port}' '-P 0' '-t 20' '-I 0.0.0.0' " + PW, ""), "esp32"),
    # variables that are not set
    Call("an empty host address", '"{python}" "{tools}/espota.py" -i {board} -p {port} -I "" -f "{file}"', "esp32", ""),
    Call("PlatformIO, an empty host address", PIO % ("--host_ip= " + PW, "")),
    Call("an empty word at the end", '"{python}" "{tools}/espota.py" -i {board} -p {port} -f "{file}" ""', password=""),
    Call("an empty word behind the password", '"{python}" "{tools}/espota.py" -i {board} -p {port} -a "%s" "" -f "{file}"'
         % PASSWORD),
    # options in other orders and spellings
    Call("letters in one word", '"{python}" "{tools}/espota.py" -dri {board} -p {port} -sf "{file}"', "esp32", "",
         filesystem=True),
    Call("the password twice", '"{python}" "{tools}/espota.py" -a old -i {board} -p {port} -f "{file}" -a "%s"' % PASSWORD,
         "esp32"),
    Call("all cut short", '"{python}" "{tools}/espota.py" --i {board} --po {port} --au="%s" --fil "{file}" --sp --pr --deb'
         % PASSWORD, filesystem=True),
    Call("MD5 cut short", '"{python}" "{tools}/espota.py" -i {board} -p {port} --md5 --time 20 -a "%s" -f "{file}"' % PASSWORD,
         "esp32"),
    Call("cut short", '"{python}" "{tools}/espota.py" --ip={board} --host_ip=0.0.0.0 --port={port} --host_port=0'
         ' --file="{file}" --debug --progres', password=""),
)


class Callers(scenario.Scenario):

    def setUp(self):
        super().setUp()
        self.tools = os.path.join(self.directory, "core 3.1", "tools")
        os.makedirs(self.tools)
        shutil.copy(SHIM, self.tools)
        self.path = f"{os.path.dirname(scenario.PROGRAM)}:{os.environ['PATH']}"

    def run_line(self, words, **env):
        return subprocess.run(words, cwd=self.directory, text=True, stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, timeout=scenario.DEADLINE_S,
                              env=scenario.environment(**{"PATH": self.path, **env}))

    def check_call(self, call):
        family = call.family.split("-")[0]
        image = firmware.littlefs() if call.filesystem else scenario.sketch(family)
        board = self.board(*(("-P", call.password) if call.password else ()), family=call.family)
        file = self.file("my sketch.ino.bin", image)
        filled = {"python": sys.executable, "tools": self.tools, "board": board.address, "port": str(board.port),
                  "file": file, "build.path": self.directory, "build.project_name": "my sketch.ino",
                  "serial.port": board.address, "network.port": str(board.port), "network.password": call.password,
                  "upload.port.address": board.address, "upload.port.properties.port": str(board.port),
                  "upload.field.password": call.password}
        line = re.sub(r"\{([a-z_.]+)\}", lambda match: match[0] if match[1] in call.unfilled else filled[match[1]],
                      call.line)
        done = self.run_line(shlex.split(line))
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        for text in call.says:
            self.assertIn(text, done.stderr)
        if call.password:
            for secret in scenario.secrets(call.password):
                self.assertNotIn(secret, done.stderr)
        board.wait_for(f"upload result=ok .*command={100 if call.filesystem else 0}")
        self.assertEqual(board.received(), image)
        board.close()
        self.assertEqual(board.count("invitation command="), 1)

    def test_lines(self):
        self.assertGreaterEqual(len(CALLS), 26)
        for call in CALLS:
            with self.subTest(call.name):
                self.check_call(call)

    def test_shim_without_the_program(self):
        done = self.run_line([sys.executable, os.path.join(self.tools, "espota.py"), "--version"], PATH="/nonexistent")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "espota.py: esp-ota cannot be run (No such file or directory); "
                                      "is the folder it is installed in part of PATH?\n")

    def test_status_of_the_shim(self):
        """make and IDEs see the program's status, and a mistake sends nothing."""
        done = self.run_line([sys.executable, os.path.join(self.tools, "espota.py"), "-i", "127.0.0.1"])
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn("no firmware is named", done.stderr)


if __name__ == "__main__":
    unittest.main()
