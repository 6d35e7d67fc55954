#!/usr/bin/env python3
"""A board's log, and the proof of boot in it: --monitor, --log, --expect, --reject and what belongs to them.

tests/net/test_online.py is about --online.
"""

import json
import os
import re
import signal
import socket
import time
import unittest

from elsewhere import elsewhere
import faults
import firmware
from scenario import PROGRAM, Case, Program, Scenario, Terminal, address, image, run, secrets
from telnet_board import TelnetBoard

LINE_MAX = 2048
FLOOD = 8_000  # lines of 250 bytes
FLOOD_TEXT = "flood " + 236 * "-"
# A connection within a second of the upload's end counts as one to the old firmware. A board that is away for less, or less
# than a busy program is late, would be taken for that.
REBOOT = ("--reboot-ms", "3000")
PORT = 2323  # each board has an address of its own
MONITOR = f"--monitor={PORT}"
TIME = r" *\d+\.\d{3}  "
WALL = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  "
REFUSED = f"nothing listens on the board's TCP port {PORT}"
CONNECTED = rf"log connected \(TCP port {PORT}\)"
# Without CAP_NET_ADMIN a silent board's kernel goes on acknowledging probes, which no real board does.
LEAVES = ("reset", "close") + (() if os.geteuid() else ("silent",))
MENU = r"\*{3} A simulated board's debug log\n(?:\*.*\n| .*\n|\n)*"


def sketch(*say, after=(), flavour="stream", leave="close", more=()):
    """Options of a board whose sketch logs; it is off the air long enough for that to be seen."""
    steps = [word for step in say for word in ("--say", step)]
    steps += [word for step in after for word in ("--say-after", step)]
    return ("--telnet", str(PORT), "--telnet-flavour", flavour, "--telnet-leave", leave, *REBOOT, *steps, *more)


def log_of(name, say, out, *args, flavour="stream", **more):
    """A case without an upload: what a sketch says up to END, and what is seen of it."""
    return Case(name, board=sketch(*say, "END", flavour=flavour), args=(MONITOR, "--expect", "END$", *args),
                uploads=False, out=out, **more)


class MonitorScenario(Scenario):

    def log_board(self, *say, after=(), flavour="stream", leave="close", more=(), **named):
        board = TelnetBoard(*REBOOT, *more, flavour=flavour, say=say, say_after=after, leave=leave,
                            port=PORT, directory=self.directory, **named)
        self.addCleanup(board.close)
        return board

    def upload_to(self, *boards, **content):
        """The arguments that send an image to these boards."""
        return (*(word for board in boards for word in ("-i", board.address)), "-p", str(boards[0].port), "-f",
                self.file("fw.bin", image(**content)))


class Lines(MonitorScenario):
    """What is printed of what a sketch writes."""

    def test_hashes_of_the_password(self):
        """They are hidden also where no upload has a use for the password."""
        note = "(words that repeat an answer to a challenge, a hash of the password, or the encryption key)\n"
        self.check((log_of("hashes", [f"saved {word}" for word in secrets("kwertz")[1:]], note + note + "END\n",
                           "-a", "kwertz"),))

    def test_bytes(self):
        self.check((
            log_of("lines", ("one", "", "three"), "one\n\nthree\nEND\n"),
            log_of("each end of line", (r"!raw a\r\nb\nc\rd\r\x00e\n",), "a\nb\nc\nd\ne\nEND\n"),
            log_of("NUL, as TelnetSpy sends it for a sign of life", (r"!raw \x00on\x00e\x00\n\x00", r"!raw \x00"),
                   "one\nEND\n", "--expect", "^one$"),
            log_of("UTF-8", ("21 °C",), "21 °C\nEND\n"),
            log_of("half a character", (r"!raw 21 \xc2", "!pause 2000", r"!raw \xb0C\n"), "21 °C\nEND\n"),
            log_of("invalid UTF-8", (r"!raw \xc3\x28 \x80 \xfe \xed\xa0\x80\n",),
                   "\\xc3( \\x80 \\xfe \\xed\\xa0\\x80\nEND\n"),
            log_of("control characters", (r"!raw a\x07b\x1b[2Jcd\x7f\n",),
                   "a\\x07b\\x1b[2Jcd\\x7f\nEND\n"),
            log_of("colors", (r"!raw \x1b[0;32mI (5) wifi\x1b[0m\n",), "I (5) wifi\nEND\n"),
            log_of("as it is", (r"!raw a\x07b\x1b[2Jc\x1b[0;32md\x1b[0m\n",),
                   "a\x07b\x1b[2Jc\x1b[0;32md\x1b[0m\nEND\n", "--raw"),
            log_of("negotiation", (r"!raw \xff\xfb\x01\xff\xfd\x03\xff\xfa\x18\x01\xff\xf0hel\xff\xf1lo\n",),
                   "hello\nEND\n"),
            log_of("a doubled IAC is a byte", (r"!raw a\xff\xffb\n",), "a\\xffb\nEND\n"),
            log_of("RemoteDebug", ("one",), re.compile(MENU + r"\(D\) one\n\(D\) END\n"), flavour="remotedebug"),
            log_of("ESPTelnet", ("one",), "Welcome to this simulated board\none\nEND\n", flavour="esptelnet"),
            log_of("flood", ("!flood 20000",), "".join(f"flood {i}\n" for i in range(20000)) + "END\n"),
            log_of("endless line", ("!endless 100000", r"!raw \n"), "x" * 100000 + "\nEND\n"),
        ))

    def test_timestamps(self):
        """Of each line its beginning, also when the rest comes later."""
        halves = ("one", "!raw half ", "!pause 2000", "line")
        self.check([log_of(name, halves, re.compile(rf"{stamp}one\n{stamp}half line\n{stamp}END\n"), option)
                    for name, option, stamp in (("since the start", "--timestamps", TIME),
                                                ("time of day", "--timestamps=wall", WALL))])

    def test_half_line(self):
        """A prompt is seen while the board waits for an answer."""
        board = self.log_board("one", "!raw login: ")
        program = Program("-i", board.address, MONITOR)
        program.wait_for("one\nlogin: $")
        program.send_signal(signal.SIGINT)
        result = program.result()
        self.assertEqual((result.status, result.out), (0, "one\nlogin: \n"), result)

    def test_endless_line_in_pieces(self):
        """JSON has bounded pieces, which say that they belong together."""
        board = self.log_board("!endless 10000", r"!raw \n", "!raw half ", "!pause 2000", "line", "END")
        result = run("-i", board.address, MONITOR, "--json", "--expect", "END$", "-q")
        self.assertEqual((result.status, result.err), (0, ""), result)
        lines = [(event["line"], event["complete"], event["continued"])
                 for event in map(json.loads, result.out.splitlines()) if event["event"] == "log"]
        self.assertEqual(lines[-3:], [("half ", False, False), ("half line", True, False), ("END", True, False)])
        pieces = [line for line in lines[:-3] if line[1] or len(line[0]) == LINE_MAX]
        self.assertEqual("".join(text for text, *_ in pieces), "x" * 10000)
        self.assertEqual([rest for _, *rest in pieces],
                         [[False, False], *[[False, True]] * (10000 // LINE_MAX - 1), [True, True]])

    def test_phase(self):
        """Without an upload it is the log that failed, not the proof of anything."""
        board = self.log_board("one")
        result = run("-i", board.address, MONITOR, "--json", "--expect", "two", "--expect-timeout", "0.3")
        end = [event for event in map(json.loads, result.out.splitlines()) if event["event"] == "result"]
        self.assertEqual([(event["exit_status"], event["phase"]) for event in end], [(12, "log")], result)
        self.assertIn(f"esp-ota: {board.address}: log: ", result.err)

    def test_json_has_all_else(self):
        """Standard output has JSON only."""
        board = self.log_board("old", after=("new", "END"))
        result = run(*self.upload_to(board), MONITOR, "--json", "--expect", "^END$")
        self.assertEqual(result.status, 0, result)
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([event["line"] for event in events if event["event"] == "log" and event["complete"]][-2:],
                         ["new", "END"])
        self.assertEqual({event["board"] for event in events if event["event"] == "log"}, {board.address})
        end = [event for event in events if event["event"] == "result"]
        self.assertEqual([(event["ok"], event["exit_status"]) for event in end], [(True, 0)])
        self.assertNotRegex(result.err, "(?m)^(new|END)$")


class Ends(MonitorScenario):
    """When it ends, and with which status."""

    def test_after_an_upload(self):
        """The log is the new firmware's; the upload's success is the success."""
        says = (r"confirmed by the board", CONNECTED)
        self.check([
            Case(f"{flavour}, {leave}", args=(MONITOR, "--monitor-for", "5"), says=says,
                 board=sketch("old", after=("new", "!raw END\n"), flavour=flavour, leave=leave),
                 out=re.compile(greeting + r"new\nEND\n"))
            for flavour, greeting in (("stream", ""), ("esptelnet", "(?:Welcome.*\n)*"))
            for leave in LEAVES])

    def test_for_a_while(self):
        self.check((
            Case("alone", board=sketch("one"), args=(MONITOR, "--monitor-for", "0.5"), uploads=False, out="one\n",
                 says=(CONNECTED,), seconds=10),
            Case("no log", board=(), args=(MONITOR, "--monitor-for", "0.5"), uploads=False, status=12,
                 says=(REFUSED, r"esp-ota: [0-9.]+: log: its log was never reached: ")),
            Case("no log after an upload", args=(MONITOR, "--monitor-for", "0.5"),
                 says=("confirmed by the board", REFUSED)),
            Case("failed upload", board=sketch("one", more=("--fault", "refuse:No room")), status=7,
                 args=(MONITOR, "--monitor-for", "30"), never=("log connected",), seconds=20),
        ))

    def test_interrupted(self):
        """Ctrl-C is the way to end it, so it is no failure. The program dies of any other signal."""
        board = self.log_board("one", after=("new",))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            status = 0 if number == signal.SIGINT else -number
            for arguments, line in ((("-i", board.address), "one|new"), (self.upload_to(board), "new")):
                with self.subTest(line, number=number):
                    program = Program(*arguments, MONITOR)
                    program.wait_for(rf"(?m)^({line})\n")
                    program.send_signal(number)
                    result = program.result()
                    self.assertEqual(result.status, status, result)
                    self.assertRegex(result.out, rf"^({line})\n$")
                    self.assertEqual(f": interrupted by {number.name}\n" in result.err, status != 0, result)

    def test_interrupted_before_its_end(self):
        """With --monitor-for an end was asked for: a signal before it is none, whether a log was reached or not."""
        def results(result):
            return [(event["board"], event["exit_status"], event["code"])
                    for event in map(json.loads, result.out.splitlines()) if event["event"] == "result"]

        board = self.log_board("one", after=("new",))
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGRTMIN):
            cut = (board.address, 128 + number, "interrupted")
            for arguments, line, results_wanted in (
                    (("-i", board.address, MONITOR), '"(one|new)"', [cut]),
                    (("-i", board.address, "--monitor=9"), '"no log: ', [cut]),
                    ((*self.upload_to(board), MONITOR), '"new"',
                     [(board.address, 0, "ok"), (None, 128 + number, "interrupted")])):
                with self.subTest(line=line, number=number):
                    program = Program(*arguments, "--monitor-for", "600", "--json")
                    program.wait_for(line)
                    program.send_signal(number)
                    result = program.result()
                    self.assertEqual(result.status, -number, result)
                    self.assertEqual(results(result), results_wanted, result)
                    self.assertRegex(result.err, r"esp-ota: .*interrupted by (SIG|a real-time s)\w+(; its log was never reached: |\n)")

    def test_interrupted_fleet(self):
        """Of several logs each is named that was cut short, as one alone is."""
        boards = [self.log_board(f"one of {place}") for place in ("hall", "attic")]
        silent = address()
        targets = [word for where in (*(board.address for board in boards), silent) for word in ("-i", where)]
        program = Program(*targets, MONITOR, "--monitor-for", "600")
        program.wait_for("one of hall\n")
        program.wait_for("one of attic\n")
        program.wait_for_error(REFUSED)
        program.send_signal(signal.SIGTERM)
        result = program.result()
        self.assertEqual(result.status, -signal.SIGTERM, result)
        for board in boards:
            self.assertIn(f"esp-ota: {board.address}: log: interrupted by SIGTERM\n", result.err)
        self.assertIn(f"esp-ota: {silent}: log: interrupted by SIGTERM; its log was never reached: {REFUSED}", result.err)

    def test_report_that_cannot_be_written(self):
        """The output that was lost is named, not the log, which is not the reason."""
        boards = [self.log_board("!tick 50") for _ in range(2)]
        targets = [word for board in boards for word in ("-i", board.address)]
        for redirection, reason in ((">/dev/full", "No space left on device"), (">&-", "it is closed")):
            for count in (1, 2):
                with self.subTest(redirection, count=count):
                    result = run(*targets[:2 * count], MONITOR, "--json", before=("sh", "-c", f'exec "$@" {redirection}', "sh"))
                    self.assertEqual((result.status, result.out), (1, ""), result)
                    self.assertRegex(result.err, r"\Aesp-ota: the report of --json could not be written to standard output: "
                                                 rf"{reason}\n  [^\n]*\n\Z")

    def test_interrupted_without_an_end(self):
        """That a log was never reached is said, though nothing but Ctrl-C could be the end."""
        program = Program("-i", address(), "--monitor=9")
        program.wait_for("no log: ")
        program.send_signal(signal.SIGINT)
        result = program.result()
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r"\n[0-9.]+: its log was never reached: nothing listens on the board's TCP port 9\n")

    def test_interrupted_after_a_failure(self):
        """The status is that of the uploads, whatever is followed afterwards."""
        good = self.log_board(after=("new",))
        bad = self.board("-p", str(good.port), "--fault", "refuse:No room*0", where=address())
        program = Program(*self.upload_to(good, bad), MONITOR)
        program.wait_for(rf"{re.escape(good.address)}: new\n")
        program.send_signal(signal.SIGINT)
        result = program.result()
        self.assertEqual((result.status, result.out), (7, f"{good.address}: new\n"), result)

    def test_interrupted_beside_a_reader_that_pauses(self):
        """Ctrl-C waits until it has read the rest; a second one ends at once."""
        def size():
            return os.path.getsize(log) if os.path.exists(log) else 0

        for is_impatient in (False, True):
            log = os.path.join(self.directory, f"{is_impatient}.log")
            board = self.log_board("!tick 20")
            program = Program("-i", board.address, MONITOR, "--log", log, "-q", popen={"pipesize": 4096})
            faults.wait_until(lambda: size() > len("tick 0\ntick 1\n"))
            program.send_signal(signal.SIGINT)
            if is_impatient:  # the program may not wait yet when the second one comes
                faults.wait_until(lambda: program.has_ended() or program.send_signal(signal.SIGINT))
            result = program.result()
            with open(log, encoding="ascii") as file:
                logged = file.read()
            if is_impatient:
                self.assertIn(result.status, (1, -signal.SIGINT), result)  # a late one ends it by default
                self.assertEqual(result.out, "tick 0\n", result)
                self.assertIn("the log could not be written to standard output: ", result.err)
            else:
                self.assertEqual((result.status, result.out), (0, logged), result)

    def test_interrupted_while_proof_is_pending(self):
        board = self.log_board(after=("new",))
        program = Program(*self.upload_to(board), MONITOR, "--expect", "never")
        program.wait_for("(?m)^new\n")
        program.send_signal(signal.SIGINT)
        result = program.result()
        self.assertEqual((result.status, result.out), (-signal.SIGINT, "new\n"), result)
        self.assertRegex(result.err, "esp-ota: .*interrupted by SIGINT; the board had confirmed the upload\n"
                                     "  Look at what the board runs before you send again: it has the image")

    def test_nobody_reads(self):
        """As in `esp-ota --monitor | head -1`."""
        board = self.log_board("!tick 50")
        result = run("-i", board.address, MONITOR, before=("bash", "-o", "pipefail", "-c", '"$@" | head -1', "-"))
        self.assertEqual((result.status, result.out), (0, "tick 0\n"), result)
        self.assertNotIn("esp-ota: ", result.err)
        self.assertLess(result.undelayed, 20)


class Connections(MonitorScenario):

    def test_restarts(self):
        """The log is found again, however the board leaves; each time with a short notice."""
        programs = []
        reasons = {"reset": "reset the connection", "close": "closed the connection",
                   "silent": "reset the connection|does not answer any more"}
        for leave in LEAVES:
            reason = reasons[leave]
            board = self.log_board("one", "!pause 300", "!crash", leave=leave)
            programs.append((leave, reason, Program("-i", board.address, MONITOR)))
        for leave, reason, program in programs:
            with self.subTest(leave):
                program.wait_for("one\none\n")
                program.wait_for(rf"log lost \([^)]*({reason})\); connecting again\n(.*\n)*.*: {CONNECTED}")
                program.send_signal(signal.SIGINT)
                result = program.result()
                self.assertEqual(result.status, 0, result)
                self.assertRegex(result.out, r"^(one\n)+$")

    def test_hang_up(self):
        """The sketch ends the connection, without a restart. A reset takes what a late reader has not read."""
        self.check([
            Case(step, board=sketch("one", "!pause 2000", step, "two", "END"), args=(MONITOR, "--expect", "END"),
                 uploads=False, out="one\ntwo\nEND\n", says=("log lost", CONNECTED))
            for step in ("!close", "!reset")])

    def test_somebody_else_reads(self):
        """A second client is hung up on by libraries that serve one; that is said, once."""
        for flavour in ("esptelnet", "remotedebug"):
            with self.subTest(flavour):
                board = self.log_board("one", "END", flavour=flavour)
                first = board.connect(address())
                first.read_until(b"END\r\n")
                program = Program("-i", board.address, MONITOR, "--expect", "END$")
                program.wait_for("hangs up at once .*perhaps another client reads its log")
                board.wait_for_count("telnet-refused", 2)
                first.close()
                result = program.result()
                self.assertEqual(result.status, 0, result)
                self.assertEqual(result.err.count("hangs up at once"), 1, result)
                self.assertTrue(result.out.endswith("END\n"), result)
                board.close()

    def test_wrong_port(self):
        """Nothing listens: said at once, and in the end with the port."""
        args = (MONITOR, "--expect", "x", "--expect-timeout", "1")
        says = (REFUSED, r'esp-ota: .*in 1 s the log did not say "x"; it was never reached: nothing listens on the board\'s TCP port \d+',
                "\n  Check the port of the log")
        self.check((
            Case("alone", args=args, uploads=False, status=12, says=says),
            Case("after an upload", args=args, status=12, installed=True,
                 says=(*says, "the board has confirmed the upload")),
            Case("no board", board=None, args=args, uploads=False, status=12, says=says),
        ))


class Typing(MonitorScenario):

    def test_commands(self):
        """What is typed before the board listens is not lost in its first moments; lines end with CR LF. On a busy
        machine a simulated board may see the connection so late that it is deaf for longer than 150 ms after it."""
        for flavour in ("stream", "esptelnet", "remotedebug"):
            with self.subTest(flavour):
                self.assertTrue(any(self.is_command_heard(flavour) for _ in range(8)))

    def is_command_heard(self, flavour):
        """Whether a board that is deaf for 130 ms hears what was typed before esp-ota was connected."""
        board = self.log_board("one", flavour=flavour, more=("--telnet-deaf-ms", "130"))
        terminal = Terminal("-i", board.address, MONITOR)
        terminal.type("status\n")
        heard = board.wait_for(r'telnet-command text="status(\\r)?"|telnet-discarded')
        terminal.wait_for("one")
        terminal.type("\x03")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        board.close()
        return "telnet-command" in heard and not board.count("telnet-discarded")

    def test_what_is_sent(self):
        """These bytes, after 150 ms, and none for telnet's negotiation."""
        with socket.create_server((address(), PORT)) as server:
            terminal = Terminal("-i", server.getsockname()[0], MONITOR)
            terminal.type("first\nsecond\n")
            with elsewhere():
                connection = server.accept()[0]
                start = time.monotonic()
                got = connection.recv(1)
                seconds = time.monotonic() - start
            with connection:
                while not got.endswith(b"second\r\n"):
                    chunk = connection.recv(100)
                    self.assertTrue(chunk, got)
                    got += chunk
                self.assertEqual(got, b"first\r\nsecond\r\n")
                self.assertGreater(seconds, 0.1)
                terminal.type("\x03")
                self.assertEqual(terminal.result().status, 0)

    def test_nobody_listens(self):
        """What is typed meanwhile is said when somebody does."""
        where = address()
        terminal = Terminal("-i", where, MONITOR)
        terminal.wait_for("nothing listens")
        terminal.type("hello\n")
        terminal.wait_for("hello")
        with socket.create_server((where, PORT)) as server:
            with server.accept()[0] as connection:
                self.assertEqual(connection.recv(100), b"hello\r\n")
                terminal.type("\x03")
                self.assertEqual(terminal.result().status, 0)


class LogFile(MonitorScenario):

    def test_append(self):
        board = self.log_board("one", r"!raw \x1b[2Jtwo\n", "END")
        path = os.path.join(self.directory, "log")
        arguments = ("-i", board.address, MONITOR, "--log", path, "--expect", "END")
        expected = "one\n\\x1b[2Jtwo\nEND\n"
        first = run(*arguments)
        self.assertEqual((first.status, first.out), (0, expected), first)
        second = run(*arguments, "--json", "-q")
        self.assertEqual((second.status, second.err), (0, ""), second)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), 2 * expected)

    def test_unwritable(self):
        """Found before anything is sent."""
        self.check([
            Case(path, board=sketch("one"), args=(MONITOR, "--log", path), status=1, image=firmware.esp8266(),
                 says=(rf"^esp-ota: cannot open {path} to write the log there: .*\n  {remedy}.*\n$",))
            for path, remedy in (("/nonexistent/log", "Create the directory first"),
                                 ("/", "Give the option the name of a file"))])

    def test_busy_file(self):
        """A program that runs. The words for inputs would say that this run writes to one."""
        result = run("-i", address(), MONITOR, "--log", PROGRAM)
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn(f"esp-ota: cannot open {PROGRAM} to write the log there: Text file busy\n", result.err)

    def test_full(self):
        board = self.log_board("one", "END")
        result = run("-i", board.address, MONITOR, "--log", "/dev/full", "--expect", "END")
        self.assertEqual((result.status, result.out), (1, "one\nEND\n"), result)
        self.assertRegex(result.err, "(?m)^esp-ota: the log could not be written to /dev/full: No space left on device\n"
                                     "  Make room on the disk")

    def test_full_without_an_end(self):
        """No upload, and nobody who would end it."""
        board = self.log_board("one", "!tick 50 alive")
        result = run("-i", board.address, MONITOR, "--log", "/dev/full")
        self.assertEqual(result.status, 1, result)
        self.assertRegex(result.err, "(?m)^esp-ota: the log could not be written to /dev/full: No space left on device\n")

    def test_full_in_the_middle(self):
        """All that fits is there; the terminal has all."""
        lines = [f"{number} " + 500 * "x" for number in range(9)]
        board = self.log_board(*lines, "END")
        path = os.path.join(self.directory, "board.log")
        result = run("-i", board.address, MONITOR, "--log", path, "--expect", "END",
                     before=("bash", "-c", 'ulimit -f 2; exec "$@"', "bash"))
        self.assertEqual((result.status, result.out), (1, "".join(f"{line}\n" for line in [*lines, "END"])), result)
        self.assertRegex(result.err, f"(?m)^esp-ota: the log could not be written to {path}: File too large\n")
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), result.out[:2048])

    def test_full_and_unproven(self):
        """The status is that of the upload; the loss is told."""
        board = self.log_board(after=("one",))
        result = run(*self.upload_to(board), MONITOR, "-q", "--log", "/dev/full", "--reject", "one")
        self.assertEqual((result.status, result.out), (12, "one\n"), result)
        self.assertRegex(result.err, "(?m)^esp-ota: the log could not be written to /dev/full: No space left on device$")

    def test_full_while_another_board_is_updated(self):
        """That board gets its image all the same, and what is said of it is true."""
        for output, options, status in ((None, ("--log", "/dev/full"), 1), ("head -n 1", (), 0)):
            with self.subTest(output):
                boards = [self.log_board(after=("one", "!tick 50 alive"), more=more) for more in ((), ("--write-ms", "200"))]
                shell = ("bash", "-c", f'"$@" > >({output or "cat"})', "bash")
                result = run(*self.upload_to(*boards), MONITOR, *options, before=shell)
                self.assertEqual(result.status, status, result)
                self.assertEqual("every upload is confirmed, but the log could not be written to /dev/full" in result.err,
                                 status == 1, result)
                for board in boards:
                    self.assertIsNotNone(board.received(), result)


class Proof(MonitorScenario):
    """--expect and --reject."""

    def test_hit(self):
        proof = r"confirmed by the board; its log said what was expected, after \d+\.\d s"
        new = ("boot", "version 2", "wifi up")
        all_lines = "boot\nversion 2\nwifi up\n"

        def hit(name, *args, out=all_lines, says=(proof,), board=sketch("old", after=new), **more):
            return Case(name, board=board, args=(MONITOR, *args), out=out, says=says, **more)

        self.check((
            hit("one", "--expect", "^version 2$", out="boot\nversion 2\n"),
            hit("several, any order", "--expect", "wifi up", "--expect", "boot", "--expect", "version [0-9]+"),
            hit("half a line is enough", "--expect", "login:", board=sketch("old", after=("!raw login: ",)),
                out="login: \n"),
            hit("what people type", "--expect", r"(?i)\bVERSION \d+$", "--expect", r"^\w+ü\w+ .*?up$",
                board=sketch("old", after=("version 2", "küche up", "END")), out="version 2\nküche up\n"),
            hit("no upload", "--expect", "wifi", board=sketch(*new), uploads=False,
                says=("its log said what was expected",)),
            hit("nothing rejected", "--reject", "panic", "--expect-timeout", "12",
                says=("its log had no rejected line, in 12 s",)),
            hit("RemoteDebug", "--expect", r"^\(D\) wifi up$", out=None,
                board=sketch("old", after=new, flavour="remotedebug")),
            hit("colors", "--expect", "^wifi up$", out="wifi up\n",
                board=sketch("old", after=(r"!raw \x1b[0;32mwifi up\x1b[0m\n",))),
            hit("colors as they are", "--expect", "^wifi up$", "--raw", out="\x1b[0;32mwifi up\x1b[0m\n",
                board=sketch("old", after=(r"!raw \x1b[0;32mwifi up\x1b[0m\n",))),
            hit("no answer while away", "--expect", "wifi", out=None, fast=False,
                board=sketch("old", after=new, leave="reset", more=("--telnet-away-silent",))),
        ))

    def test_miss(self):
        def missed(name, say, *args, says, **more):
            return Case(name, board=sketch("old", after=say, **more), args=(MONITOR, "--expect-timeout", "12", *args),
                        status=12, installed=True, out=None, says=(*says, "the board has confirmed the upload, but "))

        wifi, two = ("--expect", "wifi"), ("boot", "done")
        self.check((
            missed("no such line", two, *wifi,
                   says=('in 12 s the log did not say "wifi"; the last lines were "boot", "done"',)),
            missed("one line", ("boot",), *wifi, says=('the last line was "boot"',)),
            missed("one of two", two, *wifi, "--expect", "boot", says=('the log did not say "wifi"; ',)),
            missed("both", two, *wifi, "--expect", "mqtt", says=('the log did not say "wifi", "mqtt"; ',)),
            missed("no line", ("!pause 60000",), *wifi, says=("it was connected, but no line came", "\n  Let the sketch repeat")),
            missed("no line, nothing rejected", ("!pause 60000",), "--reject", "panic",
                   says=("the log did not say anything",)),
            missed("shown as text", (r"!raw \x1b[2Jboot\n",), *wifi, says=(r'the last line was "\\x1b\[2Jboot"',)),
            missed("half a line has no end", ("!raw login: ",), "--expect", "login: $",
                   says=('the last line was "login: "',)),
            missed("never back", ("wifi",), *wifi, says=("it was never reached|no line came",),
                   more=("--reboot-ms", "86400000")),
        ))

    def test_old_firmware(self):
        """What it says proves nothing, whether or not the end of its connection is seen."""
        self.check([
            Case(leave + " ".join(more), args=(MONITOR, "--expect", "ready", "--expect-timeout", "12"),
                 board=sketch("ready", "!tick 20 ready", after=("other", "!tick 300 other"), leave=leave, more=more),
                 status=12, installed=True, fast=False, out=None,
                 says=("still to the old firmware",
                       'did not say "ready"; the last lines? (was|were) "other'))
            for leave in LEAVES for more in ((), ("--telnet-away-silent",))])

    def test_what_the_old_firmware_says(self):
        """A line that it still says, as a task beside loop() may, is printed, and neither proves nor refutes."""
        for args, status, says in (
                (("--expect", "ready", "--expect-timeout", "12"), 12, 'did not say "ready"; the last line was "other"'),
                (("--expect", "other", "--reject", "ready"), 0, "its log said what was expected")):
            board = self.board()
            with self.subTest(args), socket.create_server((board.address, PORT)) as server:
                program = Program(*self.upload_to(board), MONITOR, *args)
                with server.accept()[0] as old:
                    old.sendall(b"ready\r\n")
                    program.wait_for("(?m)^ready\n")
                with server.accept()[0] as new:
                    new.sendall(b"other\r\n")
                    result = program.result()
                self.assertEqual((result.status, result.out), (status, "ready\nother\n"), result)
                self.assertIn("still to the old firmware", result.err)
                self.assertRegex(result.err, says)

    def test_reject(self):
        new = ("boot", "Guru Meditation 1", "END")

        def rejected(name, *args, board=sketch("old", after=new), installed=True, **more):
            return Case(name, board=board, args=(MONITOR, "--reject", "Guru", *args), status=12, installed=installed,
                        out="boot\nGuru Meditation 1\n", **more,
                        says=('the log said "Guru Meditation 1", which matches --reject "Guru"',))

        self.check((
            rejected("alone"),
            rejected("with what is expected", "--expect", "END"),
            rejected("on the same line", "--expect", "Medi"),
            rejected("no upload", board=sketch(*new), uploads=False, installed=False),
        ))

    def test_line_in_two_pieces(self):
        """The first piece proves, and refutes, only what the second cannot change; of a line that was cut off, no more
        ever comes. END shows that nothing before it has decided."""
        whole, cut, found = b"2-rc\nversion 43\nEND\n", None, "its log said what was expected"
        undecided, rejected = ("--reject", "END"), 'the log said "END"'
        for first, then, args, status, says in (
                ("version 4", whole, ("--expect", r"version 4\b", *undecided), 12, rejected),
                ("version 42", whole, ("--expect", "version 42(?!2-rc)", *undecided), 12, rejected),
                ("version 4", whole, ("--expect", "version 43", "--reject", r"version 4\b"), 0, found),
                ("version 4", whole, ("--expect", "version 4", *undecided), 0, found),
                ("version 4", cut, ("--expect", "^version 4$", *undecided), 12, rejected),
                ("version 4", cut, ("--expect", r"version \d+", *undecided), 12, rejected),
                ("panic", cut, ("--expect", "END", "--reject", "^panic$"), 12, 'the log said "panic"')):
            with self.subTest(first=first, then=then, args=args), socket.create_server(("127.0.0.1", 0)) as server:
                program = Program("-i", "127.0.0.1", f"--monitor={server.getsockname()[1]}", *args)
                board = server.accept()[0]
                board.sendall(first.encode())
                program.wait_for(first)
                if then is cut and says == rejected:
                    board.close()
                    board, then = server.accept()[0], b"END\n"
                with board:
                    if then:
                        board.sendall(then)
                        result = program.result()
                if not then:
                    result = program.result()
                self.assertEqual(result.status, status, result)
                self.assertIn(says, result.err)

    def test_line_without_an_end(self):
        """At the deadline it is judged as it stands."""
        self.check([
            Case(" ".join(args), board=sketch(f"!raw {line}"), args=(MONITOR, "--expect-timeout", "12", *args),
                 uploads=False, status=status, out=line + "\n", says=(says,))
            for line, args, status, says in (
                ("ok 1> ", ("--expect", "ok.*>"), 0, "its log said what was expected"),
                ("panic: a", ("--reject", "panic.*"), 12, 'the log said "panic: a"'))])

    def test_too_hard(self):
        """No line of a board takes an expression forever, and what is not known is no success."""
        hard, line = "^(([a-z])+.)+[A-Z]([0-9])+$", 40 * "a"
        board = sketch("old", after=(line, line, "END"))
        shown = re.escape(hard)
        self.check((
            Case("reject", board=board, args=(MONITOR, "--expect", "END", "--reject", hard), status=12, installed=True,
                 out=line + "\n", says=(f'the log said "{line}", and whether --reject "{shown}" matches could not be '
                                        "decided: it can match in too many ways", "Write a simpler expression")),
            Case("expect", board=board, args=(MONITOR, "--expect", hard, "--expect", "END", "--expect-timeout", "12"),
                 status=12, installed=True, out=None,
                 says=(f'whether --expect "{shown}" matches a line could not be decided, as it can match in too many ways',
                       f'the log did not say "{shown}"')),
        ))

    def test_bad_firmware(self):
        """It goes back to the old one, or crashes forever."""
        def bad(name, say, *args, **more):
            return Case(name, board=sketch("version 1", after=(*say[:-1], "!pause 300", say[-1])), status=12,
                        installed=True, args=(MONITOR, *args), **more)

        expect = ("--expect", "version 2", "--expect-timeout", "12")
        self.check((
            bad("rollback", ("boot", "!rollback"), *expect, out="boot\nversion 1\n", events=("rollback",),
                says=('did not say "version 2"; the last lines were "boot", "version 1"',)),
            bad("crash loop", ("boot", "!crash"), *expect, out=re.compile("(boot\n){2,}"),
                says=('the last lines were "boot", "boot"',)),
            bad("crash loop, rejected", ("boot", "Guru", "!crash"), "--reject", "Guru", out="boot\nGuru\n",
                says=('which matches --reject "Guru"',)),
        ))


class Fleets(MonitorScenario):

    def test_a_reader_that_pauses(self):
        """As in `esp-ota --monitor | less`: the log of one board does not hold the upload to the other one."""
        lines = [f"line {number}" for number in range(20)]
        logging = self.log_board(after=(*lines, "END"))
        slow = self.log_board(after=("END",), more=("--write-ms", "200", "--window", "2144", "--mss", "536"))
        program = Program(*self.upload_to(logging, slow, size=100_000), MONITOR, "--expect", "END", "-q", popen={"pipesize": 4096})
        for board in (logging, slow):
            board.wait_for(" upload result=ok")
        result = program.result()
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertEqual(re.findall(rf"(?m)^{logging.address}: (.*)$", result.out), [*lines, "END"], result)

    def flood(self, *after):
        """A board that logs more than waits in memory while the reader pauses (1 MiB)."""
        return self.log_board(after=(f"!flood {FLOOD} {FLOOD_TEXT}", *after))

    def test_a_flood_to_a_reader_that_pauses(self):
        """The board has to wait for the reader; the upload to the other one goes on, and no line is lost."""
        logging, slow = self.flood("END"), self.log_board(
            after=("END",), more=("--write-ms", "200", "--window", "2144", "--mss", "536"))
        program = Program(*self.upload_to(logging, slow, size=100_000), MONITOR, "--expect", "END", "--expect-timeout", "100",
                          "-q", popen={"pipesize": 4096})
        for board in (logging, slow):
            board.wait_for(" upload result=ok")
        result = program.result()
        self.assertEqual((result.status, result.err), (0, ""), result.err)
        self.assertEqual(re.findall(rf"(?m)^{logging.address}: (.*)$", result.out),
                         [*(f"{FLOOD_TEXT} {number}" for number in range(FLOOD)), "END"])

    def test_a_flood_that_is_not_read_in_time(self):
        """The proof fails at its deadline, for the reader's sake: what the board says later may have been rejected."""
        for name, *args in (("expected", "--expect", "END"), ("rejected", "--reject", "END")):
            with self.subTest(name):
                board = self.flood("END")
                program = Program(*self.upload_to(board), MONITOR, *args, "--expect-timeout", "12", popen={"pipesize": 4096})
                program.wait_for_error(r"proof of boot: the board .*, but its log was not read to the end in 12 s, as the reader "
                                       r"of this program's output had paused.*; the last lines were \"flood --")
                result = program.result()
                self.assertEqual(result.status, 12, result.err)
                self.assertIn("Check the program that reads the output", result.err)

    def follow(self, *boards, **more):
        arguments = [word for board in boards for word in ("-i", board.address)]
        return Program(*arguments, MONITOR, **more)

    def test_names(self):
        """On a pipe each line has its board's name; half lines do not mix."""
        first = self.log_board("!raw half ", "!pause 2000", "one")
        second = self.log_board("two", "!pause 300", "three")
        program = self.follow(first, second)
        program.wait_for("half one\n")
        program.wait_for("three\n")
        program.send_signal(signal.SIGINT)
        result = program.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(sorted(result.out.splitlines()), sorted((
            f"{first.address}: half one", f"{second.address}: two", f"{second.address}: three")))

    def test_colors(self):
        for more, pattern in (({}, r"\x1b\[3\dm{}:\x1b\[0m one\r\n"), ({"NO_COLOR": "1"}, r"(?<!m){}: one\r\n"),
                              ({"TERM": "dumb"}, r"(?<!m){}: one\r\n")):
            with self.subTest(more):
                boards = [self.log_board("one") for _ in range(2)]
                terminal = Terminal(*(word for board in boards for word in ("-i", board.address)), MONITOR, **more)
                for board in boards:
                    terminal.wait_for(pattern.format(re.escape(board.address)))
                terminal.type("\x03")
                self.assertEqual(terminal.result().status, 0)

    def test_expect(self):
        """The proof of each board is its own."""
        good = self.log_board(after=("boot", "version 2"))
        bad = self.log_board("version 2", after=("boot",), more=("-p", str(good.port)))
        result = run(*self.upload_to(good, bad), MONITOR, "--expect", "version 2", "--expect-timeout", "12")
        self.assertEqual(result.status, 12, result)
        self.assertEqual(sorted(result.out.splitlines()), sorted((
            f"{good.address}: boot", f"{good.address}: version 2", f"{bad.address}: boot")))
        self.assertRegex(result.err, rf"(?m)^{re.escape(good.address)}: confirmed, .*; its log said what was expected")
        self.assertRegex(result.err, rf"(?m)^esp-ota: {re.escape(bad.address)}: proof of boot: .*in 12 s the log did not "
                                     'say "version 2"')
        self.assertIn("1 of 2 boards confirmed, 1 failed", result.err)

    def test_log_is_not_a_file_that_is_read(self):
        """No input file can be one of --log, as the board's lines would be appended to it, or of --metrics, which
        replaces it."""
        path, hosts = self.file("fw.bin", image()), self.file("hosts", f"{address()} auth-file=password\n".encode())
        config, aliases = self.file("config", b"timeout = 1\n"), self.file(".popt", b"esp-ota alias --x -i x\n")
        authority, password = self.file("ca", b"-----BEGIN CERTIFICATE-----\n"), self.file("password", b"kwert\n")
        line = ("--config", config, "--hosts", hosts, "--retries", "0")
        resumed = self.file("resumed", run(*line, "-f", path, "--json").out.encode())
        line += ("-f", path, "--resume", resumed, "--cacert", authority, MONITOR)
        for name in (path, hosts, config, resumed, authority, password, aliases):
            for option in ("--log", "--metrics"):
                with self.subTest(name, option=option), open(name, "rb") as file:
                    before = file.read()
                    os.link(name, os.path.join(self.directory, "link"))
                    result = run(*line, option, "link", cwd=self.directory, HOME=self.directory)
                    os.unlink(os.path.join(self.directory, "link"))
                    self.assertEqual((result.status, result.out), (2, ""), result)
                    self.assertIn(f"{option} names an input file, link; give it another name\n", result.err)
                    with open(name, "rb") as after:
                        self.assertEqual(after.read(), before)

    def test_summary_of_logs(self):
        """A board that gets no upload has its result when its log ends, and the summary waits for it."""
        updated = self.log_board(after=("boot",))
        silent = address()
        self.file("fw.bin", image())
        hosts = self.file("hosts", f"{updated.address} port={updated.port} file=fw.bin\n{silent}\n".encode())
        result = run("--hosts", hosts, MONITOR, "--monitor-for", "0.5", "--json", "-q", cwd=self.directory)
        self.assertEqual(result.status, 12, result)
        events = [json.loads(line) for line in result.out.splitlines()]
        results = {event["board"]: event["code"] for event in events if event["event"] == "result"}
        self.assertEqual(results, {updated.address: "ok", silent: "unproven"})
        self.assertEqual([event["exit_status"] for event in events if event["event"] == "summary"], [12], result)
        self.assertEqual((events[-1]["event"], events[-1]["confirmed"], events[-1]["failed"]), ("summary", 1, 1))

    def test_canary(self):
        """It counts when it has proven itself, not when it has confirmed."""
        canary = self.log_board(after=("boot", "panic"))
        rest = self.log_board(after=("boot", "panic"), more=("-p", str(canary.port)))
        result = run(*self.upload_to(canary, rest), MONITOR, "--canary", "1", "--reject", "panic")
        self.assertEqual((result.status, result.out),
                         (12, f"{canary.address}: boot\n{canary.address}: panic\n"), result)
        self.assertIn(f"esp-ota: not tried, as a canary has failed: {rest.address}\n", result.err)
        rest.close()
        self.assertEqual(rest.count("invitation"), 0, rest.events)
        canary.close()
        self.assertEqual(canary.count("upload result=ok"), 1)

    def test_canary_waits_for_proof(self):
        """The others follow when it is there."""
        canary = self.log_board(after=("boot", "!pause 800", "END"))
        rest = self.log_board(after=("boot", "END"), more=("-p", str(canary.port)))
        program = Program(*self.upload_to(canary, rest), MONITOR, "--canary", "1", "--expect", "END")
        program.wait_for(rf"{re.escape(canary.address)}: boot\n")
        self.assertEqual(rest.count("invitation"), 0)
        result = program.result()
        self.assertEqual(result.status, 0, result)
        self.assertIn("2 of 2 boards confirmed", result.err)


class Usage(MonitorScenario):

    def test_contradictions(self):
        """One sentence, before anything is sent."""
        where, path = address(), self.file("fw.bin", image())
        for arguments, says in (
                (("--expect", "("), r'--expect "\(": .*'),
                (("--reject", "*a["), r'--reject "\*a\[": .*'),
                (("--expect", ""), r'--expect "": an empty expression would match every line'),
                (("--expect", r"\<up"), r'--expect "\\<up": write "\\b" instead of "\\<"'),
                (("--monitor", "--monitor-for", "3", "--expect", "x"), r"--monitor-for and --expect .*"),
                (("--monitor", "--monitor-for", "3", "--reject", "x"), r"--monitor-for and --reject .*"),
                (("--monitor", "--monitor-for", "0"), r"--monitor-for '0' is not a number of seconds .*"),
                (("--monitor=0",), r"--monitor '0' is not a port number from 1 to 65535"),
                (("--monitor=65536",), r"--monitor '65536' is not a port number .*"),
                (("--monitor", "--expect-timeout", "3"), r"--expect-timeout .*add --expect REGEX"),
                (("--monitor", "--timestamps=utc"), r"--timestamps 'utc': .*"),
                (("-f", path, "--raw"), r"--raw is for a board's log; add --monitor"),
                (("-f", path, "--log", "x"), r"--log is for a board's log; add --monitor"),
                (("-f", path, "--timestamps"), r"--timestamps is for a board's log; add --monitor"),
                (("-f", path, "--monitor-for", "3"), r"--monitor-for is for a board's log; add --monitor"),
                (("--monitor", "--online"), r"--online waits for the restart after an upload; add -f FILE"),
                (("-f", path, "--online=0"), r"--online '0' is not a number of seconds .*"),
        ):
            with self.subTest(arguments):
                result = run("-i", where, *arguments, cwd=self.directory)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertRegex(result.err, rf"^esp-ota: {says}\n$")
                self.assertFalse(os.path.exists(os.path.join(self.directory, "x")))
        result = run("-i", where, "--monitor", "--raw", "--json")
        self.assertEqual((result.status, json.loads(result.out)["message"]),
                         (2, "--raw and --json contradict each other; leave one out"), result)

    def test_port_of_uploads(self):
        """Somebody who watches a log and names a port as for an upload may mean the log's."""
        where, path = address(), self.file("fw.bin", image())
        proof = ("--expect", "x", "--expect-timeout", "0.1")
        warning = f"esp-ota: warning: the log is read at TCP port {PORT}, not at port 8080, which is for uploads; " \
                  "--monitor=8080 reads it there\n"
        for arguments, is_warned in (
                (("-i", f"{where}:8080", MONITOR, *proof), True),
                (("-i", where, "-p", "8080", MONITOR, *proof), True),
                (("-i", f"{where}:{PORT}", MONITOR, *proof), False),
                (("-i", f"{where}:8080", MONITOR, *proof, "-q"), False),
                (("-i", f"{where}:8080", MONITOR, *proof, "-f", path, "--retries", "0"), False),
        ):
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual(warning in result.err, is_warned, result)
                self.assertEqual("is for uploads" in result.err, is_warned, result)


if __name__ == "__main__":
    unittest.main()
