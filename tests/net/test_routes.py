#!/usr/bin/env python3
"""What is said of a silent board when invitations take another way than into its network."""

import os
import subprocess
import tempfile
import unittest

import link

ESP_OTA = os.environ["ESP_OTA"]
DEADLINE_S = 60

# Without ARP the far end of the cable drops all frames; so does a tun device without a program behind it.
WLAN = ("ip link add wlan0 arp off type veth peer name far0 && ip link set far0 up && "
        "ip address add 192.168.1.20/24 dev wlan0 && ip link set wlan0 up && ")
VPN = ("ip tuntap add tun0 mode tun && ip address add 10.8.0.2/24 dev tun0 && "
       "ip link set tun0 up && ip route add 192.168.1.7/32 dev tun0 src 10.8.0.2 && ")
DEFAULT = "ip route add default dev wlan0 && "


class Routes(unittest.TestCase):

    def setUp(self):
        file = tempfile.NamedTemporaryFile(suffix=".bin")
        self.addCleanup(file.close)
        file.write(b"\xe9" + os.urandom(2000))
        file.flush()
        self.image = file.name

    def upload(self, interfaces, board, *options):
        """What is said on standard error of a board that does not answer, in a network of its own."""
        run = subprocess.run(
            ["unshare", "--net", "sh", "-c", f'ip link set lo up && {interfaces} exec "$@"', "sh",
             ESP_OTA, "-i", board, "-p", "8266", "-t", "1", "--retries", "0", "-f", self.image,
             *options], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        self.assertEqual((run.returncode, run.stdout), (5, ""), run)
        return run.stderr

    def test_vpn(self):
        """A route into a tunnel takes what belongs into the local network."""
        self.assertIn("no answer from 192.168.1.7:8266 (the given port) to 1 invitation in 1 s; invitations "
                      "leave through tun0 (10.8.0.2), although wlan0 (192.168.1.20) is in the board's "
                      "network: a VPN or another route takes them\n",
                      self.upload(WLAN + VPN, "192.168.1.7"))

    def test_no_network_of_the_board(self):
        """The default route takes what belongs into a network that this computer is not in."""
        self.assertIn("no answer from 192.168.4.1:8266 (the given port) to 1 invitation in 1 s; invitations "
                      "leave through wlan0 (192.168.1.20), as no interface of this computer is in the "
                      "board's network\n",
                      self.upload(WLAN + DEFAULT, "192.168.4.1"))

    def test_in_its_network(self):
        """Nothing is to be said, whatever else there is."""
        self.assertIn("no answer from 192.168.1.8:8266 (the given port) to 1 invitation in 1 s\n",
                      self.upload(WLAN + VPN + DEFAULT, "192.168.1.8"))

    def test_elsewhere(self):
        """Routers know the way to a public address."""
        self.assertIn("no answer from 203.0.113.7:8266 (the given port) to 1 invitation in 1 s\n",
                      self.upload(WLAN + DEFAULT, "203.0.113.7"))


if __name__ == "__main__":
    link.run_tests()
