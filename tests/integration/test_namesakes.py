#!/usr/bin/env python3
"""Two boards of one name, as copied sketches make them (responder.py plays them to a real
avahi-daemon): neither is updated by chance."""

import concurrent.futures
import json
import os
import re
import unittest

import mdns
from mdns_case import LOOKED_FOR, make_image
import scenario
from test_list_crowd import FAR_ENDS, board
import test_list_crowd

HERE, THERE, GONE, AWAY = "10.77.0.10", "10.77.0.11", "10.77.0.12", "192.168.4.1"
SIX = "fd77::31"
PORT = 3232

setUpModule = test_list_crowd.setUpModule


class Namesakes(test_list_crowd.Announced):
    def setUp(self):
        super().setUp()
        self.by_chance = 0  # uploads to one of two boards of a name, as the other one's answer came too late
        self.change_addresses("add", HERE, THERE)
        self.addCleanup(self.change_addresses, "delete", HERE, THERE)

    def change_addresses(self, verb, *addresses):
        for address in addresses:
            mdns.run(*self.link.boards.prefix, "ip", "address", verb, address + "/24", "dev", FAR_ENDS[0])

    def simulate_at(self, address, *options):
        return self.simulate(mdns.Board("lamp", PORT, v4=address), *options)

    def upload(self, *options):
        return scenario.run("-f", self.image, "-t", "2", "--retries", "0", *options)

    def upload_to_two(self, *options):
        """By the name of two boards, and with the answers of both in time: what is left of it is to be refused."""
        given = []

        def attempt():
            given.append(self.upload(*options))
            return given[-1]

        result = self.until("two boards have this name", attempt)
        self.by_chance += [one.status for one in given].count(0)
        return result

    def assert_refused(self, boards):
        self.assertEqual(self.by_chance, sum(self.uploads(boards)))
        if self.by_chance == 0:
            for simulated in boards:
                self.assert_untouched(simulated)

    def announce_two(self, **more):
        """Each of them has a responder of its own."""
        for address in (HERE, THERE):
            self.announce(board("lamp", (address,), host="lamp", **more))

    def test_refused(self):
        self.announce_two()
        boards = [self.simulate_at(address) for address in (HERE, THERE)]
        for name in ("lamp.local", "lamp", "lamp._arduino._tcp.local"):
            with self.subTest(name):
                result = self.upload_to_two("-i", name)
                self.assert_result(result, 4, (": resolution: two boards have this name, at ", HERE, THERE,
                                               "choose one by its address, as in -i 10.77.0.1"),
                                   LOOKED_FOR)
        result = self.upload_to_two("-i", "lamp.local", "--json")
        failures = [event for event in map(json.loads, result.out.splitlines()) if event["event"] == "result"]
        self.assertEqual([("ambiguous", 4)], [(event["code"], event["exit_status"]) for event in failures])
        self.assert_refused(boards)

    def test_refused_in_spite_of_a_vpn(self):
        """Its routes lead elsewhere; through the interface of -I, both answer."""
        self.announce_two()
        boards = [self.simulate_at(address) for address in (HERE, THERE)]
        self.lead_through_vpn(HERE, THERE)
        through = ("-I", mdns.Link.INTERFACE)
        result = self.upload_to_two("-i", "lamp.local", *through)
        self.assert_result(result, 4, (": resolution: two boards have this name, at ", HERE, THERE), LOOKED_FOR)
        result = self.upload("--all", *through)
        self.assert_result(result, 0, (f"{HERE}: confirmed", f"{THERE}: confirmed"), LOOKED_FOR)
        for simulated in boards:
            self.assert_got(simulated, self.image)

    def test_list(self):
        self.announce_two()
        self.announce(board("other", ("10.77.0.20",), host="other"))
        rows, result = self.list()
        self.assertEqual("", result.err)
        self.assertEqual([("lamp", HERE, "ambiguous"), ("lamp", THERE, "ambiguous"), ("other", "10.77.0.20", "-")],
                         sorted((row[0], row[2], row[7]) for row in rows))
        result = scenario.run("-l", "--json")
        self.assertEqual([(HERE, True), (THERE, True), ("10.77.0.20", False)],
                         sorted((event["address"], event["ambiguous"]) for event in
                                map(json.loads, result.out.splitlines())))
        self.assertEqual(2, scenario.Terminal("-l", columns=120).result().err.count("  shares its name"))

    def test_too_many(self):
        """That some are left out is said, and is no success."""
        addresses = [f"10.77.0.{number}" for number in range(100, 140)]
        self.change_addresses("add", *addresses)
        self.addCleanup(self.change_addresses, "delete", *addresses)
        self.announce(board("lamp", addresses, host="lamp"))
        _, result = self.list(status=4)
        self.assertIn('some boards are left out, as too many share the name "lamp"', result.err)

    def test_all_of_them(self):
        """By --all and --match both are updated, and called by their addresses."""
        self.announce_two()
        boards = [self.simulate_at(address) for address in (HERE, THERE)]
        for options in (("--all",), ("--match", "lamp")):
            with self.subTest(options):
                result = self.upload(*options)
                self.assert_result(result, 0, (f"{HERE}: confirmed", f"{THERE}: confirmed", "\n2 of 2 boards confirmed"), LOOKED_FOR)
                for simulated in boards:
                    self.assert_got(simulated, self.image)

    def test_one_board_of_many_names(self):
        """All are announced at one address from the start: the board gets its image once, also with one slot."""
        names = [f"lamp{number}" for number in range(5)]
        self.announce(*(board(name, (HERE,), host=name) for name in names))
        for options in (("--all",), ("--all", "-j", "1"), ("-i", "lamp0.local", "-i", "lamp1.local", "-i", "lamp2")):
            with self.subTest(options):
                simulated = self.simulate_at(HERE)
                result = self.upload(*options)
                count = 3 if "-i" in options else 5
                self.assert_result(result, 0, ("is the same board as ", f"\n1 of {count} boards confirmed"), LOOKED_FOR)
                self.assert_got(simulated, self.image)
                simulated.stop()
                self.assertEqual(simulated.output.count("upload result="), 1, simulated.output)

    def share_address(self, first, second):
        """The second board is announced at the first one's address, too: wrongly, or from before it got another."""
        mdns.run(*self.link.boards.prefix, "ip", "address", "add", SIX + "/64", "dev", FAR_ENDS[0], "nodad")
        self.addCleanup(mdns.run, *self.link.boards.prefix, "ip", "address", "delete", SIX + "/64", "dev", FAR_ENDS[0])
        self.announce(board(first, (HERE,), host=first), board(second, (HERE, SIX), host=second))

    def simulate_two(self):
        return [self.simulate_at(HERE, "--reboot-ms", "0"),
                self.simulate(mdns.Board("lamp", PORT, v6=SIX), "--reboot-ms", "0")]

    def uploads(self, boards):
        """How often each has got an image."""
        for simulated in boards:
            simulated.stop()
        return [simulated.output.count("upload result=ok") for simulated in boards]

    def test_address_of_another_board(self):
        """A board that is announced there, too, is not left out because of it."""
        self.share_address("a", "b")
        for options in (("--all",), ("-i", "a.local", "-i", "b.local")):
            with self.subTest(options):
                boards = self.simulate_two()
                result = self.upload("-j", "1", *options)
                self.assert_result(result, 0, ("another board was found at one of its addresses; only the others are tried",
                                               "\n2 of 2 boards confirmed, in"), LOOKED_FOR)
                self.assertEqual([1, 1], self.uploads(boards))

    def test_found_at_the_address_of_another_board(self):
        """Which of the two it was, nobody knows: this is no success."""
        self.share_address("b", "a")
        boards = self.simulate_two()
        for options in (("--all",), ("-i", "a.local", "-i", "b.local")):
            with self.subTest(options):
                result = self.upload("-j", "1", "--json", *options)
                events = [json.loads(line) for line in result.out.splitlines()]
                results = [event for event in events if event["event"] == "result"]
                self.assertEqual([(True, 0), (False, 4)], [(event["ok"], event["exit_status"]) for event in results])
                self.assertEqual("ambiguous", results[1]["code"])
                self.assertRegex(results[1]["message"], "has the address at which a.* was found in this run, but not the same "
                                                        "addresses as a.*, and may be another board")
                self.assertEqual((4, 1, 1, 0), (result.status, *(events[-1][key] for key in ("confirmed", "failed", "skipped"))))
        self.assertEqual([2, 0], self.uploads(boards))

    def assert_ambiguous(self, result, message):
        self.assertEqual(4, result.status, result)
        for phrase in (message, "\n  If both names are of one board, leave one of them out; if not, give the IP address of each"):
            self.assertIn(phrase, result.err)

    def test_resumed_at_the_address_of_another_board(self):
        """The board that was ambiguous gets no success by the report that the other one has confirmed."""
        self.share_address("b", "a")
        for options in (("--all",), ("-i", "a.local", "-i", "b.local")):
            with self.subTest(options):
                boards = self.simulate_two()
                result = self.upload("-j", "1", "--json", *options)
                for _ in range(2):
                    report = self.file("report", result.out.encode())
                    result = self.upload("-j", "1", "--json", *options, "--resume", report)
                    self.assert_ambiguous(result, "was found in an earlier run, and may be another board")
                result = self.upload("-i", HERE, "--resume", report)
                self.assertEqual((0, [2, 0]), (result.status, self.uploads(boards)), result)  # as the remedy says

    def test_board_added_at_the_address_of_a_resumed_one(self):
        """It is looked for at its other address only, as in one run."""
        self.share_address("a", "b")
        for expected in ((0, [1, 1]), (4, [1, 0])):
            boards = self.simulate_two()
            report = self.file("report", self.upload("--json", "-i", "a.local").out.encode())
            if expected[0] == 4:
                boards[1].stop()
            result = self.upload("-i", "a.local", "-i", "b.local", "--resume", report)
            self.assertEqual(expected, (result.status, self.uploads(boards)), result)

    def test_resumed_after_a_run_that_did_not_reach_it(self):
        """What the report tells of the other board's addresses is handed on, from run to run."""
        self.share_address("b", "a")
        boards = self.simulate_two()
        both = ("-j", "1", "--json", "-i", "a.local", "-i", "b.local")
        result = self.upload(*both)
        for options in (("--max-failures", "1", "-i", GONE, *both), both):
            result = self.upload(*options, "--resume", self.file("report", result.out.encode()))
        self.assert_ambiguous(result, "was found in an earlier run, and may be another board")
        self.assertEqual([1, 0], self.uploads(boards))

    def test_names_of_the_systems_resolver(self):
        """A name that has more addresses than the other one may be another board's; one that has none of its own is not."""
        self.link.write_hosts(f"{HERE} a.lan", f"{HERE} b.lan", f"{THERE} b.lan")
        self.addCleanup(self.link.write_hosts)
        self.announce(board("a", (HERE,), host="a"))
        for first, second, uploads in (("a.lan", "b.lan", [1, 1]), ("a.local", "b.lan", [1, 1]), ("b.lan", "a.lan", [1, 0]),
                                       ("a.local", "a.lan", [1, 0]), ("a.lan", "a.local", [1, 0])):
            with self.subTest(first + ", " + second):
                boards = [self.simulate_at(address, "--reboot-ms", "0") for address in (HERE, THERE)]
                result = self.upload("-j", "1", "-i", first, "-i", second, "-p", str(PORT))
                self.assertEqual((0, uploads), (result.status, self.uploads(boards)), result)

    def test_resumed_by_two_names_of_the_systems_resolver(self):
        """The second name is the same board to a resumed run, too."""
        self.link.write_hosts(f"{HERE} a.lan", f"{THERE} a.lan", f"{HERE} b.lan")
        self.addCleanup(self.link.write_hosts)
        self.simulate_at(HERE, "--reboot-ms", "0")
        both = ("-j", "1", "--json", "-i", "a.lan", "-i", "b.lan", "-p", str(PORT))
        result = self.upload(*both)
        for _ in range(2):
            self.assertEqual(0, result.status, result)
            result = self.upload(*both, "--resume", self.file("report", result.out.encode()))

    def test_address_of_a_board_that_has_failed(self):
        self.share_address("a", "b")
        boards = [self.simulate_at(HERE, "--reboot-ms", "0", "--fault", "error:Flash Write Failed*1"),
                  self.simulate(mdns.Board("lamp", PORT, v6=SIX), "--reboot-ms", "0")]
        result = self.upload("-j", "1", "-i", "a.local", "-i", "b.local")
        self.assert_result(result, 10, ("another board was found at one of its addresses", "b.local: confirmed"), LOOKED_FOR)
        self.assertEqual([0, 1], self.uploads(boards))

    def test_silent_but_at_the_address_of_another_board(self):
        """Boards listen at IPv4 addresses only, as most do: the sketch is not to blame."""
        self.share_address("a", "b")
        simulated = self.simulate_at(HERE, "--reboot-ms", "0")
        options = ("-j", "1", "--json", "-i", "a.local", "-i", "b.local")
        result = self.upload(*options)
        for _ in range(2):  # and so the next time
            self.assert_ambiguous(result, f"nothing listens at [{SIX}]:{PORT} (the announced port); a.local was found at another one "
                                          "of its addresses")
            result = self.upload(*options, "--resume", self.file("report", result.out.encode()))
        self.assertEqual([1], self.uploads([simulated]))

    def test_shared_address_with_several_slots(self):
        """Whichever is found first, success means that each has got its image."""
        self.share_address("a", "b")
        boards = self.simulate_two()
        result = self.upload("-i", "a.local", "-i", "b.local")
        self.assertEqual({0: [1, 1], 4: [1, 0]}[result.status], self.uploads(boards), result)

    def test_this_computer(self):
        """An announcement leads nothing to it, also by way of the C library, which keeps answers that it got before."""
        here = scenario.Board("--port", str(PORT), where="127.0.0.1")
        self.addCleanup(here.close)
        names = {"lamp": ("224.0.0.5", "127.0.0.1"), "desk": ("127.0.0.1", "224.0.0.5"), "porch": ("127.0.0.2", "127.0.0.1")}
        self.announce(*(board(name, addresses, host=name) for name, addresses in names.items()))
        targets = [name + end for name in names for end in (".local", "")]
        with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
            for _ in range(2):
                for result in pool.map(lambda name: self.upload("-i", name), targets):
                    with self.subTest(result.arguments[-1]):
                        self.assert_result(result, 4, (": resolution: not found: announced with the address ",), LOOKED_FOR)
        self.assertEqual([], [line for line in here.events if "invitation" in line])
        self.link.write_hosts("127.0.0.1 lamp.local")
        self.addCleanup(self.link.write_hosts)
        result = self.upload("-i", "lamp.local")
        self.assert_result(result, 0, ("lamp.local is 127.0.0.1 (/etc/hosts)", "confirmed by the board"), LOOKED_FOR)

    def test_address_of_no_board(self):
        """It is no silence, and the name is no pattern."""
        boards = {"any": "0.0.0.0", "group": "224.0.0.1", "everyone": "255.255.255.255", "itself": "127.0.0.1",
                  "any6": "::", "group6": "ff02::1", "itself6": "::1"}
        self.announce(*(board(name, (where,), host=name) for name, where in boards.items()))
        rows, _ = self.list()
        self.assertEqual(sorted(row[:3] for row in rows), sorted([name, name + ".local", "-"] for name in boards))
        said = {name: f"announced with the address {where}, which no board can have" for name, where in boards.items()}
        lines = [("-i", name + end) for name in boards for end in ("", ".local")] + [("--match", "any")]
        with concurrent.futures.ThreadPoolExecutor(len(lines)) as pool:
            for result in pool.map(lambda line: self.upload(*line), lines):
                with self.subTest(result.arguments[-1]):
                    name = result.arguments[-1].removesuffix(".local")
                    self.assert_result(result, 4, (f": resolution: not found: {said[name]}",
                                                   "\n  Restart the board, which may have announced itself before"), LOOKED_FOR)
                    self.assertNotIn("announced here", result.err)
        result = self.upload("--all", "--json")
        self.assertEqual(result.status, 4, result)
        for phrase in said.values():
            self.assertIn(f"not found: {phrase}", result.out)

    def test_instance_named_like_an_address(self):
        """It stands for no other board in results, for --resume and --metrics."""
        full = THERE + "._arduino._tcp.local"
        self.announce_two()
        self.announce(board(THERE, (GONE,), host="other"))
        self.change_addresses("add", GONE)
        self.addCleanup(self.change_addresses, "delete", GONE)
        self.simulate_at(HERE)
        self.simulate_at(GONE)
        failing = self.simulate_at(THERE, "--fault", "error:Flash Write Failed*1")
        metrics = os.path.join(self.directory, "boards.prom")
        result = self.upload("--all", "--json", "--metrics", metrics)
        self.assertEqual(result.status, 10, result)
        self.assertEqual({HERE: True, THERE: False, full: True},
                         {event["board"]: event["ok"] for event in map(json.loads, result.out.splitlines())
                          if event["event"] == "result"})
        self.assertIn(f"{full}: confirmed", result.err)
        with open(metrics, encoding="utf-8") as file:
            self.assertEqual({(HERE, "0"), (THERE, "10"), (full, "0")},
                             set(re.findall(r'exit_status{board="(.*?)".*} (\d+)', file.read())))

        report = self.file("report", result.out.encode())
        result = self.upload("-i", full, "--resume", report)
        self.assert_result(result, 0, ("has confirmed this image in an earlier run",), LOOKED_FOR)
        result = self.upload("--all", "--resume", report)
        self.assert_result(result, 0, (f"{THERE}: confirmed", "2 had it already"), LOOKED_FOR)
        failing.wait_for("upload result=ok")

    def test_instances_named_like_patterns(self):
        """What is shown can be typed, and is no longer than that takes."""
        for name, shown in (("Lab-0?", "Lab-0?"), ("Lab-*", "Lab-*._arduino._tcp.local")):
            with self.subTest(name):
                responder = self.announce(board(name, (HERE,), host="lab"))
                simulated = self.simulate_at(HERE)
                result = self.upload("--all", "--json")
                self.assertEqual([shown], [event["board"] for event in map(json.loads, result.out.splitlines())
                                           if event["event"] == "result"], result)
                result = self.upload("-i", shown)
                self.assert_result(result, 0, ("confirmed by the board",), LOOKED_FOR)
                simulated.stop()
                responder.stop()

    def test_services_of_one_name(self):
        """Their hosts have names of their own, which are good names for them."""
        for address, host in ((HERE, "esp-1"), (THERE, "esp-2")):
            self.announce(board("lamp", (address,), host=host))
        boards = [self.simulate_at(address) for address in (HERE, THERE)]
        result = self.upload_to_two("-i", "lamp")
        self.assert_result(result, 4, (": resolution: two boards have this name, at ", HERE, THERE), LOOKED_FOR)
        rows, _ = self.list()
        self.assertEqual([(HERE, "ambiguous"), (THERE, "ambiguous")], sorted((row[2], row[7]) for row in rows))
        self.assert_refused(boards)
        boards = [self.simulate_at(address) for address in (HERE, THERE)]
        result = self.upload("-i", "esp-2.local", "-p", str(PORT))
        self.assert_result(result, 0, (f"esp-2.local is {THERE}", "confirmed by the board"), LOOKED_FOR)
        self.assert_got(boards[1], self.image)

    def test_by_address(self):
        self.announce_two()
        meant, other = self.simulate_at(THERE), self.simulate_at(HERE)
        result = self.until("port 3232, the announced port", lambda: self.upload("-i", THERE, "-d"))
        self.assert_result(result, 0, ("confirmed by the board",), LOOKED_FOR)
        self.assert_got(meant, self.image)
        self.assert_untouched(other)

    def test_stale_address(self):
        """One that no host has (any more) is no second board, and costs no resend."""
        self.announce(board("lamp", (GONE, HERE), host="lamp"))
        simulated = self.simulate_at(HERE)
        result = self.upload("-i", "lamp.local")
        self.assert_result(result, 0, (f"lamp.local is {HERE} (mDNS), port 3232", "confirmed by the board"),
                           LOOKED_FOR)
        self.assert_got(simulated, self.image)
        rows, _ = self.list()
        self.assertEqual([("lamp", HERE, "-")], [(row[0], row[2], row[7]) for row in rows])

    def test_one_board(self):
        """With an access point of its own, or heard on two interfaces and in two families."""
        self.announce(board("lamp", (HERE, AWAY, "fd77::10"), host="lamp"))
        simulated = self.simulate_at(HERE)
        result = self.upload("-i", "lamp.local")
        self.assert_result(result, 0, ("confirmed by the board",), LOOKED_FOR)
        self.assert_got(simulated, self.image)
        rows, _ = self.list()
        self.assertEqual([("lamp", "-")], [(row[0], row[7]) for row in rows])

    def meet_at_one_address(self, *options):
        """Two boards one after the other: the second one announces the address while the first is updated."""
        self.announce(board("a", (HERE,), host="a"))
        simulated = self.simulate_at(HERE, "--flash", "slow")
        program = scenario.Program("-t", "10", "--retries", "0", "-j", "1", "-v", *options)
        simulated.wait_for(" open")
        self.announce(board("b", (HERE,), host="b"))
        return program.result(120), simulated

    def test_address_changes_owner(self):
        result, simulated = self.meet_at_one_address("-i", "a.local", "-i", "b", "-f", self.image)
        self.assert_result(result, 0, ("a.local: confirmed", "b: confirmed", "2 of 2 boards confirmed"), 120)
        simulated.stop()
        self.assertEqual(2, simulated.output.count("upload result=ok"))

    def test_address_changes_owner_with_another_image(self):
        other = self.file("other.bin", make_image("esp32"))
        hosts = self.file("hosts", f"a file={self.image}\nb.local file={other}\n".encode())
        result, simulated = self.meet_at_one_address("--hosts", hosts)
        self.assert_result(result, 4, ("a: confirmed", "b.local: resolution: has the address at which a got another image",
                                       "Run esp-ota again for this board"), 120)
        simulated.stop()
        self.assertEqual(1, simulated.output.count("upload result=ok"))

    def test_two_names_of_one_board(self):
        """Its instance, its host and its address, also where the upload by the first name is over."""
        self.announce(board("Desk lamp", (HERE,), host="lamp"))
        self.simulate_at(HERE)
        names = ("Desk lamp", "lamp.local", HERE)
        for first in names:
            others = [name for name in names if name != first]
            with self.subTest(first):
                result = self.upload("-i", first, "-i", others[0], "-i", others[1], "-j", "1")
                self.assert_result(result, 0, [f"{other}: is the same board as {first}" for other in others], LOOKED_FOR)


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
