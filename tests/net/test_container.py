#!/usr/bin/env python3
"""A container with a network of its own, as Docker and Podman make it: boards are behind a router, and
nothing connects into it."""

import os
import unittest

import cable
import link

ESP_OTA = os.environ["ESP_OTA"]
ESP_OTA_SIM = os.environ["ESP_OTA_SIM"]
BESIDE = "192.168.7.7"
# In a mount namespace of its own: Podman's file, and no D-Bus.
CONTAINER = ("unshare", "--mount", "sh", "-c",
             'mount -t tmpfs none /run && touch /run/.containerenv && exec "$@"', "sh")


class Container(unittest.TestCase):

    def setUp(self):
        self.net = cable.Cable()
        self.addCleanup(self.net.close)
        self.net.host.ip(f"address flush dev {cable.INTERFACE}")
        self.net.host.ip(f"address add 172.17.0.2/16 dev {cable.INTERFACE}")
        self.net.host.ip("route add default via 172.17.0.1")
        self.net.board.ip("address add 172.17.0.1/16 dev far0")
        self.net.board.ip(f"address add {BESIDE}/32 dev far0")

    def test_no_connection(self):
        self.net.simulate(ESP_OTA_SIM, "--fault", "never-connect*9", address=BESIDE)
        for before, advice in ((CONTAINER, "--network host"), ((), "address translation (NAT)")):
            if not before and os.path.exists("/.dockerenv"):
                continue  # this is one, too
            with self.subTest(advice):
                result = self.net.upload(ESP_OTA, BESIDE, "-t", "1", "--retries", "0", before=before)
                self.assertEqual((result.returncode, result.stdout), (8, ""), result)
                self.assertIn("did not connect to 172.17.0.2, TCP port", result.stderr)
                self.assertIn(advice, result.stderr)

    def test_names(self):
        result = self.net.upload(ESP_OTA, "kitchen.local", before=CONTAINER)
        self.assertEqual((result.returncode, result.stdout), (4, ""), result)
        self.assertIn("multicast DNS does not get into a container", result.stderr)
        self.assertIn("--network host", result.stderr)

    def test_host_network(self):
        """An address of the local network, and the container is as good as none."""
        self.net.host.ip(f"address add {cable.HOST}/24 dev {cable.INTERFACE}")
        result = self.net.upload(ESP_OTA, "kitchen.local", before=CONTAINER)
        self.assertEqual((result.returncode, result.stdout), (4, ""), result)
        self.assertNotIn("container", result.stderr)
        self.assertIn("Start Avahi and D-Bus", result.stderr)


if __name__ == "__main__":
    link.run_tests()
