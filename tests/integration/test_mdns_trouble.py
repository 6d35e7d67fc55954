#!/usr/bin/env python3
"""Finding boards where D-Bus, avahi-daemon, nss-mdns or the board itself is missing, hangs or comes
back; and that whoever gives an address depends on none of them."""

import contextlib
import os
import select
import signal
import socket
import tempfile
import time
import unittest

import firmware
import mdns
from mdns_case import (DESK, KITCHEN, LAMP, LOOKED_FOR, MOVING, OnLink, PASSWORD, PICO_W, SOON,
                       VANISHING, share_link)
import scenario

AVAHI_SOCKET = "/run/avahi-daemon/socket"
ADVICE = ("systemctl restart avahi-daemon", "avahi-daemon and libnss-mdns", "IP address with -i")


def setUpModule():
    share_link(KITCHEN, LAMP, DESK, PICO_W, VANISHING, MOVING)


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


def is_readable(what, timeout_s=0):
    """A listening socket: whether anybody has connected, if only for a moment. A pidfd: whether
    the process has ended."""
    ready, _, _ = select.select([what], [], [], timeout_s)
    return bool(ready)


def addresses(name):
    """What nss-mdns says, and so the daemon."""
    try:
        return socket.gethostbyname_ex(name)[2]
    except OSError:
        return []


class Absent(OnLink):
    """What is not there, or not for everybody."""

    def test_no_daemon(self):
        why = "multicast DNS cannot be asked (avahi-daemon is not on the D-Bus system bus, "
        with self.without_daemon():
            self.assert_not_found("kitchen.local", why, 'the system resolver says "', *ADVICE)
            self.assert_not_found("Living room lamp", why, *ADVICE)
            for name in ("kitchen,", "kitchen;lamp", "lamp, 10.77.0.12"):
                self.assert_not_found(name, why, "; a comma or semicolon does not separate names\n", *ADVICE)

    def test_no_library(self):
        """An empty file stands in for a libavahi-client that is not installed."""
        board = self.simulate(KITCHEN)
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "libavahi-client.so.3"), "wb"):
                pass
            result = scenario.run("-i", "kitchen.local", "-f", self.image, "-d",
                                  LD_LIBRARY_PATH=directory)
            self.assert_result(result, 0, ("] multicast DNS cannot be asked (",
                                           "libavahi-client.so.3: file too short",
                                           "(system resolver), port 8266 (the default port of ESP8266 boards)"), within=SOON)
            board.stop()
            install = r"libavahi-client\.so\.3: file too short\).*\n  Install the library \(.* libavahi-client3\), or "
            for arguments in (("-l",), ("--all", "-f", self.image), ("-i", "cellar.local", "-f", self.image)):
                with self.subTest(arguments):
                    result = scenario.run(*arguments, LD_LIBRARY_PATH=directory)
                    self.assertEqual(4, result.status, result)
                    self.assertRegex(result.err, install)

    def test_no_bus_but_nss_mdns(self):
        """As in a container that shares no more than the daemon's socket."""
        board = self.simulate(KITCHEN)
        with self.without_bus():
            self.link.start_daemon(dbus="no")
            self.assert_uploads("kitchen.local", board, "-d",
                                says=["kitchen.local is 10.77.0.10 (system resolver), port 8266 (the default port of "
                                      "ESP8266 boards)\n",
                                      "] multicast DNS cannot be asked (the D-Bus system bus "
                                      "cannot be reached)"])
            self.link.stop_daemon()

    def test_no_bus_and_no_nss_mdns(self):
        with self.without_bus(), self.without_nss_mdns():
            self.assert_not_found("kitchen.local", "multicast DNS cannot be asked (the D-Bus "
                                  "system bus cannot be reached)", 'the system resolver says "',
                                  *ADVICE)

    def test_access_denied(self):
        """The daemon runs, but the bus lets nobody talk to it."""
        board = self.simulate(KITCHEN)
        with self.without_bus():
            self.link.start_bus(deny_avahi=True)
            self.link.start_daemon()
            self.assert_uploads("kitchen.local", board, says=["(system resolver), port 8266 (the default port of ESP8266 boards)"])
            with self.without_nss_mdns():
                self.assert_not_found("kitchen.local", "multicast DNS cannot be asked (",
                                      "or the bus denies access to it)")
            self.link.stop_daemon()

    def test_board_that_vanished(self):
        """Its records outlive it in the daemon's cache."""
        board = self.simulate(VANISHING)
        self.assert_uploads("vanishing.local", board)
        board.stop()
        self.link.boards.vanish()
        self.link.boards.change_address("delete", VANISHING.v4)
        try:
            result = scenario.run("-i", "vanishing.local", "-f", self.image, "-t", "4",
                                  "--retries", "0")
            self.assert_result(result, 5, ("vanishing.local is 10.77.0.22 (mDNS), port 8266",
                                           "vanishing.local: invitation: ", "10.77.0.22",
                                           "Check "), within=LOOKED_FOR)
        finally:
            self.link.boards.change_address("add", VANISHING.v4)
            self.link.boards.announce()


class Hanging(OnLink):
    """What is there, but does not answer."""

    def test_bus(self):
        board = self.simulate(KITCHEN)
        with self.without_bus(), listening(mdns.BUS_SOCKET):
            self.link.start_daemon(dbus="no")
            self.assert_uploads("kitchen.local", board, says=["(system resolver)"])
            with self.without_nss_mdns():
                self.assert_not_found("kitchen.local", "multicast DNS cannot be asked "
                                      "(avahi-daemon or the D-Bus system bus does not answer)",
                                      *ADVICE)
            self.link.stop_daemon()

    def test_daemon(self):
        self.link.daemon.kill(signal.SIGSTOP)
        try:
            self.assert_not_found("kitchen.local", "(avahi-daemon or the D-Bus system bus does not "
                                  "answer)", "the system resolver gave no answer in 10.0 s",
                                  *ADVICE, within=LOOKED_FOR)
        finally:
            self.link.daemon.kill(signal.SIGCONT)

    def test_name_server(self):
        """A name with a dot is looked for in the DNS first; an instance may have one, too."""
        board = self.simulate(DESK)
        with socket.socket(type=socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 53))
            self.assert_uploads("desk.v2", board, says=["desk.v2 is 10.77.0.15 (mDNS), port 3232"])
            self.assertTrue(is_readable(server))


class Returning(OnLink):
    """A second attempt at a board whose first invitation was lost."""

    @contextlib.contextmanager
    def first_attempt(self, where=KITCHEN):
        """The upload stands still until assert_second_attempt()."""
        board = self.simulate(where, "--fault", "drop-invitation")
        run = scenario.Program("-i", where.local, "-f", self.image, "-t", "1")
        board.wait_for("fault")
        run.send_signal(signal.SIGSTOP)
        yield run, board

    def assert_second_attempt(self, run, board, says, where=KITCHEN):
        run.send_signal(signal.SIGCONT)
        result = run.result()
        self.assert_result(result, 0, ("attempt 2 of 3",), within=LOOKED_FOR)
        first, second = result.err.split("attempt 2 of 3")
        self.assertIn(f"{where.local} is {where.v4} (mDNS), port 8266", first)
        self.assertIn(says, second)
        self.assert_got(board, self.image)

    def test_daemon_has_restarted(self):
        with self.first_attempt() as (run, board):
            with self.without_daemon():
                pass
            self.assert_second_attempt(run, board, "kitchen.local is 10.77.0.10 (mDNS), port 8266")

    def test_daemon_has_stopped(self):
        """What was found for the first attempt is good enough for the second."""
        with self.first_attempt() as (run, board), self.without_daemon(), self.without_nss_mdns():
            self.assert_second_attempt(run, board,
                                       "kitchen.local is 10.77.0.10 (found earlier), port 8266")

    def test_board_has_another_address(self):
        with self.first_attempt(MOVING) as (run, board):
            board.stop()
            moved = self.link.boards.move("moving", "10.77.0.30")
            self.wait_until_known(moved)
            self.assert_second_attempt(run, self.simulate(moved),
                                       "moving.local is 10.77.0.30 (mDNS), port 8266", MOVING)

    def wait_until_known(self, board):
        """For a moment the daemon has the old address still in its cache."""
        deadline = time.monotonic() + scenario.DEADLINE_S
        while addresses(board.local) != [board.v4]:
            self.assertLess(time.monotonic(), deadline)


class Numeric(OnLink):
    """At a numeric address the announcement is welcome, and nothing depends on it."""

    GIVEN_UP = "multicast DNS cannot be asked"  # said by -d, after two seconds where something hangs

    def assert_not_held_up(self, name, board, *options, image=""):
        result = self.assert_uploads(name, board, "-d", *options, image=image)
        self.assertNotIn(self.GIVEN_UP, result.err)

    def test_bus_that_hangs(self):
        four, six = self.simulate(KITCHEN), self.simulate(PICO_W, "--family", "pico")
        with self.without_bus(), listening(mdns.BUS_SOCKET) as bus, listening(AVAHI_SOCKET) as avahi:
            self.assert_not_held_up("10.77.0.10", four)
            self.assert_not_held_up("fd77::19", six, "-p", "2040",
                                    image=self.file("pico.bin", firmware.rp2040()))
            self.assertTrue(is_readable(bus))
            self.assertFalse(is_readable(avahi))
            # It would have noticed.
            run = scenario.Program("-i", "kitchen.local", "-f", self.image)
            self.assertTrue(is_readable(avahi, scenario.DEADLINE_S))
            run.send_signal(signal.SIGTERM)
            self.assertEqual(-signal.SIGTERM, run.result().status)

    def test_daemon_that_hangs(self):
        board = self.simulate(KITCHEN)
        self.link.daemon.kill(signal.SIGSTOP)
        try:
            self.assert_not_held_up("10.77.0.10", board)
        finally:
            self.link.daemon.kill(signal.SIGCONT)

    def test_no_daemon(self):
        board = self.simulate(KITCHEN)
        with self.without_daemon():
            result = self.assert_uploads("10.77.0.10", board)
        self.assertNotIn("DNS", result.err)

    def test_no_bus(self):
        """Nobody is asked, which would have failed at once."""
        board = self.simulate(KITCHEN)
        with self.without_bus():
            self.assert_not_held_up("10.77.0.10", board)


def read_proc(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def sockets(pid):
    """The sockets that a process has open, by the names that the kernel gives them."""
    directory = f"/proc/{pid}/fd"
    links = (os.readlink(os.path.join(directory, number)) for number in os.listdir(directory))
    return {link for link in links if link.startswith("socket:")}


class Helper(OnLink):
    """The process in which esp-ota asks what may hang."""

    def test_it_has_nothing_of_its_parent(self):
        board = self.simulate(KITCHEN, "--fault", "silent")
        run = scenario.Program("-i", "kitchen.local", "-f", self.image, "-t", "60", "-a", PASSWORD)
        board.wait_for("fault")
        helpers = read_proc(run.pid, f"task/{run.pid}/children").split()
        self.assertEqual(1, len(helpers))
        helper = int(helpers[0])
        self.assertNotIn(b") Z ", read_proc(helper, "stat"))
        self.assertEqual(set(), sockets(run.pid) & sockets(helper))
        self.assertNotIn(PASSWORD.encode(), read_proc(helper, "cmdline"))
        ended = os.pidfd_open(helper)
        self.addCleanup(os.close, ended)
        run.send_signal(signal.SIGKILL)
        self.assertEqual(-signal.SIGKILL, run.result().status)
        self.assertTrue(is_readable(ended, scenario.DEADLINE_S), "the helper outlives esp-ota")


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
