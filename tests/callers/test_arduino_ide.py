#!/usr/bin/env python3
"""The genuine Arduino IDE 1.8 finds a board by its own multicast DNS, and uploads with esp-ota.

The board is a simulated one at the other end of a cable (mdns.py). The IDE's line is the one of esp-ota-callers(7).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import mdns  # noqa: E402
from mdns import Board  # noqa: E402
from mdns_case import ESP32, OnLink, share_link  # noqa: E402
import requirement  # noqa: E402
import scenario  # noqa: E402

PASSWORD = "kwert uiop"
LOCKED = Board("locked", ESP32, v4="10.77.0.50", txt=("board=lolin32", "auth_upload=yes", "tcp_check=no", "ssh_upload=no"))


def setUpModule():
    share_link(LOCKED)
    directory = tempfile.mkdtemp(prefix="esp-ota-x-")
    unittest.addModuleCleanup(shutil.rmtree, directory)
    number, server = start_display(directory)
    unittest.addModuleCleanup(server.wait)
    unittest.addModuleCleanup(server.terminate)
    os.environ["DISPLAY"] = f":{number}"


def start_display(directory):
    """Xvfb chooses a free number and says it when it is ready."""
    path = os.path.join(directory, "log")
    read, write = os.pipe()
    with open(path, "wb") as log:
        server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
                                  pass_fds=[write], stdout=log, stderr=log)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    assert number, f"Xvfb does not start: {open(path, encoding='utf-8').read()}"
    return number, server


class IDE(OnLink):

    def setUp(self):
        super().setUp()
        self.book = os.path.join(self.directory, "sketchbook")
        platform = os.path.join(self.book, "hardware", "esp-ota", "callers")
        shutil.copytree(os.path.join(HERE, "platform"), platform)
        with open(os.path.join(os.environ["ESP_OTA_SOURCE"], "man", "esp-ota-callers.7"), encoding="utf-8") as file:
            page = file.read().replace("\\e\n", "").replace("\\-", "-")
        mdns.write(os.path.join(platform, "platform.local.txt"),
                   re.search(r"^tools\.esptool\.upload\.network_pattern=.*\n", page, re.M)[0])
        self.home = os.path.join(self.directory, "home")
        os.makedirs(os.path.join(self.directory, "blink"))
        os.mkdir(self.home)
        self.sketch = os.path.join(self.directory, "blink", "blink.ino")
        mdns.write(self.sketch, "void setup() {}\nvoid loop() { blink(); }\nvoid blink() {}\n")

    def upload(self, image, password):
        path = f"{os.path.dirname(scenario.PROGRAM)}:{os.environ['PATH']}"
        return subprocess.run(
            ["arduino", "--upload", "--board", "esp-ota:callers:lolin32", "--port", LOCKED.v4,
             "--pref", f"sketchbook.path={self.book}", "--pref", f"runtime.pwd.{LOCKED.v4}={password}", self.sketch],
            text=True, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=scenario.DEADLINE_S,
            env=scenario.environment(PATH=path, HOME=self.home, DISPLAY=os.environ["DISPLAY"],
                                     ESP_OTA_TEST_IMAGE=image))

    def test_upload(self):
        """The IDE ends at once, mostly before it has shown the uploader's last lines."""
        image = self.file("image.bin", scenario.sketch("esp32"))
        simulated = self.simulate(LOCKED, "-F", "esp32", "-P", PASSWORD)
        done = self.upload(image, PASSWORD)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertNotIn(PASSWORD, done.stdout + done.stderr)
        self.assert_got(simulated, image)

    def test_wrong_password(self):
        """The IDE fails, too."""
        image = self.file("image.bin", scenario.sketch("esp32"))
        simulated = self.simulate(LOCKED, "-F", "esp32", "-P", PASSWORD)
        done = self.upload(image, "guess")
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        self.assertIn("An error occurred while uploading the sketch", done.stderr)
        simulated.stop()
        self.assertRegex(simulated.output, r"answer result=failed")


if __name__ == "__main__":
    for tool in ("arduino", "Xvfb"):
        if not shutil.which(tool):
            requirement.end(f"not installed: {tool}; scripts/test-callers installs it")
    mdns.enter()
    unittest.main()
