#!/usr/bin/env python3
"""--serve with -i URL: boards with Tasmota are told to fetch, and get their OtaUrl back."""

import base64
import contextlib
import hashlib
import http.server
import itertools
import json
import os
import re
import signal
import socket
import threading
import unittest
import urllib.parse

import fetcher
import firmware
from scenario import DEADLINE_S, Program, Scenario, address, at_once, join, run, simulated_mac, sketch
from test_serve import Server

load_tests = at_once  # the boards have waits of a second and more
OLD = "http://ota.example/old %1&2;3/tasmota.bin"


class Tasmota(Scenario):

    def setUp(self):
        super().setUp()
        self.image = firmware.esp8266(60000) + b"12:00:00"  # the time of build that the simulated board tells
        self.path = self.file("fw.bin", self.image)
        self.leaps = itertools.count(1)

    def tasmota(self, *options, **more):
        return self.board("--web", "tasmota", "-p", "0", "--reboot-ms", "300", "--web-set", "hasty", "--web-set", f"ota-url={OLD}", *options, **more)

    @staticmethod
    def url(board, user=""):
        return f"http://{user}{board.address}:{board.port}"

    def tell(self, *boards, arguments=(), path=None, **more):
        names = [part for board in boards for part in ("-i", self.url(board))]
        return run("--serve=0", *names, "-f", path or self.path, *arguments, **more)

    @staticmethod
    def urls(board):
        """The OtaUrl that the board was given, in turn."""
        said = [re.search(r'text="\{\\"OtaUrl\\":\\"(.*?)\\"\}"', event) for event in board.events]
        urls = [match.group(1) for match in said if match]
        return [url for url, before in zip(urls[1:], urls) if url != before]

    def assert_restored(self, board):
        first, last = self.urls(board)
        self.assertRegex(first, r"^http://[\d.]+:\d+/firmware\.bin$")
        self.assertEqual(last, OLD)

    # -- the board does it --

    def test_update(self):
        board = self.tasmota()
        result = self.tell(board)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertEqual(board.received(), self.image)
        self.assertRegex(result.err, rf"(?m)^{board.address}: told to fetch http://[\d.]+:\d+/firmware\.bin \(firmware "
                         rf"15\.5\.0\(tasmota\) of \S+; chip ESP8266EX; its OtaUrl was {re.escape(OLD)}\)$")
        self.assertRegex(result.err, rf"(?m)^{board.address}: confirmed, .*; it runs 15\.6\.0\(tasmota\) of \S+ now "
                         r"\(before: 15\.5\.0\(tasmota\) of \S+\)$")
        self.assert_restored(board)

    def test_json(self):
        board = self.tasmota()
        result = self.tell(board, arguments=["--json"])
        events = [json.loads(line) for line in result.out.splitlines()]
        ended = next(event for event in events if event["event"] == "result")
        self.assertEqual([ended[key] for key in ("board", "ok", "verified", "protocol", "phase", "address")],
                         [board.address, True, "readback", "fetch", "proof of boot", board.address])
        self.assertEqual((events[-1]["event"], events[-1]["confirmed"]), ("summary", 1))

    def test_password(self):
        board = self.tasmota("-P", "secret")
        for password, status, said in (((), 6, "asks for a password (Basic), and no password was given"),
                                       (("-a", "mistaken"), 6, 'rejected the password of the user "admin"')):
            result = self.tell(board, arguments=password)
            self.assertEqual(result.status, status, result)
            self.assertIn(f"{board.address}: authentication: the board ", result.err)
            self.assertIn(said, result.err)
            self.assert_no_secret(result, "mistaken")
        self.assertEqual(self.urls(board), [])
        result = self.tell(board, arguments=["-a", "secret"])
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count(f"{board.address}: the board asks for the password itself (Basic), without"), 1, result)
        self.assert_no_secret(result, "secret")
        self.assert_restored(board)

    def test_password_that_is_not_asked_for(self):
        board = self.tasmota()
        result = self.tell(board, arguments=["-a", "secret", "--json"])
        self.assertEqual(result.status, 0, result)
        notes = [event for event in map(json.loads, result.out.splitlines()) if event.get("password")]
        self.assertEqual([(note["event"], note["board"], note["password"]) for note in notes],
                         [("note", board.address, "not-asked")])
        self.assertIn(f"{board.address}: its page did not ask for the password that was given\n", result.err)

    def test_two_names_of_one_board(self):
        """It is told once. What only one of the two lines demands is not dropped."""
        one, two = (self.file(name, text) for name, text in (("one", b"secret\n"), ("two", b"sesame\n")))
        for first, second, arguments, status in (("", "", (), 0), ("", "", ("-j", "1", "--canary", "1"), 0),
                                                 (f"auth-file={one}", f"auth-file={two}", (), 2),
                                                 (f"auth-file={one}", f"auth-file={one} min-auth=sha256", ("-j", "1"), 2)):
            board = self.tasmota(where="127.0.0.1")
            hosts = self.file("hosts", f"http://127.0.0.1:{board.port} {first}\n"
                                       f"http://localhost:{board.port} {second}\n".encode())
            with self.subTest(first=first, second=second, arguments=arguments):
                result = run("--serve=0", "--hosts", hosts, "-f", self.path, *arguments)
                self.assertEqual(result.status, status, result)
                self.assertRegex(result.err, r"(127\.0\.0\.1|localhost): (resolution: )?is the same board as "
                                 r"(127\.0\.0\.1|localhost)(, (so it is named twice with different passwords|which may).*)?\n")
                self.assertIn(f"1 of 2 boards confirmed, 1 {'failed' if status else 'skipped'}", result.err)
                self.assertEqual(result.err.count("told to fetch http:"), 1, result)
                self.assert_restored(board)
            board.close()

    def test_asks_by_itself_too(self):
        """Another line means the same board, and waits for it to ask: it is told, and has one result. A name is no proof: its
        board may be elsewhere, so its line waits on."""
        other = self.file("other.bin", firmware.esp8266(24000))
        for name in (simulated_mac("127.0.0.1"), "localhost:{port}", "127.0.0.1:{port}"):
            is_known = not name.startswith("localhost")
            for first, more, status in ((True, "", 0), (False, "", 0), (True, f" file={other}", 2)):
                board = self.tasmota(where="127.0.0.1")
                asker = name.format(port=board.port)
                told = f"http://{'localhost' if name.startswith('127') else '127.0.0.1'}:{board.port}"
                lines = [asker + more, told]
                hosts = self.file("hosts", "\n".join(lines if first else reversed(lines)).encode())
                with self.subTest(lines, first=first):
                    result = run("--serve=0", "--hosts", hosts, "-f", self.path, "--until-confirmed", "1")
                    self.assertEqual(result.status, status if is_known else 4, result)
                    said = (r"(resolution: )?is the same board as (localhost|127\.0\.0\.1)(, so it would get two different images.*)?"
                            if is_known else "transfer: it has not asked for the image")
                    self.assertRegex(result.err, rf"(?m)^(esp-ota: )?{asker.partition(':' + str(board.port))[0]}: {said}$")
                    self.assertIn(f"1 of 2 boards confirmed, {('1 failed' if status else '1 skipped') if is_known else 'in'}", result.err)
                    self.assertEqual(board.received(), self.image)
                    self.assert_restored(board)
                board.close()

    def test_has_confirmed_by_itself(self):
        """A board that has the image is not told, by whatever name: now, or in the run that --resume names. By a name that leads
        to its address it is told once more, as that name may be another board's by now."""
        for name in (simulated_mac("127.0.0.1"), "localhost:{port}", "127.0.0.1:{port}"):
            board = self.tasmota(where="127.0.0.1")
            asker = name.format(port=board.port)
            told = f"http://{'localhost' if name.startswith('127') else '127.0.0.1'}:{board.port}"
            is_named = name.startswith("localhost")
            hosts, both = self.file("hosts", asker.encode()), self.file("both", f"{told}\n{asker}\n".encode())
            with self.subTest(asker):
                server = Server(self, "--hosts", hosts, "-f", self.path, "--until-confirmed", "1", "--json")
                asking = fetcher.Board(server.server, mac=simulated_mac("127.0.0.1"), source="127.0.0.1")
                while asking.fetch() != "no update":  # its name may be looked up first
                    pass
                report = server.result().out
                for _ in range(2):
                    server = Server(self, "--hosts", both, "-f", self.path, "--json", "--resume", self.file("report", report.encode()))
                    server.program.wait_for("is the same board as|127.0.0.1: (confirmed|runs the image)|2 of 2 already have it")
                    result = server.stop()
                    self.assertEqual(result.status, 0, result)
                    self.assertIn("2 of 2 boards confirmed" if is_named else "1 of 2 boards confirmed, 1 skipped", result.err)
                    report = result.out
                self.assertEqual(self.urls(board)[1:], [OLD] if is_named else [])
            board.close()

    def test_min_auth(self):
        """--min-auth and a list's min-auth keep the password from a board that asks for it by Basic."""
        board = self.tasmota("-P", "secret")
        hosts = self.file("hosts", f"{self.url(board)} min-auth=sha256\n".encode())
        for arguments in (["-i", self.url(board), "--min-auth", "sha256"], ["--hosts", hosts]):
            result = run("--serve=0", *arguments, "-f", self.path, "-a", "secret")
            self.assertEqual((result.status, result.out), (6, ""), result)
            self.assertIn(f"{board.address}: authentication: the board asks for the password itself (Basic), and --min-auth "
                          "allows nothing below SHA-256\n", result.err)
            self.assertNotIn("can read it", result.err)
            self.assertNotIn("ignores", result.err)
        self.assertEqual(self.urls(board), [])
        self.assertFalse([event for event in board.events if "scheme=basic" in event], board.events)

    def test_echoes(self):
        """What repeats the password is shown nowhere: as a version or a chip, as the OtaUrl, in a refusal."""
        password = "kwertz42"
        pair = base64.b64encode(f"admin:{password}".encode()).decode()
        locked = (401, {"WARNING": "Need user=<username>&password=<password>"})

        def status(word):
            return 200, {"StatusFWR": {"Version": word, "Hardware": word}}

        # What it says to Status 2, OtaUrl, OtaUrl URL and Upgrade; None: what it should.
        places = {"version": lambda word: (status(word), None, None, None),
                  "old URL": lambda word: (None, (200, {"OtaUrl": f"http://old/{word}"}), None, None),
                  "refusal": lambda word: (None, None, (200, {"Command": word}), None),
                  "refused upgrade": lambda word: (None, None, None, (200, {"Upgrade": word}))}
        words = (pair, pair[3:14].swapcase(), password.upper(), hashlib.md5(password.encode()).hexdigest()[4:16])

        for place, say in places.items():
            for word in words:
                urls = [""]

                def script(path, answer, said=say(word), urls=urls):
                    name, _, value = urllib.parse.unquote(path.partition("cmnd=")[2]).partition(" ")
                    number = 0 if name == "Status" else 3 if name == "Upgrade" else 2 if value else 1
                    should = (status("1.0"), (200, {"OtaUrl": "http://old/"}), (200, {"OtaUrl": value}),
                              (200, {"Upgrade": "Version 1.0 from " + urls[-1]}))
                    urls.extend([value] if number == 2 else [])
                    return (said[number] or should[number]) if answer else locked

                with self.subTest(place, word=word):
                    result = run("--serve=0", "-i", self.script(script), "-f", self.path, "-a", password,
                                 "--expect-timeout", "0.2", "-d", "--json")
                    seen = re.sub("[^a-z0-9]", "", (result.out + result.err).lower())
                    self.assertGreater(result.status, 2, result)
                    self.assertNotIn(re.sub("[^a-z0-9]", "", word.lower()), seen, result)
                    self.assertIn("words that repeat an answer", result.err)

    def test_echo_in_parts(self):
        """A hash is spread over the texts of one message: of those at most the first is shown."""
        password = "kwertz42"
        digits = hashlib.md5(password.encode()).hexdigest()
        parts = [digits[at:at + 7] for at in (0, 7, 14)]
        for is_restored, facts, shown in ((True, {"Hardware": parts[1]}, 1), (False, {"Hardware": parts[1]}, 1),
                                          (True, {"BuildDateTime": parts[1]}, 0)):
            urls = [parts[2]]

            def script(path, answer, urls=urls, is_restored=is_restored, facts=facts):
                if not answer:
                    return 401, {"WARNING": "Need user=<username>&password=<password>"}
                name, _, value = urllib.parse.unquote(path.partition("cmnd=")[2]).partition(" ")
                urls.extend([value] if name == "OtaUrl" and value and (is_restored or len(urls) == 1) else [])
                said = {"OtaUrl": {"OtaUrl": urls[-1]}, "Upgrade": {"Upgrade": "Version 1.0 from " + urls[-1]}}
                return 200, said.get(name, {"StatusFWR": {"Version": parts[0], **facts}})

            with self.subTest(is_restored=is_restored, facts=facts):
                result = run("--serve=0", "-i", self.script(script), "-f", self.path, "-a", password,
                             "--expect-timeout", "0.2", "-d", "--json")
                self.assertEqual(result.status, 4, result)
                self.assertEqual([part in result.out + result.err for part in parts], [shown == 1, False, False], result)

    def test_password_of_another_server(self):
        """It is in the OtaUrl that the board had, and stays there."""
        urls = ["http://me:kept-secret@old/fw.bin"]

        def script(path, _):
            name, _, value = urllib.parse.unquote(path.partition("cmnd=")[2]).partition(" ")
            urls.extend([value] if name == "OtaUrl" and value else [])
            said = {"OtaUrl": {"OtaUrl": urls[-1]}, "Upgrade": {"Upgrade": "Version 1.0 from " + urls[-1]}}
            return 200, said.get(name, {"StatusFWR": {"Version": "1.0", "Hardware": "ESP8266EX"}})

        result = run("--serve=0", "-i", self.script(script), "-f", self.path, "--expect-timeout", "0.2", "-d", "--json")
        self.assertEqual(urls[-1], urls[0], "it has not got it back")
        self.assertIn("; its OtaUrl was http://me:...@old/fw.bin)", result.err)
        self.assertNotIn("kept-secret", result.out + result.err)

    def script(self, script):
        """A board whose replies are those of script(path, authorization): a status, JSON, and headers. Returns its URL."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, said, *headers = script(self.path, self.headers.get("Authorization"))
                body = json.dumps(said).encode()
                with contextlib.suppress(ConnectionError):  # it waits for no reply any more
                    self.send_response(status)
                    for name, value in headers:
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer((address(), 0), Handler)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return "http://{}:{}".format(*server.server_address)

    def fetching(self, fetch, **state):
        """A board of script() that calls fetch(server, where) when it is told to, at its own address. Its firmware stays the
        same until fetch() returns a version. state: "mac": its own; "before": is called before the first reply to Status 2."""
        state = {"url": OLD, "version": "1.0", **state}

        def work():
            at = urllib.parse.urlsplit(state["url"])
            state["version"] = fetch((at.hostname, at.port), where) or "1.0"

        def script(path, _):
            name, _, value = urllib.parse.unquote(path.partition("cmnd=")[2]).partition(" ")
            if name == "OtaUrl":
                state["url"] = value or state["url"]
                return 200, {"OtaUrl": state["url"]}
            if name == "Upgrade":
                thread = threading.Thread(target=work, daemon=True)
                self.addCleanup(join, thread)
                thread.start()
                return 200, {"Upgrade": "Version 1.0 from " + state["url"]}
            if value == "5":
                return 200, {"StatusNET": {"Mac": state["mac"]}} if "mac" in state else {"Command": "Unknown"}
            state.pop("before", lambda: None)()
            return 200, {"StatusFWR": {"Version": state["version"], "Hardware": "ESP8266EX"}}

        url = self.script(script)
        where = urllib.parse.urlsplit(url).hostname
        return url, state

    def test_claimed_before(self):
        """A stranger has asked with the board's MAC before. What the board asks for from its address is the board's all the
        same, and so is its image."""
        rest = self.file("rest.bin", firmware.esp8266(40000))
        got = []

        def fetch(server, where):
            board = fetcher.Board(server, source=where)
            for asking in (fetcher.Board(server, mac=board.mac, source=address()), board):
                asking.fetch()
                got.append(asking.sketch)
            return "2.0"

        url, state = self.fetching(fetch)
        hosts = self.file("hosts", f"{url} file={self.path}\n* file={rest}\n".encode())
        server = Server(self, "--hosts", hosts)
        server.program.wait_for("it runs 2.0 now|did not ask|not-returned")
        result = server.stop()
        self.assertEqual(result.status, 0, result)
        self.assertEqual([len(sketch) for sketch in got], [40000, len(self.image)])
        self.assertEqual(state["url"], OLD)

    def leaping_clock(self):
        """What sets the clock of a program ahead by so many seconds, and how that program is started."""
        leap = os.path.join(self.directory, f"leap-{next(self.leaps)}")

        def leap_to(seconds):
            os.rename(self.file("seconds", b"%d" % seconds), leap)

        preload = f"LD_PRELOAD={os.environ['ESP_OTA_LEAPING_CLOCK']}"
        return leap_to, {"before": ("env", preload, "ASAN_OPTIONS=verify_asan_link_order=0"), "CLOCK_LEAP": leap}

    def test_endless_requests(self):
        """A told board asks without end, and cuts its downloads, or never runs what it took: that is its failure. The time
        that it would take is leaps of the program's clock, each behind more requests than are waited for."""
        def repeat(step, leap_to):
            def fetch(server, where):
                board = fetcher.Board(server, source=where, keeps_old=True)
                with contextlib.suppress(OSError, fetcher.BrokenAnswer):  # until the server has ended
                    for asked in itertools.count(1):
                        step(board)
                        if asked in (20, 40, 60):
                            leap_to(asked // 20 * 16)
            return fetch

        large = self.file("large.bin", firmware.esp8266(640000))  # more than the kernel takes before the board hangs up
        for step, status, said in ((lambda board: board.break_off(after=500), 9, "its download broke off"),
                                   (fetcher.Board.fetch, 12, "it took the image again and again, but did not install it")):
            with self.subTest(said):
                leap_to, clock = self.leaping_clock()
                url, state = self.fetching(repeat(step, leap_to))
                result = run("--serve=0", "-i", url, "-f", large, "-t", str(DEADLINE_S), **clock)
                self.assertEqual(result.status, status, result)
                self.assertIn(f": {said}\n", result.err)
                self.assertEqual(state["url"], OLD)

    def test_slow_download_at_last(self):
        """It begins after all requests that are waited for, and takes longer than a silence may: by leaps of the program's
        clock, while nothing is read."""
        large = firmware.esp8266(640000)  # more than the kernel takes while the board does not read
        leap_to, clock = self.leaping_clock()

        def fetch(server, where):
            board = fetcher.Board(server, source=where)
            for _ in range(12):
                board.break_off(after=500)
            connection = fetcher.Connection(server, where)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.send(board.request().encode())
            connection.read_head()
            connection.read_body(500)
            leap_to(16)
            state["version"] = "2.0"
            self.assertEqual(connection.read_body(len(large) - 500), large[500:])
            connection.close()
            return "2.0"

        url, state = self.fetching(fetch)
        result = run("--serve=0", "-i", url, "-f", self.file("large.bin", large), "-t", str(DEADLINE_S), **clock)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn("; it runs 2.0 now (before: 1.0)\n", result.err)
        self.assertEqual(state["url"], OLD)

    def test_download_of_an_hour(self):
        """It is ended, and the next board gets its turn. The hour is a leap of the program's clock, while nothing is read."""
        large = firmware.esp8266(640000)  # more than the kernel takes
        leap_to, clock = self.leaping_clock()
        is_told, has_ended = threading.Event(), threading.Event()

        def fetch_slowly(server, where):
            is_told.wait(DEADLINE_S)  # what serves the request runs after what notes the time of the order
            connection = fetcher.Connection(server, where)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.send(fetcher.Board(server, source=where).request().encode())
            connection.read_head()
            connection.read_body(500)
            leap_to(3600)
            if has_ended.wait(DEADLINE_S):
                with contextlib.suppress(fetcher.BrokenAnswer):
                    connection.read_body(len(large) - 500)
                    state["was whole"] = True
            connection.close()

        def fetch(server, where):
            fetcher.Board(server, source=where).fetch()
            return "2.0"

        (slow, state), (other, other_state) = self.fetching(fetch_slowly), self.fetching(fetch)
        program = Program("--serve=0", "-i", slow, "-i", other, "-f", self.file("large.bin", large), "-j", "1", **clock)
        program.wait_for("told to fetch")
        is_told.set()
        program.wait_for("transfer: its download was not over an hour after the order, and was ended")
        has_ended.set()
        result = program.result()
        self.assertEqual(result.status, 9, result)
        self.assertIn("; it runs 2.0 now (before: 1.0)\n", result.err)
        self.assertEqual((state["url"], other_state["url"]), (OLD, OLD))
        self.assertNotIn("was whole", state)

    def test_digest_before_basic(self):
        """Who asks for a Digest, of any kind, does not get the password itself from then on, not even in the next command. The
        outcome is that challenge."""
        basic = (401, {"WARNING": "Need user=<username>&password=<password>"})
        for has_asked_before in (False, True):
            for algorithm in ("MD5", "SHA-256", "SHA-512-256"):
                digest = f'Digest realm="a", nonce="b", qop="auth", algorithm={algorithm}'
                answers, state = [], {"url": OLD, "is_asked": False}

                def script(path, answer, digest=digest, answers=answers, state=state, has_asked_before=has_asked_before):
                    name, _, value = urllib.parse.unquote(path.partition("cmnd=")[2]).partition(" ")
                    if state["is_asked"]:
                        answers.extend([answer] if answer else [])
                        return basic
                    if has_asked_before and not answer:
                        return basic
                    if name == "OtaUrl" and value:
                        state["is_asked"] = True
                        return 401, {}, ("WWW-Authenticate", digest)
                    return 200, {"OtaUrl": OLD} if name == "OtaUrl" else {"StatusFWR": {"Version": "1.0", "Hardware": "ESP8266EX"}}

                with self.subTest(algorithm, has_asked_before=has_asked_before):
                    result = run("--serve=0", "-i", self.script(script), "-f", self.path, "-a", "secret-word",
                                 "--expect-timeout", "1")
                    self.assertEqual(answers, [])
                    self.assertEqual(result.status, 6, result)
                    self.assertIn(": authentication: the board has answered as Tasmota, and now asks for a password in another "
                                  "way; it gets none\n", result.err)
                    self.assertIn("its OtaUrl is still ", result.err)
                    self.assert_no_secret(result, "secret-word")

    def test_password_at_the_end(self):
        """A board that asks for a password only when it gets its OtaUrl back has failed before that, in another phase."""
        urls = [OLD]

        def script(path, _):
            name, _, value = urllib.parse.unquote(path.partition("cmnd=")[2]).partition(" ")
            if urls[-1] is None:
                return 401, {"WARNING": "Need user=<username>&password=<password>"}
            if name == "Upgrade":
                ours = urls[-1]
                urls.append(None)
                return 200, {"Upgrade": "Version 1.0 from " + ours}
            urls.extend([value] if name == "OtaUrl" and value else [])
            return 200, {"OtaUrl": urls[-1]} if name == "OtaUrl" else {"StatusFWR": {"Version": "1.0", "Hardware": "ESP8266EX"}}

        result = run("--serve=0", "-i", self.script(script), "-f", self.path, "--expect-timeout", "1")
        self.assertEqual(result.status, 4, result)
        self.assertIn(": transfer: it was told to fetch the image, but did not ask for it\n", result.err)
        self.assertIn("its OtaUrl is still ", result.err)

    def test_safeboot(self):
        """Its recovery firmware fetches the image, and is not taken for the new firmware."""
        board = self.tasmota("--web-set", "safeboot", family="esp32")
        content = firmware.esp32_sketch(20000, text=b"12:00:00\0")
        result = self.tell(board, path=self.file("esp32.bin", content))
        self.assertEqual(result.status, 0, result)
        self.assertIn("it runs 15.6.0(tasmota)", result.err)
        self.assertEqual(board.received(), content)
        self.assert_restored(board)

    def test_stays_in_safeboot(self):
        board = self.tasmota("--web-set", "safeboot", "--web-set", "rolls-back", family="esp32")
        result = self.tell(board, path=self.file("esp32.bin", sketch("esp32")), arguments=["--expect-timeout", "3"])
        self.assertEqual(result.status, 12, result)
        self.assertIn("it took the image, but is still in its safeboot firmware after 3 s", result.err)
        self.assertIn("Restart 3", result.err)

    def test_another_firmware(self):
        """Neither the one before nor the image."""
        result = self.tell(self.tasmota(), path=self.file("other.bin", firmware.esp8266(60000, 1)),
                           arguments=["--expect-timeout", "3"])
        self.assertEqual(result.status, 12, result)
        self.assertRegex(result.err, r"it took the image, but runs 15\.6\.0\(tasmota\) of \S+, and the image is another version")
        self.assertIn("Check that the file is the intended one, and that nobody else updates the board", result.err)

    def test_has_it_already(self):
        board = self.tasmota()
        self.assertEqual(self.tell(board).status, 0)
        result = self.tell(board)
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"{board.address}: runs the image already\n", result.err)
        self.assertEqual(self.urls(board)[1::2], [OLD, OLD])

    def test_claimed_by_another(self):
        """Another device says with the board's MAC that it runs the image. Only the board's page confirms it."""
        board = self.tasmota("--window", "2144", "--write-ms", "200")
        server = Server(self, "-i", self.url(board), "-f", self.path)
        server.program.wait_for("told to fetch")
        while not (known := server.status()["boards"][0]).get("mac"):
            self.assertFalse(server.ended)
        board.hold()  # so that it still downloads while the others ask
        for sketch_of in (self.image, b"\xe9another sketch"):
            fetcher.Board(server.server, mac=known["mac"], source=address(), sketch=sketch_of).fetch()
        board.go_on()
        result = server.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(board.received(), self.image)
        self.assertNotIn("runs the image already", result.err)
        self.assertRegex(result.err, rf"(?m)^{board.address}: confirmed, .*; it runs 15\.6\.0\(tasmota\) of \S+ now ")
        self.assert_restored(board)

    def test_list(self):
        """Boards of -i and of a list, one after the other, with passwords of their own; the others get nothing."""
        boards = [self.tasmota("-P", password) for password in ("one", "two")] + [self.tasmota()]
        self.file("two", b"two\n")
        hosts = self.file("hosts", f"{self.url(boards[1])} auth-file={self.directory}/two\n{self.url(boards[2])}\n".encode())
        result = self.tell(boards[0], arguments=["--hosts", hosts, "-a", "one", "-j", "1", "--canary", "1"])
        self.assertEqual(result.status, 0, result)
        self.assertIn("3 of 3 boards confirmed", result.err)
        order = re.findall(r"(?m)^(\S+): (told|confirmed)", result.err)
        self.assertEqual(order, [(board.address, what) for board in boards for what in ("told", "confirmed")])
        for board in boards:
            self.assert_restored(board)

    def test_no_password_for_others(self):
        """The password is that of the pages, so who asks by himself needs none. That is said where a password was given, also if
        no board is left to be told."""
        board, mac = self.tasmota("-P", "secret"), fetcher.new_mac()
        warning = "boards that ask by themselves need no password: the one that was given is that of the boards' pages"
        report = self.file("report", self.tell(board, arguments=["-a", "secret", "--json"]).out.encode())
        rows = [(f"{self.url(board)}\n*\n", ["-a", "secret"], 200, 1), (f"{self.url(board)}\n{mac}\n", ["-a", "secret"], 200, 1),
                (f"{self.url(board)}\n*\n", ["-a", ""], 200, 0), (f"{mac}\n*\n", ["-a", "secret"], 401, 0)]
        for lines, password, status, count in rows:
            for more in ([], ["--resume", report]):
                with self.subTest(lines=lines, password=password, more=more):
                    server = Server(self, "--hosts", self.file("hosts", lines.encode()), "-f", self.path, *password, *more)
                    answer = server.get("/firmware.bin", f"x-ESP8266-STA-MAC: {mac}\r\n")
                    self.assertEqual(answer.status, status)
                    self.assertEqual(server.stop().err.count(warning), count, server.ended)
        result = self.tell(board, arguments=["-a", "secret"])
        self.assertEqual((result.status, result.err.count(warning)), (0, 0), result)

    def test_again(self):
        """A broken download is the board's to repeat."""
        board = self.tasmota("--fault", "close@20000*2", "--window", "2144")
        result = self.tell(board)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count("its download broke off after"), 2)
        self.assert_restored(board)

    def test_resume(self):
        """Boards that have confirmed are not told again, and the end does not wait for them."""
        first, second = self.tasmota(), self.tasmota()
        result = self.tell(first, arguments=["--json"])
        self.assertEqual(result.status, 0, result)
        resume = ["--resume", self.file("report", result.out.encode())]
        urls = self.urls(first)
        result = self.tell(first, second, arguments=resume)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn("2 of 2 boards confirmed", result.err)
        self.assert_restored(second)
        result = self.tell(first, arguments=resume)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn("1 of 1 already has it: the image was confirmed in an earlier run\n", result.err)
        self.assertEqual(self.urls(first), urls)

    def test_resume_with_another_name(self):
        """It gets no other image, whatever names it has, and in however many runs. The same image is sent to the address of a
        name once more, as that may be another board's by now."""
        other = self.file("other.bin", firmware.esp8266(24000))
        for first, second in (("127.0.0.1", "localhost"), ("localhost", "127.0.0.1")):
            for more, status in (("", 0), (f" file={other}", 2)):
                board = self.tasmota(where="127.0.0.1")
                hosts = self.file("hosts", f"http://{first}:{board.port}\nhttp://{second}:{board.port}{more}\n".encode())
                arguments = ("--serve=0", "--hosts", hosts, "-f", self.path, "--json", "-j", "1")
                with self.subTest(first=first, more=more):
                    result = run(*arguments)
                    self.assertEqual(result.status, status, result)
                    for _ in range(3):
                        self.assertIn(f"1 of 2 boards confirmed, 1 {'failed' if status else 'skipped'}", result.err)
                        result = run(*arguments, "--resume", self.file("report", result.out.encode()))
                        self.assertEqual(result.status, 4 if status and first == "localhost" else status, result)
                        if first == "localhost" and not status:
                            self.assertIn("127.0.0.1: runs the image already\n", result.err)
                            break
                    self.assertEqual(board.received(), self.image)
                    self.assertEqual(self.urls(board)[-1], OLD)
                board.close()

    def test_resume_and_the_password(self):
        """It is that of the boards' pages, also if all of these have confirmed: nobody is asked for it."""
        board, mac = self.tasmota("-P", "secret"), fetcher.new_mac()
        result = self.tell(board, arguments=["-a", "secret", "--json"])
        hosts = self.file("hosts", f"{self.url(board)}\n{mac}\n".encode())
        server = Server(self, "--hosts", hosts, "-f", self.path, "-a", "secret", "--resume", self.file("report", result.out.encode()),
                        "--until-confirmed", "2")
        asking = fetcher.Board(server.server, mac=mac)
        self.assertEqual([asking.fetch(), asking.fetch()], ["update", "no update"])
        self.assertEqual(server.result().status, 0, server.ended)

    # -- who is whom --

    def named_page(self, **more):
        """A board, a name that leads to its address, and a command that runs a program where it does."""
        (where,), before = self.addresses_of("gone.example.org", 1)
        return self.tasmota(where=where, **more), "gone.example.org", before

    def report_of(self, name, port, address):
        """Of an earlier run, in which this name was the board's at the address."""
        event = {"event": "result", "time": 1, "board": name, "ok": True, "exit_status": 0, "code": "ok", "address": address,
                 "port": port, "command": "sketch", "sha256": hashlib.sha256(self.image).hexdigest()}
        return self.file("report", (json.dumps(event) + "\n").encode())

    def test_name_leads_to_another_board(self):
        """A name that has confirmed leads to another board now: that one needs the image, whoever was to ask for it."""
        for scheme in ("http://", ""):
            board, name, before = self.named_page()
            report = self.report_of(name, board.port, address())
            hosts = self.file("list", f"{scheme}{name}:{board.port}\n{self.url(board)}\n".encode())
            with self.subTest(scheme):
                result = Program("--serve=0", "--hosts", hosts, "-f", self.path, "--resume", report, "--until-confirmed", "2",
                                 before=before).result()
                self.assertEqual(result.status, 0, result)
                self.assertEqual(board.received(), self.image)
            board.close()

    def test_address_of_a_confirmed_name(self):
        """It gets no other image, also if the name leads nowhere now; the next report has the address, too. Whether a board is
        told there or would ask."""
        other = self.file("other.bin", firmware.esp8266(24000))
        for scheme in ("http://", ""):
            board = self.tasmota()
            report = self.report_of("gone.invalid", board.port, board.address)
            hosts = self.file("hosts", f"http://gone.invalid:{board.port}\n"
                                       f"{scheme}{board.address}:{board.port} file={other}\n".encode())
            for _ in range(2):
                with self.subTest(scheme):
                    result = run("--serve=0", "--hosts", hosts, "-f", self.path, "--json", "--resume", report, "--serve-for", "5")
                    self.assertEqual(result.status, 4, result)
                    self.assertIn(f"{board.address}: resolution: has the address at which gone.invalid got another image in an "
                                  "earlier run, and may be the same board\n", result.err)
                    report = self.file("report", result.out.encode())
            self.assertEqual(self.urls(board), [])
            board.close()

    def test_asks_at_the_address_of_a_confirmed_board(self):
        """The line with the address gets no other image, whichever MAC asks; a line with a MAC does."""
        where, listed, confirmed = address(), fetcher.new_mac(), fetcher.new_mac()
        report = self.report_of(confirmed, 80, where)
        other = firmware.esp8266(24000)
        path = self.file("other.bin", other)
        hosts = self.file("hosts", f"{confirmed}\n{where} file={path}\n{listed} file={path}\n".encode())
        server = Server(self, "--hosts", hosts, "-f", self.path, "--resume", report)
        for mac, answers in ((fetcher.new_mac(), ["no update"]), (listed, ["update", "no update"])):
            board = fetcher.Board(server.server, mac=mac, source=where)
            self.assertEqual([board.fetch() for _ in answers], answers)
        self.assertEqual(board.sketch, other)
        result = server.stop()
        self.assertEqual(result.status, 4, result)
        self.assertIn(f"{where}: resolution: has the address at which {confirmed} got another image in an earlier run", result.err)

    def pages(self, *macs):
        """Boards whose pages tell these MACs, and that fetch; their URLs, and what each got."""
        boards = []
        for mac in macs:
            got = []
            url, _ = self.fetching(lambda server, where, mac=mac, got=got: self.fetch_as(mac, server, where, got), mac=mac)
            boards.append((url, got))
        return boards

    @staticmethod
    def fetch_as(mac, server, where, got):
        board = fetcher.Board(server, mac=mac, source=where)
        board.fetch()
        got.append(board.sketch)
        return "2.0"

    def test_another_page_with_its_mac(self):
        """Two pages tell one MAC: none of the boards goes without its image, and neither gets it in place of another one."""
        other = self.file("other.bin", firmware.esp8266(24000))
        for jobs, line, status in (("1", "", 0), ("2", "", 0), ("1", f" file={other}", 2)):
            mac = fetcher.new_mac()
            (first, got), (second, other_got) = self.pages(mac, mac)
            hosts = self.file("hosts", f"{first}\n{second}{line}\n".encode())
            with self.subTest(jobs=jobs, line=line):
                result = run("--serve=0", "--hosts", hosts, "-f", self.path, "-j", jobs)
                self.assertEqual(result.status, status, result)
                self.assertEqual((got, other_got), ([self.image], [] if line else [self.image]))

    def two_in_turn(self, *arguments):
        """The server, two boards that are told one after the other, and when the first is asked what it runs. It replies when
        the last event is set."""
        is_asked, may_reply = threading.Event(), threading.Event()

        def reply_late():
            is_asked.set()
            may_reply.wait()

        self.addCleanup(may_reply.set)
        boards = [self.fetching(lambda server, where, mac=mac: self.fetch_as(mac, server, where, []), mac=mac)
                  for mac in (fetcher.new_mac(), fetcher.new_mac())]
        boards[0][1]["before"] = reply_late
        server = Server(self, "-i", boards[0][0], "-i", boards[1][0], "-f", self.path, "-t", str(DEADLINE_S), *arguments)
        self.assertTrue(is_asked.wait(DEADLINE_S))
        return server, boards, may_reply

    def test_mac_of_the_board_that_is_told(self):
        """A board whose turn has not come asks with it. The first board does not wait for a turn that comes only after its
        own."""
        for limit in ("-j", "--canary"):
            server, boards, may_reply = self.two_in_turn(limit, "1")
            other = fetcher.Board(server.server, mac=boards[0][1]["mac"], source=urllib.parse.urlsplit(boards[1][0]).hostname)
            with self.subTest(limit):
                self.assertEqual(other.fetch(), "update" if limit == "-j" else "no update")
                may_reply.set()
                result = server.result()
                self.assertEqual(result.status, 0, result)
                self.assertNotIn("is told after that one", result.err)
                self.assertIn("2 of 2 boards confirmed", result.err)
                self.assertEqual([state["url"] for _, state in boards], [OLD, OLD])

    def test_image_before_its_turn(self):
        """A board has fetched by itself, and its turn never comes: the end does not wait for it."""
        server, boards, _ = self.two_in_turn("-j", "1")
        other = fetcher.Board(server.server, mac=boards[1][1]["mac"], source=urllib.parse.urlsplit(boards[1][0]).hostname)
        self.assertEqual(other.fetch(), "update")
        server.program.wait_for("took it in")
        result = server.stop()
        self.assertEqual(result.status, 20, result)
        self.assertIn(": proof of boot: it took the image and has not asked again since\n", result.err)
        self.assertIn(": transfer: it was not told to fetch\n", result.err)

    def test_asks_after_its_result(self):
        """Somebody asks as a canary that has confirmed, for another firmware: that changes nothing, and the others have their
        turns."""
        canary, *others = (self.fetching(lambda server, where, mac=mac: self.fetch_as(mac, server, where, []), mac=mac)
                           for mac in (fetcher.new_mac() for _ in range(3)))
        asked = []

        def ask():
            is_serving.wait(DEADLINE_S)
            where = urllib.parse.urlsplit(canary[0]).hostname
            asked.append(fetcher.Board(server.server, mac=canary[1]["mac"], source=where).fetch())

        is_serving = threading.Event()
        others[0][1]["before"] = ask
        urls = [part for url, _ in (canary, *others) for part in ("-i", url)]
        server = Server(self, *urls, "-f", self.path, "-j", "1", "--canary", "1", "-t", str(DEADLINE_S))
        is_serving.set()
        result = server.result()
        self.assertEqual((result.status, asked), (0, ["no update"]), result)
        self.assertIn("3 of 3 boards confirmed", result.err)

    def test_another_board_after_its_result(self):
        """Another board behind the address of one that has confirmed is served as any other."""
        own = fetcher.new_mac()
        (url, _), = self.pages(own)
        hosts = self.file("hosts", f"{url}\n*\n".encode())
        server = Server(self, "--hosts", hosts, "-f", self.path)
        server.program.wait_for("it runs 2.0 now|did not ask")
        where = urllib.parse.urlsplit(url).hostname
        other = fetcher.Board(server.server, mac=fetcher.new_mac(), source=where)
        self.assertEqual(fetcher.Board(server.server, mac=own, source=where).fetch(), "no update")
        self.assertEqual([other.fetch(), other.fetch()], ["update", "no update"])
        self.assertEqual(other.sketch, self.image)
        result = server.stop()
        self.assertEqual(result.status, 0, result)
        self.assertIn("2 boards confirmed", result.err)

    def test_canary_that_asks_by_itself(self):
        """The boards that are to be told have their turns once it has confirmed."""
        mac = fetcher.new_mac()
        hosts = self.file("hosts", f"{mac}\n".encode())
        server, _, may_reply = self.two_in_turn("-j", "1", "--canary", "2", "--hosts", hosts, "--until-confirmed", "3")
        canary = fetcher.Board(server.server, mac=mac)
        self.assertEqual(canary.fetch(), "update")
        may_reply.set()
        server.program.wait_for("it runs 2.0 now")
        self.assertEqual(canary.fetch(), "no update")
        result = server.result()
        self.assertEqual(result.status, 0, result)
        self.assertIn("3 of 3 boards confirmed", result.err)

    def test_page_with_the_mac_of_another(self):
        """A page tells the MAC of a board that is asking from elsewhere: each has its own result."""
        mac = fetcher.new_mac()
        (url, got), = self.pages(mac)
        hosts = self.file("hosts", f"{url}\n{mac}\n".encode())
        server = Server(self, "--hosts", hosts, "-f", self.path)
        server.program.wait_for("it runs 2.0 now|did not ask|is the same board")
        asking = fetcher.Board(server.server, mac=mac, source=address())
        self.assertEqual([asking.fetch(), asking.fetch()], ["update", "no update"])
        result = server.stop()
        self.assertEqual(result.status, 0, result)
        self.assertIn("2 of 2 boards confirmed", result.err)
        self.assertEqual((got, asking.sketch), ([self.image], self.image))

    def test_missing_page(self):
        """Nothing listens where a board should be told: what asks from there is the board of the other line."""
        (where,), before = self.addresses_of("lamp.example.org", 1)
        hosts = self.file("list", f"http://{where}\nlamp.example.org\n".encode())
        server = Server(self, "--hosts", hosts, "-f", self.path, before=before)
        server.program.wait_for("nothing listens")
        asking = fetcher.Board(server.server, source=where)
        while asking.fetch() != "no update":  # its name may be looked up first
            pass
        result = server.stop()
        self.assertEqual(result.status, 5, result)
        self.assertIn("lamp.example.org: confirmed", result.err)
        self.assertNotIn("is the same board", result.err)

    # -- it does not --

    def check_failure(self, options, status, said, arguments=(), restored=True, **more):
        board = self.tasmota(*options, **more)
        result = self.tell(board, arguments=arguments or ["--expect-timeout", "2"])
        self.assertEqual((result.status, result.out), (status, ""), result)
        self.assertIn(f"{board.address}: {said}", result.err)
        if restored:
            self.assert_restored(board)
        return board, result

    def test_never_asks(self):
        self.check_failure(["--fault", "never-connect"], 4,
                           "transfer: it was told to fetch the image, but did not ask for it\n")

    def test_breaks_off(self):
        self.check_failure(["--fault", "close@20000*0", "--window", "2144"], 9, "transfer: its download broke off\n")

    def test_crash(self):
        self.check_failure(["--fault", "crash@20000", "--window", "2144"], 9, "transfer: its download broke off\n")

    def test_same_firmware(self):
        """It is away for longer than a connection may take (5 s), which shows that it restarted."""
        self.check_failure(["--web-set", "version-after=15.5.0", "--web-set", "same-build", "--reboot-ms", "8000"], 12,
                           "proof of boot: it took the image and restarted, but reports the same firmware as before",
                           ["--expect-timeout", "60"])

    def test_stays_away(self):
        board, result = self.check_failure(["--reboot-ms", "60000"], 12,
                                           "proof of boot: it took the image, but does not answer after 2 s\n", restored=False)
        ours, = self.urls(board)
        self.assertIn(f"{board.address}: its OtaUrl is still {ours}; to set it back, enter on its console: OtaUrl {OLD}\n",
                      result.err)

    def test_wrong_chip(self):
        board = self.tasmota(family="esp32")
        result = self.tell(board)
        self.assertEqual(result.status, 3, result)
        self.assertRegex(result.err, rf"{board.address}: .*says that it is \"ESP32-D0WD-V3\"")
        self.assertEqual(self.urls(board), [])

    def test_file_of_another_system(self):
        board = self.tasmota()
        result = self.tell(board, path=self.file("fw.ota", firmware.arduino_ota(50000)))
        self.assertEqual(result.status, 3, result)
        self.assertIn("the image is an .ota file for OTAUpdate or Arduino's cloud, and the board says that it is \"ESP8266EX\"",
                      result.err)
        self.assertEqual(self.urls(board), [])

    def test_canary_fails(self):
        boards = [self.tasmota("--fault", "never-connect"), self.tasmota()]
        result = self.tell(*boards, arguments=["--canary", "1", "--expect-timeout", "2"])
        self.assertEqual(result.status, 4, result)
        self.assertIn(f"{boards[1].address}: resolution: it was not told to fetch, as the roll-out has stopped\n", result.err)
        self.assertIn("  Serve the image again, and for longer; if the roll-out has stopped, see above", result.err)
        self.assertNotIn("sketch asks", result.err)
        self.assertEqual(self.urls(boards[1]), [])

    def test_turn_that_never_came(self):
        """The server ends while the first of two boards downloads."""
        boards = [self.tasmota("--fault", "stall@20000", "--window", "2144"), self.tasmota()]
        program = Program("--serve=0", *(word for board in boards for word in ("-i", self.url(board))), "-f", self.path,
                          "-j", "1", "--expect-timeout", "2")
        boards[0].wait_for("fault order=stall")
        program.send_signal(signal.SIGINT)
        result = program.result()
        self.assertEqual(result.status, 20, result)
        self.assertIn(f"{boards[1].address}: transfer: it was not told to fetch\n", result.err)
        self.assertIn("  Serve the image again, and for longer", result.err)
        self.assertNotIn("sketch asks", result.err)
        self.assertEqual(self.urls(boards[1]), [])

    def test_others(self):
        """Nothing there; another page."""
        elsewhere = self.board("--web", "esp8266", "-p", "0")
        result = self.tell(elsewhere)
        self.assertEqual(result.status, 5, result)
        self.assertIn(f"{elsewhere.address}:{elsewhere.port} answers, but does not run Tasmota\n", result.err)
        self.assertIn("  Leave --serve out to upload through the board's page; only Tasmota can be told to fetch", result.err)
        elsewhere.close()
        result = self.tell(elsewhere)
        self.assertEqual(result.status, 5, result)
        self.assertIn(f"update page: nothing listens at {elsewhere.address}:{elsewhere.port}\n", result.err)
        self.assertIn("Check the port in the URL", result.err)

    # -- the end --

    def test_interrupt(self):
        """In the middle of a download: the board gives up first, as it would fetch from its old OtaUrl else."""
        board = self.tasmota("--fault", "stall@20000", "--window", "2144")
        program = Program("--serve=0", "-i", self.url(board), "-f", self.path, "--expect-timeout", "2")
        board.wait_for("fault order=stall")
        program.send_signal(signal.SIGINT)
        program.wait_for("restoring the OtaUrl of the boards; another signal ends at once")
        result = program.result()
        self.assertEqual(result.status, 9, result)
        self.assert_restored(board)

    def test_confirmed_at_the_end(self):
        """A board that confirms while the others are still waited for does not end that: they get their OtaUrl back, too."""
        is_ending = threading.Event()

        def fetch(server, where):
            fetcher.Board(server, source=where).fetch()
            return "2.0"

        def fetch_late(server, where):
            fetcher.Board(server, source=where).fetch()
            is_ending.wait(60)
            return "2.0"

        boards = [self.fetching(fetch) for fetch in (fetch, fetch_late, lambda server, where: None)]
        program = Program("--serve=0", *(word for url, _ in boards for word in ("-i", url)), "-f", self.path,
                          "--until-confirmed", "1", "--expect-timeout", "5")
        program.wait_for("restoring the OtaUrl of the boards")
        is_ending.set()
        result = program.result()
        self.assertNotIn("its OtaUrl is still", result.err)
        self.assertEqual([state["url"] for _, state in boards], [OLD] * 3)
        self.assertIn(": it was told to fetch the image, but did not ask for it\n", result.err)
        self.assertIn("  Check that this computer's firewall lets the board in, and look on the board's console", result.err)

    def test_told_and_ended(self):
        """The server ends after the order to a board whose OtaUrl was empty."""
        url, _ = self.fetching(lambda server, where: None, url="")
        program = Program("--serve=0", "-i", url, "-f", self.path)
        program.wait_for("told to fetch http")
        program.send_signal(signal.SIGINT)
        result = program.result()
        self.assertEqual(result.status, 4, result)
        self.assertIn(": transfer: it was told to fetch the image, but did not ask for it\n", result.err)
        self.assertIn("look on the board's console", result.err)
        self.assertNotIn("it was not told", result.err)

    def test_interrupt_twice(self):
        board = self.tasmota("--fault", "stall@20000", "--window", "2144")
        program = Program("--serve=0", "-i", self.url(board), "-f", self.path)
        board.wait_for("fault order=stall")
        program.send_signal(signal.SIGINT)
        program.wait_for("another signal ends at once")
        program.send_signal(signal.SIGINT)
        result = program.result()
        self.assertEqual(result.status, 9, result)
        self.assertIn(f"; to set it back, enter on its console: OtaUrl {OLD}\n", result.err)

    def test_usage(self):
        rows = [(["-i", "10.0.0.7"], "--serve waits for boards that fetch, and uploads nothing; leave -i out, or write "
                 "-i http://10.0.0.7 if it runs Tasmota, which can be told to fetch"),
                (["-i", "https://10.0.0.7"], "if it runs Tasmota"), (["-i", "espota://10.0.0.7"], "if it runs Tasmota"),
                (["-i", "http://10.0.0.7", "--tls-cert", self.path, "--tls-key", self.path],
                 "10.0.0.7 would be told to fetch, but Tasmota fetches by HTTP only; leave --tls-cert and --tls-key out"),
                (["--hosts", self.file("hosts", b"https://10.0.0.7\n")],
                 "hosts, line 1: --serve can tell only boards with Tasmota to fetch; write http://10.0.0.7")]
        rows += [(["-i", "http://10.0.0.7", *proof], "--serve waits for boards that fetch, and uploads nothing; leave "
                  f"{proof[0].partition('=')[0]} out")
                 for proof in (("--expect-version", "15.5.0"), ("--expect", "up"), ("--reject", "panic"), ("--online=9",))]
        for arguments, message in rows:
            result = run("--serve=0", "-f", self.path, *arguments)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn(message, result.err)


if __name__ == "__main__":
    unittest.main()
