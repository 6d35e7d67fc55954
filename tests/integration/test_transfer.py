#!/usr/bin/env python3
"""The transfer: what the board says, how the connection ends, and what that proves."""

import itertools
import os
import socket
import threading
import unittest

from scenario import Case, Program, Scenario, address, image, join, received, run

ONCE = ("--retries", "0")
BIG = 60000  # bytes of a sketch that takes a board a while
# Nagle's algorithm can hold a reason back behind a number; the pico's TCP does without, so that it
# serves where the reason must arrive for certain.
# A board's TCP takes no more than this unread; by default the simulated one's takes all of BIG.
SMALL_WINDOW = ("--window", "5744", "--mss", "1436")


class Verdicts(Scenario):

    def test_ok_in_every_form(self):
        self.check(
            Case(f"{fault} {family}", ("--fault", fault), family=family, image=BIG)
            for fault, family in itertools.product(
                ("ok-split", "ok-joined", "no-numbers", "garbage:1460@3000"),
                ("esp8266", "esp32")))

    def test_reasons_of_boards(self):
        """Text is the board's reason, verbatim: after the image, or in the middle, glued to digits.
        What to do about it goes by what the board said."""
        texts = {"ERROR[1]: Flash Write Failed\\n": "Try again, and check the board's power supply",
                 "ERROR[7]: MD5 verification failed: expected: 0a, calculated: 0b\\n": "Try again: the image was corrupted",
                 "ERROR[9]: new Flash config wrong, real size: 4194304\\n": "Build the sketch for the size",
                 "ERROR[10]: Magic byte is not 0xE9\\n": "Send the .bin that was built for this board",
                 "MD5 Check Failed\\r\\n": "Try again: the image was corrupted",
                 "Could Not Activate The Firmware\\r\\n": "Send the application image",
                 "Signature Verification Failed\\r\\n": r"Sign the image \(--sign KEY\) with the private key",
                 "Decryption error\\r\\n": "Send the application image",
                 "Not Enough Space\\r\\n": r"Delete files on the board, send the sketch compressed \(-z\)",
                 "Aborted\\r\\n": "Fix the cause that the board names"}
        self.check(
            Case(f"{fault} {text}", ("--fault", fault.format(text)), ("--lockstep", *ONCE),
                 status=10, image=BIG, family="pico", says=(
                     r"(transfer|result): the board says: " + text.split("\\")[0].replace(
                         "[", r"\[").replace("]", r"\]"), f"  {remedy}"))
            for fault, (text, remedy) in itertools.product(("error-end:{}", "error:{}@20000"), texts.items()))

    def test_reason_found_by_a_second_attempt(self):
        """Streamed, the reason may be lost with the connection; in lock-step it arrives."""
        self.check([Case("lost, then heard", (*SMALL_WINDOW, "--fault", "reset@20000*1", "--fault",
                                              "error:ERROR[2]: Flash Erase Failed\\n@30000*1"),
                         status=10, image=BIG, family="pico",
                         says=("attempt 2 of 3", "lock-step", "Flash Erase Failed"),
                         never=("attempt 3",))])

    def test_image_spoilt_on_the_way(self):
        self.check([
            Case("esp8266", ("--fault", "corrupt@30000"), status=10, image=BIG,
                 says=("MD5 verification failed",)),
            Case("esp32", ("--fault", "corrupt@30000"), status=10, image=BIG, family="esp32",
                 says=("MD5 Check Failed",)),
            Case("wrong magic", (), status=10, image=image(3000, first=0x55),
                 says=("Magic byte is not 0xE9",)),
        ])

    def test_hostile_text(self):
        self.check([
            Case("escapes", ("--fault", "error-end:\\e[2J\\e]0;own\\x07ed\\0\\n"), ONCE, status=10,
                 says=(r"\\x1b\[2J",), never=("\x1b", "\x07", "\0")),
            Case("at the level that shows it as it came",
                 ("--fault", "error-end:ERROR[7]: no\\x1b[2J\\n"), (*ONCE, "-d"), status=10,
                 says=(r'the board says "\d*ERROR\[7\]: no\\x1b\[2J\\n"',), never=("\x1b",)),
            Case("a good word at that level", (), ("-d",), says=(r'the board says "\d*OK"',)),
            Case("numbers without end", ("--fault", "flood:600000@20000"), image=BIG),
        ])


class Ends(Scenario):

    def test_lost_before_the_last_byte(self):
        self.check(
            Case(f"{fault} {family} {' '.join(mode)}", (*SMALL_WINDOW, "--fault", fault),
                 (*mode, *ONCE), status=9,
                 family=family, image=BIG, never=("confirmed",),
                 says=(r"transfer: the board (reset|closed) the connection after \d+ of 60000 bytes",
                       "Wi-Fi signal"))
            for fault, family, mode in itertools.product(
                ("reset@30000", "close@30000", "reset@0"), ("esp8266", "esp32"),
                ((), ("--lockstep",))))

    def test_lost_and_tried_again(self):
        self.check(
            Case(f"{fault} {family}", (*SMALL_WINDOW, "--fault", fault), family=family, image=BIG, says=(
                "attempt 2 of 3", "confirmed"), events=("upload result=failed",))
            for fault, family in itertools.product(("reset@30000*1", "close@30000*1"),
                                                   ("esp8266", "pico", "esp32", "esp32-sha256")))

    def test_no_verdict_after_the_last_byte(self):
        """Unknown is neither success nor failure, and nothing is sent again."""
        self.check(
            Case(f"{fault} {family}", ("--fault", fault), status=11, family=family, image=BIG,
                 installed=True, never=("attempt 2", "confirmed by"),
                 says=("result: all 60000 bytes were sent, but the board's verdict did not come",
                       "Check what the board runs before you send again"))
            for fault, family in itertools.product(("ok-missing", "ok-reset"),
                                                   ("esp8266", "esp32")))

    def test_ok_too_early(self):
        self.check([Case("early", ("--fault", "ok-early@10000", "--window", "2144", "--mss", "536",
                                   "--write-ms", "20"), status=9, image=image(500000),
                         installed=None, says=("said OK when it had only", "look at what"),
                         never=("attempt 2", "confirmed by"))])

    def test_stall(self):
        """15 s without TCP progress and without a byte; the other waits are the unit tests'."""
        self.check([
            Case("streaming", (*SMALL_WINDOW, "--fault", "stall@100000"),
                 ONCE, status=9, image=image(400000), seconds=60,
                 says=("transfer: the board stopped taking data after [0-9]+ of 400000 bytes",)),
            Case("a pause is no stall", ("--fault", "pause:6000@100000"), ONCE,
                 image=image(400000)),
            Case("silence of a board with slow flash is none", ("--erase-ms", "300",
                                                                "--fault", "no-numbers"),
                 ONCE, image=image(200000)),
        ])

    def test_power_failure(self):
        self.check([Case("crash", (*SMALL_WINDOW, "--fault", "crash@30000*1",
                                 "--reboot-ms", "500"), image=BIG,
                         says=("attempt 2 of 3", "confirmed"))])


class Signals(Scenario):

    def test_signals_in_every_state(self):
        path = self.file("fw.bin", image(400000))
        for number, (fault, event) in itertools.product(
                (2, 15), (("silent", "fault order=silent"), ("never-connect", "reply text=OK"),
                          ("stall@50000", "fault order=stall"), ("ok-never", "upload result=ok"))):
            with self.subTest(f"{fault} {number}"):
                board = self.board(*SMALL_WINDOW, "--fault", fault)
                program = Program("-i", board.address, "-f", path)
                board.wait_for(event)
                program.send_signal(number)
                result = program.result(60)
                self.assertEqual((result.status, result.out), (-number, ""), result)
                self.assertIn(f"interrupted by {'SIGINT' if number == 2 else 'SIGTERM'}",
                              result.err)
                if fault == "ok-never":
                    self.assertIn("the board may install it", result.err)
                    self.assertIn("\n  Look at what the board runs before you send again: ", result.err)

    def test_never_half_closed(self):
        """Until the verdict is there the board must not see a FIN; after a signal it must."""
        with socket.socket(type=socket.SOCK_DGRAM) as board:
            board.bind((address(), 0))
            board.settimeout(30)
            where, port = board.getsockname()
            program = Program("-i", where, "-p", str(port), *ONCE, "-f",
                              self.file("fw.bin", image(5000)))
            invitation, host = board.recvfrom(2000)
            board.sendto(b"OK", host)
            back = socket.create_connection((host[0], int(invitation.split()[1])), 30, (where, 0))
            self.assertEqual(received(back, 5000), image(5000))
            back.settimeout(2)
            with self.assertRaises(TimeoutError):
                back.recv(1)
            program.send_signal(15)
            back.settimeout(30)
            self.assertEqual(back.recv(1), b"")
            back.close()
            self.assertEqual(program.result().status, -15)


class Images(Scenario):

    def test_images_that_cannot_be_sent(self):
        tiny = self.file("tiny", b"\xe9" + bytes(14))
        empty = self.file("empty", b"")
        big = self.file("big", bytes(16 * 1024 * 1024 + 1))
        for path, more, phrases in (
                ("/nonexistent/fw.bin", (), ("/nonexistent/fw.bin", "No such file")),
                (self.directory, (), ("directory",)), (empty, (), ("empty",)),
                (tiny, (), ("15 bytes", "16")), (big, (), ("16777217", "--max-size")),
                (big, ("--max-size", "1M"), ("16777217", "1048576")), ("/dev/zero", (), ("/dev/zero",)),
                (self.file("fw\n\x1b[2J.bin", b""), (), (r"fw\n\x1b[2J.bin",))):
            with self.subTest(path):
                result = run("-i", "127.0.0.1", *more, "-f", path)
                self.assertEqual((result.status, result.out), (3, ""), result)
                self.assertTrue(result.err.startswith("esp-ota: "), result)
                self.assertNotIn("\x1b", result.err)
                for phrase in phrases:
                    self.assertIn(phrase, result.err)
                self.assertLess(result.undelayed, 10)

    def test_larger_on_request(self):
        board = self.board("--fs-capacity", "20000000")
        path = self.file("big", image(16 * 1024 * 1024 + 1))
        result = run("-i", board.address, "-s", "--max-size", "17M", "-f", path)
        self.assertEqual((result.status, result.out), (0, ""), result)
        board.wait_for("upload result=ok bytes=16777217")

    def test_signed_image_beside_it(self):
        board = self.board()
        path = self.file("fw.bin", image(3000))
        self.file("fw.bin.signed", image(3000) + bytes(range(256)) + b"\0\1\0\0")
        for quiet in ((), ("-q",)):
            result = run("-i", board.address, *quiet, "-f", path)
            self.assertEqual((result.status, result.out), (0, ""), result)
            self.assertIn(f"sending {path}.signed, the signed image beside the file\n", result.err)
            board.wait_for("upload result=ok bytes=3260")
        self.file("fw.bin.signed", image(3000))
        result = run("-i", board.address, "-q", "--force", "-f", path)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn(f"esp-ota: warning: {path}.signed should not be sent: it should be {path} with a signature, ", result.err)
        self.assertIn(f"sending {path}.signed, the one beside the file\n", result.err)
        board.wait_for("upload result=ok bytes=3000")

    def test_rebuilt_during_the_upload(self):
        """What was hashed is what is sent, whatever happens to the file."""
        board = self.board("--fault", "pause:1000@10000")
        content = image(200000)
        path = self.file("fw.bin", content)
        program = Program("-i", board.address, "-f", path)
        board.wait_for("fault order=pause")
        os.truncate(path, 0)
        self.file("fw.bin", image(200000, seed=1))
        self.assertEqual(program.result().status, 0)
        board.wait_for("upload result=ok")
        self.assertEqual(board.received(), content)


class Lockstep(Scenario):

    def test_blocks(self):
        """One block, then nothing until the board says a number, whichever."""
        for options, block in ((("--lockstep",), 1460), (("--lockstep", "--block", "512"), 512)):
            with self.subTest(block), socket.socket(type=socket.SOCK_DGRAM) as board:
                board.bind((address(), 0))
                board.settimeout(30)
                where, port = board.getsockname()
                results = []
                thread = threading.Thread(target=lambda line: results.append(run(*line)), daemon=True, args=[
                    ("-i", where, "-p", str(port), *ONCE, *options, "-f",
                     self.file("fw.bin", image(2 * block + 100)))])
                thread.start()
                invitation, host = board.recvfrom(2000)
                board.sendto(b"OK", host)
                back = socket.create_connection((host[0], int(invitation.split()[1])), 30,
                                                (where, 0))
                for size in (block, block, 100):
                    received(back, size)
                    back.settimeout(0.3)
                    with self.assertRaises(TimeoutError):
                        back.recv(1)
                    back.settimeout(30)
                    back.sendall(b"7")
                back.sendall(b"OK")
                join(thread)
                back.close()
                self.assertEqual(results[0].status, 0, results[0])


if __name__ == "__main__":
    unittest.main()
