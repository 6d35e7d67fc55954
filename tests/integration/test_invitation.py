#!/usr/bin/env python3
"""The invitation over UDP: lost and repeated datagrams, busy boards, boards that are not there."""

import socket
import threading
import unittest

import firmware
from peer import Served
from scenario import Case, Scenario, address, image, join, run

PASSWORD = ("-P", "kwert")
GIVEN = ("-a", "kwert")
AGAIN = "no answer yet; inviting it again"


class Echo(Served):
    """Sends back what it gets; if it has a challenge, that is its reply to invitations."""

    def __init__(self, challenge=None):
        udp = socket.socket(type=socket.SOCK_DGRAM)
        udp.bind((address(), 0))
        self.address, self.port = udp.getsockname()
        self.heard = []
        self._challenge = challenge
        super().__init__(udp, self._echo)

    def _echo(self):
        data, source = self.socket.recvfrom(2000)
        self.heard.append(data)
        is_answer = data.startswith(b"200 ")
        self.socket.sendto(data if is_answer or not self._challenge else self._challenge, source)


def with_and_without(name, board, **more):
    """The same with and without a password."""
    yield Case(name, board, **more)
    yield Case(f"{name}, with a password", (*PASSWORD, *board), GIVEN, **more)


class Losses(Scenario):

    def test_lost_datagrams(self):
        self.check([
            *with_and_without("lost invitation", ("--fault", "drop-invitation"), says=(AGAIN,)),
            *with_and_without("lost OK", ("--fault", "drop-ok")),
            *with_and_without("lost reply, ESP32", ("--fault", "drop-reply"), family="esp32"),
            *with_and_without("lost invitation, ESP32", ("--fault", "drop-invitation"),
                              family="esp32", says=(AGAIN,)),
            Case("lost challenge", (*PASSWORD, "--fault", "drop-auth"), GIVEN),
            Case("lost challenge, SHA-256", (*PASSWORD, "--fault", "drop-auth"), GIVEN,
                 family="esp32-sha256"),
            Case("lost answer", (*PASSWORD, "--fault", "drop-answer"), GIVEN),
            Case("lost answer, SHA-256", (*PASSWORD, "--fault", "drop-answer"), GIVEN,
                 family="esp32-sha256"),
            Case("all of it, once each", (*PASSWORD, "--fault", "drop-invitation", "--fault",
                                          "drop-auth", "--fault", "drop-answer"), GIVEN),
        ])

    def test_a_board_left_waiting_by_an_earlier_caller(self):
        """It swallows one invitation; the next one gets through, in the same run."""
        self.check(
            Case(f"{family}", (*PASSWORD, "--fault", "left-waiting"), GIVEN, family=family,
                 events=("swallowed",), says=(AGAIN,))
            for family in ("esp8266", "pico", "esp32", "esp32-sha256"))

    def test_a_slow_loop(self):
        """loop() blocks for 3 s, and reads all that has queued up at once."""
        self.check(
            case for family in ("esp8266", "esp32", "esp32-sha256")
            for case in with_and_without(family, ("--loop-ms", "3000", "--all-per-loop"),
                                         family=family))

    def test_the_other_command_of_a_filesystem_image(self):
        """A SafeBoot that is built with the newer numbers ignores command 100."""
        board = self.board("--fs-command", "101", family="esp32")
        path = self.file("littlefs.bin", firmware.littlefs())
        result = run("-i", board.address, "-s", "-d", "-f", path)
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r"(?s): 100 \d+ 65536 .*: 101 \d+ 65536 ")
        board.wait_for("invitation command=101 ")
        board.wait_for("result=ok bytes=65536 .* command=101")

    def test_one_datagram_per_slow_loop(self):
        self.check(with_and_without("ESP32", ("--loop-ms", "2000"), family="esp32"))

    def test_duplicates_and_stale_replies(self):
        self.check(
            case for fault in ("duplicate-reply", "duplicate-invitation",
                               "garbage-reply:hello", "garbage-reply:\\0\\xff\\e[2J",
                               "garbage-reply:OKAY", "garbage-reply:AUTH 123", "big-reply:60000",
                               "delay-reply:2500", "delay-reply:4500")
            for case in with_and_without(fault, ("--fault", fault)))
        self.check([
            Case("stale-auth", (*PASSWORD, "--fault", "stale-auth"), GIVEN),
            Case("stale-auth of a board without a password", ("--fault", "stale-auth"), GIVEN),
            Case("whoever challenges asks for a password", ("--fault", "stale-auth"), status=6,
                 says=("asks for a password, and none was given",)),
            Case("stale-failed", (*PASSWORD, "--fault", "stale-failed"), GIVEN),
            Case("only a board with a password rejects one", ("--fault", "stale-failed"), status=6,
                 says=("now says OK without one",))])

    def test_forged_replies_are_ignored(self):
        self.check(
            Case(fault, ("--fault", fault, *PASSWORD), GIVEN, never=("forged",))
            for fault in (f"forged-reply:{address()}", f"forged-reply:{address()}*9"))

    def test_hostile_text_is_escaped(self):
        """At the level that shows it."""
        self.check([
            Case("in a reply", (*PASSWORD, "--fault", "garbage-reply:\\e[2J\\x07\\n"),
                 (*GIVEN, "-d"),
                 says=(r"\\x1b\[2J",), never=("\x1b", "\x07")),
            Case("in a refusal", ("--fault", "refuse:\\e]0;x\\x07 no"), status=7,
                 says=(r"\\x1b\]0;x\\x07 no",), never=("\x1b", "\x07")),
        ])


    def test_an_echo(self):
        """It is no reply; told from silence, and shown."""
        echo = Echo()
        self.addCleanup(echo.close)
        path = self.file("fw.bin", image())
        result = run("-i", f"{echo.address}:{echo.port}", "-t", "1", "--retries", "0", *GIVEN, "-f", path)
        self.assertEqual(result.status, 5, result)
        self.assertRegex(result.err, r'something that is not ArduinoOTA, at first "0 \d+ 20000 [0-9a-f]{32}"\n')

    def test_an_echo_of_the_answer_is_not_shown(self):
        echo = Echo(b"AUTH " + b"0123456789abcdef" * 2)
        self.addCleanup(echo.close)
        path = self.file("fw.bin", image())
        result = run("-i", f"{echo.address}:{echo.port}", "--retries", "0", *GIVEN, "-d", "-f", path)
        self.assertEqual(result.status, 5, result)
        self.assertIn("neither accepted nor rejected", result.err)
        self.assertIn("; nothing that it said was understood\n", result.err)
        answers = [line for line in echo.heard if line.startswith(b"200 ")]
        self.assertTrue(answers)
        for answer in answers:
            for part in answer.split()[1:]:
                self.assertNotIn(part.decode(), result.err)


class Refusals(Scenario):

    def test_refused(self):
        self.check(
            Case(text, ("--fault", f"refuse:{text}"), status=7, never=("attempt 2",), seconds=20,
                 says=(f"invitation: the board refused: .*{phrase}", f"  {remedy}"))
            for text, phrase, remedy in (
                ("ERROR[4]: Not Enough Space\\n", "Not Enough Space", "Send the sketch compressed"),
                ("ERROR[8]: Flash config wrong: real 1, SDK 2\\n", "Flash config wrong",
                 "Flash a sketch over the cable"),
                ("ERROR[11]: Invalid bootstrapping state, reset ESP8266 before updating\\n",
                 "Invalid bootstrapping", "Press the board's reset button"),
                ("No Filesystem", "No Filesystem", "First upload a sketch that is built with room"),
                ("", "no reason", "Fix the cause that the board names; if it names none")))

    def test_refused_after_the_password(self):
        self.check([Case("too large", (*PASSWORD, "--capacity", "10000"), GIVEN, status=7,
                         says=("Not Enough Space",))])


class Absences(Scenario):

    def test_nobody(self):
        self.check([
            Case("silence", ("--fault", "silent"), ("-t", "1", "--retries", "0"), status=5,
                 says=("invitation: no answer from 127[0-9.]+:8266", "ArduinoOTA.handle", "-p"),
                 seconds=20),
            Case("another service", (*PASSWORD, "--fault", "odd-challenge:31*0"), ("-t", "4", "--retries", "0"),
                 status=5, seconds=20,
                 says=(r'invitation: 127[0-9.]+:8266 \(the given port\) answered 2 invitations in 4 s with '
                       r'something that is not ArduinoOTA, at first "AUTH [0-9a-f]{31}"',)),
            Case("nothing listens", None, ("-t", "1", "--retries", "0"), status=5, seconds=20,
                 says=("invitation: nothing listens at 127[0-9.]+:8266",
                       "going on in case the board is rebooting", "default port of ESP8266 boards",
                       "ArduinoOTA.begin"), never=(AGAIN,)),
            Case("the password is never judged", (*PASSWORD, "--fault", "drop-answer*0"),
                 (*GIVEN, "--retries", "0"), status=5, says=("sent a challenge, but neither",)),
        ])

    def test_port_of_the_image(self):
        """Nothing listens at it: the first suspect is the image, which another port would send to the wrong board."""
        result = run("-i", address(), "-t", "1", "--retries", "0", "-f", self.file("x.bin", firmware.esp32_sketch(20000)))
        self.assertEqual(result.status, 5, result)
        self.assertIn(" rebooting; is the image for this board?\n", result.err)
        self.assertIn("\n  Check that the image is for this board", result.err)
        self.assertNotIn("8266", result.err)

    def test_no_port_is_right(self):
        """Each that was tried is named, for an image that names no chip."""
        path = self.file("littlefs.bin", firmware.littlefs())
        where = address()
        result = run("-i", where, "-t", "1", "--retries", "0", "-s", "-f", path)
        self.assertEqual((result.status, result.out), (5, ""), result)
        self.assertIn(f"invitation: nothing listens at {where}:8266 (the default port of ESP8266 boards), "
                      f"{where}:3232 (the default port of ESP32 boards) and {where}:2040 (the default port "
                      "of Pico W boards)\n", result.err)

    def test_port_that_is_not_the_boards(self):
        """A silent one is named apart from those that refuse; the board behind the second one is found."""
        path = self.file("littlefs.bin", firmware.littlefs())
        where = address()
        silent = self.board("--port", "8266", "--fault", "silent", where=where)
        result = run("-i", where, "-t", "1", "--retries", "0", "-s", "-f", path)
        self.assertEqual((result.status, result.out), (5, ""), result)
        self.assertRegex(result.err, rf"invitation: no answer from {where}:8266 \(the default port of ESP8266 "
                         rf"boards\) to \d+ invitations? in \S+ s; nothing listens at {where}:3232 \(the default "
                         rf"port of ESP32 boards\) and {where}:2040 ")
        board = self.board(family="esp32", where=where)
        result = run("-i", where, "-t", "1", "--retries", "0", "-s", "-f", path)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn(f"no answer yet; inviting it again, at {where}:3232\n", result.err)
        board.wait_for("upload result=ok")
        silent.wait_for("fault order=silent")

    def test_unknown_format_is_no_guess_at_a_pico(self):
        """It checks nothing, so that it gets only what is known, or forced."""
        path = self.file("firmware.bin", image(20000, first=0x12))
        where = address()
        board = self.board("--port", "2040", family="pico", where=where)
        result = run("-i", where, "-t", "1", "--retries", "0", "-f", path)
        self.assertEqual((result.status, result.out), (5, ""), result)
        self.assertIn(f"nothing listens at {where}:8266 (the default port of ESP8266 boards) and {where}:3232 "
                      "(the default port of ESP32 boards)\n", result.err)
        self.assertEqual(board.count("invitation"), 0, board.events)
        result = run("-i", where, "-t", "1", "--retries", "0", "--force", "-f", path)
        self.assertEqual((result.status, result.out), (0, ""), result)
        board.wait_for("upload result=ok")

    def test_retries(self):
        """Twice more, unless told otherwise; each is announced, and nothing else is said twice."""
        self.check([
            Case("two", ("--fault", "silent"), ("-t", "1"), status=5,
                 says=("attempt 2 of 3", "attempt 3 of 3")),
            Case("nothing listens", None, ("-t", "1"), status=5,
                 says=(r"in case the board is rebooting; is the port \(-p\) right\?\n",), never=(AGAIN,)),
            Case("nothing listens after it was silent", ("--fault", "drop-invitation", "--fault", "closed:60000"),
                 ("-t", "1", "--retries", "1"), status=5, says=("nothing listens",)),
            Case("one", ("--fault", "silent"), ("-t", "1", "--retries", "1"), status=5,
                 says=("attempt 2 of 2",), never=("attempt 3",)),
            Case("none", ("--fault", "silent"), ("-t", "1", "--retries", "0"), status=5,
                 never=("attempt",)),
            Case("the second succeeds", ("--fault", "drop-invitation*1"), ("-t", "1"),
                 says=("attempt 2 of 3", "confirmed")),
        ])

    def test_a_board_that_is_rebooting(self):
        """It refuses for some seconds; the upload follows as soon as it is back."""
        self.check([
            Case("back within -t", ("--fault", "closed:2500"), ("-t", "10", "--retries", "0"),
                 says=("going on in case the board is rebooting", "confirmed"), seconds=40),
            Case("not back within -t", ("--fault", "closed:60000"), ("-t", "1", "--retries", "0"),
                 status=5, says=("nothing listens",), seconds=30),
        ])

    def test_unreachable(self):
        """No route, refused by the kernel at once."""
        path = self.file("fw.bin", image())
        for where in ("240.0.0.1", "2001:db8::1"):
            with self.subTest(where):
                result = run("-i", where, "-t", "1", "--retries", "0", "-f", path)
                self.assertEqual((result.status, result.out), (5, ""), result)
                self.assertIn(f"{where}: invitation: ", result.err)
                self.assertLess(result.undelayed, 20)


class Wire(Scenario):
    """What leaves: the bytes of the invitation, from one port."""

    def test_invitation(self):
        content = image(4321)
        path = self.file("fw.bin", content)
        for options, command in (((), 0), (("-s",), 100)):
            with self.subTest(command), socket.socket(type=socket.SOCK_DGRAM) as board:
                board.bind((address(), 0))
                board.settimeout(30)
                where, port = board.getsockname()
                results = []
                thread = threading.Thread(target=lambda line: results.append(run(*line)), daemon=True, args=[
                    ("-i", where, "-p", str(port), "-t", "5", "--retries", "0", *options, "-f",
                     path)])
                thread.start()
                first, source = board.recvfrom(2000)
                self.assertRegex(first.decode(),
                                 rf"^{command} [1-9][0-9]* 4321 [0-9a-f]{{32}}\n$")
                second, again = board.recvfrom(2000)
                self.assertEqual((second, again), (first, source))
                board.sendto(b"ERR: enough", source)
                join(thread)
                self.assertEqual(results[0].status, 7, results[0])


if __name__ == "__main__":
    unittest.main()
