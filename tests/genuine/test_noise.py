#!/usr/bin/env python3
"""ESPHome's encryption against noise-c, the library of its devices: scripts/test-noise fetches it from npm.

tests/vectors has recordings of the same library. Here the keys of each run are new, and so is the board's part.
"""

import base64
import os
import re
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import scenario  # noqa: E402

NOISE_C = os.environ["ESP_OTA_NOISE_C"]  # the folder of the package
SIZE = 300007  # more than 256 frames, and the last one is short


class Noise(scenario.Scenario):

    def setUp(self):
        super().setUp()
        self.key = base64.b64encode(os.urandom(32)).decode()
        self.image = scenario.sketch("esp32", SIZE)
        self.received = os.path.join(self.directory, "received.bin")

    def upload(self, board_key, key):
        """Starts the board, and uploads to it; returns the result, and what the board has printed."""
        where = scenario.address()
        image = self.file("firmware.bin", self.image)
        key_file = self.file("key", key.encode() + b"\n")
        os.chmod(key_file, 0o600)
        command = ["node", os.path.join(HERE, "esphome_peer.js"), NOISE_C, where, self.received]
        command += [board_key] if board_key else []
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as board:
            try:
                self.assertTrue(scenario.readable([board.stdout], scenario.DEADLINE_S), "the board does not start")
                ready = re.fullmatch(r"ready (\d+)\n", board.stdout.readline())
                self.assertTrue(ready, "the board has ended at once")
                result = scenario.run("-i", f"esphome://{where}:{ready[1]}", "--encryption-key-file", key_file, "-f", image)
                events, _ = board.communicate(timeout=scenario.DEADLINE_S)
            finally:
                board.kill()
        self.assert_no_secret(result, key)
        return result, events

    def test_upload(self):
        result, events = self.upload(self.key, self.key)
        self.assertEqual(result.status, 0, f"{result}\n-- board\n{events}")
        self.assertIn("confirmed", result.err)
        self.assertEqual(events, "encrypted\nacknowledged\n")
        with open(self.received, "rb") as file:
            self.assertEqual(file.read(), self.image)

    def assert_refused(self, board_key, key, says, event):
        result, events = self.upload(board_key, key)
        self.assertEqual(result.status, 6, f"{result}\n-- board\n{events}")
        self.assertIn(says, result.err)
        self.assertEqual(events, event)
        self.assertFalse(os.path.exists(self.received))

    def test_another_key(self):
        other = base64.b64encode(os.urandom(32)).decode()
        self.assert_refused(self.key, other, "the board has another encryption key (Handshake MAC failure)",
                            "failed: NOISE_ERROR_MAC_FAILURE\n")

    def test_not_offered(self):
        """Nothing is sent in the clear."""
        self.assert_refused(None, self.key, "the board offers no encryption", "failed: the host closed the connection\n")


if __name__ == "__main__":
    unittest.main()
