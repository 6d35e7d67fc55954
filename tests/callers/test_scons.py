#!/usr/bin/env python3
"""PlatformIO's lines about an upload, in Debian's SCons, which PlatformIO calls: how words get from platformio.ini to esp-ota.

PlatformIO itself is not in Debian. What its builder/main.py does for all platforms, and that of each platform for espota,
is in SCRIPT.
"""

import os
import re
import shutil
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import firmware  # noqa: E402
import requirement  # noqa: E402
import scenario  # noqa: E402

PASSWORD = "kwert uiop"

# The platform's builder; what LoadProjectOptions() has read stands in `project`.
SCRIPT = """
import os
project = {project!r}
env = DefaultEnvironment(ENV=os.environ, tools=[], UPLOAD_PORT=project["upload_port"], UPLOAD_FLAGS=project["upload_flags"])
env.Replace(UPLOADERFLAGS={flags!r}, UPLOADCMD='"$PYTHONEXE" "$UPLOADER" $UPLOADERFLAGS -f $SOURCE')
if "uploadfs" in COMMAND_LINE_TARGETS:
    env.Append(UPLOADERFLAGS=[{filesystem!r}])
env.Prepend(UPLOADERFLAGS=["$UPLOAD_FLAGS"])
env.Replace(UPLOADCMD=project["upload_command"])
env.AlwaysBuild(env.Alias("upload", "firmware.bin", Action("$UPLOADCMD", "Uploading $SOURCE")))
env.AlwaysBuild(env.Alias("uploadfs", "littlefs.bin", Action("$UPLOADCMD", "Uploading $SOURCE")))
"""
COMMON = ["--debug", "--progress", "-i", "$UPLOAD_PORT"]
PLATFORMS = {"esp8266": (COMMON, "-s"), "esp32": (COMMON, "--spiffs"), "pico": (COMMON + ["-p", "2040"], "-s")}


class SCons(scenario.Scenario):

    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.directory, "my project")
        os.mkdir(self.folder)
        self.path = f"{os.path.dirname(scenario.PROGRAM)}:{os.environ['PATH']}"
        with open(os.path.join(os.environ["ESP_OTA_SOURCE"], "man", "esp-ota-callers.7"), encoding="utf-8") as file:
            page = file.read().replace("\\-", "-")
        self.recipe = dict(line.split(" = ") for line in
                           re.search(r"^upload_protocol = espota\n(.+ = .+\n)+", page, re.M)[0].splitlines())
        self.password = self.file("my project/ota password", PASSWORD.encode() + b"\n")
        os.chmod(self.password, 0o600)

    def scons(self, family, board, target):
        flags, filesystem = PLATFORMS[family]
        option = self.recipe["upload_flags"].split("=")[0]
        project = {**self.recipe, "upload_port": board.address,
                   "upload_flags": [f"{option}={self.password}", f"-p {board.port}", "--timeout=20"]}
        self.file("my project/SConstruct", SCRIPT.format(project=project, flags=flags, filesystem=filesystem).encode())
        return subprocess.run(["scons", "-Q", target], cwd=self.folder, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False, timeout=scenario.DEADLINE_S,
                              env=scenario.environment(PATH=self.path))

    def test_uploads(self):
        for family in PLATFORMS:
            images = {"upload": (scenario.sketch(family), 0, "firmware.bin"), "uploadfs": (firmware.littlefs(), 100, "littlefs.bin")}
            for target, (image, command, name) in images.items():
                with self.subTest(family=family, target=target):
                    board = self.board("-P", PASSWORD, family=family)
                    self.file(f"my project/{name}", image)
                    done = self.scons(family, board, target)
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    self.assertIn(f"Uploading {name}", done.stdout)
                    self.assertNotIn(PASSWORD, done.stdout + done.stderr)
                    board.wait_for(f"upload result=ok .*command={command}")
                    self.assertEqual(board.received(), image)
                    board.close()

    def test_failure(self):
        """SCons ends with a status of its own, and names that of esp-ota."""
        board = self.board("-P", "another", family="esp32")
        self.file("my project/firmware.bin", scenario.sketch("esp32"))
        done = self.scons("esp32", board, "upload")
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        self.assertIn("[upload] Error 6", done.stderr)


if __name__ == "__main__":
    if not shutil.which("scons"):
        requirement.end("not installed: scons; scripts/test-callers installs it")
    unittest.main()
