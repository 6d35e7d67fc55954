#!/usr/bin/env python3
"""-l/--list among boards that no real responder would announce (responder.py): hundreds at once,
hostile names, boards that are silent or vanish; on two interfaces and in both address families."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
import unicodedata
import unittest

import mdns
from mdns import Board
from mdns_case import OnLink, SOON
import scenario

RESPONDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "responder.py")
INTERFACES = ("lan0", "lan1")
FAR_ENDS = ("air0", "air1")
TXT = ("board=esp32dev", "auth_upload=no")
CROWD = 300
AVAHI_S = 1  # how long Avahi waits for further names; for the rest it waits longer


def setUpModule():
    directory = tempfile.mkdtemp(prefix="esp-ota-list-")
    unittest.addModuleCleanup(shutil.rmtree, directory)
    OnLink.link = mdns.Link(directory, ())
    unittest.addModuleCleanup(OnLink.link.close)
    OnLink.link.add_cable(INTERFACES[1], FAR_ENDS[1])
    mdns.run("ip", "address", "add", "10.78.0.1/24", "dev", INTERFACES[1])
    mdns.run(*OnLink.link.boards.prefix, "ip", "address", "add", "10.77.0.2/24", "dev", FAR_ENDS[0])
    mdns.run(*OnLink.link.boards.prefix, "ip", "address", "add", "10.78.0.2/24", "dev", FAR_ENDS[1])
    OnLink.link.start_bus()


def board(instance, addresses=("10.77.0.10",), port=3232, host="", **more):
    return {"instance": instance, "host": host or "host", "addresses": addresses, "port": port,
            "txt": TXT, **more}


def worker_of(pid):
    """The process that asks avahi-daemon: the only child."""
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                parent = int(file.read().rpartition(")")[2].split()[1])
        except FileNotFoundError:  # it has ended
            continue
        if parent == pid:
            return int(entry)
    raise AssertionError(f"{pid} has no child")


def wait_until_found(program, count):
    """Asks a search for its status until it has heard of so many boards."""
    for asked in itertools.count(1):
        program.send_signal(signal.SIGUSR1)
        program.wait_for(f"(?s)(so far.*){{{asked}}}")
        with contextlib.suppress(AssertionError):
            program.wait_for(f" {count} found so far", 0)
            return


class Announced(OnLink):
    """Every test has a fresh avahi-daemon, which knows nothing yet, and a responder."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.link.stop_daemon)
        self.restart_daemon()

    def restart_daemon(self):
        self.link.stop_daemon()
        self.link.start_daemon(interfaces=",".join(INTERFACES))

    def announce(self, *boards):
        responder = mdns.Process(*self.link.boards.prefix, sys.executable, RESPONDER)
        self.addCleanup(responder.stop)
        responder.send(json.dumps({"interfaces": FAR_ENDS, "boards": boards}) + "\n")
        responder.wait_for("ready")
        return responder

    def list(self, *options, status=0):
        result = scenario.run("-l", *options)
        self.assertEqual(status, result.status, result)
        return [line.split("\t") for line in result.out.splitlines()], result


class Crowd(Announced):
    """More than fit into one packet, one queue or one round of questions."""

    def list_all(self):
        """Lists again while a busy machine may have kept answers from Avahi until it gave up."""
        for _ in range(5):
            rows, result = self.list("-t", str(scenario.DEADLINE_S / 2))  # ends as soon as all are known
            is_complete = len(rows) == CROWD and all(row[1] != "-" for row in rows)
            if is_complete or result.seconds - result.undelayed < AVAHI_S:
                break
        return rows, result

    def test_hundreds(self):
        self.announce(*(board(f"board-{i:04}", (f"10.77.{1 + i // 250}.{1 + i % 250}",),
                              host=f"esp-{i:04}", terse=True) for i in range(CROWD)))
        for _ in range(2):  # the second time the daemon knows them all
            rows, result = self.list_all()
            self.assertEqual("", result.err)
            self.assertEqual([f"board-{i:04}" for i in range(CROWD)], [row[0] for row in rows])
            self.assertEqual([f"esp-{i:04}.local" for i in range(CROWD)], [row[1] for row in rows])


class SketchServers(Announced):
    """Their responders compare the whole query with the one that they know."""

    def test_list(self):
        """Known is its name and nothing else, as two minutes after an earlier answer."""
        self.announce(board("mkr", ("10.77.0.10",), port=65280, host="mkr", plain=True))
        rows, _ = self.list("-t", str(scenario.DEADLINE_S))
        self.assertEqual([["mkr", "mkr.local", "10.77.0.10", "65280"]], [row[:4] for row in rows])

    def test_its_name_on_the_command_line(self):
        """Known are its name and nothing else, as two minutes after an earlier answer."""
        self.announce(board("mkr", ("10.77.0.10",), port=65280, host="mkr", plain=True))
        result = scenario.run("-i", "mkr", "-f", self.image)
        self.assertEqual(2, result.status, result)
        self.assertIn("the board announces the protocol sketch (port 65280), not espota", result.err)


class LateAnnouncement(Announced):

    def test_port(self):
        """Nothing listens at the default ports of the address; then the board announces its own."""
        simulated = self.link.boards.simulate(scenario.SIMULATOR, "10.77.0.2", 8300)
        self.addCleanup(simulated.stop)
        program = scenario.Program("-i", "10.77.0.2", "-f", self.image, "--retries", "0")
        program.wait_for("nothing listens at 10.77.0.2:8266")
        self.announce(board("late", ("10.77.0.2",), port=8300))
        result = program.result()
        self.assertEqual(0, result.status, result)
        self.assertIn("; the board announces port 8300, which is tried now\n", result.err)


class Names(Announced):
    """What the network says is shown, and harms nobody."""

    def test_hostile(self):
        self.announce(board("red\x1b[31m", txt=["board=\x1b]0;x\x07", "auth_upload=yes"]),
                      board("tab\tnew\nline"), board("back\\slash \"quoted\""),
                      board("\u202egnol".encode().decode("latin-1")), board("a; touch pwned"),
                      board("x" * 63, txt=["board=" + "y" * 200]))
        expected = sorted((("red\\x1b[31m", "\\x1b]0;x\\x07", "yes"), ("tab\\tnew\\nline", "esp32dev", "no"),
                           ('back\\\\slash "quoted"', "esp32dev", "no"), ("\\u202egnol", "esp32dev", "no"),
                           ("a; touch pwned", "esp32dev", "no"), ("x" * 63, "y" * 63, "?")))
        rows, _ = self.list()
        self.assertEqual(expected, sorted((row[0], row[4], row[5]) for row in rows))
        result = scenario.run("-l", "--json")
        self.assertEqual([row[:2] for row in expected],
                         sorted((event["board"], event["type"])
                                for event in map(json.loads, result.out.splitlines())))
        self.assertNotRegex(scenario.Terminal("-l").result().err, r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\u202e]")

    def test_look_alikes(self):
        """Names that look like another one are told from it, and can be typed as they are shown."""
        names = {"Lamp 1": "Lamp 1", "Lamp\u00a01": "Lamp\\u00a01", "Lamp\u00ad 1": "Lamp\\u00ad 1",
                 "Lamp 1\u200b": "Lamp 1\\u200b", "Lamp 1\u3164": "Lamp 1\\u3164",
                 "Lamp 1\ufe0f": "Lamp 1\\ufe0f", "Lamp 1\U000e0031": "Lamp 1\\U000e0031",
                 "La" + "\u0301" * 6 + "mp": "La" + "\u0301" * 4 + "\\u0301\\u0301mp",
                 "Stu\u0308ck 💡": "Stu\u0308ck 💡", "a\\b": "a\\\\b", "a\\u00ad\u00ad": "a\\\\u00ad\\u00ad"}
        self.announce(*(board(name.encode().decode("latin-1"), (f"10.77.0.{10 + i}",), host=f"host-{i}")
                        for i, name in enumerate(names)))
        rows, _ = self.list()
        self.assertEqual(sorted(names.values()), sorted(row[0] for row in rows))
        for i, shown in enumerate(names.values()):
            with self.subTest(shown):
                result = scenario.run("-i", shown, "-f", self.image, "-t", "1", "--retries", "0", "-d")
                self.assertIn(f"{shown} is 10.77.0.{10 + i} (mDNS), port 3232", result.err)

    def test_host_names(self):
        """Shown as they are, they lead to the board when they are typed."""
        names = ("My Lamp", "K\u00fcche", "lamp (left)", "a\\b", "12 lamp")
        boards = [board(f"board {i}", (f"10.77.0.{10 + i}",), host=name.encode().decode("latin-1"))
                  for i, name in enumerate(names)]
        self.announce(*boards)
        rows, _ = self.list()
        self.assertEqual([name.replace("\\", "\\" * 4) + ".local" for name in names], [row[1] for row in rows])
        for i, name in enumerate(names):
            if "\\" not in name:
                result = scenario.run("-i", name + ".local", "-f", self.image, "-t", "1", "--retries", "0", "-d")
                self.assertIn(f"{name}.local is 10.77.0.{10 + i} (mDNS), port 3232", result.err)

    def test_txt_records(self):
        """Inner quotes, any case, no value, no record, one that stands twice."""
        self.announce(board("a", txt=['board="X"', 'auth_upload="yes"']), board("b", txt=["BOARD=X", "Auth_Upload=NO"]),
                      board("c", txt=["board", "auth_upload=maybe"]), board("d", txt=["board=", 'auth_upload']),
                      board("e", txt=[]), board("f", txt=['board="', "boards=Y", "auth_upload=1"]))
        rows, _ = self.list()
        self.assertEqual([["a", "X", "yes"], ["b", "X", "no"], ["c", "-", "?"], ["d", "-", "?"],
                          ["e", "-", "?"], ["f", '"', "?"]], [[row[0], row[4], row[5]] for row in rows])

    def test_wide_characters(self):
        """Columns are as wide as a terminal shows them."""
        for name in ("Küche", "客厅灯", "e\u0301tage", "lamp 💡"):
            responder = self.announce(board(name.encode().decode("latin-1"), host="host-1"), board("x" * 12))
            result = scenario.Terminal("-l").result()
            row, other = sorted(result.err.splitlines()[1:], key=lambda line: "host.local" in line)
            self.assertTrue(row.startswith(name), result)
            wide = sum(unicodedata.east_asian_width(c) == "W" for c in name)
            narrow = sum(unicodedata.combining(c) != 0 for c in name)
            self.assertEqual(other.index("host.local"), row.index("host-1.local") + wide - narrow, result)
            responder.stop()
            self.restart_daemon()


class Places(Announced):
    def test_two_interfaces_and_two_families(self):
        """One row for each, with its IPv4 address if it has one."""
        responder = self.announce(board("both", ("10.77.0.10", "fd77::10")), board("four"),
                                  board("six", ("fd77::11",), host="six"),
                                  board("link", ("fe80::77:11",), host="link"))
        rows, result = self.list()
        self.assertEqual([["both", "10.77.0.10"], ["four", "10.77.0.10"], ["link", "fe80::77:11"], ["six", "fd77::11"]],
                         [[row[0], row[2].partition("%")[0]] for row in rows])
        self.assertIn(rows[2][2].partition("%")[2], INTERFACES)
        self.assertLess(result.undelayed, SOON)
        waiting = {f"{interface} {family}" for interface in FAR_ENDS for family in ("AF_INET", "AF_INET6")}
        while waiting:
            waiting.discard(responder.wait_for("asked (.*)\n")[1])


class Silence(Announced):
    def test_no_boards(self):
        for options in ((), ("--json",)):
            _, result = self.list(*options, status=4)
            self.assertRegex(result.err, r"^esp-ota: no board announces itself in this network \(multicast DNS "
                                         r"was asked for \d\.\d s\)\n  Check .* in this network \(multicast DNS")
            self.assertLess(result.undelayed, SOON)
            events = [json.loads(line) for line in result.out.splitlines()]
            self.assertEqual(["not-found"] if options else [], [event["code"] for event in events])

    def test_no_boards_to_select(self):
        for options in (("--all",), ("--match", "*")):
            result = scenario.run(*options, "-f", self.image)
            self.assert_result(result, 4, ("esp-ota: no board announces itself in this network (multicast DNS was asked ",
                                           "\n  Check that boards are on"), SOON)

    def test_no_network(self):
        """Neither boards nor the firewall are to blame."""
        def connect():
            for interface in INTERFACES:
                mdns.run("ip", "link", "set", interface, "up")
            mdns.run("ip", "address", "add", mdns.Link.V6 + "/64", "dev", INTERFACES[0], "nodad")

        for interface in INTERFACES:
            mdns.run("ip", "link", "set", interface, "down")
        self.addCleanup(connect)
        for options in (("-l",), ("--all", "-f", self.image), ("-i", "lamp", "-f", self.image)):
            with self.subTest(options):
                result = scenario.run(*options)
                self.assertEqual((result.status, result.out), (4, ""), result)
                self.assertRegex(result.err, "[:;] this computer is in no network, as no interface but lo is up and "
                                             r"has an address\n  Connect this computer to the boards' network \(")

    def test_board_that_does_not_answer(self):
        self.announce(board("gone", silent=True), board("there"))
        rows, result = self.list()
        self.assertEqual([["gone", "-", "-", "-", "-", "?", "-", "-", "-"], "there"], [rows[0], rows[1][0]])
        self.assertEqual("", result.err)
        _, result = self.list("--json")
        gone = json.loads(result.out.splitlines()[0])
        self.assertEqual({"gone", None}, {gone[key] for key in gone if key not in ("event", "time")})
        self.assertRegex(scenario.Terminal("-l").result().err, r"gone +- +- +- +- +\? +does not answer\r\n")

    def test_time_limit(self):
        self.announce(board("gone", silent=True), board("there"))
        for options in (("-t", "2"), ("-t", "2", "-q")):
            rows, result = self.list(*options)
            self.assertEqual(["gone", "there"], [row[0] for row in rows])
            self.assertEqual("esp-ota: warning: after 2.0 s not all boards have been heard (-t gives them more "
                             "time)\n", result.err)
        _, result = self.list("-t", "0.001", status=4)
        self.assertRegex(result.err, r"has not answered in 0\.001 s, the limit of -t|no board announces itself")


class Daemon(Announced):
    ADVICE = "\n  Start Avahi and D-Bus (\"systemctl restart avahi-daemon\"; Debian's package is avahi-daemon)"

    def test_no_daemon(self):
        self.link.stop_daemon()
        _, result = self.list(status=4)
        self.assertIn("cannot look for boards: multicast DNS cannot be asked (avahi-daemon is not on the "
                      f"D-Bus system bus, or the bus denies access to it){self.ADVICE}", result.err)
        self.assertEqual("", result.out)
        self.assertLess(result.undelayed, SOON)

    def test_no_bus(self):
        self.link.stop_daemon()
        self.link.stop_bus()
        self.addCleanup(self.link.start_bus)
        _, result = self.list(status=4)
        self.assertIn(f"(the D-Bus system bus cannot be reached){self.ADVICE}", result.err)
        self.assertLess(result.undelayed, SOON)

    def test_daemon_hangs(self):
        self.link.daemon.kill(signal.SIGSTOP)
        _, result = self.list(status=4)
        self.link.daemon.kill(signal.SIGCONT)
        self.assertIn("(avahi-daemon or the D-Bus system bus does not answer)", result.err)
        self.assertLess(result.undelayed, SOON)

    def test_daemon_hangs_for_all_of_the_time(self):
        self.link.daemon.kill(signal.SIGSTOP)
        _, result = self.list("-t", "1", status=4)
        self.link.daemon.kill(signal.SIGCONT)
        self.assertIn("(avahi-daemon or the D-Bus system bus has not answered in 1 s, the limit of -t)"
                      f"{self.ADVICE}", result.err)

    def browsing(self, *options):
        """A list that is under way, and waits for an answer of a board that is silent."""
        responder = self.announce(board("gone", silent=True), board("there"))
        program = scenario.Program("-l", *options)
        responder.wait_for("asked air0 AF_INET\n")
        return program, responder

    def test_restart_while_browsing(self):
        program, responder = self.browsing()
        self.restart_daemon()
        responder.wait_for("asked air0 AF_INET\n")
        result = program.result()
        self.assertEqual((0, ""), (result.status, result.err), result)
        self.assertEqual(["gone", "there"], [line.split("\t")[0] for line in result.out.splitlines()])

    def test_end_while_browsing(self):
        program, _ = self.browsing()
        self.link.stop_daemon()
        result = program.result()
        self.assertEqual(4, result.status, result)
        self.assertIn("multicast DNS cannot be asked (avahi-daemon or the D-Bus system bus has gone)", result.err)
        self.assertLess(result.undelayed, SOON)

    def test_search_that_breaks_off_before_an_upload(self):
        """The boards found get the image; but there may be others, and then it is no success."""
        there = [Board(f"there-{n}", 3232 + n, v4="10.77.0.2") for n in range(2)]
        simulated = [self.simulate(one) for one in there]
        responder = self.announce(board("gone", silent=True),
                                  *(board(one.host, (one.v4,), one.port, one.host) for one in there))
        for options in (("--dry-run",), ("-q",), ()):
            with self.subTest(options):
                program = scenario.Program("--match", "there-*", "-f", self.image, "--json", *options)
                responder.wait_for("asked air0 AF_INET\n")
                wait_until_found(program, 3)
                os.kill(worker_of(program.pid), signal.SIGKILL)
                result = program.result()
                events = [json.loads(line) for line in result.out.splitlines()]
                word = "skipped" if options == ("--dry-run",) else "result"
                boards = [event for event in events if event["event"] == word and event["board"]]
                self.assertEqual([(f"there-{n}", "dry-run" if word == "skipped" else "ok") for n in range(2)],
                                 sorted((event["board"], event["code"]) for event in boards), result)
                summary, last = events[-2:]
                self.assertEqual(("summary", False, "internal", 1),
                                 tuple(summary[key] for key in ("event", "ok", "code", "exit_status")))
                self.assertEqual(("result", None, "internal", 1),
                                 tuple(last[key] for key in ("event", "board", "code", "exit_status")))
                self.assertEqual(1, result.status, result)
                self.assertRegex(result.err, r"(?m)^esp-ota: some boards may be missing: multicast DNS cannot be asked "
                                             r"\(the process that asks avahi-daemon ended unexpectedly\)$")
        for one in simulated:
            self.assert_got(one, self.image)

    def test_end_of_the_bus_while_browsing(self):
        program, _ = self.browsing()
        self.link.stop_bus()
        self.addCleanup(self.link.start_bus)
        result = program.result()
        self.assertEqual(4, result.status, result)
        self.assertRegex(result.err, r"\(avahi-daemon or the D-Bus system bus has gone\)|\(the D-Bus system bus "
                                     r"cannot be reached\)")


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
