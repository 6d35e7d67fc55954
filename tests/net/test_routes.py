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
ETHERNET = ("ip link add eth0 type veth peer name far1 && ip link set far1 up && "
            "ip address add 10.99.0.2/24 dev eth0 && ip link set eth0 up && ")
DEFAULT = "ip route add default dev wlan0 && "


class Routes(unittest.TestCase):

    def setUp(self):
        file = tempfile.NamedTemporaryFile(suffix=".bin")
        self.addCleanup(file.close)
        file.write(firmware.noise(2000))
        file.flush()
        self.image = file.name

    def run_alone(self, interfaces, *options, status=5):
        """What is said on standard error, in a network of its own."""
        run = subprocess.run(
            ["unshare", "--net", "sh", "-c", f'ip link set lo up && {interfaces} exec "$@"', "sh", ESP_OTA, *options],
            capture_output=True, text=True, timeout=DEADLINE_S, check=False)
        self.assertEqual((run.returncode, run.stdout), (status, ""), run)
        return run.stderr

    def upload(self, interfaces, board, *options):
        """What is said of a board that does not answer."""
        said = self.run_alone(interfaces, "-i", board, "-p", "8266", "-t", "1", "-f", self.image, *options)
        self.assertEqual("-I wlan0" in said, "another route takes them" in said, said)
        self.assertEqual("into the board's network" in said, "as no interface" in said, said)
        self.assertIn("attempt 2", said)  # a silence that only seems to be the way's is no proof
        return said

    def test_vpn(self):
        """A route into a tunnel takes what belongs into the local network."""
        self.assertIn("no answer from 192.168.1.7:8266 (the given port) to 1 invitation in 1 s; packets to "
                      "the board leave through tun0 (10.8.0.2), although wlan0 (192.168.1.20) is in the board's "
                      "network: a VPN or another route takes them\n",
                      self.upload(WLAN + VPN, "192.168.1.7"))

    def test_vpn_and_an_address(self):
        """-I with an address does not decide the route; it is a detour all the same."""
        self.assertIn("packets to the board leave through tun0 (192.168.1.20), although wlan0 (192.168.1.20) is in the "
                      "board's network: a VPN or another route takes them\n",
                      self.upload(WLAN + VPN, "192.168.1.7", "-I", "192.168.1.20"))

    def test_vpn_is_told_at_once(self):
        """With the first invitation that is sent again, and not after -t alone."""
        said = self.run_alone(WLAN + VPN, "-i", "192.168.1.7", "-p", "8266", "-f", self.image, "--retries", "0")
        first, *others = (line for line in said.splitlines() if "leave through tun0" in line)
        self.assertIn("no answer yet, and packets to the board leave through tun0 (10.8.0.2), although wlan0 "
                      "(192.168.1.20) is in the board's network: a VPN or another route takes them; inviting it "
                      "again", first)
        self.assertEqual(len(others), 1, said)

    def test_vpn_and_other_protocols(self):
        """It is the same for a page, ESPHome, a sketch server and a log."""
        way = ("; packets to the board leave through tun0 (10.8.0.2), although wlan0 (192.168.1.20) is in the "
               "board's network: a VPN or another route takes them\n  End the VPN,")
        for scheme in ("http", "esphome", "sketch"):
            with self.subTest(scheme):
                said = self.run_alone(WLAN + VPN, "-i", f"{scheme}://192.168.1.7", "-f", self.image, "--retries", "0")
                self.assertIn(way, said)
        said = self.run_alone(WLAN + VPN, "-i", "192.168.1.7", "--monitor", "--monitor-for", "1", status=12)
        self.assertIn(way, said)

    def test_wrong_source(self):
        """-I names an end outside of the board's network, which another interface is in."""
        way = "{} (-I) is not in the board's network, but wlan0 (192.168.1.20) is\n  Leave out -I, or give it"
        for source in ("eth0", "10.99.0.2"):
            with self.subTest(source):
                self.assertIn(way.format(source), self.upload(WLAN + ETHERNET, "192.168.1.7", "-I", source))
        said = self.run_alone(WLAN + ETHERNET, "-i", "http://192.168.1.7", "-f", self.image, "-I", "eth0", "--retries", "0")
        self.assertIn(way.format("eth0"), said)

    def test_tunnel_by_choice(self):
        """A board behind a tunnel, which -I names: nobody but its user can know."""
        said = self.upload(WLAN + VPN, "192.168.1.7", "-I", "tun0")
        self.assertIn("no answer from 192.168.1.7:8266 (the given port) to 1 invitation in 1 s\n", said)

    def test_no_network_of_the_board(self):
        """The default route takes what belongs into a network that this computer is not in."""
        self.assertIn("no answer from 192.168.4.1:8266 (the given port) to 1 invitation in 1 s; packets to "
                      "the board leave through wlan0 (192.168.1.20), as no interface of this computer is in the "
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
            self.assertIn("'wlan1' is neither an IP address of this computer nor one of its "
                          f"interfaces that have one (lo, {cable.INTERFACE})", unknown.stderr)


if __name__ == "__main__":
    link.run_tests()
