#!/usr/bin/env python3
"""Passwords: the schemes of the families, the ways to give one, and what is said when it is wrong."""

import hashlib
import os
import signal
import socket
import unittest

from scenario import Case, Program, Scenario, Terminal, address, image, run, secrets, sketch

ASKED = "authentication: the board asks for a password, and none was given"
# Of those that end a program and can be caught, SIGUSR1 asks for the progress and SIGPIPE is ignored.
ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR2, signal.SIGALRM,
          signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU, signal.SIGPWR, signal.SIGIO, signal.SIGRTMIN,
          signal.SIGRTMAX)
WAYS = ("--auth-file FILE", "ESP_OTA_AUTH", "-a")
WRONG = "authentication: the board rejected the password"
ADVICE = r"(?m)^.{0,128}an answer with MD5, .*--min-auth\)$"


class Schemes(Scenario):

    def test_right_password(self):
        self.check([
            Case("MD5", ("-P", "kwert"), ("-a", "kwert"), says=(ADVICE,)),
            Case("MD5 of an ESP32", ("-P", "kwert"), ("-a", "kwert"), family="esp32", says=(ADVICE,)),
            Case("-q is quiet about it", ("-P", "kwert"), ("-a", "kwert", "-q"), family="esp32",
                 never=("(?s).",)),
            Case("SHA-256", ("-P", "kwert"), ("-a", "kwert"), family="esp32-sha256",
                 never=(ADVICE,)),
            Case("SHA-256, MD5 stored: a second invitation", ("-P", "kwert", "-H", "md5"),
                 ("-a", "kwert", "-d"), family="esp32-sha256",
                 says=("invitation 2", "MD5 hash"), never=("no answer yet",),
                 events=("answer result=failed", "answer result=ok")),
            Case("SHA-256, MD5 stored, and told so", ("-P", "kwert", "-H", "md5"),
                 ("-a", "kwert", "-d", "-m"), family="esp32-sha256", never=("invitation 2",)),
            Case("-m where it does not matter", ("-P", "kwert"), ("-a", "kwert", "-m")),
            Case("a slow hash", ("-P", "kwert", "--pbkdf2-ms", "1500"), ("-a", "kwert"),
                 family="esp32-sha256"),
            Case("no password on the board", (), ("-a", "kwert")),
            Case("a strange one", ("-P", "%s 'q\"\\ß !#:+"), ("-a", "%s 'q\"\\ß !#:+")),
        ])

    def test_wrong_password(self):
        self.check(
            Case(f"{family} {' '.join(options)}", ("-P", "kwert", *hash_options),
                 ("-a", "trewk", *options), status=6, family=family, says=(WRONG, tried,
                                                                           "setPassword"),
                 never=("attempt 2",), seconds=60)
            for family, hash_options, options, tried in (
                ("esp8266", (), (), "MD5"),
                ("esp32", (), (), "MD5"),
                ("esp32-sha256", (), (), "SHA-256"),
                ("esp32-sha256", ("-H", "md5"), (), "SHA-256"),
                ("esp32-sha256", (), ("-m",), "-m")))

    def test_unseen_end(self):
        """Of a password that is rejected: that it is there, and nothing else of it."""
        says = "; the password that was given ends in a "
        for end, name in ((" ", "blank"), ("\t", "blank"), ("\r", "carriage return"), ("\n", "line feed"), (". ", "blank"),
                          ("x", None)):
            for web in ((), ("--web", "esp8266")):
                with self.subTest(end=end, web=web):
                    board = self.board("-P", "kwert", *web)
                    target = f"http://{board.address}" if web else board.address
                    result = run("-i", target, "-p", str(board.port), "-f", self.file("fw.bin", image()),
                                 ESP_OTA_AUTH="kwert" + end)
                    self.assertEqual(result.status, 6, result)
                    self.assertIn("rejected the password", result.err)
                    self.assertEqual(says + name + "\n" in result.err if name else says not in result.err, True, result)
                    self.assert_no_secret(result, "kwert" + end)
                    board.close()
        board = self.board("-P", "kwert ")
        result = run("-i", board.address, "-p", str(board.port), "-f", self.file("fw.bin", image()), "-a", "kwert ")
        self.assertEqual(result.status, 0, result)
        self.assertNotIn(says, result.err)

    def test_a_board_that_plays(self):
        self.check([
            Case("endless challenges", ("-P", "kwert", "--fault", "endless-challenge"),
                 ("-a", "kwert"), status=6, says=("kept sending new challenges",)),
            Case("no answer is right", ("-P", "kwert", "--fault", "always-fail-auth"),
                 ("-a", "kwert"), status=6, says=(WRONG,)),
            Case("a challenge of odd length", ("-P", "kwert", "--fault", "odd-challenge:33*0"),
                 ("-a", "kwert", "-t", "2", "--retries", "0"), status=5, says=("something that is not ArduinoOTA",)),
        ])


def digest(kind, *parts):
    return hashlib.new(kind, ":".join(parts).encode()).hexdigest()


class Wire(Scenario):
    """The answer to a challenge, computed a second time here; nothing of it is ever shown."""

    def answers(self, options, nonces):
        """What is answered to each challenge in turn; a rejection follows each."""
        with socket.socket(type=socket.SOCK_DGRAM) as board:
            board.bind((address(), 0))
            board.settimeout(30)
            where, port = board.getsockname()
            program = Program("-d", "--json", "-i", where, "-p", str(port), "-a", "kwert", *options,
                              "-f", self.file("fw.bin", image()))
            given = []
            for nonce in nonces:
                invitation, host = board.recvfrom(2000)
                self.assertTrue(invitation.startswith(b"0 "), invitation)
                board.sendto(b"AUTH " + nonce.encode(), host)
                answer, again = board.recvfrom(2000)
                self.assertEqual(again, host)
                self.assertRegex(answer.decode(), r"^200 [0-9a-f]+ [0-9a-f]+\n$")
                given.append(answer.decode().split()[1:])
                board.sendto(b"Authentication Failed", host)
            result = program.result()
        self.assertEqual(result.status, 6, result)
        return given, result

    def assert_silent(self, result, *more):
        for secret in (*secrets("kwert"), *more):
            self.assertNotIn(secret, result.out + result.err)

    def test_md5(self):
        nonce = "0123456789abcdef0123456789abcdef"
        ((cnonce, response),), result = self.answers((), (nonce,))
        self.assertEqual(len(cnonce), 32)
        self.assertEqual(response, digest("md5", digest("md5", "kwert"), nonce, cnonce))
        self.assert_silent(result, response)

    def test_sha256_then_md5_hash(self):
        nonces = ("ab" * 32, "cd" * 32)
        for options, kinds in (((), ("sha256", "md5")), (("-m",), ("md5",))):
            with self.subTest(options):
                given, result = self.answers(options, nonces[:len(kinds)])
                for kind, nonce, (cnonce, response) in zip(kinds, nonces, given):
                    self.assertEqual(len(cnonce), 64)
                    key = hashlib.pbkdf2_hmac("sha256", digest(kind, "kwert").encode(),
                                              f"{nonce}:{cnonce}".encode(), 10000).hex()
                    self.assertEqual(response, digest("sha256", key, nonce, cnonce))
                    self.assert_silent(result, key, response)
                self.assertEqual(len({cnonce for cnonce, _ in given}), len(given))


class Ways(Scenario):

    def test_ways_to_give_it(self):
        secret = self.file("password", b"kwert\nsecond line\n")
        crlf = self.file("crlf", b"kwert\r\n")
        marked = self.file("marked", b"\xef\xbb\xbfkwert\r\n")
        bare = self.file("bare", b"kwert")
        board = ("-P", "kwert")
        self.check([
            Case("-a", board, ("-a", "kwert")),
            Case("a file", board, ("--auth-file", secret)),
            Case("a file of Windows", board, ("--auth-file", crlf)),
            Case("a file with a byte order mark", board, ("--auth-file", marked)),
            Case("a file without a newline", board, ("--auth-file", bare)),
            Case("standard input", board, ("--auth-file", "-"), stdin=b"kwert\n"),
            Case("the environment", board, (), env={"ESP_OTA_AUTH": "kwert"}),
            Case("-a beats the environment", board, ("-a", "kwert"),
                 env={"ESP_OTA_AUTH": "trewk"}),
            Case("a file beats the environment", board, ("--auth-file", secret),
                 env={"ESP_OTA_AUTH": "trewk"}),
        ])

    def test_none_given(self):
        for name, more in (("nothing", {}), ("an empty variable",
                                             {"env": {"ESP_OTA_AUTH": ""}})):
            self.check([Case(name, ("-P", "kwert"), status=6, says=(ASKED, *WAYS), **more)])

    def test_files_that_cannot_be_read(self):
        empty = self.file("empty", b"")
        long = self.file("long", b"x" * 100000)
        self.check([
            Case("missing", None, ("--auth-file", "/nonexistent/file"), status=2,
                 says=("/nonexistent/file", "No such file")),
            Case("a directory", None, ("--auth-file", self.directory), status=2,
                 says=("irectory",)),
            Case("empty", None, ("--auth-file", empty), status=2, says=("empty",)),
            Case("endless", None, ("--auth-file", "/dev/zero"), status=2, says=("/dev/zero",)),
            Case("long", None, ("--auth-file", long), status=2, says=("long",)),
            Case("both", None, ("--auth-file", empty, "-a", "kwert"), status=2,
                 says=("--auth-file",), never=("kwert",)),
        ])


class Prompt(Scenario):

    def ask(self, keys, **board):
        board = self.board("-P", "kwert", **board)
        path = self.file("fw.bin", image())
        terminal = Terminal("-i", board.address, "-p", str(board.port), "-f", path)
        terminal.wait_for(r"Password of [^\r\n]*: $")
        self.assertFalse(terminal.has_echo())
        terminal.type(keys)
        result = terminal.result()
        self.assertTrue(terminal.echo_at_end)
        self.assert_no_secret(result, "kwert")
        return board, result

    def test_typed(self):
        board, result = self.ask("kwert\n")
        self.assertEqual(result.status, 0, result)
        self.assertIn("confirmed by the board", result.err)
        board.wait_for("upload result=ok")

    def test_typed_with_a_mistake_mended(self):
        _, result = self.ask("kwerr\x7ft\n")
        self.assertEqual(result.status, 0, result)

    def attempt(self, passwords, **board):
        """Types one after the other, each when it is asked for."""
        content = sketch(board.get("family", "esp8266"), 20000)
        board = self.board("-P", "kwert", **board)
        terminal = Terminal("-i", board.address, "-p", str(board.port), "-f",
                            self.file("fw.bin", content))
        for count, password in enumerate(passwords, 1):
            terminal.wait_for_prompt(count=count)
            self.assertFalse(terminal.has_echo())
            terminal.type(password)
        result = terminal.result()
        self.assertTrue(terminal.echo_at_end)
        self.assert_no_secret(result, "kwert", "trewk")
        board.close()
        return board, result

    def test_typed_wrong(self):
        """It is asked for three times, of each family: a board that rejects an answer is idle again."""
        for family in ("esp8266", "esp32", "pico"):
            with self.subTest(family):
                board, result = self.attempt(["trewk\n"] * 3, family=family)
                self.assertEqual(result.status, 6, result)
                self.assertEqual(result.err.count("Password of"), 3, result)
                self.assertEqual(result.err.count("the board rejected the password that was typed"), 2)
                self.assertRegex(result.err, rf"esp-ota: [0-9.]+: {WRONG}")
                self.assertEqual(board.count("upload result"), 0)

    def test_typed_right_at_last(self):
        for family, wrong in (("esp8266", 1), ("esp32", 2), ("esp32-sha256", 2), ("pico", 2)):
            with self.subTest(family):
                board, result = self.attempt(["trewk\n"] * wrong + ["kwert\n"], family=family)
                self.assertEqual(result.status, 0, result)
                self.assertIn("confirmed by the board", result.err)
                self.assertEqual(board.count("upload result=ok"), 1)

    def test_typed_wrong_and_given_up(self):
        board, result = self.attempt(["trewk\n", "\x04"])
        self.assertIn("the board rejected the password that was typed, and no other was given\r\n", result.err)
        self.assertEqual(result.status, 6, result)
        self.assertEqual(result.err.count("Password of"), 2, result)
        self.assertEqual(board.count("upload result"), 0)

    def test_not_typed_and_not_asked_for(self):
        """A wrong password from elsewhere is wrong, also at a terminal."""
        board = self.board("-P", "kwert")
        path = self.file("fw.bin", image())
        for arguments, env in ((("-a", "trewk"), {}), ((), {"ESP_OTA_AUTH": "trewk"})):
            result = Terminal("-i", board.address, "-f", path, *arguments, **env).result()
            self.assertEqual(result.status, 6, result)
            self.assertNotIn("Password of", result.err)

    def test_nothing_typed(self):
        _, result = self.ask("\n")
        self.assertEqual(result.status, 6, result)

    def test_interrupted(self):
        for key, status in (("\x03", -signal.SIGINT), ("\x1c", -signal.SIGQUIT), ("\x04", 6)):
            with self.subTest(repr(key)):
                _, result = self.ask(key)
                self.assertEqual(result.status, status, result)

    def test_below_all_messages(self):
        """While other boards get their images, the question is the last line, and the only one that moves."""
        path = self.file("fw.bin", image())
        for columns, erased in ((80, r"\r\x1b\[K"), (20, r"\r\n")):  # a wrapped line cannot be erased
            with self.subTest(columns):
                locked, late = self.board("-P", "kwert"), address()
                terminal = Terminal("-i", locked.address, "-i", late, "-p", str(locked.port), "--wait", "60", "-f",
                                    path, columns=columns)
                terminal.wait_for(r"(^|\n|\x1b\[K)Password of [^\r\n]*: $")
                self.board("-p", str(locked.port), where=late)
                terminal.wait_for(rf"(?s){late}: confirmed[^\n]*\nPassword of [^\r]*: $")
                seen = terminal.seen
                terminal.type("kwert\n")
                result = terminal.result()
                self.assertEqual(result.status, 0, result)
                asked = seen[seen.index("Password of"):]
                self.assertRegex(asked, rf"^(Password of [^\r\n]*: {erased}[^\r\n]*\r\n)+Password of [^\r\n]*: $")

    def test_output_elsewhere(self):
        """The prompt needs the terminal only, not standard output."""
        board = self.board("-P", "kwert")
        path = self.file("fw.bin", image())
        output = os.path.join(self.directory, "json")
        terminal = Terminal("-i", board.address, "-f", path, "--json", stdout=output)
        terminal.wait_for(r"Password of [^\r\n]*: $")
        terminal.type("kwert\n")
        self.assertEqual(terminal.result().status, 0)
        with open(output, encoding="utf-8") as file:
            self.assertIn('"ok":true', file.read())

    def test_terminal_restored_after_a_signal(self):
        board = self.board("-P", "kwert")
        path = self.file("fw.bin", image())
        for number in ENDING:
            with self.subTest(number):
                terminal = Terminal("-i", board.address, "-f", path)
                terminal.wait_for(r"Password of [^\r\n]*: $")
                terminal.send_signal(number)
                self.assertEqual(terminal.result().status, -number)
                self.assertTrue(terminal.echo_at_end)


    def test_terminal_closed(self):
        """The window is closed while somebody types: SIGHUP, and the report is complete."""
        board = self.board("-P", "kwert")
        output = os.path.join(self.directory, "json")
        terminal = Terminal("-i", board.address, "-f", self.file("fw.bin", image()), "--json", stdout=output)
        terminal.wait_for(r"Password of [^\r\n]*: $")
        terminal.type("kwe")
        self.assertEqual(terminal.hang_up(), -signal.SIGHUP)
        with open(output, encoding="utf-8") as file:
            self.assertRegex(file.read().splitlines()[-1], r'"event":"result".*"exit_status":129,"code":"interrupted"')


class NoTerminal(Scenario):

    def test_no_terminal_no_prompt(self):
        board = self.board("-P", "kwert")
        result = run("-i", board.address, "-f", self.file("fw.bin", image()))
        self.assertEqual((result.status, result.out), (6, ""), result)
        self.assertLess(result.undelayed, 10)


if __name__ == "__main__":
    unittest.main()
