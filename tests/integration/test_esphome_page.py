#!/usr/bin/env python3
"""Uploads through ESPHome's page, which tells no version: what the board announces, before the upload and after it."""

import json
import unittest

import mdns
from mdns_case import share_link
import scenario
import test_esphome_announced as announced
from test_esphome_announced import LOFT, MUTE


def setUpModule():
    share_link(LOFT, MUTE)


class Page(announced.Announced):
    """The same through ESPHome's web page, by the name and by the address. The page itself tells no version."""

    PORT, SIMULATED, WHICH = 80, ("--web", "esphome"), ("-i", "http://loft.local")
    test_check = test_another_project = test_note = None

    def test_by_address(self):
        self.WHICH = ("-i", "http://" + LOFT.v4, "--page", "esphome")
        last = self.upload(("2026.9.0", "acme.lamp", "1.2"), announced.txt("2026.9.0"))
        self.assertEqual((last["exit_status"], last["verified"]), (0, "readback"), last)

    def test_told_before(self):
        """Only where it is needed, as it may take its time."""
        self.simulate(LOFT, "--family", "esp32", "--web", "esphome", port=80)
        for options, is_told in ((("--expect-version", "1", "--expect-timeout", "1"), True), ((), False)):
            with self.subTest(options):
                result = scenario.run(*self.WHICH, "-f", self.firmware("2026.9.0"), "-v", "--retries", "0", *options)
                self.assertEqual("update page: ESPHome's web server, at /; firmware 2026.8.0" in result.err, is_told, result)

    def test_told_its_address(self):
        """Host, Origin and Referer have the address, whatever the name in the URL: Tasmota knows no alias of its own."""
        loft = self.simulate(LOFT, "--family", "esp32", "--web", "tasmota", port=80)
        path = self.firmware("2026.9.0")
        result = scenario.run(*self.WHICH, "-f", path)
        self.assertEqual(result.status, 0, result)
        self.assert_got(loft, path)
        for header in (f'host="{LOFT.v4}"', f'origin="http://{LOFT.v4}"', f'referer="http://{LOFT.v4}/'):
            self.assertIn(" " + header, loft.output)
        self.assertNotIn("loft.local", loft.output)

    def test_not_announced(self):
        """The page is judged by its reply. --expect-version is refused before the upload."""
        mute = self.simulate(MUTE, "--family", "esp32", "--web", "esphome", "--reboot-ms", "2500", port=80)
        path = self.firmware("2026.9.0")
        result = scenario.run("-i", "http://" + MUTE.v4, "-f", path, "--expect-version", "2026")
        self.assertEqual(result.status, 2, result)
        self.assertIn("the board's announcement (_esphomelib._tcp), which tells its version, was not seen; leave "
                      "--expect-version out", result.err)
        result = scenario.run("-i", "http://" + MUTE.v4, "-f", path, "--online=60", "--json")
        last = json.loads(result.out.splitlines()[-1])
        self.assertEqual((last["exit_status"], last["verified"]), (0, "board"), result)
        self.assert_got(mute, path)
        self.assertEqual(mute.output.count("POST"), 1, mute.output)


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
