#!/usr/bin/env python3
"""Several boards with one command: who is updated, who is not, and what is said of it."""

import hashlib
import itertools
import json
import os
import re
import signal
import unittest

from faults import shell
import firmware
from scenario import Board, Program, Scenario, Terminal, address, image, run, shown


PAGE = 4096  # the smallest pipe


class Floor:
    """Boards in one process, at consecutive addresses of a network of their own, with one UDP port."""

    _numbers = itertools.count(os.getpid() % 250)

    def __init__(self, scenario, count, *options, **more):
        first = f"127.{2 + os.getpid() % 8}.{1 + next(self._numbers) % 250}.1"
        self.directory = scenario.directory
        self.board = Board("--count", str(count), "--output", os.path.join(self.directory, "%a.bin"),
                           *options, where=first, **more)
        scenario.addCleanup(self.board.close)
        self.addresses = [f"{first.rpartition('.')[0]}.{number}" for number in range(1, count + 1)]
        for where in self.addresses:
            self.board.wait_for(rf"^{re.escape(where)}:\d+ ready ")

    @property
    def port(self):
        return self.board.port

    def received(self, where):
        """The digest of what a board got; None: nothing."""
        try:
            with open(os.path.join(self.directory, f"{where}.bin"), "rb") as file:
                return hashlib.sha256(file.read()).hexdigest()
        except FileNotFoundError:
            return None


def boards(*addresses):
    return [argument for where in addresses for argument in ("-i", str(where))]


def summary(text):
    """Of each group of failures: its code and the boards."""
    return {code: set(names.split(", ")) for code, names in
            re.findall(r"^esp-ota: \d+ boards?: .* \(([a-z-]+)\): (.*)$", text, re.M)}


class Fleet(Scenario):

    def setUp(self):
        super().setUp()
        self.use(firmware.esp8266())

    def use(self, image):
        self.image = image
        self.path = self.file("firmware.bin", image)
        self.digest = hashlib.sha256(image).hexdigest()

    def assert_received(self, floor, addresses):
        for where in floor.addresses:
            self.assertEqual(floor.received(where), self.digest if where in addresses else None, where)

    def test_success(self):
        self.use(firmware.esp32_sketch(20000))
        floor = Floor(self, 20, family="esp32")
        result = run(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path, "-j", "7")
        self.assertEqual((result.status, result.out), (0, ""), result)
        for where in floor.addresses:
            self.assertRegex(result.err, rf"(?m)^{re.escape(where)}: confirmed, 19.5 KiB in \d+\.\d s \(")
        self.assertRegex(result.err, r"\n20 of 20 boards confirmed, in \d+\.\d s\n$")
        self.assert_received(floor, floor.addresses)

    def test_quiet(self):
        floor = Floor(self, 2)
        result = run(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path, "-q")
        self.assertEqual((result.status, result.out, result.err), (0, "", ""), result)

    def test_a_reader_that_pauses(self):
        """It reads on once all boards are done, and gets the whole report; only lines of progress may be missing."""
        floor = Floor(self, 2, "--write-ms", "20")
        program = Program(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path, "--json", "-q",
                          popen={"pipesize": PAGE})
        floor.board.wait_for_count(" upload result=ok", 2)
        result = program.result()
        self.assertEqual((result.status, result.err), (0, ""), result)
        events = [json.loads(line)["event"] for line in result.out.splitlines()]
        self.assertEqual([events.count(event) for event in ("start", "connected", "result", "summary")], [2, 2, 2, 1],
                         result)
        self.assertEqual(events[-1], "summary", result)
        self.assert_received(floor, floor.addresses)

    def test_a_reader_of_messages_that_pauses(self):
        """The same for standard error, alone and in one pipe with standard output (2>&1), where the order stays."""
        for redirection in (">/dev/null", "2>&1"):
            floor = Floor(self, 20, "--write-ms", "20")
            program = Program(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path, "-d", "--json",
                              before=shell(f'exec "$@" {redirection}'), popen={"pipesize": PAGE})
            floor.board.wait_for_count(" upload result=ok", 20)
            result = program.result()
            self.assertEqual(result.status, 0, result)
            lines = (result.out or result.err).splitlines()
            self.assertEqual(sum(": confirmed, " in line for line in lines), 20, result)
            events = [(json.loads(line), after) for line, after in zip(lines, lines[1:]) if line.startswith("{")]
            confirmed = [(event["board"], after) for event, after in events if event["event"] == "result"]
            self.assertEqual(len(confirmed), 20 if result.out else 0, result)
            for where, after in confirmed:
                self.assertTrue(after.startswith(f"{where}: confirmed, "), result)
            self.assert_received(floor, floor.addresses)

    def test_one_that_is_off_delays_nobody(self):
        """With a place for one board only: its second attempt comes when the others are done."""
        floor = Floor(self, 3)
        silent = self.board("-p", str(floor.port), "--fault", "silent", where=address())
        off = silent.address
        result = run(*boards(off, *floor.addresses), "-p", str(floor.port), "-f", self.path, "-j", "1",
                     "-t", "0.3", "--retries", "1")
        self.assertEqual(result.status, 5, result)
        self.assertEqual(summary(result.err), {"no-answer": {off}})
        self.assertLess(result.err.index(f"{floor.addresses[-1]}: confirmed"),
                        result.err.index(f"esp-ota: {off}: invitation"))
        self.assertIn("3 of 4 boards confirmed, 1 failed, in", result.err)
        self.assertEqual(result.err.count("Check that the board is on"), 1, result)
        self.assert_received(floor, floor.addresses)

    def test_deadline(self):
        """A board that stalls gives its place back, and one that rests is not waited for."""
        slow = Board("--fault", "stall@0", "--window", "2144", "--mss", "536")
        silent = Board("--fault", "silent")
        self.addCleanup(slow.close)
        self.addCleanup(silent.close)
        floor = Floor(self, 2)
        arguments = [*boards(f"{slow.address}:{slow.port}", f"{silent.address}:{silent.port}",
                             *(f"{where}:{floor.port}" for where in floor.addresses))]
        result = run(*arguments, "-f", self.path, "-j", "1", "--deadline", "4", "-t", "1", "--retries", "9",
                     "--json")
        self.assertEqual(result.status, 9, result)
        codes = [event["code"] for event in map(json.loads, result.out.splitlines()) if event["event"] == "result"]
        self.assertEqual(sorted(codes), ["deadline", "deadline", "ok", "ok"], result)
        self.assertEqual(len(summary(result.err)["deadline"]), 2, result)
        self.assertRegex(result.err, "4 s of --deadline; before that: no answer from ")
        self.assert_received(floor, floor.addresses)

    def test_statuses(self):
        """One status for all that failed is the status; several are 20."""
        for others, status in (([], 7), ([address()], 20)):
            refusing = Floor(self, 2, "--fault", "refuse:No room")
            result = run(*boards(*refusing.addresses, *others), "-p", str(refusing.port), "-f", self.path,
                         "-t", "0.5", "--retries", "0")
            self.assertEqual(result.status, status, result)
            expected = {"refused": set(refusing.addresses), "not-listening": set(others)}
            self.assertEqual(summary(result.err), {code: who for code, who in expected.items() if who})

    def test_canary(self):
        good = Floor(self, 3)
        bad = self.board("-p", str(good.port), "--fault", "refuse:Bad day*0", where=address())
        arguments = ("-p", str(good.port), "-f", self.path, "--canary", "2")
        result = run(*boards(good.addresses[0], bad.address, *good.addresses[1:]), *arguments)
        self.assertEqual((result.status, result.out), (7, ""), result)
        self.assertIn(f"as a canary has failed: {good.addresses[1]}, {good.addresses[2]}\n", result.err)
        self.assertRegex(result.err, r"esp-ota: 1 of 4 boards confirmed, 1 failed, 2 not tried, in .*\n$")
        self.assert_received(good, good.addresses[:1])
        result = run(*boards(*good.addresses, bad.address), *arguments)
        self.assertEqual(result.status, 7, result)
        self.assertNotIn("not tried", result.err)
        self.assert_received(good, good.addresses)

    def test_canaries_that_are_skipped(self):
        """A second name of a board, or one that an earlier run has updated, is no canary."""
        good = Floor(self, 3)
        bad = self.board("-p", str(good.port), "--fault", "refuse:Bad day*0", where=address())
        first, second, third = good.addresses
        port = ("-p", str(good.port))
        report = run("-i", first, *port, "-f", self.path, "--json").out
        resume = ("--resume", self.file("report", report.encode()))
        for twin, options in ((f"{first}:{good.port}", ()), (first, resume)):
            with self.subTest(twin):
                known = (first,) if twin == first else (first, twin)
                canaries = "1" if twin == first else "2"
                result = run(*boards(*known, bad.address, second, third), *port, "-f", self.path,
                             "--canary", canaries, *options)
                self.assertEqual(result.status, 7, result)
                self.assertIn(f"as a canary has failed: {second}, {third}\n", result.err)

    def test_contradictions(self):
        """A board that would get two images gets none: in the list, and when only its address tells."""
        board = self.board()
        other = self.file("other.bin", firmware.esp8266(24000))
        hosts = self.file("hosts", f"{board.address} port={board.port}\n"
                                   f"{board.address} port={board.port} file={other}\n".encode())
        result = run("--hosts", hosts, "-f", self.path)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn(f"{hosts}, line 2: {board.address} would get two different images", result.err)
        one, two, same = (self.file(name, text) for name, text in (("one", b"kwert\n"), ("two", b"zuiop\n"), ("same", b"kwert\n")))
        for second, status in ((two, 2), (same, 0)):
            hosts = self.file("hosts", f"{board.address} port={board.port} auth-file={one}\n"
                                       f"{board.address} port={board.port} auth-file={second}\n".encode())
            result = run("--hosts", hosts, "-f", self.path)
            self.assertEqual((result.status, result.out), (status, ""), result)
            self.assertEqual(f"{hosts}, line 2: {board.address} is named twice with different passwords; leave "
                             "one of them out\n" in result.err, status == 2, result)
        hosts = self.file("hosts", f"localhost. port=1\n"
                                   f"127.0.0.1 port=1 file={other}\n".encode())
        result = run("--hosts", hosts, "-f", self.path, "-t", "0.3", "--retries", "0")
        self.assertEqual(result.status, 20, result)
        self.assertIn("so it would get two different images; leave one of them out", result.err)
        for demand in ('expect="version 42"', f"auth-file={one}"):
            demanding = self.file("hosts", f"localhost. port=1\n127.0.0.1 port=1 {demand}\n".encode())
            result = run("--hosts", demanding, "-f", self.path, "-t", "0.3", "--retries", "0")
            self.assertEqual(result.status, 20, result)
            self.assertRegex(result.err, r"is the same board as \S+, so it is named twice with different (expect=|passwords);")
        result = run("--hosts", hosts, "--hosts", self.path, "-f", self.path)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("option '--hosts' is given twice; put all boards into one list", result.err)

    def test_max_failures(self):
        good = Floor(self, 3)
        bad = [address(), address()]
        result = run(*boards(good.addresses[0], *bad, *good.addresses[1:]), "-p", str(good.port), "-f",
                     self.path, "--max-failures", "2", "-j", "1", "-t", "0.2", "--retries", "0")
        self.assertEqual(result.status, 5, result)
        self.assertIn(f"esp-ota: not tried, as too many others have failed: {good.addresses[1]}, "
                      f"{good.addresses[2]}\n", result.err)
        self.assert_received(good, good.addresses[:1])

    def test_two_names_of_one_board(self):
        board = self.board(where="127.0.0.1")
        result = run("-i", "127.0.0.1", "-i", "localhost", "-p", str(board.port), "-f", self.path)
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r"(?m)^localhost: is the same board as 127\.0\.0\.1$")
        self.assertIn("1 of 2 boards confirmed, 1 skipped, in", result.err)
        board.close()
        self.assertEqual(board.count("upload result=ok"), 1)

    def test_a_board_that_is_named_twice(self):
        """With and without its port."""
        board = self.board("--port", "8266")
        result = run("-i", board.address, "-i", f"{board.address}:8266", "-f", self.path)
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"\n{board.address}:8266: is named twice; once is enough\n", "\n" + result.err)

    def test_boards_of_one_address(self):
        """Their ports tell them apart: in each line, in JSON, for --resume and --metrics."""
        where = address()
        one = self.board(where=where)
        two = self.board("--port", "0", "--fault", "refuse:Bad day*1", where=where)
        first, second = f"{where}:{one.port}", f"{where}:{two.port}"
        arguments = (*boards(first, second), "-f", self.path)
        metrics = self.file("metrics", b"")
        report = run(*arguments, "--json", "--metrics", metrics)
        self.assertEqual(report.status, 7, report)
        with open(metrics, encoding="utf-8") as file:
            self.assertEqual({(first, "0"), (second, "7")},
                             set(re.findall(r'exit_status{board="(.*?)".*} (\d+)', file.read())))
        self.assertRegex(report.err, f"(?m)^{first}: confirmed, ")
        self.assertRegex(report.err, f"(?m)^esp-ota: {second}: .*Bad day")
        self.assertRegex(report.err, rf"(?m)^esp-ota: 1 board: .*\(refused\): {second}$")
        self.assertEqual({event["board"] for event in map(json.loads, report.out.splitlines())},
                         {first, second, None})
        result = run(*arguments, "-v", "--resume", self.file("report", report.out.encode()))
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn(f"\n{first}: has confirmed this image in an earlier run\n", result.err)
        self.assertRegex(result.err, f"(?m)^{second}: confirmed, ")
        result = run("--dry-run", *arguments)
        for target in (first, second):
            self.assertRegex(result.err, f"(?m)^{target}: would get the sketch ")

    def test_json(self):
        floor = Floor(self, 2)
        off = address()
        result = run(*boards(*floor.addresses, off), "-p", str(floor.port), "-f", self.path, "--json",
                     "-q", "-t", "0.2", "--retries", "0")
        self.assertEqual(result.status, 5, result)
        events = [json.loads(line) for line in result.out.splitlines()]
        results = {event["board"]: event["code"] for event in events if event["event"] == "result"}
        self.assertEqual(results, {**dict.fromkeys(floor.addresses, "ok"), off: "not-listening"})
        last = events[-1]
        del last["time"]
        self.assertEqual(last, {"event": "summary", "board": None, "ok": False, "exit_status": 5,
                                "code": "not-listening", "boards": 3, "confirmed": 2, "failed": 1,
                                "skipped": 0})

    def test_list(self):
        """A list, with ports, passwords and images of their own; what it names twice is one board."""
        other = self.file("other image.bin", image(seed=1))
        self.file("pw", b"kwert\n")
        os.chmod(os.path.join(self.directory, "pw"), 0o600)
        first, second = self.board(), self.board("-P", "kwert")
        text = (f"# the house\n{first.address} port={first.port}\r\n\n"
                f'"{second.address}:{second.port}" auth-file=pw file="other image.bin" # the lamp\n'
                f"{first.address}:{first.port}\n").encode()
        for arguments, stdin in (("--hosts", self.file("list", text)), b""), (("--hosts", "-"), text):
            result = run(*arguments, "-f", self.path, stdin=stdin, cwd=self.directory)
            self.assertEqual((result.status, result.out), (0, ""), result)
            self.assertIn("\n2 of 2 boards confirmed, in", result.err)
            self.assertEqual(first.received(), self.image)
            with open(other, "rb") as file:
                self.assertEqual(second.received(), file.read())

    def test_list_with_names_that_are_escaped(self):
        """A board may call itself what shows nothing: it never reaches a terminal or a program as it is."""
        names = {"Living\uf6ffroom": r"Living\uf6ffroom", "lamp\u00ad.local": r"lamp\u00ad.local",
                 "Tag \U000e0041": r"Tag \U000e0041"}
        lines = [f'"{name}"\n' for name in names]
        path = self.file("list", "".join(lines * 2).encode())
        other = self.file("other.bin", image(seed=1))
        for arguments in ((), ("--json",), ("-d",), ("-j", "1", "--canary", "1")):
            result = run("--hosts", path, "-f", self.path, "-t", "0.1", "--retries", "0", *arguments)
            self.assertEqual(result.status, 4, result)
            for name, escaped in names.items():
                self.assertNotIn(name, result.out + result.err)
                self.assertIn(escaped, result.err)
                if result.out:
                    self.assertIn(escaped, {json.loads(line)["board"] for line in result.out.splitlines()})

        for line, escaped in zip(lines, names.values()):
            for text, arguments, says in (
                    (line, (), f"no firmware is named for {escaped}; "),
                    (f"{line}{line.strip()} file={other}\n", ("-f", self.path), f": {escaped} would get two ")):
                result = run("--hosts", self.file("list", text.encode()), *arguments)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(says, result.err)

    def test_list_with_a_mistake(self):
        """Nothing is sent to any board."""
        board = self.board()
        path = self.file("list", f"{board.address}:{board.port}\nkitchen.local prot=1\n".encode())
        result = run("--hosts", path, "-f", self.path)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertRegex(result.err, r"^esp-ota: \S+list, line 2: .*prot")
        board.close()
        self.assertEqual(board.count("invitation"), 0)

    def test_resume(self):
        """After an interruption those that have confirmed are left out, and so the next time."""
        floor = Floor(self, 3)
        late = self.board("-p", str(floor.port), "--fault", "refuse:Not today", where=address())
        arguments = (*boards(late.address, *floor.addresses), "-p", str(floor.port), "-f", self.path, "--json")
        first = run(*arguments)
        self.assertEqual(first.status, 7, first)
        second = run(*arguments, "--resume", self.file("report", first.out.encode()))
        self.assertEqual(second.status, 0, second)
        self.assertRegex(second.err, r"\A3 of 4 already have it: the image was confirmed in an earlier run\n")
        self.assertNotIn("has confirmed", second.err)
        skipped = [event["board"] for event in map(json.loads, second.out.splitlines())
                   if event["event"] == "skipped"]
        self.assertEqual(sorted(skipped), sorted(floor.addresses))
        self.assertIn("\n1 of 4 boards confirmed, 3 had it already, in", second.err)
        third = run(*arguments, "--resume", self.file("report", second.out.encode()), "-v")
        self.assertEqual(third.status, 0, third)
        for where in floor.addresses:
            self.assertIn(f"\n{where}: has confirmed this image in an earlier run\n", third.err)
        self.assertIn("\nall 4 boards have the image already; nothing was to be sent\n", third.err)
        self.assertNotIn("already have it", third.err)
        for board, count in ((late, 1), (floor.board, 3)):
            board.close()
            self.assertEqual(board.count("upload result=ok"), count)

    def test_resume_with_another_image(self):
        floor = Floor(self, 2)
        arguments = (*boards(*floor.addresses), "-p", str(floor.port), "--json")
        first = run(*arguments, "-f", self.path)
        result = run(*arguments, "-f", self.file("new.bin", image(seed=2)), "--resume",
                     self.file("report", first.out.encode()))
        self.assertEqual(result.status, 0, result)
        self.assertIn("\n2 of 2 boards confirmed, in", result.err)

    def test_resume_with_another_name(self):
        """Another name of a board that has confirmed gets it neither another image nor the same one again."""
        for line, status in ((f" file={self.file('other.bin', firmware.esp8266(24000))}", 2), ("", 0)):
            board = self.board(where="127.0.0.1")
            hosts = self.file("hosts", f"127.0.0.1 port={board.port}\n"
                                       f"localhost. port={board.port}{line}\n".encode())
            arguments = ("--hosts", hosts, "-f", self.path, "--json")
            result = run(*arguments)
            for _ in range(3):
                self.assertEqual(result.status, status, result)
                result = run(*arguments, "--resume", self.file("report", result.out.encode()))
            board.close()
            self.assertEqual(board.count("upload result=ok"), 1)

    def test_resume_with_its_address(self):
        """The address that a name had gets no other image, as it may still be the name's."""
        board = self.board(where="127.0.0.1")
        other = self.file("other.bin", firmware.esp8266(24000))
        lines = (f"localhost. port={board.port}\n", f"127.0.0.1 port={board.port} file={other}\n")
        arguments = ("-f", self.path, "--json")
        result = run("--hosts", self.file("hosts", "".join(lines).encode()), *arguments)
        self.assertEqual(result.status, 2, result)
        self.assertIn("127.0.0.1: resolution: is the same board as localhost, so it would get two different images", result.err)
        for order in (1, -1, 1):
            hosts = self.file("hosts", "".join(lines[::order]).encode())
            result = run("--hosts", hosts, *arguments, "--resume", self.file("report", result.out.encode()))
            self.assertEqual(result.status, 4, result)
            self.assertIn("127.0.0.1: resolution: has the address at which localhost got another image in an earlier run, "
                          "and may be the same board\n", result.err)
            self.assertIn("\n  If both names are of one board, leave one of them out, or give both the same image; "
                          "if not, leave out the one that has its image already.\n", result.err)
        report = self.file("report", result.out.encode())
        self.assertEqual(board.count("upload result=ok"), 1)
        result = run("--hosts", self.file("hosts", lines[1].encode()), *arguments, "--resume", report)
        self.assertEqual(result.status, 0, result)  # the name left out, as it says
        board.close()
        self.assertEqual(board.count("upload result=ok"), 2)

    def test_resume_of_one_board(self):
        """All boards but one: the singular; of one board in all, its own line."""
        floor = Floor(self, 2)
        port = ("-p", str(floor.port))
        report = run("-i", floor.addresses[0], *port, "-f", self.path, "--json").out.encode()
        arguments = (*port, "-f", self.path, "--resume", self.file("report.jsonl", report))
        result = run(*boards(*floor.addresses), *arguments)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertRegex(result.err, r"\A1 of 2 already has it: the image was confirmed in an earlier run\n")
        result = run("-i", floor.addresses[0], *arguments)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertEqual(result.err, f"{floor.addresses[0]}: has confirmed this image in an earlier run\n")

    def test_few_descriptors(self):
        """The soft limit is raised; under a hard one fewer boards run at a time."""
        floor = Floor(self, 40)
        for limit in ("-Sn", "-n"):
            result = run(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path, "-j", "40", "-q",
                         before=("sh", "-c", f'ulimit {limit} 40; exec "$@"', "sh"))
            self.assertEqual((result.status, result.err), (0, ""), result)

    def test_interrupted(self):
        """In the middle: every connection is closed, and what became of each board is said."""
        floor = Floor(self, 4, "--fault", "stall@8000", family="pico")
        program = Program(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path, "-j", "3",
                          "-d")
        program.wait_for("(?s)(the board has connected.*){3}")
        program.send_signal(signal.SIGINT)
        result = program.result(20)
        self.assertEqual(result.status, -signal.SIGINT, result)
        self.assertEqual(summary(result.err), {"interrupted": set(floor.addresses[:3])})
        self.assertIn(f"esp-ota: not tried, as the run was interrupted: {floor.addresses[3]}\n", result.err)
        self.assertIn("esp-ota: 0 of 4 boards confirmed, 3 failed, 1 not tried, in", result.err)

    def test_interrupted_early(self):
        """Boards that have got nothing yet are in the summary only."""
        wheres = [address() for _ in range(3)]
        program = Program(*boards(*wheres), "-p", "9", "-f", self.path, "-d")
        program.wait_for("(?s)(nothing listens.*){3}")
        program.send_signal(signal.SIGINT)
        result = program.result(20)
        self.assertEqual(summary(result.err), {"interrupted": set(wheres)})
        self.assertNotIn("by SIGINT", result.err)

    def test_password_is_asked_for_once(self):
        self.use(firmware.esp32_sketch(20000))
        floor = Floor(self, 3, "-P", "kwert", family="esp32")
        terminal = Terminal(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path)
        terminal.wait_for(r"Password of 127[0-9.]+ \(and of the others that ask\): ")
        for where in floor.addresses:
            floor.board.wait_for(f"^{where}:.* challenge scheme=")
        terminal.type("kwert\n")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(shown(result.err).count("Password of"), 1, result)
        self.assert_no_secret(result, "kwert")
        self.assertIn("3 of 3 boards confirmed", result.err)

    def test_wrong_password_is_seen_by_one_board(self):
        """A mistyped password goes to one board, and never to the others."""
        self.use(firmware.esp32_sketch(20000))
        floor = Floor(self, 4, "-P", "kwert", family="esp32")
        terminal = Terminal(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path)
        question = r"Password of (127[0-9.]+) \(and of the others that ask\): "
        terminal.wait_for(question)
        for where in floor.addresses:
            floor.board.wait_for(f"^{where}:.* challenge scheme=")
        terminal.type("trewk\n")
        terminal.wait_for_prompt(question, 2)
        rejected = {event.split(":")[0] for event in floor.board.events if " answer result=failed" in event}
        terminal.type("kwert\n")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(shown(result.err).count("Password of"), 2, result)
        prover = re.search(question, result.err)[1]
        self.assertIn(f"{prover}: the board rejected the password that was typed", result.err)
        self.assertEqual(rejected, {prover})
        self.assertIn("4 of 4 boards confirmed", result.err)
        self.assert_no_secret(result, "kwert", "trewk")
        self.assert_received(floor, floor.addresses)

    def test_wrong_password_three_times(self):
        floor = Floor(self, 3, "-P", "kwert")
        terminal = Terminal(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path)
        for count in (1, 2, 3):
            terminal.wait_for_prompt(count=count)
            terminal.type("trewk\n")
        result = terminal.result()
        self.assertEqual(result.status, 6, result)
        self.assertEqual(shown(result.err).count("Password of"), 3, result)
        groups = summary(result.err.replace("\r", ""))
        self.assertEqual(sorted(map(len, groups.values())), [1, 2], result)
        self.assertEqual(set(groups), {"wrong-password", "password-needed"}, result)
        self.assertEqual(result.err.count("the one that was typed is not tried here, as another board has rejected it"), 2)
        self.assertIn("No right password was typed", result.err)
        self.assertNotIn("none was given", result.err)
        self.assert_received(floor, ())

    def test_first_board_falls_silent(self):
        """It has asked, and then gives no verdict on what was typed: another board is tried."""
        floor = Floor(self, 2, "-P", "kwert")
        silent = self.board("-p", str(floor.port), "-P", "kwert", "--fault", "drop-answer*0", where=address())
        terminal = Terminal(*boards(silent.address, *floor.addresses), "-p", str(floor.port), "-f", self.path,
                            "-j", "1", "--retries", "0")
        terminal.wait_for(rf"Password of {silent.address} ")
        terminal.type("kwert\n")
        result = terminal.result()
        self.assertEqual(shown(result.err).count("Password of"), 1, result)
        self.assertIn("2 of 3 boards confirmed, 1 failed", result.err)
        self.assert_received(floor, floor.addresses)

    def test_terminal(self):
        """One line of totals, within its width, and a line for each board above it."""
        self.use(firmware.esp8266(100000))  # seconds, in which a rate means something
        floor = Floor(self, 4, "--window", "2144", "--mss", "536", "--flash", "realistic", fast=False)
        states = r"0 of 4 done, 2 running, 2 waiting, slowest (127[\d.]+) \d+%, all"
        brief = r"0/4 done, 2 run, 2 wait, slowest (127[\d.]+) \d+%, all"
        for columns, line in ((160, rf"\[=*>? *\] {states} +\d+% +\d+\.\d KiB/s  \d:\d\d left"),
                              (85, rf"\r(\x1b\[K)?{states} +\d+%  \d:\d\d left"),
                              (64, rf"\r(\x1b\[K)?{brief} +\d+%"),
                              (30, r"\r(\x1b\[K)?0/4 done, 2 run, 2 wait +\d+%"),
                              (10, r"\r(\x1b\[K)?\d+%")):
            with self.subTest(columns):
                result = Terminal(*boards(*floor.addresses), "-p", str(floor.port), "-f", self.path, "-j", "2",
                                  columns=columns).result()
                self.assertEqual(result.status, 0, result)
                self.assertRegex(result.err, line)
                for drawn in re.split(r"[\r\n]+", result.err.replace("\x1b[K", "")):
                    if re.search(r"\d+%", drawn):
                        self.assertLess(len(drawn), columns, drawn)
        self.assertRegex(result.err, r"(\r\x1b\[K|\n)4 of 4 boards confirmed, in [0-9.]+ s\r\n$")

    def test_waiting_for_a_board(self):
        """It is off at first; its upload begins when it appears."""
        where = address()
        port = "18266"
        program = Program("-i", where, "-p", port, "-f", self.path, "--wait", "60", "-t", "0.5")
        program.wait_for(r"nothing listens at .*; waiting for the board, 60 s at most")
        board = self.board("-p", port, where=where)
        result = program.result(30)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(board.received(), self.image)
        self.assertEqual(result.err.count("waiting for the board"), 1, result)

    def test_waiting_at_a_terminal(self):
        """It counts down, and leaves nothing of that behind."""
        result = Terminal("-i", address(), "-f", self.path, "--wait", "3", "-t", "0.2").result()
        self.assertEqual(result.status, 5, result)
        self.assertRegex(result.err, r"waiting for the board, 0:0[12] left")
        self.assertRegex(result.err, r"left\r\x1b\[K(?!.*left)(?s:.*); the 3 s of --wait are over")

    def test_waiting_from_the_first_search_on(self):
        """It counts down, by any protocol: without a notice if nothing was in vain yet."""
        for scheme in ("", "esphome://", "sketch://", "http://"):
            with self.subTest(scheme):
                terminal = Terminal("-i", scheme + address(), "-f", self.path, "--wait", "60", "-t", "60")
                terminal.wait_for("waiting for the board, 0:5[0-9] left")
                terminal.send_signal(signal.SIGINT)
                self.assertEqual("at most" in terminal.result().err, scheme != "")

    def test_waiting_in_vain(self):
        result = run("-i", address(), "-f", self.path, "--wait", "1.5", "-t", "0.2")
        self.assertEqual(result.status, 5, result)
        self.assertRegex(result.err, r"esp-ota: [0-9.]+: invitation: nothing listens at .*; the 1\.5 s of --wait are over")
        self.assertNotIn(" left", result.err)
        self.assertGreater(result.seconds, 1.5)
        self.assertLess(result.undelayed, 20)

    def test_waiting_for_less_than_an_invitation(self):
        """It is not told to wait, as it did."""
        result = run("-i", address(), "-f", self.path, "--wait", "0.1", "-t", "0.3")
        self.assertRegex(result.err, r"nothing listens at .*; the 0\.1 s of --wait are over\n")
        self.assertNotIn("only --wait", result.err)


class FaultyFleet(Scenario):
    """200 boards, of which one in ten has a fault, of every kind."""

    FAULTS = (
        ("refused", ("--fault", "refuse:ERROR[4]: Not Enough Space")),
        ("wrong-password", ("--fault", "always-fail-auth", "-P", "other")),
        ("no-answer", ("--fault", "silent")),
        ("not-listening", None),
        ("no-connection", ("--fault", "never-connect")),
        ("lost", ("--fault", "reset@9000")),
        ("lost", ("--fault", "close@9000")),
        ("stalled", ("--fault", "stall@9000")),
        ("board", ("--fault", "error-end:ERROR[7]: MD5 verification failed")),
        ("unknown", ("--fault", "ok-missing")),
    )

    def test_two_hundred(self):
        content = image(60000)
        path = self.file("firmware.bin", content)
        digest = hashlib.sha256(content).hexdigest()
        window = ("--window", "5744", "--mss", "1436")
        floor = Floor(self, 180, *window)
        faulty = {}
        for code, options in self.FAULTS * 2:
            where = address()
            if options is not None:
                self.board("-p", str(floor.port), *window, *options, where=where, family="pico")
            faulty[where] = code
        everyone = list(floor.addresses)
        for number, where in enumerate(faulty):
            everyone.insert(number * 10, where)
        result = run(*boards(*everyone), "-p", str(floor.port), "-a", "kwert", "-f", path, "-j", "50",
                     "-t", "2", "--retries", "1")
        self.assertEqual(result.status, 20, result)
        expected = {}
        for where, code in faulty.items():
            expected.setdefault(code, set()).add(where)
        self.assertEqual(summary(result.err), expected, result)
        self.assertIn("esp-ota: 180 of 200 boards confirmed, 20 failed, in", result.err)
        for where in floor.addresses:
            self.assertEqual(floor.received(where), digest, where)


if __name__ == "__main__":
    unittest.main()
