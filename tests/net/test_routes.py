#!/usr/bin/env python3
"""What is said of a silent board when invitations take another way than into its network."""

import os
import subprocess
import tempfile
import unittest

import cable
import firmware
import link

ESP_OTA = os.environ["ESP_OTA"]
ESP_OTA_SIM = os.environ["ESP_OTA_SIM"]
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
        file.write(firmware.noise(2000))
        file.flush()
        self.image = file.name

    def upload(self, interfaces, board, *options):
        """What is said on standard error of a board that does not answer, in a network of its own."""
        run = subprocess.run(
            ["unshare", "--net", "sh", "-c", f'ip link set lo up && {interfaces} exec "$@"', "sh",
             ESP_OTA, "-i", board, "-p", "8266", "-t", "1", "--retries", "0", "-f", self.image,
             *options], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        self.assertEqual((run.returncode, run.stdout), (5, ""), run)
        self.assertEqual("-I wlan0" in run.stderr, "another route takes them" in run.stderr, run)
        self.assertEqual("into the board's network" in run.stderr, "as no interface" in run.stderr, run)
        return run.stderr

    def test_vpn(self):
        """A route into a tunnel takes what belongs into the local network."""
        self.assertIn("no answer from 192.168.1.7:8266 (the given port) to 1 invitation in 1 s; invitations "
                      "leave through tun0 (10.8.0.2), although wlan0 (192.168.1.20) is in the board's "
                      "network: a VPN or another route takes them\n",
                      self.upload(WLAN + VPN, "192.168.1.7"))

    def test_vpn_and_an_address(self):
        """-I with an address does not decide the route; it is a detour all the same."""
        self.assertIn("invitations leave through tun0 (192.168.1.20), although wlan0 (192.168.1.20) is in the board's "
                      "network: a VPN or another route takes them\n",
                      self.upload(WLAN + VPN, "192.168.1.7", "-I", "192.168.1.20"))

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


class Interface(unittest.TestCase):
    """-I with the name of an interface."""

    def test_against_a_vpn(self):
        """It decides the route as well, for anybody, and not for root alone."""
        for before in ((), ("setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all")):
            with self.subTest(before), cable.Cable() as net:
                os.chmod(net.image.name, 0o644)
                net.host.ip("tuntap add tun0 mode tun")
                net.host.ip("address add 10.8.0.2/24 dev tun0")
                net.host.ip("link set tun0 up")
                net.host.ip(f"route add {cable.BOARD}/32 dev tun0 src 10.8.0.2")
                board = net.simulate(ESP_OTA_SIM)
                lost = net.upload(ESP_OTA, cable.BOARD, "-t", "1", "--retries", "0", before=before)
                self.assertEqual(lost.returncode, 5, lost)
                found = net.upload(ESP_OTA, cable.BOARD, "-I", cable.INTERFACE, before=before)
                self.assertEqual(found.returncode, 0, found)
                board.wait_for("upload result=ok")

    def test_ipv6(self):
        with cable.Cable() as net:
            net.simulate(ESP_OTA_SIM, address=cable.BOARD6)
            found = net.upload(ESP_OTA, cable.BOARD6, "-I", cable.INTERFACE)
            self.assertEqual(found.returncode, 0, found)

    def test_wrong_one(self):
        """It is this computer's trouble, and said at once."""
        with cable.Cable() as net:
            result = net.upload(ESP_OTA, cable.BOARD6, "-I", "lo")
            self.assertEqual((result.returncode, result.stdout), (1, ""), result)
            self.assertIn(f"cannot send to [{cable.BOARD6}]:8266: the interface of -I does not lead there",
                          result.stderr)
            self.assertIn("Leave out -I, or give it the address or the name", result.stderr)
            unknown = net.upload(ESP_OTA, cable.BOARD, "-I", "wlan1")
            self.assertEqual((unknown.returncode, unknown.stdout), (2, ""), unknown)
            self.assertIn("'wlan1' is not a numeric IP address of this computer, nor one of its "
                          f"interfaces with an address (lo, {cable.INTERFACE})", unknown.stderr)


if __name__ == "__main__":
    link.run_tests()
