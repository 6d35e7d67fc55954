#!/usr/bin/env python3
"""A web server that means harm: it asks for weaker and weaker answers, repeats them in every text, and replies
with more than a board has to say.

The server is a script in this file, because the simulated board's pages are boards' pages.
"""

import base64
import concurrent.futures
import hashlib
import json
import re
import resource
import shutil
import socket
import threading
import unittest

from peer import WebPeer
from scenario import DEADLINE_S, Program, Scenario, Terminal, run, secrets, sketch

PASSWORD = "kwertz42"
BASIC = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
FORM = b"<form action='/update'><input type='file' name='firmware'></form>" \
       b"<form action='/update'><input type='file' name='filesystem'></form>"
HIDDEN = "words that repeat an answer"
DENIES = "denies access after the password of the user .*"
UNCLEAR = "its page says neither that it is right nor that it is wrong"
HELLO_REQUEST = bytes.fromhex("160303000400000000")  # a record of TLS: asks for a new handshake
MUCH = 30 << 20  # bytes, with those that wait in the kernels' buffers


def reply(body=b"", status="200 OK", *headers):
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def ask(scheme, **parameters):
    """A 401 with a challenge."""
    text = ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    return reply(b"", "401 Unauthorized", f"WWW-Authenticate: {scheme} {text}")


class Server(WebPeer):
    """Answers each request with what script(method, path, authorization) returns: bytes, which are the whole
    reply, or an iterable of bytes, sent until the client has had enough. Authorization is "" or a header's value;
    all of them are in answers. The first uploads, as many as breaks says, are broken off."""

    def __init__(self, script, breaks=0, **where):
        self.script, self.answers, self.breaks = script, [], breaks
        super().__init__(**where)

    def answer(self, connection):
        connection.settimeout(60)
        stream = connection.makefile("rb")
        method, path = stream.readline().decode().split()[:2]
        head = {}
        for line in iter(stream.readline, b"\r\n"):
            name, _, value = line.decode().partition(":")
            head[name.lower()] = value.strip()
        if method == "POST" and self.breaks:
            self.breaks -= 1
            return  # a reset, as most of the image is not read
        stream.read(int(head.get("content-length", 0)))
        answer = head.get("authorization", "")
        if answer:
            self.answers.append(answer)
        said = self.script(method, path, answer)
        for chunk in [said] if isinstance(said, bytes) else said:
            connection.sendall(chunk)
        connection.shutdown(socket.SHUT_WR)
        stream.read()


class Flood(WebPeer):
    """Has nothing but requests for a new handshake, from the client's first message on, and never comes to an end."""

    def answer(self, connection):
        connection.recv(4096)
        while True:
            connection.sendall(7000 * HELLO_REQUEST)


class Log(WebPeer):
    """The log of a board that restarts at once, and says hello when an event has come."""

    def __init__(self, says, *where):
        self._says, self._has_restarted = says, False
        super().__init__(*where)
        self.port = self.socket.getsockname()[1]

    def answer(self, connection):
        if self._has_restarted:
            self._says.wait(DEADLINE_S)
            connection.sendall(b"hello\r\n")
            connection.recv(1)
        connection.sendall(b"old\r\n")
        self._has_restarted = True


class Hostile(Scenario):

    def attack(self, script, *options, password=PASSWORD, retries=0, breaks=0, text=""):
        """Uploads to the script; returns the result and the server. text: what the image ends with."""
        server = Server(script, breaks)
        self.addCleanup(server.close)
        path = self.file(f"{server.address}.bin", sketch("esp8266", 400000) + text.encode())
        result = run("-i", server.url, "-f", path, *options, "--retries", str(retries), ESP_OTA_AUTH=password)
        return result, server

    def test_hashes_of_a_typed_password(self):
        """They are hidden like those of one that was given, and of the wrong one that was typed before it."""
        wrong = "trewqq42"
        hashes = [word for password in (PASSWORD, wrong) for word in secrets(password)[1:]]

        def script(method, _, answer):
            if not answer or base64.b64decode(answer.split()[1]) != f"admin:{PASSWORD}".encode():
                return ask("Basic", realm="x")
            return reply(FORM) if method == "GET" else reply(f"Update error: {words}".encode())

        for words in hashes:
            with self.subTest(words):
                server = Server(script)
                self.addCleanup(server.close)
                terminal = Terminal("-i", server.url, "-f", self.file("fw.bin", sketch("esp8266")), "--retries", "0")
                for count, password in enumerate((wrong, PASSWORD), 1):
                    terminal.wait_for_prompt(count=count)
                    terminal.type(password + "\n")
                result = terminal.result()
                self.assertGreater(result.status, 2, result)
                self.assertIn(HIDDEN, result.err)
                self.assert_no_secret(result, PASSWORD, wrong)

    def test_no_other_host_gets_the_password(self):
        """Of a name's addresses, only the one that asked gets an answer, also if nothing comes back."""
        addresses, before = self.two_addresses("boards.example")

        def script(_, __, answer):
            return b"" if answer else ask("Basic", realm="x")

        servers = [Server(script, where=host, port=8080) for host in addresses]
        for server in servers:
            self.addCleanup(server.close)
        result = run("-i", "http://boards.example:8080", "-f", self.file("fw.bin", sketch("esp8266")), "--retries", "0",
                     before=before, ESP_OTA_AUTH=PASSWORD)
        self.assertGreater(result.status, 2, result)
        self.assertEqual(len([server for server in servers if server.answers]), 1, result)

    def test_no_other_host_gets_the_password_later(self):
        """Nor does one in a later attempt, if nothing listens any more at the address that got it."""
        addresses, before = self.two_addresses("boards.example")

        def script(method, _, answer):
            if method == "POST":
                return b""
            if answer:
                first = next(server for server in servers if server.answers)
                first.close()
            return reply(FORM) if answer else ask("Basic", realm="x")

        servers = [Server(script, breaks=1, where=host, port=8080) for host in addresses]
        for server in servers:
            self.addCleanup(server.close)
        result = run("-i", "http://boards.example:8080", "-f", self.file("fw.bin", sketch("esp8266", 400000)),
                     "--retries", "1", before=before, ESP_OTA_AUTH=PASSWORD)
        self.assertGreater(result.status, 2, result)
        self.assertEqual(len([server for server in servers if server.answers]), 1, result)

    def test_flood_within_tls(self):
        """A TLS library ignores requests for a new handshake within one, and would read on as long as they come."""
        server = Flood()
        self.addCleanup(server.close)
        result = run("-i", server.url.replace("http:", "https:"), "-f", self.file("fw.bin", sketch("esp8266")),
                     "--retries", "0")
        self.assertEqual((result.status, result.out), (5, ""), result)
        self.assertIn(" answers, but is not a web server\n", result.err)

    def test_no_other_host_gets_the_password_that_is_typed_next(self):
        """Nor does the one get it that answers after the password was rejected elsewhere."""
        addresses, before = self.two_addresses("boards.example")

        def script(_method, _path, answer):
            if answer:
                next(server for server in servers if server.answers).close()
            return ask("Basic", realm="x")

        servers = [Server(script, where=host, port=8080) for host in addresses]
        for server in servers:
            self.addCleanup(server.close)
        terminal = Terminal("-i", "http://boards.example:8080", "-f", self.file("fw.bin", sketch("esp8266")),
                            "--retries", "0", before=(shutil.which(before[0]), *before[1:]))
        terminal.wait_for_prompt()
        terminal.type("wrong\n")
        result = terminal.result()
        self.assertEqual((result.status, len([server for server in servers if server.answers])), (5, 1), result)

    def test_password_of_a_page_that_is_missing(self):
        """What proves the password is then the upload. Others that ask do not wait for the end of the board's log."""
        is_prompted = threading.Event()
        self.addCleanup(is_prompted.set)

        def script(missing):
            def play(method, _path, answer):
                if method == "POST":
                    return reply(b"Update Success! Rebooting...")
                if not answer and not missing:
                    is_prompted.wait(DEADLINE_S)
                return (missing or reply(FORM)) if answer else ask("Basic", realm="x")
            return play

        missing = script(reply(b"", "404 Not Found"))
        result, _ = self.attack(missing, "--page", "esp8266", "--json")
        self.assertEqual((result.status, [event["scheme"] for event in self.events(result, "authenticated")]),
                         (0, ["Basic"]), result)

        servers = [Server(missing), Server(script(None))]
        for server in servers:
            self.addCleanup(server.close)
        terminal = Terminal(*(word for server in servers for word in ("-i", server.url)), "--page", "esp8266",
                            "-f", self.file("fw.bin", sketch("esp8266")), "--retries", "0",
                            "--monitor", "--monitor-for", "1")
        terminal.wait_for_prompt()
        is_prompted.set()
        terminal.type(f"{PASSWORD}\n")
        result = terminal.result()
        self.assertEqual((result.status, [BASIC in "".join(server.answers) for server in servers]), (0, [True, True]),
                         result)

    def test_password_of_a_board_without_a_verdict(self):
        """The board keeps it for its last question, although another one has rejected it and got the next."""
        is_prompted, is_taken = threading.Event(), threading.Event()
        for event in (is_prompted, is_taken):
            self.addCleanup(event.set)
        challenge, good = ask("Basic", realm="x"), base64.b64encode(b"admin:zweites42").decode()

        def info(path):
            version = "2.0" if is_taken.is_set() else "1.0"
            return reply(json.dumps({"ver": version, "vid": 1, "arch": "esp8266", "brand": "WLED"}).encode(), "200 OK",
                         "Content-Type: application/json") if path == "/json/info" else reply(FORM)

        def first(method, path, answer):
            if not answer and (method == "POST" or is_taken.is_set()):
                return challenge
            return b"" if method == "POST" else info(path)  # its verdict is lost

        def other(method, path, answer):
            is_prompted.wait(DEADLINE_S)
            if method == "GET":
                return info(path)
            if good not in answer:
                return challenge
            is_taken.set()
            return reply(b"Update successful!")

        servers = [Server(first), Server(other)]
        logs = [Log(is_taken, servers[0].address)]
        logs.append(Log(is_taken, servers[1].address, logs[0].port))
        for server in (*servers, *logs):
            self.addCleanup(server.close)
        terminal = Terminal("-i", servers[0].url, "-i", servers[1].url, "--page", "wled", "--retries", "0",
                            "-f", self.file("fw.bin", sketch("esp8266") + b"2.0"), f"--monitor={logs[0].port}",
                            "--expect", "hello", "--expect-timeout", str(DEADLINE_S), "--expect-version", "2.0")
        terminal.wait_for_prompt()
        is_prompted.set()
        terminal.type(f"{PASSWORD}\n")
        terminal.wait_for_prompt(count=2)
        terminal.type("zweites42\n")
        result = terminal.result()
        self.assertEqual((result.status, set(servers[0].answers)), (0, {f"Basic {BASIC}"}), result)

    def test_downgrade(self):
        """A better challenge is not followed by an answer to a weaker one, whatever --min-auth says."""
        strong = ask("Digest", realm="x", nonce="1", algorithm="SHA-256")

        def script(weaker, method):
            def play(asked, _, answer):
                if asked == method and answer:
                    return weaker
                return reply(FORM) if answer else strong
            return play

        for weaker, way in ((ask("Digest", realm="x", nonce="2"), "an answer with MD5"),
                            (ask("Digest", realm="x", nonce="2", stale="true"), "an answer with MD5"),
                            (ask("Basic", realm="x"), r"the password itself \(Basic\)")):
            for method in ("GET", "POST"):
                if method == "POST" and "Basic" in way:
                    continue  # the image went out with the better answer; nothing is answered
                for options in ((), ("--min-auth", "sha256")):
                    with self.subTest(method, options=options):
                        result, server = self.attack(script(weaker, method), *options)
                        self.assertEqual(result.status, 6, result)
                        self.assertRegex(result.err, "asked for an answer with SHA-256 at first and now asks for " + way)
                        self.assertTrue(server.answers)
                        for answer in server.answers:
                            self.assertIn("algorithm=SHA-256", answer)

    def test_basic_after_digest(self):
        """Nor by another request or attempt: Basic has the password itself, without any guessing."""
        for algorithm in ("MD5", "SHA-256"):
            challenges = iter([ask("Digest", realm="x", nonce="1", algorithm=algorithm)])

            def script(_method, _path, answer, challenges=challenges):
                return reply(FORM) if "Digest" in answer else next(challenges, ask("Basic", realm="x"))

            with self.subTest(algorithm):
                result, server = self.attack(script, retries=1, breaks=1)
                self.assertEqual(result.status, 6, result)
                self.assertIn("attempt 2 of 2", result.err)
                self.assertRegex(result.err, rf"with {algorithm} at first and now asks for the password itself")
                self.assertTrue(server.answers)
                self.assertEqual([answer for answer in server.answers if "Basic" in answer], [])

    def test_no_password_after_one(self):
        """A page that has asked once gets no image without an answer."""
        for challenge in (ask("Basic", realm="x"), ask("Digest", realm="x", nonce="1")):
            challenges, posts = iter([challenge]), []

            def script(method, _path, answer, challenges=challenges, posts=posts):
                posts.extend([method] if method == "POST" else [])
                return reply(FORM) if answer else next(challenges, reply(FORM))

            with self.subTest(challenge):
                result, server = self.attack(script, "--json", retries=1, breaks=1)
                self.assertEqual((result.status, posts), (6, []), result)
                self.assertEqual(self.events(result, "result")[-1]["code"], "downgrade")
                self.assertIn("asked for a password before, but now takes an image without one", result.out)

    def test_no_success_after_a_password(self):
        """Only a success shows that a page takes an image without the password for which it asked in another attempt. A
        busy one is asked again later; any other reply without a challenge gets no image either."""
        busy, unclear = "is busy now", "now says neither that it wants one nor that it takes an image without one"
        for status, ended, code, says in (("503 Busy", 0, "ok", busy), ("429 Too Many", 0, "ok", busy),
                                          ("500 Error", 6, "no-verdict", unclear), ("302 Found", 6, "no-verdict", unclear),
                                          ("403 Forbidden", 6, "no-verdict", unclear),
                                          ("404 Not Found", 6, "no-verdict", unclear),
                                          ("405 Not Allowed", 6, "no-verdict", unclear),
                                          ("202 Accepted", 6, "downgrade", "now takes an image without one")):
            challenge, posts = ask("Digest", realm="x", nonce="1"), []
            said = iter((challenge, reply(b"no", status, "Location: /")))

            def script(method, _path, answer, said=said, posts=posts, challenge=challenge):
                posts.extend([answer] if method == "POST" else [])
                if not answer:
                    return next(said, challenge)
                return reply(b"Update Success!" if method == "POST" else FORM)

            with self.subTest(status):
                result, _ = self.attack(script, "--page", "esp8266", "--json", retries=2, breaks=1)
                self.assertEqual((result.status, len(posts)), (ended, 0 if ended else 1), result)
                self.assertEqual(self.events(result, "result")[-1]["code"], code)
                self.assertRegex(result.out, f"the board asked for a password before, .*{says}")
                if says != "now takes an image without one":
                    self.assertIn(f"(status {status[:3]}); it gets no image", result.out)
                self.assertNotIn("", posts)  # no answer

    def test_page_that_never_asks(self):
        """Only the request before the upload does, in each attempt: that is no downgrade after a reset."""
        def script(_method, path, answer):
            if path.startswith("/ota/start") and not answer:
                return ask("Basic", realm="x")
            return reply(FORM if path == "/update" else b"OK")

        result, server = self.attack(script, "--page", "elegantota", retries=1, breaks=1)
        self.assertEqual((result.status, len(server.answers)), (0, 3), result)

    def test_asked_request_that_gets_no_reply(self):
        """It is sent again before the image, which needs an answer if it asks, and never comes if it does not."""
        for later, status, code in ((b"", 9, "lost"), (reply(b"{}"), 6, "downgrade"), (ask("Basic", realm="x"), 0, "ok")):
            said, posts = iter((ask("Basic", realm="x"), b"")), []

            def script(method, path, answer, said=said, posts=posts, later=later):
                posts.extend([method] if method == "POST" else [])
                if path.startswith("/cm?"):
                    return reply(b"{}") if answer else next(said, later)
                return reply(b"Successful" if method == "POST" else FORM)

            with self.subTest(code):
                result, _ = self.attack(script, "--page", "tasmota", "--json", retries=1, breaks=1)
                self.assertEqual((result.status, len(posts)), (status, 0 if status else 1), result)
                self.assertEqual(self.events(result, "result")[-1]["code"], code)

    def events(self, result, name):
        return [event for event in map(json.loads, result.out.splitlines()) if event["event"] == name]

    def test_how_many_answers(self):
        """Three challenges are answered in an upload, in whichever attempts; with SHA-256 four."""
        def digest(number, **parameters):
            return ask("Digest", realm="x", nonce=str(number), **parameters)

        rows = (("Basic", lambda number: ask("Basic", realm=str(number)), 3),
                ("MD5", digest, 3),
                ("SHA-256", lambda number: digest(number, algorithm="SHA-256"), 4))
        ended = threading.Event()
        self.addCleanup(ended.set)

        def count(row):
            asked = []

            def silence():
                ended.wait(60)
                yield b""

            def script(_method, _path, answer):
                if answer:
                    return silence()
                asked.append(1)
                return row[1](len(asked))

            return self.attack(script, "--wait", "60", "-t", "1")

        with concurrent.futures.ThreadPoolExecutor() as pool:
            for (name, _, most), (result, server) in zip(rows, pool.map(count, rows)):
                with self.subTest(name):
                    self.assertEqual((result.status, len(server.answers)), (6, most), result)
                    self.assertIn(f"answers to {most} of its challenges without judging all", result.err)

    def test_answers_that_the_image_followed(self):
        """Each attempt needs one, and the requests after it repeat it: neither counts."""
        def upload(scheme):
            asked = []

            def script(method, _path, answer):
                if not answer:
                    asked.append(1)
                    return ask(scheme, realm="x", nonce=str(len(asked)))
                return reply(b"Update Success! Rebooting..." if method == "POST" else FORM)

            return asked, self.attack(script, retries=3, breaks=3)[0]

        with concurrent.futures.ThreadPoolExecutor() as pool:
            for asked, result in pool.map(upload, ("Basic", "Digest")):
                self.assertEqual((len(asked), result.status), (4, 0), result)

    def test_challenge_that_was_replaced(self):
        """One that a page replaces between its form and the upload is answered once more, and that counts."""
        asked = []

        def challenge():
            asked.append(1)
            return ask("Digest", realm="x", nonce=str(len(asked)))

        def script(method, path, answer, limit=2):
            if f'nonce="{len(asked)}"' not in answer or f'uri="{path}"' not in answer:
                return challenge()
            if method == "POST" and len(asked) < limit:
                return challenge()
            return reply(b"Update Success! Rebooting..." if method == "POST" else FORM)

        result, _ = self.attack(script)
        self.assertEqual((result.status, len(asked)), (0, 2), result)
        self.assertIn("replaced its challenge because of somebody else's request; trying again", result.err)
        asked.clear()
        result, _ = self.attack(lambda *request: script(*request, limit=99))
        self.assertEqual((result.status, len(asked)), (6, 3), result)

    def test_challenge_that_was_replaced_at_the_page(self):
        """One nonce for all clients: somebody else's request may come before the answer. That is no wrong password, once."""
        for limit, status, count in ((2, 0, 2), (99, 6, 3)):
            asked = []

            def script(method, _path, answer, limit=limit, asked=asked):
                if f'nonce="{len(asked)}"' not in answer or len(asked) < limit:
                    asked.append(1)
                    return ask("Digest", realm="x", nonce=str(len(asked)))
                return reply(b"Update Success! Rebooting..." if method == "POST" else FORM)

            with self.subTest(limit):
                result, _ = self.attack(script)
                self.assertEqual((result.status, len(asked)), (status, count), result)
                self.assertEqual("rejected the password" in result.err, status == 6)

    def test_refusals_before_the_upload(self):
        """ElegantOTA and Tasmota may refuse it before the image is sent."""
        refusal = reply(b"Not enough space", "400 Bad Request")
        pages = {"elegantota": lambda _method, path, _answer: refusal if "/ota/start" in path else reply(b"ElegantOTA"),
                 "tasmota": lambda _method, path, _answer: refusal if path.startswith("/u") else
                 reply(b"Tasmota", "200 OK", "Server: Tasmota/14.1.0 (ESP8266EX)")}
        for page, script in pages.items():
            with self.subTest(page):
                result, _ = self.attack(script, "--page", page)
                self.assertEqual(result.status, 7, result)
                self.assertIn("Not enough space", result.err)

    def test_md5_is_told(self):
        """Before the first answer, once; to programs, too; --quiet says nothing."""
        def script(method, _path, answer):
            if method == "POST":
                return reply(b"Update Success! Rebooting...")
            return reply(FORM) if answer else ask("Digest", realm="x", nonce="1")

        for options, times in (((), 1), (("-q",), 0)):
            result, _ = self.attack(script, *options)
            self.assertEqual((result.status, result.err.count("answer with MD5 (Digest)")), (0, times), result)
        result, _ = self.attack(script, "--json")
        self.assertEqual([event["scheme"] for event in self.events(result, "note") if event["scheme"]], ["MD5"], result)

    def test_echoes(self):
        """What repeats the password or an answer is shown nowhere: as the server's name, on a page, as a version,
        as a path, in a refusal."""
        places = {
            "server": lambda path, word: reply(b"x", "404 No", f"Server: {word}"),
            "page": lambda path, word: reply(f"<p>{word}</p>".encode(), "404 No"),
            "Tasmota": lambda path, word: reply(b"", "200 OK", f"Server: Tasmota/{word} ({word})"),
            "WLED": lambda path, word: reply(json.dumps({"brand": "WLED", "ver": word, "arch": word}).encode()
                                             if path == "/json/info" else b"<title>WLED</title>"),
            "identity": lambda path, word: reply(json.dumps({"hardware": word}).encode()
                                                 if path == "/update/identity" else b"ElegantOTA"),
            "form": lambda path, word: reply(f"<form action='/{word}'><input type='file' name='f'></form>".encode()),
            "refusal": lambda path, word: reply(FORM),
        }
        words = {
            "Basic": (lambda answer: answer.split()[1], lambda answer: answer.split()[1][3:14].swapcase(),
                      lambda answer: "-".join(answer.split()[1])),
            "Digest": (lambda answer: re.search('response="(.*?)"', answer)[1],
                       lambda answer: re.search('response="(.*?)"', answer)[1][5:17].upper(),
                       lambda _: hashlib.md5(f"admin:x:{PASSWORD}".encode()).hexdigest()[4:16]),
        }
        for scheme, forms in words.items():
            challenge = ask(scheme, realm="x", **({"nonce": "1"} if scheme == "Digest" else {}))
            for place, show in places.items():
                for number, form in enumerate((*forms, lambda _: PASSWORD.upper())):
                    def script(method, path, answer, show=show, form=form, place=place, challenge=challenge):
                        if not answer:
                            return challenge
                        if method == "GET":
                            return show(path, form(answer))
                        return reply(f"Update error: {form(answer)}".encode())

                    with self.subTest(place, scheme=scheme, form=number):
                        result, server = self.attack(script, "-d", "--json")
                        seen = re.sub("[^a-z0-9]", "", (result.out + result.err).lower())
                        self.assertGreater(result.status, 2, result)
                        self.assertTrue(server.answers)
                        for answer in server.answers:
                            word = re.sub("[^a-z0-9]", "", form(answer).lower())
                            self.assertNotIn(word, seen, result)
                        is_path = place == "form" and number < len(forms)  # it may have the password for its name
                        self.assertRegex(result.err, "repeats the answer" if is_path else HIDDEN)
                        for secret in secrets(PASSWORD):
                            self.assertNotIn(secret, result.out + result.err)

    def test_echo_in_parts(self):
        """A hash is spread over the texts of a line, or of two: of those at most the first is shown."""
        digits = secrets(PASSWORD)[1]
        parts = [digits[at:at + 7] for at in range(0, 28, 7)]
        status = json.dumps({"StatusFWR": {"Version": parts[0], "Hardware": parts[1]}}).encode()
        built = json.dumps({"StatusFWR": {"Version": parts[0], "BuildDateTime": parts[1], "Hardware": parts[2]}}).encode()
        wled = json.dumps({"brand": "WLED", "ver": parts[0]}).encode()
        tasmota = reply(FORM + b"<form action='u2'><input type='file' name='u2'>")
        leads = f"Location: //{parts[0]}", f"Refresh: 5; url=//{parts[1]}"
        cases = {  # the options, the replies to a GET and to the upload, and whether the first part is shown
            "chip": (("--page", "tasmota"), lambda path: reply(status) if path[:3] == "/cm" else tasmota, b"Failed", True),
            "built": (("--page", "tasmota"), lambda path: reply(built) if path[:3] == "/cm" else tasmota, b"Failed", False),
            "two lines": (("--page", "wled"), lambda path: reply(wled if path == "/json/info" else FORM),
                          parts[1].encode(), True),
            "finder": ((), lambda path: reply(parts[1].encode(), "404 No", f"Server: {parts[0]}"), b"", False),
            "finder's leads": ((), lambda path: reply(b"", "302 Found", *leads), b"", False),
            "verdict": (("--page", "esp8266"), lambda path: reply(FORM), leads, True),
            "path": ((), lambda path: reply(f"<form action='/{parts[0]}'><input type='file' name='f'></form>".encode()),
                     parts[1].encode(), True),
        }
        for name, (options, get, post, is_first_shown) in cases.items():
            def script(method, path, answer, get=get, post=post):
                if not answer:
                    return ask("Basic", realm="x")
                if method == "GET":
                    return get(path)
                if isinstance(post, tuple):
                    return reply(b"", "302 Found", *post)
                return reply(post, "404 No" if post == parts[1].encode() else "200 OK")

            with self.subTest(name):
                result, _ = self.attack(script, *options, "-d", "--json")
                self.assertGreater(result.status, 2, result)
                self.assertEqual([part in result.out + result.err for part in parts],
                                 [is_first_shown, False, False, False], result)
                self.assertIn(HIDDEN, result.err)

    def test_echo_in_parts_of_attempts(self):
        """A busy board repeats a part of a hash with each attempt. Between the parts are words of ours, and a status."""
        digits = secrets(PASSWORD)[1]
        parts = [digits[at:at + 7] for at in range(0, 28, 7)]
        for status in ("503 Busy", "429 Too Many"):
            left = iter(parts)

            def script(method, path, answer, status=status, left=left):
                if not answer:
                    return ask("Basic", realm="x")
                return reply(next(left, "").encode() if path == "/update" else b"", status)

            with self.subTest(status):
                result, _ = self.attack(script, retries=3)
                self.assertEqual(result.status, 6, result)
                self.assertEqual([part in result.out + result.err for part in parts], [True, False, False, False], result)
                self.assertIn(f"(/update has status {status[:3]} ({HIDDEN}", result.err)

    def test_versions_with_the_password(self):
        """They are compared as they are, though not shown."""
        said = []

        def script(method, path, answer):
            if not answer:
                return ask("Basic", realm="x")
            if method == "POST":
                said.append("2.0")
                return reply(b"Update successful")
            if path == "/json/info":
                version = f"{PASSWORD} {said[-1] if said else '1.0'}"
                return reply(json.dumps({"brand": "WLED", "ver": version, "arch": "esp8266"}).encode())
            return reply(b"<title>WLED</title>")

        for expected, status, says in (("2.0", 0, f"it runs ({HIDDEN}"),
                                       ("3.0", 12, f"its version is ({HIDDEN}")):
            said.clear()
            result, _ = self.attack(script, "--expect-version", expected, "--expect-timeout", "1", text=f"{PASSWORD} 2.0")
            self.assertEqual(result.status, status, result)
            self.assertIn(says, result.err)
            self.assertNotIn(PASSWORD, result.err)

    def test_part_of_a_page(self):
        """The rest may have another field for a file: nothing is sent. Without a length, the end of the connection is
        that of the page."""
        page = b"<form method='POST'><input type='file' name='firmware'></form>"
        head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
        for more, status in ((b"Content-Length: 999\r\n\r\n" + page, 5), (b"Content-Length: 62\r\n\r\n" + page, 0),
                             (b"Transfer-Encoding: chunked\r\n\r\n3e\r\n" + page + b"\r\n", 5), (b"\r\n" + page, 0)):
            posts = []

            def script(method, _path, _answer, more=more, posts=posts):
                if method == "POST":
                    posts.append(method)
                    return reply(b"Update Success! Rebooting...")
                return head + more

            with self.subTest(more):
                result, _ = self.attack(script)
                self.assertEqual((result.status, len(posts)), (status, status == 0), result)
                if status:
                    self.assertIn("the reply broke off, and the part that came does not show which update page it is",
                                  result.err)

    def test_closed_after_the_challenge(self):
        result, _ = self.attack(lambda _method, _path, answer: b"" if answer else ask("Basic", realm="x"))
        self.assertEqual(result.status, 5, result)
        self.assertIn("(/update: the connection was closed without a reply)", result.err)

    def test_refusals_without_a_challenge(self):
        """A password is accepted with a success only: any other status may reject it."""
        for status in ("302 Found", "403 Forbidden", "404 Not Found", "500 Internal Server Error", "200 OK"):
            def script(_method, _path, answer, status=status):
                return reply(b"no", status, "Location: /login") if answer else ask("Basic", realm="x")

            with self.subTest(status):
                result, server = self.attack(script, "--json")
                self.assertEqual(result.status, 5, result)
                self.assertTrue(server.answers)
                self.assertEqual(len(self.events(result, "authenticated")), status == "200 OK", result)

    def test_denial_instead_of_a_challenge(self):
        """A page that denies access after the answer, or fails, gets no image, with or without --page, and wherever
        it asked. A page that is missing, or knows only POST, may have accepted the answer."""
        for page, asks_at, options in (("", "/", ("--page", "esp8266")), ("", "/", ("--page", "form", "--field", "f")),
                                       ("<title>WLED</title>", "/json/info", ())):
            for status, location, says in (("403 Forbidden", "", DENIES), ("302 Found", "/Login?a", DENIES),
                                           ("302 Found", "/", UNCLEAR), ("400 Bad Request", "", UNCLEAR),
                                           ("500 Error", "", UNCLEAR), ("503 Busy", "", UNCLEAR),
                                           ("404 Not Found", "", ""), ("405 Not Allowed", "", "")):
                posts = []

                def script(method, path, answer, page=page, asks_at=asks_at, status=status, location=location,
                           posts=posts):
                    if method == "POST":
                        posts.append(path)
                        return reply(b"Update successful")
                    if not path.startswith(asks_at):
                        return reply(page.encode() + FORM)
                    return reply(b"", status, "Location: " + location) if answer else ask("Digest", realm="x", nonce="1")

                with self.subTest(asks_at, status=status, location=location):
                    result, server = self.attack(script, *options)
                    self.assertTrue(server.answers)
                    self.assertEqual((result.status, len(posts)), (6, 0) if says else (0, 1), result)
                    if says:
                        self.assertRegex(result.err, f"{says} \\(status {status[:3]}\\); it gets no image")
                        self.assertEqual("Open the page in a browser" in result.err, says == UNCLEAR)

    def test_denial_of_a_further_answer(self):
        """A page that accepts an answer and then asks anew has accepted nothing until it accepts the last answer. If
        its other pages are missing, that is with the upload. A nonce that it replaces meanwhile is no further password to tell of."""
        first = 'Digest realm="x", qop="auth", nonce="1"'
        for again, schemes in (('Digest realm="x", qop="auth", algorithm=SHA-256, nonce="2"',
                                ["Digest (MD5)", "Digest (SHA-256)"]),
                               ('Digest realm="x", qop="auth", nonce="2"', ["Digest (MD5)"])):
            for status, says in (("403 Forbidden", DENIES), ("302 Found", DENIES), ("500 Error", UNCLEAR), ("", UNCLEAR),
                                 ("404 Not Found", ""), ("200 OK", "")):
                posts = []

                def script(method, path, answer, again=again, status=status, posts=posts):
                    if method == "POST":
                        posts.append(path)
                        return reply(b"Update successful")
                    asked = first if path == "/update" else again
                    if 'nonce="2"' not in answer and (not answer or path != "/update"):
                        return reply(b"", "401 No", f"WWW-Authenticate: {asked}")
                    if path == "/update":
                        return reply(b"<title>WLED</title>" + FORM)
                    return reply(b"{}", status, "Location: /login") if status else b""

                with self.subTest(again, status=status):
                    result, _ = self.attack(script, "--json")
                    self.assertEqual((result.status, len(posts)), (6, 0) if says else (0, 1), result)
                    self.assertEqual([event["scheme"] for event in self.events(result, "authenticated")],
                                     schemes[:1] if says else schemes, result)
                    if says:
                        end = self.events(result, "result")[0]
                        shown = f"status {status[:3]}" if status else "no reply"
                        self.assertRegex(end["message"], f"{says} \\({shown}\\); it gets no image")
                        self.assertEqual(end["phase"], "authentication")

    def test_basic_beside_a_digest(self):
        """A server that knows a Digest need not see the password, even if that Digest is not known here."""
        digest, basic = 'Digest realm="x", nonce="1", algorithm=SHA-512-256', 'WWW-Authenticate: Basic realm="x"'
        for challenge in (("WWW-Authenticate: " + digest, basic), ('WWW-Authenticate: Digest realm="x"', basic),
                          ("WWW-Authenticate : " + digest, basic), (basic + ",", " " + digest), (basic + ",", "\t" + digest)):
            def script(_method, _path, answer, challenge=challenge):
                return reply(FORM) if answer else reply(b"", "401 No", *challenge)

            with self.subTest(challenge):
                result, server = self.attack(script)
                self.assertEqual((result.status, server.answers), (6, []), result)
                self.assertIn("asks for an unknown kind of authentication", result.err)

    def test_upload_without_a_password(self):
        """A page that neither accepts the password nor rejects it, before it rejects the upload."""
        result, _ = self.attack(lambda method, _path, answer: (
            ask("Basic", realm="x") if not answer else reply(b"", "404 No") if method == "GET" else reply(b"", "403 No")),
            "--page", "form", "--field", "f")
        self.assertEqual(result.status, 6, result)
        self.assertIn("(status 403), although it did not reject the password for its page", result.err)

    def test_password_as_path(self):
        """A path that happens to be the password is one."""
        result, _ = self.attack(lambda method, path, answer: (
            reply(b"<form action='/update'><input type='file' name='f'></form>") if answer and method == "GET"
            else reply(b"OK") if answer else ask("Basic", realm="x")), password="update")
        self.assertEqual(result.status, 0, result)

    def test_field_that_cannot_be_sent(self):
        """Of a form that names its file so, nothing is sent, and nobody looks for random numbers."""
        for name, shown in (("a\1b", ""), ("a\tb", ""), ("a=b", "a=b"), ("\u00e4", "\u00e4"), ("x" * 99, "x" * 99)):
            posts = []

            def script(method, _path, _answer, name=name, posts=posts):
                posts.extend([method] if method == "POST" else [])
                return reply(f"<form action='/update'><input type='file' name='{name}'></form>".encode())

            with self.subTest(name):
                result, _ = self.attack(script)
                self.assertEqual((result.status, posts), (5, []), result)
                self.assertNotIn("random", result.err)
                self.assertIn("--field", result.err)
                if shown:
                    self.assertIn(f'form calls its file "{shown}", and such a name cannot be sent', result.err)

    def test_too_much(self):
        """Replies without end are ended, and are not this computer's fault."""
        def forever(start, chunk, sent):
            yield start
            while True:
                sent[0] += len(chunk)
                yield chunk

        head = b"HTTP/1.1 200 OK\r\n"
        rows = {
            "a header": (head + b"X: ", b"x" * 65536), "headers": (head, b"X: " + b"x" * 8000 + b"\r\n"),
            "a status line": (b"HTTP/1.1 200 ", b"x" * 65536), "interim replies": (b"", b"HTTP/1.1 100 -\r\n\r\n" * 99),
            "a body": (head + b"\r\n", b"x" * 65536), "no HTTP": (b"", b"x" * 65536),
            "lines after the body": (head + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhm\r\n0\r\n", b"X: \r\n" * 9999),
            "a realm": (b"HTTP/1.1 401 -\r\nWWW-Authenticate: Digest nonce=\"1\", realm=\"", b"x" * 65536),
        }
        for name, (start, chunk) in rows.items():
            for method, statuses in (("GET", (5, 6)), ("POST", (11, 6))):
                sent = [0]
                with self.subTest(name, method=method):
                    result, _ = self.attack(lambda asked, path, answer, method=method, start=start, chunk=chunk, sent=sent: (
                        forever(start, chunk, sent) if asked == method else reply(FORM)))
                    self.assertIn(result.status, statuses, result)
                    self.assertNotRegex(result.err, "(?i)out of memory|--debug")
                    self.assertLess(sent[0], MUCH)

    def test_few_descriptors(self):
        """That is this computer's lack, and no request gets another name."""
        path = self.file("fw.bin", sketch("esp8266"))
        server = Server(lambda *_: reply(FORM))
        self.addCleanup(server.close)
        statuses = set()
        for limit in range(5, 16):
            with self.subTest(limit):
                result = run("-i", server.url, "-f", path, "--retries", "0",
                             before=("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh"))
                statuses.add(result.status)
                if result.status == 1:
                    self.assertIn("Too many open files\n  Raise the limit of open files", result.err)
        self.assertIn(1, statuses)
        self.assertNotIn(5, statuses)

    def test_no_descriptor_for_the_facts(self):
        """Nobody was asked for the chip then, nor whether the password is right."""
        started, programs = threading.Event(), []

        def page(_method, path, _answer):
            if path == "/up":
                started.wait(DEADLINE_S)
                _, hard = resource.prlimit(programs[0].pid, resource.RLIMIT_NOFILE)
                resource.prlimit(programs[0].pid, resource.RLIMIT_NOFILE, (3, hard))
                return ask("Basic", realm="x")
            if path.startswith("/cm?"):
                return reply(b'{"WARNING":"Need user=<username>&password=<password>"}', "401 Unauthorized")
            return reply(b"Not found", "404 Not Found", "Server: Tasmota/15.5.0 (ESP8266EX)")

        server = Server(page)
        self.addCleanup(server.close)
        programs.append(Program("-i", server.url, "-f", self.file("fw.bin", sketch("esp8266")), "--retries", "0",
                                ESP_OTA_AUTH=PASSWORD))
        started.set()
        result = programs[0].result()
        self.assertEqual(result.status, 1, result)
        self.assertIn("Too many open files\n  Raise the limit of open files", result.err)

    def test_challenges(self):
        """A challenge that cannot be answered is the server's, and the remedy is not the password."""
        for parameters in ({"realm": 'a\\"b', "nonce": "1"}, {"realm": "x", "nonce": ""},
                           {"realm": "x", "nonce": "1", "algorithm": "MD5-sess"}, {"realm": "x" * 300, "nonce": ""}):
            with self.subTest(parameters):
                result, server = self.attack(lambda *_, parameters=parameters: ask("Digest", **parameters))
                self.assertEqual(result.status, 6, result)
                self.assertIn("asks for an unknown kind of authentication\n  Set the page, or the proxy", result.err)
                self.assertEqual(server.answers, [])

    def test_challenge_after_the_upload(self):
        """It is judged like the first one; what is wrong with it is not this computer's fault."""
        result, server = self.attack(lambda method, _path, answer: (
            reply(FORM) if answer and method == "GET" else reply(b"", "401 No", 'WWW-Authenticate: Digest realm="x", ' + (
                'nonce="a\\"b"' if answer else 'nonce="1"'))))
        self.assertEqual(result.status, 6, result)
        self.assertIn("asks for an unknown kind of authentication\n  Set the page, or the proxy", result.err)
        self.assertEqual(len(server.answers), 2)

    def test_user(self):
        """WLED knows no user; a proxy before it that asks for one gets the same for all of its pages."""
        result, server = self.attack(lambda method, path, answer: (
            ask("Basic", realm="x") if not answer
            else reply(b'{"brand": "WLED", "ver": "1"}' if path == "/json/info" else b"<title>WLED</title>")))
        self.assertEqual(result.status, 11, result)
        self.assertEqual(set(server.answers), {f"Basic {BASIC}"})


if __name__ == "__main__":
    unittest.main()
