#!/usr/bin/env python3
"""Boards found by name: real avahi-daemon, D-Bus and nss-mdns, simulated boards, one private link.

Every test starts the simulated boards that it needs, so that what they print is about it alone. The
link, the daemons and what is announced are shared; a test that takes one of them away brings it
back.
"""

import concurrent.futures
import contextlib
import dataclasses
import itertools
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import mdns
from mdns import Board

PROGRAM = os.environ["ESP_OTA"]
SIMULATOR = os.environ["ESP_OTA_SIM"]
IMAGES = os.path.join(os.environ.get("ESP_OTA_SHARED", ""), "images")
PASSWORD = "correct horse: battery \"staple\""
AVAHI_SOCKET = "/run/avahi-daemon/socket"

# Times in seconds within which things happen, with ample room for a busy machine.
SOON, LOOKED_FOR = 10, 20

ESP8266, ESP32, PICO = 8266, 3232, 2040
OLD_TXT = ("board=\"ESP8266_NODEMCU\"", "tcp_check=no", "ssh_upload=no", "auth_upload=no")

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
SHED = Board("shed", ESP32, v6="fe80::77:20")
BENCH = Board("ch32h4-0a1b2c", PICO, v4="10.77.0.21")
VANISHED = Board("vanished", ESP8266, v4="10.77.0.22")

BOARDS = (KITCHEN, KITCHEN_2, LAMP, LAMP_2, GARAGE, DESK, PORCH, CELLAR, ATTIC, PICO_W, SHED, BENCH,
          VANISHED)


@dataclasses.dataclass
class Outcome:
    """What a user sees of one run."""

    arguments: tuple
    status: int
    stdout: str
    stderr: str
    seconds: float

    def __str__(self):
        return (f"{' '.join(self.arguments)}\nended with {self.status} after {self.seconds:.1f} s"
                f"\nstdout: {self.stdout}\nstderr: {self.stderr}")


def esp_ota(*arguments):
    start = time.monotonic()
    run = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                         encoding="utf-8", timeout=90, check=False)
    return Outcome(arguments, run.returncode, run.stdout, run.stderr, time.monotonic() - start)


def make_image(family, size, seed=1):
    """Looks to esp-ota like a sketch for the family; what else is in it does not matter."""
    data = bytearray(random.Random(seed).randbytes(size))
    if family != "pico":
        data[0] = 0xE9
    if family == "esp32":
        data[32:36] = (0xABCD5432).to_bytes(4, "little")
    return bytes(data)


class Link(unittest.TestCase):
    """What all tests share; setUpModule() fills it in."""

    link: mdns.Link
    directory: str
    image: str  # for an ESP8266
    numbers = itertools.count()

    def path(self, name):
        return os.path.join(self.directory, f"{next(self.numbers)}-{name}")

    def simulate(self, board, *options, address="", port=0):
        """A simulated board where board announces it, or elsewhere."""
        got = self.path("got.bin")
        process = self.link.boards.simulate(SIMULATOR, address or board.v4 or board.v6,
                                            port or board.port, "--output", got, *options)
        process.got = got
        self.addCleanup(process.stop)
        return process

    def assert_got(self, simulated, path):
        simulated.wait_for("upload result=ok")
        with open(path, "rb") as sent, open(simulated.got, "rb") as got:
            self.assertEqual(sent.read(), got.read())

    def assert_untouched(self, simulated):
        simulated.stop()
        self.assertNotIn("invitation", simulated.output)

    def assert_outcome(self, outcome, status, phrases, within):
        self.assertEqual(status, outcome.status, outcome)
        self.assertEqual("", outcome.stdout, outcome)
        self.assertLess(outcome.seconds, within, outcome)
        self.assertNotIn("Sanitizer", outcome.stderr, outcome)
        for phrase in phrases:
            self.assertIn(phrase, outcome.stderr, outcome)

    def assert_uploads(self, name, simulated, *options, says=(), image="", within=SOON):
        """name leads to the simulated board, which gets exactly the image."""
        outcome = esp_ota("-i", name, "-f", image or self.image, *options)
        self.assert_outcome(outcome, 0, (*says, "confirmed by the board"), within)
        self.assert_got(simulated, image or self.image)
        return outcome

    def assert_not_found(self, name, *phrases, within=SOON):
        outcome = esp_ota("-i", name, "-f", self.image)
        self.assert_outcome(outcome, 4, (f'"{name}" was not found: ', *phrases), within)
        return outcome

    @contextlib.contextmanager
    def without_daemon(self):
        self.link.stop_daemon()
        try:
            yield
        finally:
            self.link.start_daemon()

    @contextlib.contextmanager
    def without_bus(self):
        """avahi-daemon runs, as in a container that shares only its socket."""
        self.link.stop_daemon()
        self.link.stop_bus()
        self.link.start_daemon(dbus="no")
        try:
            yield
        finally:
            self.link.stop_daemon()
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


def setUpModule():
    Link.directory = tempfile.mkdtemp(prefix="esp-ota-mdns-")
    unittest.addModuleCleanup(shutil.rmtree, Link.directory)
    Link.link = mdns.Link(Link.directory, BOARDS)
    unittest.addModuleCleanup(Link.link.close)
    Link.link.start_bus()
    Link.link.start_daemon()
    Link.link.boards.announce()
    Link.image = os.path.join(Link.directory, "firmware.bin")
    with open(Link.image, "wb") as file:
        file.write(make_image("esp8266", 40000))


class Names(Link):
    """Which board a name means."""

    def test_host_name(self):
        board = self.simulate(KITCHEN)
        self.assert_uploads("kitchen.local", board,
                            says=["kitchen.local is 10.77.0.10, port 8266 (mDNS)"])

    def test_host_name_in_capitals_and_with_final_dot(self):
        board = self.simulate(KITCHEN)
        self.assert_uploads("KITCHEN.Local.", board, says=["is 10.77.0.10, port 8266 (mDNS)"])

    def test_instance_named_like_its_host(self):
        board = self.simulate(KITCHEN)
        self.assert_uploads("kitchen", board, says=["kitchen is 10.77.0.10, port 8266 (mDNS)"])

    def test_instance_with_spaces(self):
        board = self.simulate(LAMP)
        self.assert_uploads("Living room lamp", board,
                            says=["Living room lamp is 10.77.0.12, port 3232 (mDNS)"])

    def test_instance_with_dots_and_utf8(self):
        board = self.simulate(GARAGE)
        self.assert_uploads("Garage v2.1 – Tür №5", board,
                            says=["Garage v2.1 – Tür №5 is 10.77.0.14, port 3232 (mDNS)"])

    def test_instance_that_looks_like_a_domain(self):
        board = self.simulate(DESK)
        self.assert_uploads("desk.v2", board, says=["desk.v2 is 10.77.0.15, port 3232 (mDNS)"])

    def test_instance_in_full(self):
        board = self.simulate(LAMP)
        self.assert_uploads("Living room lamp._arduino._tcp.local", board)

    def test_similar_names(self):
        for right, wrong, names in ((KITCHEN, KITCHEN_2, ("kitchen", "kitchen.local")),
                                    (KITCHEN_2, KITCHEN, ("kitchen-2", "kitchen-2.local")),
                                    (LAMP, LAMP_2, ("Living room lamp", "lamp.local")),
                                    (LAMP_2, LAMP, ("Living room lamp #2", "lamp-2.local"))):
            for name in names:
                with self.subTest(name=name):
                    board, other = self.simulate(right), self.simulate(wrong)
                    self.assert_uploads(name, board)
                    self.assert_untouched(other)
                    board.stop()

    def test_instance_goes_before_host_and_local_means_host(self):
        for name, right, wrong in (("cellar", PORCH, CELLAR), ("porch", CELLAR, PORCH),
                                   ("cellar.local", CELLAR, PORCH), ("porch.local", PORCH, CELLAR)):
            with self.subTest(name=name):
                board, other = self.simulate(right), self.simulate(wrong)
                self.assert_uploads(name, board)
                self.assert_untouched(other)
                board.stop()

    def test_unknown_names(self):
        """One run each at the same time: Avahi needs five seconds for every "no"."""
        names = {"kitchne.local": '"kitchen.local", "kitchen-2.local", ',
                 "kitchne": '"kitchen", "kitchen-2", ',
                 "Living  room lamp": '"Living room lamp", "Living room lamp #2", ',
                 "kitchen.lan": '"kitchen", "kitchen-2", '}
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for outcome in pool.map(lambda name: esp_ota("-i", name, "-f", self.image), names):
                name = outcome.arguments[1]
                with self.subTest(name=name):
                    self.assert_outcome(outcome, 4,
                                        (f'esp-ota: {name}: resolution: "{name}" was not found: ',
                                         "multicast DNS gave no answer in ",
                                         " boards announced in this network, the most similar "
                                         f"are {names[name]}",
                                         "Check the spelling"), within=LOOKED_FOR)


class Ports(Link):
    """Where the port comes from, and that it is said."""

    def test_announced(self):
        board = self.simulate(ATTIC)
        for name in ("attic.local", "attic"):
            with self.subTest(name=name):
                self.assert_uploads(name, board, "-d",
                                    says=[f"{name} is 10.77.0.18, port 8300 (mDNS)",
                                          f"{name}: port 8300, as announced by mDNS"])
                board.wait_for(" open")

    def test_announced_by_an_instance_named_unlike_the_host(self):
        board = self.simulate(LAMP)
        self.assert_uploads("lamp.local", board, "-d",
                            says=["lamp.local: port 3232, as announced by mDNS"])

    def test_given_goes_before_announced(self):
        board = self.simulate(ATTIC, port=8400)
        for name, options in (("attic.local", ("-p", "8400")), ("attic.local:8400", ()),
                              ("attic", ("-p", "8400")), ("attic:8400", ())):
            with self.subTest(name=name):
                self.assert_uploads(name, board, "-d", *options,
                                    says=["is 10.77.0.18, port 8400 (mDNS)",
                                          "port 8400, as given"])
                board.wait_for(" open")

    def test_failure_names_port_and_source(self):
        for name, options, says in (
                ("attic", (), "nothing listens at 10.77.0.18:8300 (port: as announced by mDNS)"),
                ("attic", ("-p", "8400"), "nothing listens at 10.77.0.18:8400 (port: as given)"),
                ("10.77.0.18", (), "nothing listens at 10.77.0.18:8266 (port: the default of "
                                   "ESP8266 boards)")):
            with self.subTest(name=name, options=options):
                outcome = esp_ota("-i", name, "-f", self.image, "-t", "1", "--retries", "0",
                                  *options)
                self.assert_outcome(outcome, 5, (says,), within=SOON)


class Addresses(Link):
    """IPv4, IPv6 and both."""

    def test_both_prefers_ipv4(self):
        board = self.simulate(ATTIC)
        other = self.simulate(ATTIC, address=ATTIC.v6)
        self.assert_uploads("attic.local", board, says=["attic.local is 10.77.0.18"])
        self.assert_untouched(other)

    def test_both_but_silent_on_ipv4(self):
        """Boards speak IPv4 or nothing: what is tried, and said, is the IPv4 address."""
        silent = self.simulate(ATTIC, "--fault", "silent")
        other = self.simulate(ATTIC, address=ATTIC.v6)
        outcome = esp_ota("-i", "attic.local", "-f", self.image, "-t", "1", "--retries", "0")
        self.assert_outcome(outcome, 5, ("no answer from 10.77.0.18:8300 (port: as announced by "
                                         "mDNS) to 1 invitation in 1 s",), within=SOON)
        silent.wait_for("fault order=silent")
        self.assert_untouched(other)

    def test_global_ipv6(self):
        board = self.simulate(PICO_W, "--family", "pico")
        for name in ("pico-e66.local", "pico-e66"):
            with self.subTest(name=name):
                self.assert_uploads(name, board,
                                    says=[f"{name} is fd77::19, port 2040 (mDNS)"])
                board.wait_for(" open")

    def test_link_local_ipv6(self):
        board = self.simulate(SHED)
        for name in ("shed.local", "shed"):
            with self.subTest(name=name):
                self.assert_uploads(name, board,
                                    says=[f"{name} is fe80::77:20%lan0, port 3232 (mDNS)"])
                board.wait_for(" open")


# The board, its family and password, and how its name is given.
FAMILIES = (
    (KITCHEN, "kitchen.local", "esp8266", ("-F", "esp8266"), ""),
    (KITCHEN_2, "kitchen-2", "esp8266", ("-F", "esp8266"), PASSWORD),
    (LAMP, "Living room lamp", "esp32", ("-F", "esp32"), ""),
    (LAMP_2, "lamp-2.local", "esp32", ("-F", "esp32"), PASSWORD),
    (GARAGE, "Garage v2.1 – Tür №5", "esp32", ("-F", "esp32-sha256"), PASSWORD),
    (SHED, "shed.local", "esp32", ("-F", "esp32-sha256", "-H", "md5"), PASSWORD),
    (PICO_W, "pico-e66", "pico", ("-F", "pico"), PASSWORD),
    (BENCH, "ch32h4-0a1b2c.local", "pico", ("-F", "ch32h4"), PASSWORD),
)
REAL_IMAGES = {"esp8266": ("esp8266.bin",), "esp32": ("esp32.bin", "esp32s2.bin"), "pico": ()}


class Families(Link):
    """Firmware of every kind, byte for byte, to boards of every family."""

    def images(self, family):
        path = self.path(family + ".bin")
        with open(path, "wb") as file:
            file.write(make_image(family, 300001))
        real = [os.path.join(IMAGES, name) for name in REAL_IMAGES[family]]
        return [path, *filter(os.path.exists, real)]

    def test_every_family(self):
        for board, name, family, options, password in FAMILIES:
            options += ("--password", password) if password else ()
            for image in self.images(family):
                with self.subTest(name=name, image=image):
                    simulated = self.simulate(board, *options, "--capacity", "4194304")
                    outcome = self.assert_uploads(name, simulated, f"--auth={password}", "-d",
                                                  image=image, within=LOOKED_FOR)
                    if password:
                        self.assertNotIn(password, outcome.stderr)
                    simulated.stop()


@contextlib.contextmanager
def listening(path):
    """A socket at path that accepts connections and says nothing."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        try:
            yield server
        finally:
            os.unlink(path)


def is_called(server, timeout_s=0):
    """Whether anybody has connected, if only for a moment, or does so in time."""
    ready, _, _ = select.select([server], [], [], timeout_s)
    return bool(ready)


class Disturbances(Link):
    """Daemons that are absent, hang or restart."""

    ADVICE = ("systemctl restart avahi-daemon", "avahi-daemon and libnss-mdns", "Check the spelling")

    def test_no_daemon(self):
        with self.without_daemon():
            self.assert_not_found("kitchen.local", "multicast DNS cannot be asked (avahi-daemon is "
                                  "not on the D-Bus system bus, ", "the system resolver says \"", *self.ADVICE)
            self.assert_not_found("Living room lamp", "multicast DNS cannot be asked (avahi-daemon "
                                  "is not on the D-Bus system bus, ", *self.ADVICE)

    def test_no_bus_but_nss_mdns(self):
        board = self.simulate(KITCHEN)
        with self.without_bus():
            self.assert_uploads("kitchen.local", board, "-d",
                                says=["kitchen.local is 10.77.0.10, port 8266 (system resolver)",
                                      "port 8266, the default of ESP8266 boards"])

    def test_no_bus_and_no_nss_mdns(self):
        with self.without_bus(), self.without_nss_mdns():
            self.assert_not_found("kitchen.local", "multicast DNS cannot be asked (the D-Bus system "
                                  "bus cannot be reached)", "the system resolver says \"", *self.ADVICE)

    def test_access_denied(self):
        """The daemon runs, but the bus lets nobody talk to it."""
        board = self.simulate(KITCHEN)
        self.link.stop_daemon()
        self.link.stop_bus()
        self.link.start_bus(deny_avahi=True)
        self.link.start_daemon()
        try:
            self.assert_uploads("kitchen.local", board,
                                says=["port 8266 (system resolver)"])
            with self.without_nss_mdns():
                self.assert_not_found("kitchen.local", "multicast DNS cannot be asked (",
                                      "or the bus denies access to it)")
        finally:
            self.link.stop_daemon()
            self.link.stop_bus()
            self.link.start_bus()
            self.link.start_daemon()

    def test_bus_hangs(self):
        board = self.simulate(KITCHEN)
        with self.without_bus(), listening(mdns.BUS_SOCKET):
            self.assert_uploads("kitchen.local", board, says=["(system resolver)"])
            with self.without_nss_mdns():
                self.assert_not_found("kitchen.local", "multicast DNS cannot be asked (avahi-daemon or "
                                      "the D-Bus system bus does not answer)",
                                      *self.ADVICE)

    def test_daemon_hangs(self):
        self.link.daemon.kill(signal.SIGSTOP)
        try:
            self.assert_not_found("kitchen.local", within=LOOKED_FOR)
        finally:
            self.link.daemon.kill(signal.SIGCONT)

    @contextlib.contextmanager
    def first_attempt(self):
        """An upload to the kitchen that has lost its invitation, and stands still for now."""
        board = self.simulate(KITCHEN, "--fault", "drop-invitation")
        with subprocess.Popen([PROGRAM, "-i", "kitchen.local", "-f", self.image, "-t", "1"],
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              encoding="utf-8") as run:
            board.wait_for("fault")
            run.send_signal(signal.SIGSTOP)
            try:
                yield run, board
            finally:
                run.kill()

    def assert_second_attempt(self, run, board, says):
        run.send_signal(signal.SIGCONT)
        _, stderr = run.communicate(timeout=60)
        self.assertEqual(0, run.returncode, stderr)
        first, second = stderr.split("attempt 2 of 3")
        self.assertIn("kitchen.local is 10.77.0.10, port 8266 (mDNS)", first)
        self.assertIn(says, second)
        self.assert_got(board, self.image)

    def test_daemon_restarts_between_attempts(self):
        with self.first_attempt() as (run, board):
            with self.without_daemon():
                pass
            self.assert_second_attempt(run, board, "kitchen.local is 10.77.0.10, port 8266 (mDNS)")

    def test_daemon_stops_between_attempts(self):
        """What was found for the first attempt is good enough for the second."""
        with self.first_attempt() as (run, board), self.without_daemon(), self.without_nss_mdns():
            self.assert_second_attempt(run, board,
                                       "kitchen.local is 10.77.0.10, port 8266 (found earlier)")

    def test_board_that_vanished(self):
        """Its records outlive it in the daemon's cache."""
        board = self.simulate(VANISHED)
        self.assert_uploads("vanished.local", board)
        board.stop()
        self.link.boards.vanish()
        self.link.boards.run("ip", "address", "del", VANISHED.v4 + "/24", "dev", "air0")
        try:
            outcome = esp_ota("-i", "vanished.local", "-f", self.image, "-t", "4", "--retries", "0")
            self.assert_outcome(outcome, 5, ("vanished.local: invitation: ", "10.77.0.22",
                                             "Check "), within=LOOKED_FOR)
        finally:
            self.link.boards.run("ip", "address", "add", VANISHED.v4 + "/24", "dev", "air0")
            self.link.boards.announce()


class Numeric(Link):
    """Numeric addresses need neither D-Bus nor Avahi, so nobody is asked."""

    def test_nobody_is_asked(self):
        four, six = self.simulate(KITCHEN), self.simulate(PICO_W)
        self.link.stop_daemon()
        self.link.stop_bus()
        try:
            with listening(mdns.BUS_SOCKET) as bus, listening(AVAHI_SOCKET) as avahi:
                self.assert_uploads("10.77.0.10", four, "-d", says=["port 8266, the default of "])
                self.assert_uploads("fd77::19", six, "-p", "2040", says=["confirmed"])
                self.assertFalse(is_called(bus))
                self.assertFalse(is_called(avahi))
                # They would have noticed.
                with subprocess.Popen([PROGRAM, "-i", "kitchen.local", "-f", self.image]) as run:
                    self.assertTrue(is_called(bus, SOON))
                    self.assertTrue(is_called(avahi, SOON))
                    run.terminate()
                self.assertEqual(128 + signal.SIGTERM, run.returncode)
        finally:
            self.link.start_bus()
            self.link.start_daemon()


def read_proc(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def sockets(pid):
    """The sockets that a process has open, by the names that the kernel gives them."""
    directory = f"/proc/{pid}/fd"
    links = (os.readlink(os.path.join(directory, number)) for number in os.listdir(directory))
    return {link for link in links if link.startswith("socket:")}


class Helpers(Link):
    """The processes in which esp-ota asks what may hang."""

    def test_nothing_is_left_to_them(self):
        board = self.simulate(KITCHEN, "--fault", "silent")
        command = [PROGRAM, "-i", "kitchen.local", "-f", self.image, "-t", "60", "-a", PASSWORD]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            board.wait_for("fault")
            helpers = read_proc(run.pid, f"task/{run.pid}/children").split()
            self.assertEqual(1, len(helpers))
            pid = int(helpers[0])
            self.assertNotIn(b") Z ", read_proc(pid, "stat"))
            self.assertEqual(set(), sockets(run.pid) & sockets(pid))
            self.assertNotIn(PASSWORD.encode(), read_proc(pid, "cmdline"))
            gone = os.pidfd_open(pid)
            run.kill()
        ready, _, _ = select.select([gone], [], [], SOON)
        os.close(gone)
        self.assertTrue(ready, "the helper outlives esp-ota")


class Requirements(unittest.TestCase):
    """On a machine that lacks something this test fails, unless skipping it is allowed."""

    def run_without_tools(self, **environment):
        kept = {name: os.environ[name] for name in ("ESP_OTA", "ESP_OTA_SIM")}
        return subprocess.run([sys.executable, os.path.abspath(__file__)],
                              env={"PATH": "/nonexistent", **kept, **environment},
                              capture_output=True, encoding="utf-8", timeout=60, check=False)

    def test_failure(self):
        outcome = self.run_without_tools(CI="true")
        self.assertEqual(1, outcome.returncode, outcome)
        self.assertIn("FAILED: ", outcome.stderr)
        self.assertIn("not installed: unshare, ", outcome.stderr)

    def test_permission_to_skip(self):
        outcome = self.run_without_tools(ESP_OTA_ALLOW_SKIP="1")
        self.assertEqual(mdns.SKIPPED, outcome.returncode, outcome)
        self.assertIn("SKIPPED: ", outcome.stderr)


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
