#!/usr/bin/env python3
"""Firmware of real builds, which the repository cannot contain: checked, compressed, uploaded. ESP_OTA_IMAGES names
the folder that it is in; without an image its tests are skipped."""

import gzip
import os
import unittest
import zlib

from scenario import IMAGES, Case, Scenario, run


class RealImages(Scenario):

    def image(self, name):
        """The path and the content."""
        path = os.path.join(IMAGES, name)
        if not os.path.exists(path):
            self.skipTest(f"ESP_OTA_IMAGES has no {name}")
        with open(path, "rb") as file:
            return path, file.read()

    def test_check(self):
        for name, status, phrase in (("esp8266.bin", 0, "ESP8266 image"),
                                     ("esp32.bin", 0, "ESP32 application image"),
                                     ("esp32s2.bin", 0, "ESP32-S2 application image"),
                                     ("esp32-merged.bin", 3, "factory image")):
            with self.subTest(name):
                path, _ = self.image(name)
                result = run("--check", "-f", path)
                self.assertEqual(result.status, status, result)
                self.assertIn(phrase, result.out)

    def test_upload(self):
        for name in ("esp8266", "esp32", "esp32s2"):
            with self.subTest(name):
                _, content = self.image(f"{name}.bin")
                family = "esp8266" if name == "esp8266" else "esp32-sha256"
                chip = ("--chip", name) if family != "esp8266" else ()
                self.check([Case(name, ("-P", "pw", "--capacity", "2000000", *chip), ("-a", "pw"), family=family,
                                 image=content, says=("confirmed by the board",))])

    def test_compress(self):
        """Smaller than gzip -9 makes it, or as small."""
        path, content = self.image("esp8266.bin")
        target = os.path.join(self.directory, "out.gz")
        result = run("-z", "-f", path, "--output", target)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertNotIn("warning", result.err)
        with open(target, "rb") as file:
            packed = file.read()
        self.assertEqual(gzip.decompress(packed), content)
        packer = zlib.compressobj(9, wbits=31, memLevel=8)
        self.assertLessEqual(len(packed), len(packer.compress(content) + packer.flush()))


if __name__ == "__main__":
    unittest.main()
