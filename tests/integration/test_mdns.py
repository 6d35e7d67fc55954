#!/usr/bin/env python3
"""Boards found by name through a real avahi-daemon: which board, which port, which address."""

import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import unittest

import firmware
import ide
import mdns
from mdns_case import (ATTIC, BENCH, CELLAR, DESK, GARAGE, KITCHEN, KITCHEN_2, LAMP, LAMP_2,
                       LOOKED_FOR, MOVED, OnLink, PASSWORD, PICO_W, PORCH, SHED, SOON, STATION, make_image,
                       share_link)
import requirement
import scenario


def setUpModule():
    share_link(KITCHEN, KITCHEN_2, LAMP, LAMP_2, GARAGE, DESK, PORCH, CELLAR, ATTIC, PICO_W, SHED,
               BENCH, STATION, MOVED)


class Chips(OnLink):
    """The image must be for the chip that the board announces."""

    def test_wrong_chip(self):
        """Status 3, and the board has heard nothing; --force sends it and says so."""
        path = self.file("esp32.bin", make_image("esp32"))
        for name in ("kitchen", "kitchen.local"):
            with self.subTest(name=name):
                board = self.simulate(KITCHEN)
                result = scenario.run("-i", name, "-f", path)
                self.assert_result(result, 3, [
                    'the image is for the chip esp32, but the board announces itself as '
                    '"ESP8266_NODEMCU" (esp8266): an ESP8266 accepts such an image but cannot start it, '
                    'and then needs a cable (--force sends it anyway)'], SOON)
                self.assert_untouched(board)
                board.stop()
        board = self.simulate(KITCHEN, "--family", "pico")
        result = scenario.run("-i", "kitchen", "--force", "-f", path)
        self.assert_result(result, 0, ["overridden by --force", "confirmed by the board"], SOON)
        board.stop()

    def test_by_address_or_port(self):
        """The announcement is found also where the upload could do without: at an address, with -p."""
        path = self.file("esp32.bin", make_image("esp32"))
        for options in (("-i", KITCHEN.v4), ("-i", f"{KITCHEN.v4}:{KITCHEN.port}"),
                        ("-i", "kitchen.local", "-p", "8266"), ("-i", "kitchen", "-p", "8266")):
            with self.subTest(options):
                result = self.until("is for the chip esp32",
                                    lambda: scenario.run(*options, "-f", path, "-t", "1", "--retries", "0"))
                self.assert_result(result, 3, ['announces itself as "ESP8266_NODEMCU"'], SOON)
        other = self.simulate(ATTIC, address=KITCHEN_2.v4, port=8300)
        result = scenario.run("-i", KITCHEN_2.v4, "-p", "8300", "-f", self.image, "-d")
        self.assert_result(result, 0, ["port 8300, the given port", "confirmed by the board"], SOON)
        self.assert_got(other, self.image)


class OtherProtocol(OnLink):

    def test_arduino_ota(self):
        """A board that was asked by another protocol than it announces."""
        for target in ("esphome://kitchen.local", "http://" + KITCHEN.v4):
            with self.subTest(target):
                result = self.until(
                    "; the board announces ArduinoOTA (_arduino._tcp)",
                    lambda target=target: scenario.run("-i", target, "-f", self.image, "-t", "1", "--retries", "0"))
                self.assert_result(result, 5, ("Write espota:// before the board's name",), SOON)


class Names(OnLink):
    """Which board a name means."""

    def test_every_kind_of_name(self):
        for name, board, where in (
                ("kitchen.local", KITCHEN, "10.77.0.10 (mDNS), port 8266"),
                ("KITCHEN.Local.", KITCHEN, "10.77.0.10 (mDNS), port 8266"),
                ("kitchen", KITCHEN, "10.77.0.10 (mDNS), port 8266"),
                ("Living room lamp", LAMP, "10.77.0.12 (mDNS), port 3232"),
                ("Living room lamp._arduino._tcp.local", LAMP, "10.77.0.12 (mDNS), port 3232"),
                ("Garage v2.1 – Tür №5", GARAGE, "10.77.0.14 (mDNS), port 3232"),
                (r"Garage\032v2\.1\032\226\128\147\032T\195\188r\032\226\132\1505", GARAGE, "10.77.0.14 (mDNS), port 3232"),
                ("desk.v2", DESK, "10.77.0.15 (mDNS), port 3232")):
            with self.subTest(name=name):
                simulated = self.simulate(board)
                self.assert_uploads(name, simulated, says=[f" is {where} ("])
                simulated.stop()

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
        names = {"kitchne.local": 'are "kitchen.local", "kitchen-2.local"',
                 "kitchne": 'are "kitchen", "kitchen-2"',
                 "Living  room lamp": 'are "Living room lamp", "Living room lamp #2"',
                 "kitchen.lan": 'is "kitchen"'}
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for result in pool.map(lambda name: scenario.run("-i", name, "-f", self.image), names):
                name = result.arguments[1]
                with self.subTest(name=name):
                    self.assert_result(result, 4,
                                       (f'esp-ota: {name}: resolution: not found: ',
                                        "multicast DNS gave no answer in ",
                                        " boards announced here, the most similar "
                                        + names[name],
                                        "\n  Check the spelling of the name ("), within=LOOKED_FOR)

    def test_names_in_one(self):
        """Commas and semicolons do not separate boards; one comma too many does no harm to the advice."""
        names = ("kitchen,lamp", "lamp ; kitchen", "kitchen,")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for result in pool.map(lambda name: scenario.run("-i", name, "-f", self.image), names):
                with self.subTest(result.arguments[1]):
                    self.assert_result(result, 4, ("resolution: not found: ", 'the most similar',
                                                   "\n  Give one name with each -i, and one in each line of a list"),
                                       within=LOOKED_FOR)


class File(OnLink):
    """/etc/hosts goes before multicast DNS and all others."""

    def test_host_and_label(self):
        self.addCleanup(self.link.write_hosts)
        self.link.write_hosts(f"{LAMP.v4} kitchen.local kitchen  # here, for now", "10.77.0.99 nobody.example.org")
        board, other = self.simulate(LAMP), self.simulate(KITCHEN)
        for name in ("kitchen.local", "Kitchen"):
            with self.subTest(name=name):
                self.assert_uploads(name, board, says=[f"{name} is {LAMP.v4} (/etc/hosts), port 3232"])
                board.wait_for(" open")
        self.assert_untouched(other)
        result = scenario.run("-i", "nobody.example.org", "-f", self.image, "-t", "1", "--retries", "0")
        self.assert_result(result, 5, ("nobody.example.org is 10.77.0.99 (/etc/hosts), port 8266",), SOON)

    def test_resume_with_its_address(self):
        """The host of a name that has confirmed may have another name on multicast DNS: its address gets no other image."""
        self.addCleanup(self.link.write_hosts)
        self.link.write_hosts(f"{LAMP.v4} bulb bulb.local bulb.example.org")
        other = self.file("other.bin", firmware.esp8266(24000))
        for name, second in (("bulb", LAMP.v4), ("bulb.local", LAMP.v4), ("bulb.example.org", "lamp.local"), ("bulb", "lamp")):
            with self.subTest(name, second=second):
                board = self.simulate(LAMP)
                hosts = self.file("list", f"{name}\n{second} file={other}\n".encode())
                arguments = ("--hosts", hosts, "-f", self.image, "-j", "1", "--json", "--force")
                result = scenario.run(*arguments)
                self.assertEqual(result.status, 2, result)
                result = scenario.run(*arguments, "--resume", self.file("report", result.out.encode()))
                self.assertEqual(result.status, 4, result)
                self.assertIn(f"{second}: resolution: has the address at which {name} got another image in an earlier run", result.err)
                self.assert_got(board, self.image)
                board.stop()

    def test_log_at_the_second_address(self):
        """A log is looked for at each address of a name, as a board is for an upload."""
        self.addCleanup(self.link.write_hosts)
        self.link.write_hosts("10.77.0.99 two.example.org", f"{LAMP.v4} two.example.org")
        self.simulate(LAMP, "--telnet", "2323", "--say", "hello")
        result = scenario.run("-i", "two.example.org", "--monitor=2323", "--expect", "hello")
        self.assertEqual((result.status, result.out), (0, "hello\n"), result)
        self.assertIn("two.example.org: log connected (TCP port 2323)", result.err)

    def test_ide_at_the_second_address(self):
        self.addCleanup(self.link.write_hosts)
        self.link.write_hosts("10.77.0.99 two.example.org", f"{LAMP.v4} two.example.org")
        self.simulate(LAMP, "--telnet", "2323", "--say", "hello")
        listener, tool = ide.Listener(), ide.Tool("--pluggable-monitor")
        self.addCleanup(listener.close)
        self.addCleanup(tool.close)
        tool.ask('HELLO 1 "test"')
        self.assertEqual(tool.ask(f"OPEN {listener.address} two.example.org:2323"), ide.done("open"))
        client = listener.accept()
        self.addCleanup(client.close)
        ide.read_until(client, b"hello")

    def test_address_of_no_board(self):
        """As blockers of advertisements answer; 0.0.0.0 would be this computer."""
        self.addCleanup(self.link.write_hosts)
        for where in ("0.0.0.0", "::", "224.0.0.1", "255.255.255.255"):
            with self.subTest(where=where):
                self.link.write_hosts(f"{where} blocked.example.org")
                result = scenario.run("-i", "blocked.example.org", "-f", self.image, "-t", "1", "--retries", "0")
                self.assert_result(result, 4, (f'the system resolver says "{where}, which is not the address of one '
                                               'board"',), LOOKED_FOR)


class Ports(OnLink):
    """Where the port comes from, and that it is said."""

    def test_announced(self):
        board = self.simulate(ATTIC)
        for name in ("attic.local", "attic"):
            with self.subTest(name=name):
                self.assert_uploads(name, board, "-d",
                                    says=[f"{name} is 10.77.0.18 (mDNS), port 8300 (the announced port)"])
                board.wait_for(" open")

    def test_announced_by_an_instance_named_unlike_the_host(self):
        board = self.simulate(LAMP)
        self.assert_uploads("lamp.local", board, "-d",
                            says=["lamp.local is 10.77.0.12 (mDNS), port 3232 (the announced port)"])

    def test_announced_at_an_address(self):
        """A fleet of addresses, of which one is not announced."""
        boards = [self.simulate(board) for board in (ATTIC, LAMP)]
        unknown = self.simulate(LAMP, address=KITCHEN.v4, port=8400)
        targets = ("-i", ATTIC.v4, "-i", LAMP.v4, "-i", KITCHEN.v4 + ":8400")
        result = self.until(f"{LAMP.v4}: port 3232, the announced port",
                            lambda: scenario.run(*targets, "-f", self.image, "-d"))
        self.assert_result(result, 0, (f"{ATTIC.v4}: port 8300, the announced port",
                                       f"{LAMP.v4}: port 3232, the announced port",
                                       f"{KITCHEN.v4}: port 8400, the given port"), within=SOON)
        for board in (*boards, unknown):
            self.assert_got(board, self.image)

    def test_given_goes_before_announced(self):
        board = self.simulate(ATTIC, port=8400)
        for name, options in (("attic.local", ("-p", "8400")), ("attic.local:8400", ()),
                              ("attic", ("-p", "8400")), ("attic:8400", ())):
            with self.subTest(name=name):
                self.assert_uploads(name, board, "-d", *options,
                                    says=["is 10.77.0.18 (mDNS), port 8400 (the given port)"])
                board.wait_for(" open")

    def test_failure_names_port_and_source(self):
        for name, options, says in (
                ("attic", (), "nothing listens at 10.77.0.18:8300 (the announced port)"),
                ("attic", ("-p", "8400"), "nothing listens at 10.77.0.18:8400 (the given port)"),
                ("10.77.0.18", (), "nothing listens at 10.77.0.18:8300 (the announced port)")):
            with self.subTest(name=name, options=options):
                result = self.until(says, lambda: scenario.run("-i", name, "-f", self.image, "-t", "1",
                                                               "--retries", "0", *options))
                self.assert_result(result, 5, (), within=SOON)

    def test_given_port_and_the_announced_one(self):
        """Told with the first refusal if the announcement is known, and in the end in any case. Nobody is asked about a
        port that the board announces."""
        first = "; going on in case the board is rebooting; the board announces port 8300: leave -p out\n"
        end = r"nothing listens at 10\.77\.0\.18:8400 \(the given port\)[^;]*; the board announces port 8300\n  Leave the port out"
        for name in "attic", "attic.local", ATTIC.v4:
            with self.subTest(name=name):
                result = self.until(first if name == "attic" else "port 8300\n", lambda: scenario.run(
                    "-i", name, "-p", "8400", "-f", self.image, "-t", "1"))
                self.assert_result(result, 5, (), within=SOON)
                self.assertRegex(result.err, end)
        result = self.until("(the given port)\n  Check that the sketch now on the board", lambda: scenario.run(
            "-i", "attic", "-p", "8300", "-f", self.image, "-t", "1"))
        self.assert_result(result, 5, (), within=SOON)
        self.assertNotIn("(-p)", result.err)


class Addresses(OnLink):
    """IPv4, IPv6 and both."""

    def test_both_prefers_ipv4(self):
        board = self.simulate(ATTIC)
        other = self.simulate(ATTIC, address=ATTIC.v6)
        self.assert_uploads("attic.local", board, says=["attic.local is 10.77.0.18"])
        self.assert_untouched(other)

    def test_both_but_silent_on_ipv4(self):
        """The IPv6 address has its turn after one resend period, or -t, and gets the image."""
        silent = self.simulate(ATTIC, "--fault", "silent")
        other = self.simulate(ATTIC, address=ATTIC.v6)
        result = scenario.run("-i", "attic.local", "-f", self.image, "-t", "3", "--retries", "0")
        self.assert_result(result, 0, ("attic.local is 10.77.0.18 (mDNS), port 8300 (the announced port)\n",
                                       "no answer yet; inviting it again, at [fd77::18]:8300\n",
                                       "attic.local is fd77::18 (mDNS), port 8300 (the announced port)\n",
                                       "confirmed by the board"), within=SOON)
        silent.wait_for("fault order=silent")
        self.assert_got(other, self.image)

    def test_both_but_nobody_on_ipv4(self):
        """A refusal costs no time, and no words."""
        other = self.simulate(ATTIC, address=ATTIC.v6)
        self.assert_uploads("attic.local", other, says=["attic.local is fd77::18 (mDNS), port 8300"])

    def test_stale_address(self):
        """Nobody has the IPv4 address any more, which Avahi still announces."""
        self.link.boards.change_address("delete", ATTIC.v4)
        self.addCleanup(self.link.boards.change_address, "add", ATTIC.v4)
        other = self.simulate(ATTIC, address=ATTIC.v6)
        self.assert_uploads("attic.local", other, says=["attic.local is fd77::18 (mDNS), port 8300"])

    def test_route_of_a_vpn(self):
        """It takes the invitations; -I, with an interface's name, counts for more."""
        board = self.simulate(KITCHEN)
        self.lead_through_vpn(KITCHEN.v4)
        result = scenario.run("-i", "kitchen.local", "-f", self.image, "-t", "1", "--retries", "0")
        self.assert_result(result, 5, (
            "; packets to the board leave through tun7 (10.99.0.2), although lan0 (10.77.0.1) is in the board's network: "
            "a VPN or another route takes them\n  End the VPN,",), within=SOON)
        result = scenario.run("-i", "kitchen.local", "-f", self.image, "-t", "1", "--retries", "0", "-d", "-I", "10.77.0.1")
        self.assert_result(result, 5, (
            "; packets to the board leave through tun7 (10.77.0.1), although lan0 (10.77.0.1) is in the board's network: "
            "a VPN or another route takes them\n  End the VPN,", " on tun7 to "), within=SOON)
        self.assertNotIn("on lan0", result.err)
        self.assert_uploads("kitchen.local", board, "-I", mdns.Link.INTERFACE)

    def test_another_device_behind_a_vpn(self):
        """It has the board's address, never restarts, and says what is expected. With -I only the board is asked."""
        far = self.lead_through_vpn(KITCHEN.v4)
        mdns.run(*far, "ip", "address", "add", KITCHEN.v4 + "/32", "dev", "tun8")
        other = mdns.Process(*far, scenario.SIMULATOR, "--address", KITCHEN.v4, "--port", str(KITCHEN.port), "--fast",
                             "--telnet", "2323", "--say", "version 2")
        self.addCleanup(other.stop)
        other.wait_for("ready")
        through = ("-i", KITCHEN.v4, "-I", mdns.Link.INTERFACE, "--retries", "0")
        log = ("--monitor=2323", "--expect-timeout", "30", "--expect")
        for options, status, phrases in (
                (("-f", self.image, "--online=30"), 0, ("it went off the network and was back ",)),
                (("-f", self.image, *log, "version 3"), 0, ("its log said what was expected",)),
                (("-f", self.image, *log, "version [23]", "--reject", "version 3"), 12,
                 ('the log said "version 3", which matches --reject',)),
                ((*log, "version 1"), 0, ("its log said what was expected",))):
            with self.subTest(options):
                board = self.simulate(KITCHEN, "--reboot-ms", "2500", "--telnet", "2323", "--say", "version 1",
                                      "--say-after", "version 3")
                result = scenario.run(*through, *options)
                self.assertEqual(status, result.status, result)
                for phrase in phrases:
                    self.assertIn(phrase, result.err, result)
                board.stop()
        self.assertNotIn("invitation", other.output)

    def test_nobody_has_the_address(self):
        """That is final after one attempt, and after 10 s where attempts are shorter; each line says so."""
        nobody = f"; nobody on {mdns.Link.INTERFACE} answers ARP for 10.77.0.99"
        again = r"attempt [23] of 3"
        programs = {scheme: scenario.Program("-i", scheme + "10.77.0.99", "-f", self.image)
                    for scheme in ("", "http://", "sketch://")}
        for scheme, program in programs.items():
            with self.subTest(scheme):
                result = program.result(60)
                self.assertEqual((result.status, result.out), (5, ""), result)
                self.assertRegex(result.err, rf"esp-ota: 10\.77\.0\.99: .*{nobody}\n  Check the address, and that the board is on,")
                self.assertEqual(len(re.findall(again, result.err)), 2 if scheme else 0, result)

    def test_somebody_gets_the_address(self):
        """The board is restarting: it is asked as soon as it is there."""
        address = "10.77.0.98"
        program = scenario.Program("-i", address, "-p", "8266", "-f", self.image, "-t", "60")
        program.wait_for(f"no answer yet, and nobody on {mdns.Link.INTERFACE} answers ARP for {address}; inviting it again")
        self.link.boards.change_address("add", address)
        self.addCleanup(self.link.boards.change_address, "delete", address)
        board = self.simulate(ATTIC, address=address, port=8266)
        result = program.result(60)
        self.assert_result(result, 0, ("confirmed by the board",), within=60)
        self.assert_got(board, self.image)

    def test_two_ipv4_addresses(self):
        """The access point's is in no network of this computer; the other stale one is nobody's."""
        for board in (STATION, MOVED):
            with self.subTest(board.host):
                simulated = self.simulate(board)
                self.assert_uploads(board.local, simulated, within=LOOKED_FOR,
                                    says=[f"{board.local} is {board.v4} (mDNS), port 8266"])
                simulated.stop()

    def test_address_of_another_board(self):
        """A name that has another board's address as well takes no upload from it: each gets its own."""
        self.addCleanup(self.link.write_hosts)
        self.link.write_hosts(f"{KITCHEN_2.v4} borrower", f"{ATTIC.v6} borrower")
        for names in (("borrower:8300", "attic.local"), ("attic.local", "borrower:8300")):
            with self.subTest(names):
                borrower = self.simulate(ATTIC, address=KITCHEN_2.v4, port=8300)
                board = self.simulate(ATTIC)
                result = scenario.run("-i", names[0], "-i", names[1], "-f", self.image)
                self.assert_result(result, 0, ["2 of 2 boards confirmed"], SOON)
                self.assertNotIn("the same board", result.err)
                for one in (borrower, board):
                    self.assert_got(one, self.image)
                    one.stop()

    def test_no_address_answers(self):
        """All are named. The first run leaves both in Avahi's cache, as one may come too late on a busy machine."""
        scenario.run("-i", "attic.local", "-f", self.image, "-t", "1", "--retries", "1")
        result = scenario.run("-i", "attic.local", "-f", self.image, "-t", "1", "--retries", "0")
        self.assert_result(result, 5, ("nothing listens at 10.77.0.18:8300 (the announced port) and "
                                       "[fd77::18]:8300 (the announced port)\n",), within=SOON)

    def test_one_address_refuses(self):
        """It decides, and not the one that was tried last or first; the JSON object has it, too."""
        self.addCleanup(self.link.write_hosts)
        for lines in ((f"{KITCHEN.v4} two.example.org", "fd99::1 two.example.org"),
                      ("10.77.0.99 two.example.org", f"{ATTIC.v6} two.example.org")):
            self.link.write_hosts(*lines)
            (refused, missing) = (KITCHEN.v4, "[fd99::1]") if "fd99" in lines[1] else (f"[{ATTIC.v6}]", "10.77.0.99")
            for scheme in ("http", "sketch", "esphome"):
                with self.subTest(scheme, lines=lines):
                    result = scenario.run("-i", f"{scheme}://two.example.org", "-p", "77", "-f", self.image, "--force",
                                          "--json", "--retries", "0")
                    end = next(event for event in map(json.loads, result.out.splitlines()) if event["event"] == "result")
                    self.assertEqual((end["code"], end["address"]), ("not-listening", refused.strip("[]")), result)
                    self.assertIn(f"nothing listens at {refused}:77 (the given port); no connection to {missing}:77 (the "
                                  "given port)", end["message"])

    def test_global_ipv6(self):
        board = self.simulate(PICO_W, "--family", "pico")
        for name in ("pico-e66.local", "pico-e66"):
            with self.subTest(name=name):
                self.assert_uploads(name, board, image=self.file("pico.bin", make_image("pico")),
                                    says=[f"{name} is fd77::19 (mDNS), port 2040"])
                board.wait_for(" open")

    def test_link_local_ipv6(self):
        board = self.simulate(SHED)
        for name in ("shed.local", "shed"):
            with self.subTest(name=name):
                self.assert_uploads(name, board,
                                    says=[f"{name} is fe80::77:20%lan0 (mDNS), port 3232"])
                board.wait_for(" open")


# The board, its family and password, and how its name is given.
FAMILIES = (
    (KITCHEN, "kitchen.local", "esp8266", ("-F", "esp8266"), ""),
    (KITCHEN, "kitchen", "esp8266", ("-F", "esp8266"), PASSWORD),
    (LAMP, "Living room lamp", "esp32", ("-F", "esp32"), ""),
    (LAMP_2, "lamp-2.local", "esp32", ("-F", "esp32"), PASSWORD),
    (GARAGE, "Garage v2.1 – Tür №5", "esp32", ("-F", "esp32-sha256"), PASSWORD),
    (SHED, "shed.local", "esp32s2", ("-F", "esp32-sha256", "--chip", "esp32s2", "-H", "md5"), PASSWORD),
    (PICO_W, "pico-e66", "pico", ("-F", "pico"), PASSWORD),
    (BENCH, "ch32h4-0a1b2c.local", "ch32h4", ("-F", "ch32h4"), PASSWORD),
)
REAL_IMAGES = {"esp8266": ("esp8266.bin",), "esp32": ("esp32.bin",), "esp32s2": ("esp32s2.bin",)}


class Families(OnLink):
    """Firmware of every kind, byte for byte, to boards of every family."""

    def images(self, family):
        generated = self.file(family + ".bin", make_image(family, 300001))
        real = [os.path.join(scenario.IMAGES, name) for name in REAL_IMAGES.get(family, ())]
        return [generated, *filter(os.path.exists, real)]

    def test_every_family(self):
        for board, name, family, options, password in FAMILIES:
            options += ("--password", password) if password else ()
            for image in self.images(family):
                with self.subTest(name=name, image=image):
                    simulated = self.simulate(board, *options, "--capacity", "4194304")
                    result = self.assert_uploads(name, simulated, f"--auth={password}", "-d",
                                                 image=image, within=LOOKED_FOR)
                    self.assert_no_secret(result, PASSWORD)
                    simulated.stop()


class Signed(OnLink):

    def test_filesystem(self):
        """What a board announces tells which signature it checks, an ESP32's or that of the others."""
        key = os.path.join(self.directory, "key.pem")
        subprocess.run(("openssl", "genrsa", "-out", key, "2048"), check=True, capture_output=True, timeout=60)
        content = firmware.littlefs()
        path = self.file("fs.bin", content)
        for board, family, trailer_size in ((LAMP, "esp32", 512), (KITCHEN, "esp8266", 260)):
            with self.subTest(family):
                simulated = self.simulate(board, "--family", family)
                result = scenario.run("-s", "--sign", key, "-i", board.local, "-f", path)
                self.assert_result(result, 0, ("confirmed by the board",), SOON)
                simulated.wait_for("upload result=ok")
                with open(simulated.got, "rb") as file:
                    got = file.read()
                self.assertEqual((got[:len(content)], len(got) - len(content)), (content, trailer_size))
                simulated.stop()


class Requirements(unittest.TestCase):
    """On a machine that lacks something this test is skipped, unless that is forbidden."""

    def run_without_tools(self, **environment):
        kept = {name: os.environ[name] for name in ("ESP_OTA", "ESP_OTA_SIM")}
        return subprocess.run([sys.executable, os.path.abspath(__file__)],
                              env={"PATH": "/nonexistent", **kept, **environment},
                              capture_output=True, encoding="utf-8", timeout=60, check=False)

    def test_forbidden(self):
        outcome = self.run_without_tools(ESP_OTA_FORBID_SKIP="1")
        self.assertEqual(1, outcome.returncode, outcome)
        self.assertIn("FAILED: ", outcome.stderr)
        self.assertIn("not installed: unshare, ", outcome.stderr)

    def test_skipped(self):
        outcome = self.run_without_tools()
        self.assertEqual(requirement.SKIPPED, outcome.returncode, outcome)
        self.assertIn("SKIPPED: ", outcome.stderr)


class Ended(scenario.Scenario):

    def test_at_once(self):
        """What ends a process group, as timeout(1) does, ends a test program in its namespaces, too."""
        script = self.file("entering.py", b"import sys, mdns\nmdns.enter()\nprint('entered', flush=True)\nsys.stdin.read()\n")
        outside = {name: value for name, value in os.environ.items() if name != mdns.ENTERED}
        with subprocess.Popen([sys.executable, script], env={**outside, "PYTHONPATH": os.path.dirname(os.path.abspath(__file__))},
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              start_new_session=True) as program:
            self.assertEqual(program.stdout.readline(), "entered\n")
            os.killpg(program.pid, signal.SIGTERM)
            _, told = program.communicate(timeout=scenario.DEADLINE_S)  # a program that goes on ends with its input
        self.assertEqual((program.returncode, told), (128 + signal.SIGTERM, "\nended by SIGTERM\n"))


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
