#!/usr/bin/env python3
"""A board that does not answer: whether anybody has its address, as far as the kernel knows."""

import os
import re
import subprocess
import unittest

import cable
import link

ESP_OTA = os.environ["ESP_OTA"]
ESP_OTA_SIM = os.environ["ESP_OTA_SIM"]
ABSENT, ABSENT6 = "192.168.1.9", "fd77::9"
THERE, NOBODY = "another device has the address now", "where no device has the address"


class Neighbors(unittest.TestCase):

    def silence(self, net, board, *options):
        """What is said in the end of a board that is not heard."""
        result = net.upload(ESP_OTA, board, "--retries", "0", *options)
        self.assertEqual((result.returncode, result.stdout), (5, ""), result)
        return result.stderr

    def test_nobody(self):
        """After a second, and once the kernel has given up, too: it then refuses to send."""
        with cable.Cable() as net:
            for board, protocol in ((ABSENT, "ARP"), (ABSENT6, "neighbor discovery")):
                for seconds in "1", "5":
                    with self.subTest((board, seconds)):
                        said = self.silence(net, board, "-t", seconds)
                        self.assertIn(f"; nobody on wlan0 answers {protocol} for {board}\n", said)
                        self.assertIn(NOBODY, said)

    def test_log(self):
        """Without an upload, too."""
        with cable.Cable() as net:
            result = net.run(ESP_OTA, "-i", ABSENT, "--monitor", "--monitor-for", "1")
            self.assertEqual((result.returncode, result.stdout), (12, ""), result)
            self.assertRegex(result.stderr, r"its log was never reached: \w[^;\n]*; nobody on wlan0 answers ARP for "
                                            rf"{re.escape(ABSENT)}\n")
            self.assertIn(NOBODY, result.stderr)

    def test_there(self):
        """It answers ARP, and not us."""
        with cable.Cable() as net:
            for board, protocol in ((cable.BOARD, "ARP"), (cable.BOARD6, "neighbor discovery")):
                net.simulate(ESP_OTA_SIM, "--fault", "silent", address=board)
                said = self.silence(net, board, "-t", "1")
                self.assertRegex(said, rf"no answer from .* in 1 s; {re.escape(board)} is there, as it answered "
                                       rf"{protocol} on wlan0 \d+ s ago\n")
                self.assertIn(THERE, said)

    def test_was_there(self):
        """What it answered before the attempt proves little: it may have gone."""
        with cable.Cable() as net:
            net.simulate(ESP_OTA_SIM, "--fault", "silent", address=cable.BOARD)
            self.assertIn("is there", self.silence(net, cable.BOARD, "-t", "1"))
            net.board.ip(f"address delete {cable.BOARD}/24 dev far0")
            for _ in range(60):
                said = self.silence(net, cable.BOARD, "-t", "0.5")
                if "is there" not in said:
                    break
            self.assertRegex(said, rf"; ({re.escape(cable.BOARD)} was there \d+ s ago, when it answered ARP on wlan0|"
                                   rf"nobody on wlan0 answers ARP for {re.escape(cable.BOARD)})\n")
            self.assertNotIn(THERE, said)

    def test_refused(self):
        """Who refuses is there; nothing is to be added."""
        with cable.Cable() as net:
            said = self.silence(net, cable.BOARD, "-t", "1")
            self.assertIn(f"invitation: nothing listens at {cable.BOARD}:8266 (the given port)\n", said)

    def test_behind_a_router(self):
        """Nobody can know."""
        with cable.Cable() as net:
            net.host.ip(f"route add 203.0.113.0/24 via {cable.BOARD}")
            net.board.ip("route add blackhole 203.0.113.0/24")
            said = self.silence(net, "203.0.113.7", "-t", "1")
            self.assertNotRegex(said, "ARP|is there")

    def test_router_that_forbids_it(self):
        """It is the router's word, and this computer is not blamed."""
        with cable.Cable() as net:
            net.host.ip(f"route add 2001:db8::/64 via {cable.BOARD6}")
            net.board.ip("route add 2001:db8::/64 dev far0")
            for command in (("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"),
                            ("nft", "table inet t { chain c { type filter hook forward priority 0; "
                                    "reject with icmpx type admin-prohibited; }; }")):
                subprocess.run(net.board.command(*command), check=True)
            said = self.silence(net, "2001:db8::7", "-t", "1")
            self.assertIn("invitation: [2001:db8::7]:8266 cannot be reached: No route to host\n  Check the address", said)

    def test_interface(self):
        """-I asks about the interface that it names."""
        with cable.Cable() as net:
            said = self.silence(net, ABSENT, "-t", "1", "-I", "wlan0")
            self.assertIn(f"; nobody on wlan0 answers ARP for {ABSENT}\n", said)


if __name__ == "__main__":
    link.run_tests()
