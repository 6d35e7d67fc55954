#!/usr/bin/env python3
"""--pluggable-discovery and --pluggable-monitor: conversations with an IDE that need no multicast DNS."""

import contextlib
import socket
import subprocess
import unittest

import ide
from ide import HELLO, done, unknown
import scenario
from telnet_board import TelnetBoard

BOTH = ("--pluggable-discovery", "--pluggable-monitor")


def error(event, message):
    return {"eventType": event, "error": True, "message": message}


class Conversation(scenario.Scenario):

    def tool(self, *arguments, **more):
        tool = ide.Tool(*arguments, **more)
        self.addCleanup(tool.close)
        return tool

    def greeted(self, *arguments, **more):
        tool = self.tool(*arguments, **more)
        self.assertEqual(tool.ask(HELLO[0]), HELLO[1])
        return tool

    def converse(self, tool, *turns):
        for command, reply in turns:
            with self.subTest(command=command):
                self.assertEqual(tool.ask(command), reply)


class EveryTool(Conversation):
    """What both protocols have in common."""

    def test_greeting(self):
        for option in BOTH:
            self.converse(self.tool(option),
                          ("DESCRIBE" if "monitor" in option else "LIST",
                           error("command_error", "First command must be HELLO, but got "
                                 + ("DESCRIBE" if "monitor" in option else "LIST"))),
                          ("HELLO", unknown("HELLO")), ("HELLO one \"x\"", unknown('HELLO one "x"')),
                          ("HELLO 0 \"x\"", unknown('HELLO 0 "x"')), ("HELLO 1 x", unknown("HELLO 1 x")),
                          ('HELLO 1 ""', unknown('HELLO 1 ""')),
                          ('HELLO 1 "a"b"', unknown('HELLO 1 "a"b"')),
                          ('HELLO 7 "Arduino IDE 1.8.13"\r', HELLO[1]),
                          (HELLO[0], error("hello", "HELLO was already sent")))

    def test_malformed(self):
        """Anything gets a reply, in printable text, and the conversation goes on."""
        for option in BOTH:
            self.converse(self.greeted(option), ("", unknown("")), ("list me", unknown("list me")),
                          ("FLY", unknown("FLY")), (b"\xff\x1b[2J\0\n", unknown(r"\xff\x1b[2J\x00")),
                          ("QUIT now", unknown("QUIT now")), (HELLO[0], error("hello", "HELLO was already sent")))

    def test_verbs_of_the_other(self):
        self.converse(self.greeted(BOTH[0]), ("DESCRIBE", unknown("DESCRIBE")), ("OPEN a b", unknown("OPEN a b")))
        self.converse(self.greeted(BOTH[1]), ("START", unknown("START")), ("LIST", unknown("LIST")))

    def test_long_line(self):
        for option in BOTH:
            for length in (1023, 1024, 1025, 100000):
                with self.subTest(option, length=length):
                    tool = self.tool(option)
                    tool.send(b"x" * length + b"\n" + HELLO[0].encode() + b"\n")
                    reply = tool.message()
                    self.assertEqual(reply["eventType"], "command_error")
                    self.assertLess(len(reply["message"]), 200)
                    self.assertEqual("longer than" in reply["message"], length >= 1024)
                    self.assertEqual(tool.message(), HELLO[1])

    def test_all_at_once(self):
        """A recorded conversation on standard input, whose last line has no end."""
        for option in BOTH:
            result = scenario.run(option, stdin=f"{HELLO[0]}\nFLY\nQUIT".encode())
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertEqual(result.out, '{"eventType":"hello","protocolVersion":1,"message":"OK"}\n'
                             '{"eventType":"command_error","error":true,"message":"Unknown command FLY"}\n'
                             '{"eventType":"quit","message":"OK"}\n')

    def test_from_a_file(self):
        path = self.file("conversation", f"{HELLO[0]}\nQUIT\n".encode())
        for option in BOTH:
            with open(path, "rb") as file:
                ran = subprocess.run([scenario.PROGRAM, option], stdin=file, capture_output=True, text=True, check=False,
                                     timeout=scenario.DEADLINE_S, env=scenario.environment())
            self.assertEqual((ran.returncode, len(ran.stdout.splitlines()), ran.stderr), (0, 2, ""))

    def test_quit(self):
        """It ends at once, although the input stays open."""
        for option in BOTH:
            for tool in (self.tool(option), self.greeted(option)):
                self.assertEqual(tool.ask("quit"), done("quit"))
                self.assertEqual(tool.process.wait(scenario.DEADLINE_S), 0)

    def test_end_of_input(self):
        for option in BOTH:
            self.assertEqual(self.tool(option).end(), (0, [], ""))
            self.assertEqual(self.greeted(option).end(), (0, [], ""))

    def test_ide_reads_no_more(self):
        for option in BOTH:
            tool = self.greeted(option)
            tool.process.stdout.close()
            tool.send("FLY")
            status = tool.process.wait(scenario.DEADLINE_S)
            self.assertEqual(status, 1)
            self.assertIn("standard output", scenario.read_all(tool.process.stderr).decode())

    def test_killed_ide(self):
        """The kernel closes both of its ends."""
        for option in BOTH:
            tool = self.greeted(option)
            tool.process.stdout.close()
            self.assertEqual(tool.end(), (0, [], ""))

    def test_terminal(self):
        """A person is told for whom it is; an IDE is not."""
        for option in BOTH:
            terminal = scenario.Terminal(option)
            terminal.wait_for(r"this is for an Arduino IDE \(esp-ota-callers\(7\)\)")
            terminal.type("QUIT\n")
            result = terminal.result()
            self.assertEqual(result.status, 0, result)
            self.assertIn('{"eventType":"quit","message":"OK"}', result.err)

    def test_other_commands(self):
        for option in BOTH:
            for more, name in ((("-i", "kitchen.local"), "-i"), (("-f", "x.bin"), "-f"), (("-l",), "-l"),
                               (("--serve",), "--serve")):
                result = scenario.run(option, *more)
                self.assertEqual((result.status, result.out, result.err),
                                 (2, "", f"esp-ota: {option} only answers an IDE on standard input; leave {name} out\n"))
        self.assertEqual(scenario.run(*BOTH).status, 2)


class Monitor(Conversation):

    def test_describe(self):
        def described(port):
            parameter = {"label": "TCP port of the log", "type": "enum", "values": [port], "value": [port],
                         "selected": port}
            return {**done("describe"),
                    "port_description": {"protocol": "network", "configuration_parameters": {"port": parameter}}}

        tool = self.greeted("--pluggable-monitor", "--monitor=2323")
        self.converse(tool, ("DESCRIBE", described("2323")), ("CONFIGURE port 8023", done("configure")),
                      ("DESCRIBE", described("8023")),
                      ("CONFIGURE port 0", error("configure", "invalid value for parameter port: 0")),
                      ("CONFIGURE port 1 2", error("configure", "invalid value for parameter port: 1 2")),
                      ("CONFIGURE baudrate 9600", error("configure", "invalid parameter: baudrate")),
                      ("CONFIGURE port", unknown("CONFIGURE port")), ("DESCRIBE", described("8023")),
                      ("QUIT", done("quit")))
        self.assertEqual(self.greeted("--pluggable-monitor").ask("DESCRIBE"), described("23"))

    def opened(self, *options, name="", **more):
        """A tool with an open port: itself, the board, and the IDE's end of the connection."""
        board = TelnetBoard(directory=self.directory, **more)
        self.addCleanup(board.close)
        listener = ide.Listener()
        self.addCleanup(listener.close)
        tool = self.greeted("--pluggable-monitor", *options)
        self.converse(tool, (f"CONFIGURE port {board.telnet_port}", done("configure")),
                      (f"OPEN {listener.address} {name or board.address}", done("open")))
        client = listener.accept()
        self.addCleanup(client.close)
        return tool, board, client, listener

    def assert_over(self, client):
        """The tool closes its end after the last bytes."""
        while client.recv(65536):
            pass

    def test_both_ways(self):
        tool, board, client, _ = self.opened(say=("\x1b[32mhello\x1b[0m\r\n",))
        self.assertIn(b"hello\r\n", ide.read_until(client, b"hello\r\n"))
        client.sendall(b"status\r\n")
        board.wait_for('telnet-command text="status"')
        self.assertEqual(tool.ask("CLOSE"), done("close"))
        self.assert_over(client)
        self.converse(tool, ("CLOSE", error("close", "the port is already closed")), ("QUIT", done("quit")))
        self.assertEqual(tool.end(), (0, [], ""))

    def test_raw(self):
        """Without telnet commands in any case; colors, and what a terminal would obey, only with --raw."""
        said = r"!raw \xff\xfb\x01\x1b[0;32mI (5) wifi\x1b[0m\x1b]52;c;aGk=\x07\x1b[2J\r\n"
        for options, text in (((), b"I (5) wifi\\x1b]52;c;aGk=\\x07\\x1b[2J\r\n"),
                              (("--raw",), b"\x1b[0;32mI (5) wifi\x1b[0m\x1b]52;c;aGk=\x07\x1b[2J\r\n")):
            tool, _, client, _ = self.opened(*options, say=(said,))
            self.assertEqual(ide.read_until(client, b"\n"), text)
            self.assertEqual(tool.end(), (0, [], ""))

    def test_by_name(self):
        _, _, client, _ = self.opened(name="localhost", where="127.0.0.1", say=("hello",))
        ide.read_until(client, b"hello")

    def test_port_of_the_board(self):
        """HOST:PORT, as elsewhere, goes before CONFIGURE."""
        board = TelnetBoard(directory=self.directory, say=("hello",))
        self.addCleanup(board.close)
        listener = ide.Listener()
        self.addCleanup(listener.close)
        tool = self.greeted("--pluggable-monitor")
        self.assertEqual(tool.ask(f"OPEN {listener.address} {board.address}:{board.telnet_port}"), done("open"))
        client = listener.accept()
        self.addCleanup(client.close)
        ide.read_until(client, b"hello")

    def test_board_leaves(self):
        tool, _, client, listener = self.opened(say=("hello", "!pause 400", "last words", "!reset"), leave="close")
        self.assertTrue(ide.read_until(client, b"last words\r\n"))
        closed = tool.message()
        self.assertEqual(closed["eventType"], "port_closed")
        self.assertRegex(closed["message"], "^the board's log has ended: the board (closed|reset) the connection$")
        self.assert_over(client)
        self.assertEqual(tool.ask("CLOSE"), error("close", "the port is already closed"))
        self.assertEqual(tool.ask(f"OPEN {listener.address} 127.0.0.1:1")["eventType"], "open")
        self.assertEqual(tool.end(), (0, [], ""))

    def test_board_hangs_up_at_once(self):
        """As one does that serves one client, which it has."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(scenario.DEADLINE_S)
            listener = ide.Listener()
            self.addCleanup(listener.close)
            tool = self.greeted("--pluggable-monitor")
            tool.send(f"OPEN {listener.address} 127.0.0.1:{server.getsockname()[1]}")
            with server.accept()[0] as board, listener.accept():
                self.assertEqual(tool.message(), done("open"))
                board.close()
                self.assertEqual(tool.message(), {"eventType": "port_closed", "message":
                                                  "the board hung up at once; it may serve only one client"})

    def test_ide_leaves(self):
        for reset in (False, True):
            tool, _, client, listener = self.opened(say=("hello",))
            ide.read_until(client, b"hello\r\n")
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
            self.assertEqual(tool.message(), {"eventType": "port_closed", "message": "the IDE closed the connection"})
            self.assertEqual(tool.ask("CLOSE"), error("close", "the port is already closed"))
            listener.close()

    def test_slow_ide(self):
        """It gets everything, and the board waits meanwhile."""
        tool, board, client, _ = self.opened(say=("!flood 20000", "END"))
        board.wait_for("telnet-")
        self.assertEqual(tool.ask("DESCRIBE")["eventType"], "describe")
        got = ide.read_until(client, b"END\r\n")
        self.assertEqual(got, "".join(f"flood {i}\r\n" for i in range(20000)).encode() + b"END\r\n")

    def test_open_fails(self):
        tool, board, client, listener = self.opened()
        self.converse(tool, (f"OPEN {listener.address} {board.address}",
                             error("open", "a port is already open; send CLOSE first")), ("CLOSE", done("close")))
        self.assert_over(client)
        wrong = error("open", "the first argument of OPEN is the IDE's numeric address and TCP port, "
                              "such as 127.0.0.1:40000")
        self.converse(tool, *((f"OPEN {ide_address} {board.address}", wrong)
                              for ide_address in ("localhost:1", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "x")))
        free = scenario.address()
        self.converse(tool, (f"OPEN {listener.address} {free}:81", error(
            "open", "no log: nothing listens on the board's TCP port 81; the sketch must offer its log there, "
                    "or --monitor=PORT must name another port")), (f"OPEN {free}:81 {board.address}", error(
                        "open", f"the IDE does not take the connection at {free}:81: Connection refused")))
        unknown_name = tool.ask(f"OPEN {listener.address} nowhere.invalid")
        self.assertEqual((unknown_name["eventType"], unknown_name["error"]), ("open", True))
        self.assertIn("nowhere.invalid: not found: ", unknown_name["message"])
        self.assertTrue(tool.ask(f"OPEN {listener.address} a\x1bb")["error"])
        self.assertEqual(tool.ask(f"OPEN {listener.address} {board.address}"), done("open"))
        listener.accept().close()

    def test_too_many_addresses(self):
        """More than a board can have: whether it listens at another one is not known."""
        listener = ide.Listener()
        self.addCleanup(listener.close)
        says = error("open", "no log: nothing listens on the board's TCP port 81; the sketch must offer its log there, or "
                             "--monitor=PORT must name another port")
        cut = "; its name has more addresses than a board can have; only 8 are tried"
        for count, expected in ((8, says), (9, {**says, "message": says["message"] + cut})):
            with self.subTest(count):
                _, before = self.addresses_of("boards.example", count)
                tool = self.greeted("--pluggable-monitor", before=before)
                self.converse(tool, (f"OPEN {listener.address} boards.example:81", expected), ("QUIT", done("quit")))

    def test_out_of_descriptors(self):
        """With each limit with which it starts: the connections that cannot be made say why, and nobody is blamed."""
        board = TelnetBoard(directory=self.directory)
        self.addCleanup(board.close)
        listener = ide.Listener()
        self.addCleanup(listener.close)
        seen = []
        for limit in range(3, 64):
            tool = self.tool("--pluggable-monitor", before=("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"))
            with contextlib.suppress(BrokenPipeError):
                tool.send(HELLO[0])
            if tool.message() is None:  # not even the program's libraries
                continue
            seen.append(tool.ask(f"OPEN {listener.address} {board.address}:{board.telnet_port}")["message"])
            tool.close()
            if seen[-1] == "OK":
                break
        self.assertEqual(seen, ["no log: Too many open files", f"this computer cannot connect to the IDE at "
                                f"{listener.address}: Too many open files", "OK"])

    def test_in_order(self):
        """Commands that do not wait for the replies are answered in their order."""
        tool, board, client, listener = self.opened()
        tool.send(f"CLOSE\nOPEN {listener.address} {board.address}\nCLOSE\nQUIT\n".encode())
        self.assertEqual([tool.message() for _ in range(4)], [done("close"), done("open"), done("close"), done("quit")])
        client.close()

    def test_all_in_one_write(self):
        """Replies that take time and replies that come at once, in any order; then the conversation goes on."""
        listener = ide.Listener()
        self.addCleanup(listener.close)
        board = TelnetBoard(directory=self.directory)
        self.addCleanup(board.close)
        free = scenario.address()
        slow, fast, works = (f"OPEN {listener.address} {free}:81", "OPEN nonsense 127.0.0.1",
                             f"OPEN {listener.address} {board.address}")
        for commands in ((slow, fast), (fast, slow, fast), (slow, fast, fast, slow), (works, "CLOSE", fast),
                         (works, fast, "CLOSE", fast, slow, fast)):
            with self.subTest(commands=commands):
                tool = self.tool("--pluggable-monitor", f"--monitor={board.telnet_port}")
                tool.send("\n".join((HELLO[0], *commands, "")).encode())
                self.assertEqual(tool.message(), HELLO[1])
                for command in commands:
                    reply = tool.message()
                    self.assertIsNotNone(reply, command)
                    self.assertEqual((reply["eventType"], "error" in reply),
                                     (command.split()[0].lower(), command in (slow, fast)))
                self.assertEqual(tool.ask("DESCRIBE")["message"], "OK")
                self.assertEqual(tool.ask("QUIT"), done("quit"))
                self.assertEqual(tool.end(), (0, [], ""))

    def test_quit_while_open(self):
        tool, _, client, _ = self.opened(say=("hello",))
        self.assertEqual(tool.ask("QUIT"), done("quit"))
        self.assert_over(client)
        self.assertEqual(tool.end(), (0, [], ""))

    def test_end_while_open(self):
        tool, _, client, _ = self.opened(say=("hello",))
        self.assertEqual(tool.end(), (0, [], ""))
        self.assert_over(client)


if __name__ == "__main__":
    unittest.main()
