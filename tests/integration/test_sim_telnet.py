#!/usr/bin/env python3
"""The simulated board's log service itself, with plain sockets: what the scenarios rely on."""

import signal
import socket
import subprocess
import unittest

import requirement
from scenario import DEADLINE_S, SIMULATOR, Program, Scenario, address, image, run
from telnet_board import FLAVOURS, TelnetBoard

COLOUR, RESET = b"\x1b[1;32m", b"\x1b[0m"
MENU_END = b"Enter\r\n"


class TelnetScenario(Scenario):

    def telnet(self, *options, **more):
        board = TelnetBoard(*options, directory=self.directory, **more)
        self.addCleanup(board.close)
        return board

    def client(self, board, source=None):
        client = board.connect(source)
        self.addCleanup(client.close)
        return client

    def upload(self, board, *options, status=0):
        path = self.file("fw.bin", image())
        result = run("-i", board.address, "-p", str(board.port), "-f", path, *options)
        self.assertEqual(result.status, status, str(result))


class Ports(Scenario):

    def test_low_port(self):
        """The advice is about the option that gave it."""
        requirement.need_root(self, "another user tries it, in a network of its own, as containers may let users in")
        before = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec setpriv --reuid 65534 --clear-groups "$@"', "sh")
        for options, advice in ((("--telnet", "23"), "--telnet 2323"), (("-p", "80"), "-p 8080")):
            with self.subTest(advice):
                done = subprocess.run([*before, SIMULATOR, "--address", address(), *options], capture_output=True,
                                      text=True, check=False, timeout=DEADLINE_S)
                self.assertEqual(done.returncode, 1, done)
                self.assertIn(f"give another one, as in {advice}.\n", done.stderr)


class Flavours(TelnetScenario):

    def test_first_bytes(self):
        """No library negotiates; each ends lines with CR LF."""
        for flavour, expected in (
                ("stream", b"one\r\ntwo\r\n"),
                ("esptelnet", b"Welcome to this simulated board\r\none\r\ntwo\r\n")):
            with self.subTest(flavour):
                board = self.telnet(flavour=flavour, say=("one", "two"))
                client = self.client(board)
                self.assertEqual(client.read_until(b"two\r\n"), expected)

    def test_remotedebug_colours(self):
        """A menu first; the reset escape of each line comes after its end, as in the library."""
        board = self.telnet(flavour="remotedebug", say=("one", "two", "!raw end"))
        client = self.client(board)
        self.assertTrue(client.read_until(MENU_END).startswith(b"*** "))
        line = COLOUR + b"(D) %s\r\n" + RESET
        self.assertEqual(client.read_until(b"end"), line % b"one" + line % b"two" + b"end")

    def test_remotedebug_long_lines(self):
        """Its buffer of 150 bytes puts the reset escape into long lines."""
        board = self.telnet(flavour="remotedebug", say=("x" * 400, "!close"))
        seen = self.client(board).read_all()[0].split(MENU_END)[1]
        self.assertEqual(seen, COLOUR + b"(D) " + RESET.join([b"x" * 140, b"x" * 151, b"x" * 109 + b"\r\n"]) +
                         RESET)

    def test_second_client_elsewhere(self):
        """It is added, or closed at once; the first is not disturbed."""
        for flavour in FLAVOURS:
            with self.subTest(flavour):
                board = self.telnet(flavour=flavour, say=("!tick 20",))
                first = self.client(board)
                first.read_until(b"tick 1\r\n")
                second = self.client(board, address())
                if flavour == "stream":
                    second.read_until(b"tick ")
                    board.wait_for_count(" telnet-open ", 2)
                else:
                    self.assertEqual(second.read_all(), (b"", True))
                    board.wait_for(" telnet-refused peer=127")
                first.got = b""
                first.read_until(b"tick ")

    def test_second_client_of_the_same_host(self):
        """Where one is the limit it takes the first one's place; ESPTelnet does not greet it."""
        for flavour in ("esptelnet", "remotedebug"):
            with self.subTest(flavour):
                board = self.telnet(flavour=flavour, say=("hello",))
                source = address()
                first = self.client(board, source)
                first.read_until(b"hello\r\n")
                second = self.client(board, source)
                self.assertTrue(first.read_all()[1])
                board.wait_for("telnet-closed .*reason=replaced")
                seen = second.read_until(b"hello\r\n")
                self.assertEqual(seen.startswith(b"*** "), flavour == "remotedebug")
                self.assertNotIn(b"Welcome", seen)

    def test_as_many_as_a_stream_takes(self):
        """One more is connected, but nobody attends to it until another leaves."""
        board = self.telnet(say=("!tick 20",))
        clients = [self.client(board) for _ in range(5)]
        for client in clients:
            client.read_until(b"tick ")
        sixth = self.client(board)
        self.assertTrue(sixth.is_quiet(0.2))
        clients[0].close()
        sixth.read_until(b"tick ")
        board.wait_for_count(" telnet-open ", 6)

    def test_hasty_and_patient(self):
        """What comes in the library's first delay is lost; 150 ms are enough for each."""
        for flavour, hasty in (("stream", True), ("esptelnet", False), ("remotedebug", False)):
            with self.subTest(flavour):
                board = self.telnet(flavour=flavour)
                first = self.client(board)
                first.type(b"hasty\n")
                if hasty:
                    board.wait_for('telnet-command text="hasty"')
                else:
                    board.wait_for("telnet-discarded bytes=6")
                first.type(b"patient\n", after=0.6 if hasty else 0.15)
                board.wait_for('telnet-command text="patient"')
                self.assertEqual("hasty" in board.commands(), hasty)
                first.read_until(b"* You typed: patient\r\n")

    def test_deaf_to_order(self):
        board = self.telnet("--telnet-deaf-ms", "2000", flavour="esptelnet")
        client = self.client(board)
        client.type(b"early\n", after=0.15)
        board.wait_for("telnet-discarded bytes=6")
        client.type(b"late\n")
        board.wait_for("telnet-command ")
        self.assertEqual(board.commands(), ["late"])

    def test_what_is_heard(self):
        """IAC is no language that these libraries speak: some keep it, some drop it."""
        typed = b"a\tb\xff\xfd\x01\xff\xfb\x22 \xc3\xa9\r\n"
        for flavour, heard in (("stream", r'a\tb\xff\xfd\x01\xff\xfb\" \xc3\xa9'),
                               ("esptelnet", r'ab\" '), ("remotedebug", r'ab\" ')):
            with self.subTest(flavour):
                board = self.telnet("--telnet-deaf-ms", "0", flavour=flavour)
                self.client(board).type(typed)
                board.wait_for("telnet-command ")
                self.assertEqual(board.commands(), [heard])

    def test_remotedebug_commands(self):
        """CR or LF ends one; an empty one is none; a second within half a second is ignored."""
        board = self.telnet(flavour="remotedebug")
        client = self.client(board)
        client.read_until(MENU_END)
        client.type(b"\r\n\nfirst\rsecond\n")
        board.wait_for('telnet-ignored text="second"')
        client.read_until(b"Too soon after the last command\r\n")
        self.assertEqual(board.commands(), ["first"])

    def test_remotedebug_quits(self):
        board = self.telnet(flavour="remotedebug")
        client = self.client(board)
        client.read_until(MENU_END)
        client.type(b"q\n")
        self.assertTrue(client.read_all()[1])
        board.wait_for("telnet-closed .*reason=quit")

    def test_commands_in_pieces(self):
        board = self.telnet()
        client = self.client(board)
        client.type(b"one ")
        client.type(b"command\r\nand half")
        client.read_until(b"* You typed: one command\r\n")
        client.type(b" another\n")
        client.read_until(b"* You typed: and half another\r\n")


class Log(TelnetScenario):

    def test_bytes_as_ordered(self):
        """Escapes, half characters, NUL, all ends of lines, telnet commands whole and cut short."""
        wire = (b"\x1b[31mred\x1b[0m\xff\xfe\xc3(\x00nul\r\nlf\ncr\r"
                b"\xff\xfb\x01\xff\xfb\x03\xff\xfa\x18\x01\xff\xf0\xff\xff\xff\xfa\x18")
        step = "!raw " + "".join(f"\\x{byte:02x}" for byte in wire)
        board = self.telnet(say=(step, "!close"))
        self.assertEqual(self.client(board).read_all(), (wire, True))

    def test_escapes(self):
        board = self.telnet(say=(r"a\tb\e[1m\\ \0", r"\x21raw", "!close"))
        self.assertEqual(self.client(board).read_all()[0], b"a\tb\x1b[1m\\ \0\r\n!raw\r\n")

    def test_half_lines(self):
        board = self.telnet(say=("!raw half", "!pause 3000", "ready", "!raw cut", "!reset"))
        client = self.client(board)
        self.assertEqual(client.read_until(b"half"), b"half")
        self.assertTrue(client.is_quiet(0.1))
        self.assertEqual(client.read_until(b"ready\r\n"), b"ready\r\n")
        self.assertEqual(client.read_all(), (b"cut", False))
        board.wait_for("telnet-closed .*reason=sketch")

    def test_floods(self):
        for lines in (1, 10000):
            with self.subTest(lines):
                board = self.telnet(say=(f"!flood {lines}", "!close"))
                expected = b"".join(b"flood %d\r\n" % i for i in range(lines))
                self.assertEqual(self.client(board).read_all(), (expected, True))
        board = self.telnet(say=("!flood 2 a longer line", "!close"))
        self.assertEqual(self.client(board).read_all(), (b"a longer line 0\r\na longer line 1\r\n", True))
        board = self.telnet(say=("!flood 0",))
        client = self.client(board)
        client.read_until(b"flood 50000\r\n")
        client.type(b"stop\n")
        client.read_until(b"* You typed: stop\r\n")

    def test_endless_line(self):
        board = self.telnet(say=("!endless 3000001", "!raw .", "!endless 0"))
        client = self.client(board)
        self.assertEqual(client.read_until(b"."), b"x" * 3000001 + b".")
        client.read_until(b"x" * 500000)

    def test_nobody_reads(self):
        """The sketch waits for a client that does not read, and for its end; the board goes on."""
        board = self.telnet(say=("!flood 0",))
        client = self.client(board)
        self.upload(board)
        client.close()
        board.wait_for_boot()

    def test_ticks(self):
        board = self.telnet(say=("!tick 10",))
        self.client(board).read_until(b"tick 0\r\ntick 1\r\ntick 2\r\n")
        board = self.telnet(say=("!tick 10 alive",))
        self.client(board).read_until(b"alive 0\r\nalive 1\r\n")

    def test_again_for_the_next_client(self):
        board = self.telnet(say=("one", "two"))
        for count in range(1, 3):
            client = self.client(board)
            self.assertEqual(client.read_until(b"two\r\n"), b"one\r\ntwo\r\n")
            client.close()
            board.wait_for_count("telnet-closed .*reason=client", count)
            board.wait_for_count(" log-end$", count)

    def test_log_at_boot(self):
        """What was logged before somebody listened is lost."""
        board = self.telnet("--log-at-boot", say=("boot", "!tick 10"))
        client = self.client(board)
        self.assertNotIn(b"boot", client.read_until(b"tick "))


class Restarts(TelnetScenario):

    OLD, NEW = ("version 1", "!tick 20 old"), ("version 2", "!tick 20 new")

    def start(self, *options, **more):
        board = self.telnet(*options, say=self.OLD, **{"say_after": self.NEW, **more})
        client = self.client(board)
        client.read_until(b"version 1\r\n")
        client.got = b""
        return board, client

    def test_new_firmware(self):
        """The port is the same again; another client finds the new sketch."""
        for leave, orderly in (("reset", False), ("close", True)):
            with self.subTest(leave):
                board, client = self.start(leave=leave)
                self.upload(board)
                self.assertEqual(client.read_all()[1], orderly)
                board.wait_for_boot("new")
                self.client(board).read_until(b"version 2\r\nnew 0\r\n")

    def test_absence(self):
        board, client = self.start("--reboot-ms", "2000", leave="reset")
        self.upload(board)
        client.read_all()
        with self.assertRaises(ConnectionRefusedError):
            self.client(board)
        board.wait_for_boot("new")
        self.client(board).read_until(b"version 2\r\n")

    def test_silence(self):
        """A client that only listens never learns of the restart; one that speaks gets RST."""
        requirement.need_root(self, "the board needs CAP_NET_ADMIN")
        board, client = self.start()
        self.upload(board)
        board.wait_for_boot("new")
        self.client(board).read_until(b"new 5\r\n")
        while not client.is_quiet(0):
            client.socket.recv(65536)
        self.assertTrue(client.is_quiet(0.2))
        client.type(b"are you there?\n")
        self.assertFalse(client.read_all()[1])

    def test_said_meanwhile(self):
        """What is said to a board that is away is answered with RST when it is back."""
        board, client = self.start("--reboot-ms", "500")
        self.upload(board)
        board.wait_for(" rebooting")
        client.type(b"hello?\n")
        self.assertFalse(client.read_all()[1])
        board.wait_for_boot("new")

    def test_probes(self):
        """A client that only listens learns of the restart if its kernel probes."""
        requirement.need_root(self, "the board needs CAP_NET_ADMIN")
        board, client = self.start()
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        self.upload(board)
        self.assertFalse(client.read_all()[1])

    def test_no_answer_while_away(self):
        """A connection attempt gets no answer, and succeeds when it is repeated."""
        board, client = self.start("--reboot-ms", "6000", "--telnet-away-silent", leave="close")
        self.upload(board)
        client.read_all()
        board.wait_for(" rebooting")
        with socket.socket() as attempt:
            attempt.settimeout(0.2)
            with self.assertRaises(TimeoutError):
                attempt.connect((board.address, board.telnet_port))
        self.assertEqual(board.count("firmware=new"), 0)
        client = self.client(board)
        client.read_until(b"version 2\r\n")
        board.wait_for_count("firmware=new", 1)

    def test_never_back(self):
        board, client = self.start("--reboot-ms", "86400000", leave="close")
        self.upload(board)
        self.assertTrue(client.read_all()[1])
        board.wait_for(" rebooting")
        with self.assertRaises(ConnectionRefusedError):
            self.client(board)

    def test_quiet_during_the_upload(self):
        """loop() does not run meanwhile."""
        board = self.telnet("--fault", "stall@10000", say=("!tick 10",))
        client = self.client(board)
        client.read_until(b"tick 0")
        program = Program("-i", board.address, "-p", str(board.port), "-f", self.file("fw.bin", image()))
        board.wait_for(" fault order=stall")
        while not client.is_quiet(0):  # what it logged before
            client.socket.recv(65536)
        self.assertTrue(client.is_quiet(0.3))
        program.send_signal(signal.SIGTERM)
        self.assertEqual(program.result().status, -signal.SIGTERM)

    def test_failed_upload(self):
        """The board does not restart, and logs on."""
        board, client = self.start("--fault", "error-end:ERROR[1]: broken\\n")
        self.upload(board, status=10)
        client.read_until(b"old ")
        self.assertEqual(board.count("firmware=new"), 0)

    def test_filesystem_image(self):
        """It restarts the board, but not into another sketch."""
        board, client = self.start("--fs-capacity", "1000000", leave="close")
        self.upload(board, "-s")
        client.read_all()
        board.wait_for_boot("old", 2)
        self.client(board).read_until(b"version 1\r\n")
        self.assertEqual(board.count("firmware=new"), 0)

    def test_power_lost(self):
        """An upload that ends in a crash leaves the old sketch."""
        board, client = self.start("--fault", "crash@10000*1", leave="reset")
        self.upload(board, status=11)
        self.assertFalse(client.read_all()[1])
        board.wait_for_boot("old", 2)
        self.client(board).read_until(b"version 1\r\n")
        self.assertEqual(board.count("firmware=new"), 0)

    def test_crash_loop(self):
        """With a reset at once, a client that is late would not even see that it was connected."""
        board, client = self.start(say_after=("Guru Meditation Error: ...", "!crash"))
        self.upload(board)
        clients = [client]
        for count in range(1, 4):
            board.wait_for_boot("new", count)
            clients.append(self.client(board))
            clients[-1].read_until(b"Guru Meditation Error: ...\r\n")
            board.wait_for_count(" crash$", count)

    def test_rolled_back(self):
        board, client = self.start(say_after=("panic", "!rollback"), leave="close")
        self.upload(board)
        client.read_all()
        board.wait_for_boot("new")
        self.assertEqual(self.client(board).read_all(), (b"panic\r\n", True))
        board.wait_for(" rollback$")
        board.wait_for(" rebooting$")
        board.wait_for_boot("old", 2)
        self.client(board).read_until(b"version 1\r\n")

    def test_many_restarts(self):
        """Clients left behind do not fill the board."""
        board = self.telnet("--reboot-ms", "1", say=("boom", "!crash"))
        clients = []
        for count in range(1, 13):
            board.wait_for_boot("old", count)
            clients.append(self.client(board))
            clients[-1].read_until(b"boom\r\n")


class Words(unittest.TestCase):

    def test_mistakes(self):
        for arguments, says in (
                (("--telnet", "65536"), "65536: not a number from 0 to 65535"),
                (("--telnet-flavour", "ssh"), "ssh: a flavour is stream, esptelnet or remotedebug"),
                (("--telnet-leave", "late"), "late: a board leaves silent, reset or close"),
                (("--say", "!jump"), "no step `!jump'"),
                (("--say", "!pause"), "`!pause' is not a valid step"),
                (("--say", "!pause 1x"), "`!pause 1x' is not a valid step"),
                (("--say", "!close now"), "`!close now' is not a valid step"),
                (("--say", "x" * 513), "is not a valid step"),
                (("--say", "x") * 65, "more than 64 steps")):
            with self.subTest(arguments[:2]):
                result = subprocess.run([SIMULATOR, *arguments], capture_output=True, text=True, timeout=30)
                self.assertEqual(result.returncode, 2)
                self.assertIn(says, result.stderr)

    def test_port_in_use(self):
        where = address()
        board = TelnetBoard(where=where)
        self.addCleanup(board.close)
        result = subprocess.run([SIMULATOR, "-a", where, "-p", "0", "--telnet", str(board.telnet_port)],
                                capture_output=True, text=True, timeout=30)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"cannot listen on TCP .*: Address already in use\n  Perhaps another simulated")

    def test_without(self):
        """No port is open unless it is asked for."""
        result = subprocess.run([SIMULATOR, "--help"], capture_output=True, text=True, timeout=30)
        for word in ("--telnet PORT", "!rollback", "--say-after"):
            self.assertIn(word, result.stdout)


if __name__ == "__main__":
    unittest.main()
