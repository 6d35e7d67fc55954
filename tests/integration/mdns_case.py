"""What the tests with a real avahi-daemon share: one link, the boards on it, and the assertions.

Every test starts the simulated boards that it needs, so that what they print is about it alone. The
link, the daemons and what is announced are shared by a module; a test that takes one of them away
brings it back.
"""

import contextlib
import os
import shutil
import tempfile
import unittest

import firmware
import mdns
from mdns import Board
import scenario

PASSWORD = 'correct horse: battery "staple"'

# Seconds within which things happen, with ample room for a busy machine.
SOON, LOOKED_FOR = 10, 20

ESP8266, ESP32, PICO = 8266, 3232, 2040
OLD_TXT = ('board="ESP8266_NODEMCU"', "tcp_check=no", "ssh_upload=no", "auth_upload=no")

KITCHEN = Board("kitchen", ESP8266, v4="10.77.0.10", txt=OLD_TXT)
KITCHEN_2 = Board("kitchen-2", ESP8266, v4="10.77.0.11")
LAMP = Board("lamp", ESP32, "Living room lamp", v4="10.77.0.12")
LAMP_2 = Board("lamp-2", ESP32, "Living room lamp #2", v4="10.77.0.13")
GARAGE = Board("garage", ESP32, "Garage v2.1 – Tür №5", v4="10.77.0.14")
DESK = Board("esp32-24a160", ESP32, "desk.v2", v4="10.77.0.15")
# Two that are called like each other's hosts.
PORCH = Board("porch", ESP8266, "cellar", v4="10.77.0.16")
CELLAR = Board("cellar", ESP8266, "porch", v4="10.77.0.17")
ATTIC = Board("attic", 8300, v4="10.77.0.18", v6="fd77::18")
PICO_W = Board("pico-e66", PICO, v6="fd77::19")
SHED = Board("shed", ESP32, v6="fe80::77:20", txt=("auth_upload=no", "board=lolin_s2_mini"))
BENCH = Board("ch32h4-0a1b2c", PICO, v4="10.77.0.21", txt=("auth_upload=no", "board=ch32h417"))
# Its access point's address, and one that it had before.
STATION = Board("station", ESP8266, v4="10.77.0.24", stale="192.168.4.1", txt=OLD_TXT)
MOVED = Board("moved", ESP8266, v4="10.77.0.25", stale="10.77.0.26", txt=OLD_TXT)
VANISHING = Board("vanishing", ESP8266, v4="10.77.0.22")
MOVING = Board("moving", ESP8266, v4="10.77.0.23")


def make_image(family, size=40000):
    """A sketch for the family, or what might be one."""
    makers = {"esp8266": lambda: firmware.esp8266(size), "esp32": lambda: firmware.esp32_sketch(size),
              "esp32s2": lambda: firmware.esp32_sketch(size, chip=2), "pico": lambda: firmware.rp2040(size)}
    return makers.get(family, lambda: scenario.image(size, first=0x12))()


class OnLink(scenario.Scenario):
    """Base of the tests."""

    link: mdns.Link  # from share_link()

    def setUp(self):
        super().setUp()
        self.image = self.file("firmware.bin", scenario.image(40000))  # for any chip

    def simulate(self, board, *options, address="", port=0):
        """A simulated board where board announces it, or elsewhere."""
        got = os.path.join(scenario.folder(self.directory), "got.bin")
        process = self.link.boards.simulate(scenario.SIMULATOR, address or board.v4 or board.v6,
                                            port or board.port, "--output", got, *options)
        process.got = got
        self.addCleanup(process.stop)
        return process

    def lead_through_vpn(self, *addresses):
        """Routes to these addresses like a VPN's, through tun7. Returns what runs a command at its other end."""
        holder = mdns.Process("unshare", "--net", "sh", "-c", "ip link set lo up && echo ready && exec cat")
        self.addCleanup(holder.stop)
        holder.wait_for("ready")
        far = ("nsenter", "--net", "--target", str(holder.pid), "--")
        mdns.run(*f"ip link add tun7 type veth peer name tun8 netns {holder.pid}".split())
        self.addCleanup(mdns.run, "ip", "link", "delete", "tun7")
        for line in ("address add 10.99.0.2/24 dev tun7", "link set tun7 up",
                     *(f"route add {address}/32 dev tun7" for address in addresses)):
            mdns.run("ip", *line.split())
        for line in ("address add 10.99.0.3/24 dev tun8", "link set tun8 up"):
            mdns.run(*far, "ip", *line.split())
        return far

    def assert_got(self, simulated, path):
        simulated.wait_for("upload result=ok")
        with open(path, "rb") as sent, open(simulated.got, "rb") as got:
            self.assertEqual(sent.read(), got.read())

    def assert_untouched(self, simulated):
        simulated.stop()
        self.assertNotIn("invitation", simulated.output)

    def assert_result(self, result, status, phrases, within):
        self.assertEqual(status, result.status, result)
        self.assertEqual("", result.out, result)
        self.assertLess(result.undelayed, within, result)
        self.assertNotIn("Sanitizer", result.err, result)
        for phrase in phrases:
            self.assertIn(phrase, result.err, result)

    def assert_uploads(self, name, simulated, *options, says=(), image="", within=SOON):
        """name leads to the simulated board, which gets exactly the image."""
        result = scenario.run("-i", name, "-f", image or self.image, *options)
        self.assert_result(result, 0, (*says, "confirmed by the board"), within)
        self.assert_got(simulated, image or self.image)
        return result

    def until(self, phrase, attempt):
        """What attempt() returns once its errors contain phrase. For what comes in time or not at all: on a
        busy machine an announcement may take longer than an upload to an address waits for it."""
        for _ in range(8):
            result = attempt()
            if phrase in result.err:
                return result
        raise AssertionError(result)

    def assert_not_found(self, name, *phrases, within=SOON):
        result = scenario.run("-i", name, "-f", self.image)
        self.assert_result(result, 4, ('not found: ', *phrases), within)

    @contextlib.contextmanager
    def without_daemon(self):
        self.link.stop_daemon()
        try:
            yield
        finally:
            self.link.start_daemon()

    @contextlib.contextmanager
    def without_bus(self):
        self.link.stop_daemon()
        self.link.stop_bus()
        try:
            yield
        finally:
            self.link.stop_bus()
            self.link.start_bus()
            self.link.start_daemon()

    @contextlib.contextmanager
    def without_nss_mdns(self):
        self.link.use_nss_mdns(False)
        try:
            yield
        finally:
            self.link.use_nss_mdns(True)


def share_link(*boards):
    """What setUpModule() does: boards announce themselves to a host that runs Avahi."""
    directory = tempfile.mkdtemp(prefix="esp-ota-mdns-")
    unittest.addModuleCleanup(shutil.rmtree, directory)
    OnLink.link = mdns.Link(directory, boards)
    unittest.addModuleCleanup(OnLink.link.close)
    OnLink.link.start_bus()
    OnLink.link.start_daemon()
    OnLink.link.boards.announce()
