#!/usr/bin/env python3
"""What is given to whom: the image only to who can have accepted it, answers only to who may have
them, and nothing that was made of a password to the screen. And a board is left as it was."""

import concurrent.futures
import json
import os
import re
import select
import signal
import socket
import unittest

import firmware
from peer import Peer
import scenario
from scenario import Case, Program, Scenario, Terminal, run

MD5, SHA256 = b"AUTH " + b"ab" * 16, b"AUTH " + b"cd" * 32
FAILED = b"Authentication Failed"
WEAK = "a weak password can be guessed"
NOTE = "(words that repeat an answer to a challenge, a hash of the password, or the encryption key)"


class Played(Scenario):

    def play(self, script, *options, terminal=False, size=50_000, content=None):
        """Runs script(peer, program) while esp-ota uploads to the peer; returns the result."""
        peer = Peer()
        self.addCleanup(peer.close)
        path = self.file(f"{peer.address}.bin", content or scenario.image(size))
        program = (Terminal if terminal else Program)(
            "-i", peer.address, "-p", str(peer.port), "-f", path, *options)
        script(peer, program)
        return program.result()

    def assert_closed(self, peer, source=None):
        """A connection gets no byte."""
        with peer.connect(source) as early:
            early.settimeout(30)
            self.assertEqual(early.recv(1), b"")

    def finish(self, peer, source=None):
        channel = peer.connect(source)
        peer.take_image(channel)
        channel.send(b"OK")
        channel.recv(1)

    def events(self, result, name):
        lines = [json.loads(line) for line in result.out.splitlines()]
        return [line for line in lines if line["event"] == name]


class BackChannel(Played):

    def test_while_the_password_is_typed(self):
        def script(peer, terminal):
            peer.invited()
            peer.reply(SHA256)
            terminal.wait_for(r"Password of [^\r\n]*: $")
            self.assert_closed(peer)
            terminal.type("kwert\n")
            peer.answered()
            peer.reply(b"OK")
            self.finish(peer)

        result = self.play(script, terminal=True)
        self.assertEqual(result.status, 0, result)
        self.assertIn("closed a connection from", result.err)
        self.assertIn("before the board had a right answer", result.err)

    def test_while_the_answer_is_computed(self):
        """A connection that waits when the answer is sent is not made after it."""
        def script(peer, _):
            peer.invited()
            peer.reply(SHA256)
            # All but the last are made before the answer comes; not more than can wait at a time.
            channels = [peer.connect()]
            while len(channels) < 900 and not select.select([peer.udp], [], [], 0)[0]:
                channels.append(peer.connect())
            peer.answered()
            for channel in channels:
                channel.settimeout(30)
            if len(channels) > 5:
                got.append([channel.recv(1) for channel in channels])
            peer.reply(b"ERR: enough")
            for channel in channels:
                channel.close()

        # The last two may be made between the look at those that wait and the answer, and pass for later ones. So
        # may more where the program loses the processor in that moment, which is rare.
        got = []
        for _ in range(200):
            self.play(script, "-a", "kwert", "--retries", "0")
            if len(got) == 9:
                break
        self.assertGreaterEqual(sum(not any(firsts[:-2]) for firsts in got), 5, got)

    def test_after_a_rejection(self):
        def script(peer, _):
            peer.invited()
            peer.reply(SHA256)
            peer.answered()
            peer.reply(FAILED)
            peer.reply(b"OK")  # nobody is asked for this one
            peer.invited()
            self.assert_closed(peer)
            self.assert_closed(peer)  # noted once
            peer.reply(b"AUTH " + b"ef" * 32)
            peer.answered()
            peer.reply(b"OK")
            self.finish(peer)

        result = self.play(script, "-a", "kwert", "--json")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count("closed a connection from"), 1, result)
        self.assertEqual([event["evidence"] for event in self.events(result, "authenticated")],
                         ["reply"])
        self.assertEqual(sum("closed a connection" in event["message"]
                             for event in self.events(result, "note")), 1, result)

    def test_after_an_ok_that_does_not_hold(self):
        """Until another answer was accepted nobody gets a byte."""
        def rejected(peer, _):
            peer.invited()
            peer.reply(SHA256)
            peer.answered()
            peer.reply(b"OK")
            peer.reply(FAILED)
            self.assert_closed(peer)
            peer.invited()
            peer.reply(b"AUTH " + b"ef" * 32)
            peer.answered()
            peer.reply(b"OK")
            self.finish(peer)

        def asked_again(peer, _):
            peer.invited()
            peer.reply(SHA256)
            peer.answered()
            peer.reply(b"OK")
            peer.reply(SHA256)  # a duplicate
            peer.reply(b"AUTH " + b"ef" * 32)
            peer.answered()
            peer.reply(b"OK")
            self.finish(peer)

        def never_asked(peer, _):
            peer.invited()
            peer.reply(b"OK")
            peer.reply(FAILED)
            self.assert_closed(peer)
            peer.invited()
            peer.reply(b"OK")
            self.assert_closed(peer)
            peer.reply(b"OK")

        for script, status in ((rejected, 0), (asked_again, 0), (never_asked, 6)):
            with self.subTest(script.__name__):
                result = self.play(script, "-a", "kwert", "--json")
                self.assertEqual(result.status, status, result)
                notes = [event["message"] for event in self.events(result, "note")]
                self.assertEqual(sum("said OK, and then" in note for note in notes), 1, result)
                self.assertEqual(sum("closed a connection" in note for note in notes),
                                 script is not asked_again, result)

    def test_after_another_challenge(self):
        """The answer to the one before does not open the back-channel."""
        def script(peer, _):
            peer.invited()
            peer.reply(SHA256)
            peer.answered()
            peer.reply(b"AUTH " + b"ef" * 32)
            peer.reply(b"OK")
            self.assert_closed(peer)
            peer.reply(b"ERR: enough")

        result = self.play(script, "-a", "kwert", "--json")
        self.assertEqual(result.status, 7, result)
        self.assertEqual(self.events(result, "authenticated"), [])

    def test_a_board_that_asks_no_longer(self):
        def script(peer, _):
            peer.invited()
            peer.reply(SHA256)
            peer.answered()
            peer.reply(FAILED)
            for _ in range(2):
                peer.invited()
                peer.reply(b"OK")

        result = self.play(script, "-a", "kwert", "--json")
        self.assertEqual(result.status, 6, result)
        self.assertEqual(self.events(result, "result")[0]["code"], "downgrade", result)
        self.assertIn("now says OK without one", result.err)
        self.assertEqual(len(self.events(result, "invited")), 3, result)

    def test_who_connects_instead_of_an_ok(self):
        """After the answer that is its OK, lost; before it nothing is."""
        def lost(peer, _):
            peer.invited()
            peer.reply(SHA256)
            peer.answered()
            self.finish(peer)

        def unasked(peer, _):
            peer.invited()
            self.finish(peer)

        result = self.play(lost, "-a", "kwert", "--json")
        self.assertEqual(result.status, 0, result)
        self.assertEqual([event["evidence"] for event in self.events(result, "authenticated")],
                         ["connection"])
        result = self.play(unasked, "--json")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.events(result, "authenticated"), [])

    def test_with_a_challenge_that_is_not_read_yet(self):
        """It counts, whichever of both the program looks at first."""
        def script(peer, program):
            peer.invited()
            program.send_signal(signal.SIGSTOP)
            peer.reply(SHA256)
            with peer.connect() as early:
                program.send_signal(signal.SIGCONT)
                early.settimeout(30)
                self.assertEqual(early.recv(1), b"")
            peer.answered()
            peer.reply(FAILED)
            peer.invited()
            peer.reply(b"ERR: enough")

        self.assertEqual(self.play(script, "-a", "kwert").status, 7)

    def test_peer_any(self):
        stranger = scenario.address()

        def script(peer, _):
            peer.invited()
            self.assert_closed(peer, stranger)
            self.assert_closed(peer)
            peer.reply(b"OK")
            self.finish(peer, stranger)

        result = self.play(script, "--peer", "any")
        self.assertEqual(result.status, 0, result)
        self.assertIn("before the board had accepted", result.err)


class Challenges(Played):

    def test_what_is_said_before_an_answer_with_md5(self):
        """Once for a board, and before the answer leaves."""
        def script(peer, terminal):
            peer.invited()
            peer.reply(MD5)
            terminal.wait_for(WEAK)
            terminal.wait_for(r"Password of [^\r\n]*: $")
            terminal.type("kwert\n")
            peer.answered()
            peer.reply(FAILED)
            peer.invited()  # another password may be typed
            peer.reply(b"ERR: enough")

        self.assertEqual(self.play(script, terminal=True).status, 7)
        self.check([
            Case("ESP8266", ("-P", "kwert"), ("-a", "kwert"), says=(WEAK,)),
            Case("Pico W", ("-P", "kwert"), ("-a", "kwert"), family="pico", says=(WEAK,)),
            Case("quiet", ("-P", "kwert"), ("-a", "kwert", "-q"), never=("(?s).",)),
            Case("ESP32 with SHA-256", ("-P", "kwert"), ("-a", "kwert"), family="esp32-sha256",
                 never=(WEAK,)),
            Case("no password", (), (), never=(WEAK,)),
        ])
        board = self.board("-P", "kwert")
        result = run("-i", board.address, "-a", "kwert", "-f", self.file("fw", scenario.image()), "--json")
        self.assertEqual([event.get("scheme") for event in self.events(result, "note")], ["MD5"], result)

    def test_each_board_of_a_fleet(self):
        boards = [self.board("-P", "kwert") for _ in range(3)]
        named = [word for board in boards for word in ("-i", board.address)]
        for options, count in (((), 1), (("-v",), 3)):  # of many boards it is said once
            result = run(*named, "-a", "kwert", "-f", self.file("fw", scenario.image()), "--json", *options)
            self.assertEqual((result.status, result.err.count(WEAK), result.out.count(WEAK)), (0, count, 3), result)

    def test_min_auth(self):
        words = "asks for an answer with MD5, and --min-auth"
        refused = {"status": 6, "says": (words,), "never": (WEAK,),
                   "events": ("challenge",)}
        self.check([
            Case("ESP8266", ("-P", "kwert"), ("-a", "kwert", "--min-auth", "sha256"), **refused),
            Case("nobody is asked", ("-P", "kwert"), ("--min-auth", "sha256"), **refused),
            Case("an older ESP32", ("-P", "kwert"), ("-a", "kwert", "--min-auth=sha256"),
                 family="esp32", **refused),
            Case("SHA-256", ("-P", "kwert"), ("-a", "kwert", "--min-auth", "sha256"),
                 family="esp32-sha256"),
            Case("SHA-256 with an MD5 hash", ("-P", "kwert", "-H", "md5"),
                 ("-a", "kwert", "--min-auth", "sha256"), family="esp32-sha256"),
            Case("the default, spelled out", ("-P", "kwert"), ("-a", "kwert", "--min-auth", "md5")),
            Case("neither", None, ("--min-auth", "sha1"), status=2, says=("--min-auth 'sha1'",)),
        ])

    def test_min_auth_of_a_list(self):
        first, second = (self.board("-P", "kwert") for _ in range(2))
        hosts = self.file("hosts", f"{first.address}:{first.port} min-auth=sha256\n"
                                   f"{second.address}:{second.port}\n".encode())
        options = ("-a", "kwert", "-f", self.file("fw", scenario.image()), "--json")
        result = run("--hosts", hosts, *options)
        codes = {event["board"]: event["code"] for event in self.events(result, "result")}
        self.assertEqual(codes, {first.address: "weak-auth", second.address: "ok"}, result)
        result = run("--hosts", hosts, "-i", first.address, "-p", str(first.port), *options)
        self.assertEqual(result.status, 6, result)  # named twice: the stricter of both

    def test_downgrade(self):
        """Also in the next attempt, and also with --force."""
        def script(peer, _):
            peer.invited()
            peer.reply(SHA256)
            peer.answered()
            peer.connect().close()  # lost
            peer.invited()
            peer.reply(MD5)
            self.assertEqual(peer.udp.recv(100), b"200\n")

        result = self.play(script, "-a", "kwert", "--force", "--json", size=4_000_000)
        self.assertEqual(result.status, 6, result)
        self.assertEqual(self.events(result, "result")[0]["code"], "downgrade", result)

    def test_downgrade_behind_an_answer(self):
        """SHA-256 counts although that challenge is never answered."""
        def script(peer, _):
            peer.invited()
            peer.reply(MD5)
            peer.answered()
            peer.reply(SHA256)
            peer.invited()
            peer.reply(b"AUTH " + b"ef" * 16)
            self.assertEqual(peer.udp.recv(100), b"200\n")

        result = self.play(script, "-a", "kwert", "--json")
        self.assertEqual(result.status, 6, result)
        self.assertEqual(self.events(result, "result")[0]["code"], "downgrade", result)

    def test_while_the_password_is_typed(self):
        """What the board says meanwhile counts."""
        for replies, status, says in (((MD5,), 6, "SHA-256 at first"), ((b"ERR: no",), 7, "refused"),
                                      ((b"OK", b"OK"), 6, "now says OK without one")):
            with self.subTest(says):
                def script(peer, terminal):
                    peer.invited()
                    peer.reply(SHA256)
                    terminal.wait_for(r"Password of [^\r\n]*: $")
                    for reply in replies:
                        peer.reply(reply)

                result = self.play(script, terminal=True)
                self.assertEqual(result.status, status, result)
                self.assertIn(says, result.err)

        def idle(peer, terminal):
            peer.invited()
            peer.reply(SHA256)
            terminal.wait_for(r"Password of [^\r\n]*: $")
            peer.reply(b"AUTH " + b"12" * 32)
            peer.reply(FAILED)
            self.assert_closed(peer)
            terminal.type("kwert\n")
            peer.invited()
            peer.reply(b"AUTH " + b"ef" * 32)
            peer.answered()
            peer.reply(b"OK")
            self.finish(peer)

        self.assertEqual(self.play(idle, terminal=True).status, 0)

    def collect(self, peer, program, challenge, verdict):
        """All answers that a peer gets that never accepts one, until esp-ota has ended."""
        got, challenges = set(), 0
        peer.udp.settimeout(0.2)
        while not program.has_ended():
            try:
                data, peer.host = peer.udp.recvfrom(2048)
            except TimeoutError:
                continue
            if data.startswith(b"0 "):
                challenges += 1
                peer.reply(challenge(challenges))
            elif data != b"200\n" and data not in got:
                got.add(data)
                if verdict:
                    challenges += 1
                    peer.reply(verdict(challenges))
        return got

    def test_how_many_answers(self):
        """Two of one kind in an attempt; in an upload three with MD5, four with SHA-256, and for each attempt
        one that the board accepts."""
        def md5(number):
            return b"AUTH %032x" % number

        def sha256(number):
            return b"AUTH %064x" % number

        rows = (
            ("silence, MD5", md5, None, 3),
            ("silence, SHA-256", sha256, None, 4),
            ("silence, MD5 first", lambda number: md5(number) if number < 3 else sha256(number), None, 4),
            ("another challenge, MD5", md5, md5, 2),
            ("another challenge, SHA-256", sha256, sha256, 2),
            ("rejection, MD5", md5, lambda _: FAILED, 1),
            ("rejection, SHA-256", sha256, lambda _: FAILED, 2),
        )

        def count(row):
            _, challenge, verdict, _ = row
            got = []
            result = self.play(lambda peer, program: got.append(self.collect(peer, program, challenge, verdict)),
                               "-a", "kwert", "--retries", "5")
            return len(got[0]), result

        with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
            for row, (answers, result) in zip(rows, pool.map(count, rows)):
                with self.subTest(row[0]):
                    self.assertEqual((answers, result.status), (row[3], 6), result)

    def test_answers_that_were_accepted_do_not_count(self):
        """What breaks off later needs a new one each time, but no more than one."""
        got = []

        def script(peer, _):
            for attempt in range(6):
                peer.invited()
                peer.reply(b"AUTH %064x" % attempt)
                got.append(peer.answered())
                peer.reply(b"OK")
                peer.connect().close()

        result = self.play(script, "-a", "kwert", "--retries", "5", size=4_000_000)
        self.assertEqual((result.status, len(set(got))), (9, 6), result)
        for options in ((), ("-H", "md5")):
            with self.subTest(options):
                board = self.board("-P", "kwert", "--fault", "reset@1000*3", *options,
                                   family="esp32-sha256")
                result = run("-i", board.address, "-a", "kwert", "--retries", "5", "-f",
                             self.file("fw", firmware.esp32_sketch(1_000_000)))
                self.assertEqual(result.status, 0, result)
                board.close()
                self.assertEqual(board.count("answer result=failed"), 1 if options else 0)


class OneAddress(Scenario):
    """Two lines of a list that name one address."""

    def upload(self, *lines):
        hosts = self.file("hosts", "".join(f"{line}\n" for line in lines).encode())
        return run("--hosts", hosts, "-a", "kwert", "-j", "1", "-f", self.file("fw", firmware.esp8266()))

    def test_sha256_at_another_port(self):
        """What one port has shown holds for the other one."""
        first = self.board("-P", "kwert", family="esp32-sha256")
        second = self.board("-P", "kwert", where=first.address)
        esp32 = self.file("esp32.bin", firmware.esp32_sketch(20_000))
        lines = [f"{first.address} port={first.port} file={esp32}", f"{first.address} port={second.port}"]
        result = self.upload(*lines)
        self.assertEqual(result.status, 6, result)
        self.assertIn(f"{first.address} asked for an answer with SHA-256 at another port", result.err)
        second.close()
        self.assertEqual(second.count("answer result=ok"), 0)
        # The other way around nothing was known.
        second = self.board("-P", "kwert", where=first.address)
        lines[1] = f"{first.address} port={second.port}"
        self.assertEqual(self.upload(*reversed(lines)).status, 0)

    def test_the_stricter_line_counts(self):
        """Also where the second name is found to be one only when it is resolved."""
        board = self.board("-P", "kwert", "--port", "0", where="127.0.0.1")
        first, second = f"127.0.0.1 port={board.port}", f"localhost port={board.port} min-auth=sha256"
        result = self.upload(first, second)
        self.assertEqual(result.status, 2, result)
        self.assertRegex(result.err, "localhost: .*is the same board as 127.0.0.1, which got an answer with MD5")
        result = self.upload(second, first)
        self.assertEqual(result.status, 6, result)
        board.close()
        self.assertEqual(board.count("answer result=ok"), 1)


class NotAsked(Played):

    def test_it_is_noted(self):
        said = "did not ask for the password"
        self.check([
            Case("given", (), ("-a", "kwert"), says=(said,)),
            Case("quiet", (), ("-a", "kwert", "-q"), never=("(?s).",)),
            Case("not given", (), (), never=(said,)),
            Case("an empty one", (), ("--auth=",), never=(said,)),
            Case("asked for", ("-P", "kwert"), ("-a", "kwert"), never=(said,)),
        ])
        board = self.board()
        result = run("-i", board.address, "-a", "kwert", "-f", self.file("fw", scenario.image()), "--json")
        self.assertEqual([event.get("password") for event in self.events(result, "note")],
                         ["not-asked"], result)


class Echo(Played):

    def test_words_that_repeat_an_answer(self):
        """In ERR:, in a text over TCP, in pieces, in anything that is no reply; with -d."""
        def texts(answer):
            cnonce, response = answer
            return (f"200 {cnonce} {response}", response.upper(), f"x {cnonce[8:24]}",
                    " ".join(response), *scenario.secrets("kwert")[1:])

        def refuse(peer, number):
            peer.reply(b"ERR: " + texts(peer.answered())[number].encode())

        def mumble(peer, number):
            peer.reply(texts(peer.answered())[number].encode())
            peer.reply(b"ERR: no")

        def complain(peer, number):
            text = texts(peer.answered())[number]
            peer.reply(b"OK")
            channel = peer.connect()
            for piece in ("ERROR[1]: ", text[:20], text[20:], "\n"):
                channel.send(piece.encode())
            channel.recv(1)

        for act, status in ((refuse, 7), (mumble, 7), (complain, 10)):
            for number in range(6):
                with self.subTest(act.__name__, number=number):
                    given = []

                    def script(peer, _):
                        peer.invited()
                        peer.reply(MD5)
                        answered = peer.answered
                        peer.answered = lambda: given.append(answered()) or given[0]
                        act(peer, number)

                    result = self.play(script, "-a", "kwert", "-d", "--json", "--retries", "0")
                    self.assertEqual(result.status, status, result)
                    shown = "".join((result.out + result.err).lower().split())
                    for secret in (*given[0], *scenario.secrets("kwert")[1:]):
                        for start in range(len(secret) - 8):
                            self.assertNotIn(secret[start:start + 9], shown)

    def test_seven_digits(self):
        """So many of an answer are shown, as other words have them by chance; eight are not."""
        for length in (7, 8):
            with self.subTest(length):
                said = []

                def script(peer, _):
                    peer.invited()
                    peer.reply(MD5)
                    both = "".join(peer.answered())
                    # No letter of the words around them may be the digit that comes before or behind.
                    start = re.search(f"[0-9](?=[0-9a-f]{{{length}}}[0-9])", both).end()
                    said.append("no: " + both[start:start + length])
                    peer.reply(b"ERR: " + said[0].encode())

                result = self.play(script, "-a", "kwert", "--retries", "0")
                self.assertEqual(result.status, 7, result)
                self.assertEqual(said[0] in result.err, length == 7, result)

    def test_an_answer_in_two_attempts(self):
        """Compressed first, then not: its first half in one reason, and the other in the next one."""
        halves = []

        def script(peer, _):
            for number, text in enumerate(("ERROR[10]: Magic byte is not 0xE9: {}\n", "{}x: Flash Write Failed\r\n")):
                peer.invited()
                peer.reply(b"AUTH %032x" % number)
                response = peer.answered()[1]
                if not halves: # the 9 before the first one must not be a digit of the answer as well
                    start = re.search("[^9]", response).end()
                    halves.extend((response[start:start + 6], response[start + 6:start + 12]))
                peer.reply(b"OK")
                channel = peer.connect()
                peer.take_image(channel)
                channel.send(text.format(halves[number]).encode())
                channel.recv(1)

        result = self.play(script, "-a", "kwert", "-z", "--retries", "0", "-v",
                           content=firmware.esp8266(50_000))
        self.assertEqual(result.status, 10, result)
        self.assertIn(halves[0], result.err)
        self.assertNotIn(halves[1] + "x", result.err)
        self.assertIn(NOTE, result.err)

    def test_a_log(self):
        """On standard output, in the file of --log, in JSON, in the verdict, with --raw; in pieces, too."""
        def say(log, answer):
            cnonce, response = answer
            digest = scenario.secrets("kwert")[1]
            lines = (f"got 200 {cnonce} {response}", "\u00ad".join(response), "\U000e0041".join(cnonce),
                     f"\033[31m{response[:6]}\033[0m{response[6:]}", *(digest[at:at + 5] for at in range(0, 32, 5)),
                     "x" * 2040 + response, *(response + cnonce))
            for line in lines:
                log.send(f"{line}\n".encode())
            for half in ("half ", response[:12], response[12:]):
                log.send(half.encode())
                # A part of a line is shown when nothing followed it for a while.
                select.select([log], [], [], 0.5)
            log.send(b"\nready\npanic " + response.encode() + b"\n")

        for option in ("--timestamps", "--raw", "--json"):
            with self.subTest(option):
                given = []
                path = os.path.join(self.directory, f"log{option}")

                def script(peer, _):
                    with socket.create_server((peer.address, 2323)) as server:
                        server.settimeout(30)
                        peer.invited()
                        peer.reply(MD5)
                        given.extend(peer.answered())
                        peer.reply(b"OK")
                        self.finish(peer)
                        with server.accept()[0] as old:
                            old.send(b"old\n")
                        with server.accept()[0] as log:
                            say(log, given)
                            log.settimeout(30)
                            log.recv(1)

                result = self.play(script, "-a", "kwert", "--monitor=2323", "--log", path, "--reject", "panic", option)
                self.assertEqual(result.status, 12, result)
                with open(path, encoding="utf-8") as log:
                    text = log.read()
                self.assertIn("ready", text)
                self.assertIn("words that repeat", text)
                for name, shown in (("output", result.out + result.err), ("file", text)):
                    # The note's own letters could continue the seven digits that may be seen.
                    shown = "".join(re.findall("[0-9a-f|]", shown.lower().replace(NOTE, "|")))
                    self.assertIn("|", shown)
                    for secret in (*given, *scenario.secrets("kwert")[1:]):
                        for start in range(len(secret) - 8):
                            self.assertNotIn(secret[start:start + 9], shown, name)

    def test_each_datagram(self):
        """With -d, from where to where; of an answer only that it is one, of a challenge not its digits."""
        def script(peer, _):
            peer.invited()
            peer.reply(MD5)
            given.extend(peer.answered())
            peer.reply(b"OK")
            channel = peer.connect()
            peer.take_image(channel)
            channel.send(b"OK")
            where.append(f"{peer.address}:{peer.port}")

        given, where = [], []
        result = self.play(script, "-a", "kwert", "-d", "--retries", "0")
        self.assertEqual((result.status, result.out), (0, ""), result)
        lines = [line.partition("] ")[2].partition(": ")[2] for line in result.err.splitlines()
                 if re.search(": (sent|received) from ", line)]
        own = r"sent from 127\.0\.0\.1:\d+ on lo to " + re.escape(where[0])
        patterns = (own + r": 0 \d+ 50000 [0-9a-f]{32}", f"received from {where[0]}: AUTH, and a challenge",
                    own + ": 200, and the answer, which is not shown", f"received from {where[0]}: OK")
        self.assertEqual(len(lines), len(patterns), lines)
        for line, pattern in zip(lines, patterns):
            self.assertRegex(line, f"^{pattern}$")
        for secret in (*given, "kwert", "ab" * 16):
            self.assertNotIn(secret, result.err)

    def test_other_words_are_shown(self):
        self.check([Case("a refusal", ("-P", "kwert", "--fault", "refuse:ERROR[4]: Not Enough Space"),
                         ("-a", "kwert"), status=7, says=("Not Enough Space",)),
                    Case("a text", ("-P", "kwert", "--fault", "error:ERROR[1]: Flash Write Failed\\n@2000"),
                         ("-a", "kwert", "-d"), status=10,
                         says=("Flash Write Failed", r'the board says "\d*ERROR'))])


class LeftAlone(Scenario):
    """A board whose challenge was not answered is idle again: the next upload is not swallowed."""

    def assert_ready(self, board, family):
        board.wait_for("answer result=malformed")
        result = run("-i", board.address, "-p", str(board.port), "-a", "kwert", "-d", "-f",
                     self.file("fw", scenario.sketch(family, 20000)))
        self.assertEqual(result.status, 0, result)
        self.assertNotIn("invitation 2", result.err)
        self.assertEqual(board.count("swallowed"), 0)

    def test_refusals(self):
        image = self.file("esp8266.bin", firmware.esp8266())
        for family, options, status in (
                ("esp32-sha256", ("-a", "kwert"), 3),  # the image is for others
                ("esp8266", ("-a", "kwert", "--min-auth", "sha256"), 6),
                ("esp8266", (), 6), ("pico", ("--force",), 6), ("esp32", ("--force",), 6)):
            with self.subTest(family, options=options):
                board = self.board("-P", "kwert", family=family)
                result = run("-i", board.address, "-p", str(board.port), "-f", image, *options)
                self.assertEqual(result.status, status, result)
                self.assert_ready(board, family)

    def test_at_the_prompt(self):
        path = self.file("firmware.bin", scenario.image())
        for family in ("esp8266", "esp32", "esp32-sha256"):
            for key in ("\x03", "\x04", "\n"):
                with self.subTest(family, key=key):
                    board = self.board("-P", "kwert", family=family)
                    terminal = Terminal("-i", board.address, "-p", str(board.port), "-f", path)
                    terminal.wait_for(r"Password of [^\r\n]*: $")
                    terminal.type(key)
                    terminal.result()
                    self.assert_ready(board, family)


if __name__ == "__main__":
    unittest.main()
