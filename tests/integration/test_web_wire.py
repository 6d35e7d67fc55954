#!/usr/bin/env python3
"""Update pages as real servers write them: heads and bodies in every form that HTTP has and boards use, and the HTML
of pages that somebody made by hand. The servers are scripts in this file; the simulated board writes as boards do.
"""

import array
import fcntl
import gzip
import os
import re
import socket
import ssl
import struct
import subprocess
import termios
import threading
import unittest
import zlib

from faults import wait_until
from peer import WebPeer
from scenario import Program, Scenario, received, run, sketch
import test_sim_web

CORE = b"<form method='POST' action=''><input type='file' name='firmware'></form>" \
       b"<form method='POST' action=''><input type='file' name='filesystem'></form>"
FORM = b"<form><input type='file' name='f'></form>"
SUCCESS = b'<META http-equiv="refresh" content="15;URL=/">Update Success! Rebooting...'
FAILURE = b"Update error: ERROR[4]: Not Enough Space\n"
DEADLINE_S = 60
QUIET_S = 30  # a verdict that is there is taken long before
HERE = threading.local()  # its challenge: the header that makes a reply a 401


def head(*lines, status="HTTP/1.1 200 OK", end="\r\n"):
    challenge = getattr(HERE, "challenge", None)
    if challenge:
        status = status.replace("200 OK", "401 Unauthorized").replace("200", "401")
        lines = (*lines, challenge)
    return end.join((status, *lines, "", "")).encode()


def length(body):
    return f"Content-Length: {len(body)}"


def chunks(body, size=7, extension="", trailer=""):
    parts = [body[at:at + size] for at in range(0, len(body), size)]
    text = b"".join(f"{len(part):X}{extension}\r\n".encode() + part + b"\r\n" for part in parts)
    return text + f"0\r\n{trailer}\r\n".encode()


def slowly(connection, data):
    """A segment for each byte."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in data:
        connection.sendall(bytes((byte,)))


def wait_for_end(connection):
    """The client closes first, although it need not: first TLS, if there is that."""
    connection.settimeout(DEADLINE_S)
    assert connection.recv(1) == b"", "more than one request on a connection"
    with socket.socket(fileno=os.dup(connection.fileno())) as bare:
        bare.settimeout(DEADLINE_S)
        assert bare.recv(1) == b"", "more than the end of TLS"


def reset(connection, data):
    connection.sendall(data)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def pause(connection, first, rest):
    connection.sendall(first)
    threading.Event().wait(2)
    connection.sendall(rest)


def go_quiet(connection, data):
    """A board that restarts without closing the connection: nothing follows. The client has to close."""
    connection.settimeout(QUIET_S)
    connection.sendall(data)
    assert connection.recv(1) == b"", "more than one request on a connection"


def packed(body):
    return gzip.compress(body, mtime=0)


# how a server writes a reply: a function of its connection and the body
STYLES = {
    "with a length": lambda c, b: c.sendall(head("Content-Type: text/html", length(b), "Connection: close") + b),
    "lower case, another order": lambda c, b: c.sendall(head("connection:close", f"content-length:{len(b)}  ",
                                                             "content-type:text/html") + b),
    "HTTP/1.0 without a length": lambda c, b: c.sendall(head("Content-Type: text/html", status="HTTP/1.0 200 OK") + b),
    "HTTP/1.1 without a length": lambda c, b: c.sendall(head("Content-Type: text/html") + b),
    "without a reason": lambda c, b: c.sendall(head(length(b), status="HTTP/1.1 200") + b),
    "bare line feeds": lambda c, b: c.sendall(head(length(b), end="\n") + b),
    "no header at all": lambda c, b: c.sendall(head() + b),
    "both kinds of connection": lambda c, b: c.sendall(head("Connection: close", "Connection: keep-alive", length(b),
                                                            "Keep-Alive: timeout=2000") + b),
    "a byte at a time": lambda c, b: slowly(c, head(length(b)) + b),
    "in chunks": lambda c, b: c.sendall(head("Transfer-Encoding: chunked", "Connection: close") + chunks(b)),
    "in chunks, a byte at a time": lambda c, b: slowly(c, head("Transfer-Encoding: chunked") + chunks(b, 5)),
    "in chunks with extras": lambda c, b: c.sendall(head("Transfer-Encoding: chunked")
                                                    + chunks(b, extension=";x=1", trailer="X-End: 1\r\n")),
    "packed": lambda c, b: c.sendall(head("Content-Encoding: gzip", length(packed(b))) + packed(b)),
    "packed, in chunks": lambda c, b: c.sendall(head("Content-Encoding: gzip", "Transfer-Encoding: chunked")
                                                + chunks(packed(b))),
    "after 100 Continue": lambda c, b: c.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" + head(length(b)) + b),
    "after 102 with a header": lambda c, b: c.sendall(b"HTTP/1.1 102 Processing\r\nX: 1\r\n\r\n" + head(length(b)) + b),
    "and then a reset": lambda c, b: reset(c, head(length(b)) + b),
    "and waits": lambda c, b: (c.sendall(head(length(b), "Connection: keep-alive") + b), wait_for_end(c)),
    "in chunks, and waits": lambda c, b: (c.sendall(head("Transfer-Encoding: chunked") + chunks(b)), wait_for_end(c)),
    "2 s after its head": lambda c, b: pause(c, head(length(b)), b),
    "2 s after the request": lambda c, b: pause(c, b"", head(length(b)) + b),
}


class Server(WebPeer):
    """Answers page, a path's text, in a style; any other GET with 404. Each POST is noted as (path, body), and
    answered with verdict, or the next of them, in the other style."""

    def __init__(self, pages, page_style, verdict, verdict_style, challenge=None):
        self.pages, self.styles, self.verdict, self.posts = pages, (page_style, verdict_style), verdict, []
        self.heads = []
        self.challenge = challenge
        super().__init__()

    def answer(self, connection):
        connection.settimeout(DEADLINE_S)
        stream = connection.makefile("rb", 0)
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            byte = stream.read(1)
            if not byte:
                return
            text += byte
        self.heads.append(text.decode())
        method, path = text.decode().split(" ")[:2]
        if method == "POST":
            wanted = int(re.search(rb"\r\nContent-Length: (\d+)\r\n", text).group(1))
            self.answer_post(connection, path, wanted)
        elif self.challenge and b"\r\nAuthorization: " not in text:
            HERE.challenge = self.challenge
            STYLES[self.styles[0]](connection, b"Unauthorized")
        elif path in self.pages:
            STYLES[self.styles[0]](connection, self.pages[path])
        else:
            connection.sendall(head("Content-Length: 0", status="HTTP/1.1 404 Not Found"))

    def answer_post(self, connection, path, wanted):
        body = received(connection, wanted)
        self.posts.append((path, body))
        verdict = self.verdict if isinstance(self.verdict, bytes) else self.verdict[len(self.posts) - 1]
        STYLES[self.styles[1]](connection, verdict)


class Secure(Server):
    """The same with https. says_goodbye: whether it ends a connection with TLS's own message; without, anybody on the
    way may have closed it."""

    def __init__(self, certificate, says_goodbye, *arguments):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.says_goodbye = says_goodbye
        super().__init__(*arguments)
        self.url = self.url.replace("http:", "https:")

    def answer(self, connection):
        connection.settimeout(DEADLINE_S)
        with self.context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as secure:
            super().answer(secure)
            if self.says_goodbye:
                secure.unwrap()


class Stalling(Server):
    """Reads nothing of the first upload, and looks with the next request whether that connection is closed."""

    stalled = None
    was_closed = None

    def answer(self, connection):
        if self.stalled and self.was_closed is None:
            self.was_closed = self._is_at_end(self.stalled)
        if not self.heads or self.stalled:
            super().answer(connection)
        else:
            self.stalled = connection.dup()

    def close(self):
        super().close()
        if self.stalled:
            self.stalled.close()

    @staticmethod
    def _is_at_end(connection):
        connection.setblocking(False)
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            pass
        except BlockingIOError:
            return False
        return True


class Swallowing(Server):
    """Has little room, and reads only the head of an upload: the rest of the image stays in esp-ota's kernel."""

    def __init__(self):
        super().__init__({"/update": CORE}, "with a length", SUCCESS, "with a length")
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        self.upload = self.wanted = None
        self._may_reset = threading.Event()

    def answer_post(self, connection, path, wanted):
        self.upload, self.wanted = connection, wanted
        self._may_reset.wait(DEADLINE_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def swallowed(self):
        """What the kernel still holds, once it has taken the whole upload; otherwise 0."""
        if self.wanted is None:
            return 0
        unread = array.array("i", [0])
        fcntl.ioctl(self.upload, termios.FIONREAD, unread)
        held = unacknowledged(self.upload.getsockname())
        return held if held + unread[0] == self.wanted else 0

    def reset(self):
        self._may_reset.set()


def unacknowledged(peer):
    """Bytes in the send queue of this network's connection to peer, by proc(5)."""
    address, port = peer
    shown = f"{struct.unpack('=I', socket.inet_aton(address))[0]:08X}:{port:04X}"
    with open("/proc/self/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(int(row[4].partition(":")[0], 16) for row in rows if row[2] == shown)


class Wire(Scenario):

    def upload(self, pages, *options, page_style="with a length", verdict=SUCCESS, verdict_style="with a length",
               challenge=None):
        server = Server(pages, page_style, verdict, verdict_style, challenge)
        self.addCleanup(server.close)
        self.image = sketch("esp8266")
        result = run("-i", server.url, "-f", self.file(f"{server.address}.bin", self.image), "--retries", "0", *options)
        self.assertEqual(server.broken, [])
        return result, server

    def test_heads(self):
        """Some boards compare the names of headers byte by byte, with the blank behind the colon."""
        _, server = self.upload({"/update": CORE}, "-a", "kwertz", challenge='WWW-Authenticate: Basic realm="x"')
        names = {"Host", "Connection", "Referer", "Authorization", "User-Agent", "Accept", "Accept-Encoding"}
        for number, head_text in enumerate(server.heads):
            with self.subTest(head_text):
                first, *lines = head_text.removesuffix("\r\n\r\n").split("\r\n")
                method = ("GET", "GET", "POST")[number]
                self.assertEqual(first, f"{method} /update HTTP/1.1")
                self.assertEqual({re.match(r"([\w-]+): \S", line).group(1) for line in lines},
                                 names - ({"Authorization"} if number == 0 else set())
                                 | ({"Origin", "Content-Type", "Content-Length"} if method == "POST" else set()))
                self.assertEqual(len(lines), len({line.split(":")[0] for line in lines}), "twice")

    def test_pages(self):
        for style in STYLES:
            with self.subTest(style):
                result, server = self.upload({"/update": CORE}, page_style=style)
                self.assertEqual(result.status, 0, result)
                self.assertIn("ESP8266HTTPUpdateServer, at /update", result.err)
                self.assertEqual([path for path, _ in server.posts], ["/update"])
                self.assertIn(self.image, server.posts[0][1])

    def test_challenges(self):
        """A 401 is one, however it is written."""
        for style in STYLES:
            for challenge, said in (("WWW-Authenticate: Basic realm=\"Login Required\"", "(Basic)"),
                                    ("www-authenticate:Digest realm=x,qop=\"auth\", nonce=1", "(Digest)")):
                with self.subTest(style, challenge=challenge):
                    result, server = self.upload({"/update": CORE}, "-a", "kwertz", page_style=style, challenge=challenge)
                    self.assertEqual(result.status, 0, result)
                    self.assertEqual(len(server.posts), 1)
                    self.assertIn(said, result.err)

    def test_verdicts(self):
        for style in STYLES:
            for verdict, status, said in ((SUCCESS, 0, "confirmed by the board"),
                                          (FAILURE, 10, "the board says: Update error: ERROR[4]: Not Enough Space")):
                with self.subTest(style, status=status):
                    result, _ = self.upload({"/update": CORE}, verdict=verdict, verdict_style=style)
                    self.assertEqual(result.status, status, result)
                    self.assertIn(said, result.err)

    def test_recordings(self):
        """Every different reply of the genuine servers to an upload, byte by byte, and what it says."""
        STYLES["as recorded"] = lambda c, b: c.sendall(b)
        self.addCleanup(STYLES.pop, "as recorded")
        elegantota = {"/update": b"<title>ElegantOTA</title>", "/update/identity": b'{"id": "1", "hardware": "ESP8266"}'}
        for name, pages, said in (
                ("esp8266-webupd.txt", {"/update": CORE}, {
                    b"Update Success! Rebooting...": (0, "confirmed by the board"),
                    b"ERROR[4]: Not Enough Space\n": (10, "the board says: Update error: ERROR[4]: Not Enough Space"),
                    b"ERROR[10]: Magic byte is not 0xE9\n": (10, "the board says: Update error: ERROR[10]: "),
                    b"ERROR[13]: No data supplied\n": (10, "the board says: Update error: ERROR[13]: "),
                    b"Content-Length: 0\r\nConnection: close\r\n\r\n": (6, "for the upload, although not for its page, and no password was given"),
                    b"": (11, "the board closed the connection without a reply")}),
                ("async.txt", elegantota, {
                    b"OK": (0, "received by the board"), b"FAIL": (10, "the board says: FAIL"),
                    b"Accept-Ranges: none\r\nContent-Length: 0\r\n\r\n": (11, "(status 401)"),
                    b"": (11, "the board closed the connection without a reply")})):
            replies = {one.reply for section in test_sim_web.read_recordings(name).values() for one in section if not one.is_curl}
            for reply in sorted(replies):
                with self.subTest(name, reply=reply):
                    end = next(end for end in sorted(said, key=len, reverse=True) if reply.endswith(end) and bool(end) == bool(reply))
                    result, _ = self.upload(pages, verdict=reply, verdict_style="as recorded")
                    self.assertEqual(result.status, said[end][0], result)
                    self.assertIn(said[end][1], result.err)

    def test_quiet(self):
        """A verdict that is complete counts, although the reply does not end."""
        for name, start in (("without a length", lambda b: head("Content-Type: text/html") + b),
                            ("too short", lambda b: head(f"Content-Length: {len(b) + 9}") + b),
                            ("in chunks", lambda b: head("Transfer-Encoding: chunked") + chunks(b)[:-5])):
            for verdict, status, said in ((SUCCESS, 0, "confirmed by the board"),
                                          (FAILURE, 10, "the board says: Update error: ERROR[4]: Not Enough Space")):
                with self.subTest(name, status=status):
                    STYLES["quiet"] = lambda c, b, start=start: go_quiet(c, start(b))
                    self.addCleanup(STYLES.pop, "quiet", None)
                    result, _ = self.upload({"/update": CORE}, verdict=verdict, verdict_style="quiet")
                    self.assertEqual(result.status, status, result)
                    self.assertIn(said, result.err)

    def test_ends_that_prove_nothing(self):
        """Words of failure may have followed: no status 0 for a page that succeeds without words, nor for a bare OK."""
        gzip_stream = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed_ok = gzip_stream.compress(b"OK") + gzip_stream.flush(zlib.Z_SYNC_FLUSH)
        self.addCleanup(STYLES.pop, "cut", None)
        for name, said in (
                ("packed", head("Content-Encoding: gzip") + packed_ok),
                ("packed in a form that nobody knows", head("Content-Encoding: x", "Content-Length: 2") + b"OK"),
                ("a length that no body has", head("Content-Length: 99999999999999999999") + b"OK"),
                ("a length and more", head("Content-Length: 2, 39") + b"OK"),
                ("two lengths", head("Content-Length: 39", "Content-Length: 2") + b"OK"),
                ("a blank before the colon", head("Content-Length : 39") + b"OK"),
                ("an unknown coding", head("Transfer-Encoding: identity") + b"OK"),
                ("a part", head("Content-Range: bytes 0-1/39", length(b"OK"), status="HTTP/1.1 206 Partial Content") + b"OK")):
            for page in (b"<title>ESPurna</title>", b"<form><input type='file' name='f'></form>"):
                with self.subTest(name, page=page):
                    STYLES["cut"] = lambda c, b: c.sendall(b)
                    result, server = self.upload({"/": page}, verdict=said, verdict_style="cut")
                    self.assertEqual(result.status, 11, result)
                    self.assertEqual(len(server.posts), 1)

    def test_json_of_hand_made_pages(self):
        """A program's answer has to say that it was a success: FluidNC says {"status":"2"} of a cancelled upload."""
        for verdict, status, says in (
                (b'{"status":"ok"}', 0, "received by the board"),
                (b'{"success":true}', 0, "received by the board"),
                (b'{"success":false,"reason":"of another board"}', 10, 'the board says: {"success":false,"reason":"of another'),
                (b'{"update":{"success":false},"message":"done"}', 10, 'the board says: {"update":{"success":false}'),
                (b'{"error":false,"message":"Update complete. Do not power off"}', 0, "received by the board"),
                (b'{"status":200,"message":"Update OK"}', 0, "received by the board"),
                (b'{"message":"cannot complete the update: flash full"}', 11, '{"message":"cannot complete'),
                (b'{"success":true,"message":"Image rejected"}', 11, '{"success":true,"message":"Image rejected"}'),
                (b'{"ok":true,"updated":"no"}', 11, '{"ok":true,"updated":"no"}'),
                (b'{"status":"2"}', 11, '{"status":"2"}'),
                (b'{"status":"no file"}', 11, '{"status":"no file"}')):
            with self.subTest(verdict):
                result, server = self.upload({"/": FORM}, verdict=verdict)
                self.assertEqual((result.status, result.out, len(server.posts)), (status, "", 1), result)
                self.assertIn(says, result.err)

    def test_refusals_of_hand_made_pages(self):
        """With status 200: the updater's own words, a no in JSON, and "unsuccessful", which contains a success."""
        updater = b"<form method='POST' action='/update'><input type='file' name='update'></form>"
        for page in (FORM, updater):
            for verdict in (b"Could Not Activate The Firmware", b"Wrong Magic Byte\n", b"Bad Size Given", b"Stream Read Timeout",
                            b"Bad Argument. Rebooting...",
                            b"Partition Could Not be Found", b"Aborted", b"Update unsuccessful", b"NOK", b"false",
                            b'{"success":false}', b'{"result":"unsuccessful"}'):
                with self.subTest(verdict, page=page):
                    result, server = self.upload({"/": page}, verdict=verdict)
                    self.assertEqual((result.status, result.out, len(server.posts)), (10, "", 1), result)
                    self.assertIn(f"the board says: {verdict.decode().strip()}", result.err)

    def test_page_instead_of_a_verdict(self):
        """A server may have one reply for every path and method; only what its page shows says that it took an upload,
        and what that showed before is no news."""
        script = b"<script>$.ajax({url:'/update',type:'POST',success:function(d,s){alert('done')}})</script>"
        updater = b"<form id='upload_form'><input type='file' name='update'></form>" + script
        told = b"Do not power off. You will see \"Update complete\", or OK." + FORM
        for page in (FORM, b"<form><INPUT name=f TYPE=FILE></form>" + script, updater, told):
            for verdict, status, says in ((page, 11, "does not say whether they are installed"),
                                          (b"Update Success!" + page, 0, "received by the board"),
                                          (b"Update failed." + page, 10, "the board says: failed.")):
                with self.subTest(verdict):
                    result, server = self.upload({"/": page}, verdict=verdict)
                    self.assertEqual((result.status, result.out, len(server.posts)), (status, "", 1), result)
                    self.assertIn(says, result.err)

    def test_no_page(self):
        """What the server says is named, and the remedy fits it. A busy one is asked again."""
        busy, moved, other = "Try again in a minute", "a redirect is not followed", "the path of the page with the upload form"
        https = "Location: https://board.local/update"
        self.addCleanup(STYLES.pop, "said", None)
        for status, lines, says, remedy in (
                ("301 Moved Permanently", (https,), '301, Location "https://board.local/update")', moved),
                ("308 Permanent Redirect", ("Location: //board.local/",), '308, Location "//board.local/")', moved),
                ("302 Found", ("Location: /index.html",), '302, Location "/index.html")', other),
                ("200 OK", (https,), "status 200)", other),
                ("503 Service Unavailable", ("Retry-After: 5",), "answers, but is busy (/update has status 503)", busy),
                ("429 Too Many Requests", (), "answers, but is busy (/update has status 429)", busy),
                ("500 Internal Server Error", (), "status 500)", other)):
            with self.subTest(status):
                STYLES["said"] = lambda c, _, lines=lines, status=status: c.sendall(
                    head(*lines, "Content-Length: 0", status="HTTP/1.1 " + status))
                server = Server(dict.fromkeys(("/update", "/", "/chipspecs"), b""), "said", b"", "said")
                self.addCleanup(server.close)
                result = run("-i", server.url, "-f", self.file(f"{server.address}.bin", sketch("esp8266")), "--retries", "1")
                self.assertEqual((result.status, server.posts), (5, []), result)
                self.assertIn(says, result.err)
                self.assertIn(remedy, result.err)
                self.assertEqual("attempt 2 of 2" in result.err, remedy == busy, result.err)

    def test_no_page_but_a_redirect(self):
        """It is told at whichever path it comes, before pages and errors of other paths."""

        def say(connection, body):
            status, *lines = body.decode().split("\n")
            connection.sendall(head(*lines, "Content-Length: 0", status="HTTP/1.1 " + status))

        STYLES["said"] = say
        self.addCleanup(STYLES.pop, "said")
        away, hello = b"301 Moved Permanently\nLocation: https://board.local/", b"200 OK\nServer: hello"
        for pages, path in (({"/": away}, "/"), ({"/update": hello, "/": away}, "/"),
                            ({"/update": away, "/": hello}, "/update")):
            with self.subTest(pages):
                server = Server(pages, "said", b"", "said")
                self.addCleanup(server.close)
                result = run("-i", server.url, "-f", self.file(f"{server.address}.bin", sketch("esp8266")))
                self.assertEqual((result.status, result.out, server.posts), (5, "", []), result)
                self.assertIn(f'has no known update page ({path} has status 301, Location "https://board.local/")', result.err)
                self.assertIn("a redirect is not followed", result.err)

    def test_login_instead_of_a_verdict(self):
        """A page that leads to a login has not taken the image. The message shows where it leads, without a password."""
        for http, lines, status, said in (
                ("200 OK", ("Refresh: 0; url=/login",), 11, '(status 200, Refresh "/login")'),
                ("200 OK", ("Refresh: 5; url=/",), 0, ""), ("200 OK", ("Refresh: 5; url = /",), 0, ""),
                ("200 OK", ("Refresh: 0;", " url=/login"), 11, "(status 200)"),
                ("200 OK", ("Refresh: 0; url=http://portal.example/?x=1",), 11, 'Refresh "http://portal.example/?...")'),
                ("302 Found", (r"Location: http:\\u:secret@10.0.0.1/x",), 11, r'302, Location "http:\\\\u:...@10.0.0.1/x")')):
            with self.subTest(lines):
                STYLES["refresh"] = lambda c, b, http=http, lines=lines: c.sendall(
                    head(length(b), *lines, status="HTTP/1.1 " + http) + b)
                self.addCleanup(STYLES.pop, "refresh", None)
                result, _ = self.upload({"/": b"<form><input type='file' name='f'></form>"}, verdict=b"",
                                        verdict_style="refresh")
                self.assertEqual(result.status, status, result)
                self.assertIn(said, result.err)
                self.assertNotIn("secret", result.err)

    def certificate(self):
        certificate = self.file("page.pem", b"")
        subprocess.run(("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", certificate, "-out",
                        certificate + ".crt", "-days", "2", "-subj", "/CN=board"), check=True, capture_output=True, timeout=60)
        with open(certificate, "ab") as both, open(certificate + ".crt", "rb") as public:
            both.write(public.read())
        return certificate

    def test_https_that_is_cut(self):
        """Anybody on the way can close a connection with TLS, so that its end shows nothing: only the length that the
        head says, and the last chunk do. Words that came count, and the page itself needs no length."""
        certificate = self.certificate()
        for style, page, verdict, status in (
                ("HTTP/1.1 without a length", FORM, b"", 11),
                ("HTTP/1.1 without a length", FORM, b"Done", 11),
                ("HTTP/1.1 without a length", FORM, b"Update failed: wrong checksum", 10),
                ("HTTP/1.1 without a length", b"<title>ESPurna</title>", b"OK", 11),
                ("HTTP/1.1 without a length", CORE, SUCCESS, 0),
                ("with a length", FORM, b"Done", 0),
                ("in chunks", FORM, b"Done", 0),
                ("packed", FORM, b"Done", 0)):
            for says_goodbye in (False, True):
                with self.subTest(style, verdict=verdict, says_goodbye=says_goodbye):
                    server = Secure(certificate, says_goodbye, {"/": page}, "HTTP/1.1 without a length", verdict, style)
                    self.addCleanup(server.close)
                    path = self.file(f"{server.address}.bin", sketch("esp8266"))
                    result = run("-i", server.url, "--insecure", "-f", path, "--retries", "0")
                    self.assertEqual(result.status, status, result)
                    self.assertEqual(len(server.posts), 1)

    def test_https_that_stays_open(self):
        """The end of a reply ends TLS and the connection. libcurl may keep both for a while, and calls back then."""
        server = Secure(self.certificate(), False, {"/": FORM}, "and waits", b"Done", "and waits")
        self.addCleanup(server.close)
        result = run("-i", server.url, "--insecure", "-f", self.file("fw.bin", sketch("esp8266")), "--retries", "0")
        self.assertEqual((result.status, server.broken, len(server.posts)), (0, [], 1), result)

    def test_closed_before_the_next_attempt(self):
        """A server for one client hears the next attempt only if the one before is closed, however it ended."""
        server = Stalling({"/update": CORE}, "with a length", SUCCESS, "with a length")
        self.addCleanup(server.close)
        result = run("-i", server.url + "/update", "--page", "esp8266", "-f", self.file("big.bin", sketch("esp8266", 1 << 20)),
                     "-t", "1", "--retries", "1")
        self.assertEqual((result.status, server.broken, server.was_closed), (0, [], True), result)
        self.assertEqual(len(server.posts), 1)

    def test_swallowed_by_the_kernel(self):
        """The connection breaks when all of the image has left esp-ota, but not this computer."""
        server = Swallowing()
        self.addCleanup(server.close)
        program = Program("-i", server.url, "-f", self.file("fw.bin", sketch("esp8266", 8000)), "--retries", "0",
                          "--json")
        wait_until(server.swallowed)
        server.reset()
        result = program.result()
        self.assertEqual(server.broken, [])
        self.assertEqual(result.status, 9, result)
        self.assertIn('"phase":"transfer"', result.out)

    def test_upload_of_somebody_else(self):
        """A whole upload was not aborted, and is not the one that runs: the image is sent once more."""
        for refusal in (b"Update error: ERROR[15]: Update already running\n",
                        b"<b>Upload <font color='#ff5661'>Failed</font></b><br><br>Upload aborted</div>"):
            for last, status, said in ((SUCCESS, 0, "confirmed by the board"), (refusal, 10, "the board says: ")):
                with self.subTest(refusal, status=status):
                    page = ("--page", "tasmota") if b"font" in refusal else ()
                    success = b"<script>setTimeout(function(){location.href='.';},9);</script>"
                    verdict = [refusal, success if page and status == 0 else last]
                    result, server = self.upload({"/update": CORE, "/up": b"<p>"}, *page, verdict=verdict)
                    self.assertEqual((result.status, len(server.posts)), (status, 2), result)
                    self.assertIn(said, result.err)
                    self.assertIn("this may be about the previous upload, which broke off; trying again", result.err)

    def test_forms(self):
        """Where browsers would send the file, and under which name."""
        for html, path, name in (
                (b"<FORM METHOD=POST ACTION=/flash ENCTYPE=multipart/form-data><INPUT NAME=image TYPE=FILE></FORM>",
                 "/flash", "image"),
                (b"<form action='/find'><input type=text name=q></form>\n<form\n\tmethod='post'\n action = \"/b?x=1\"\n>"
                 b"<input\nname = 'fw' class=\"file\" type = \"file\" /></form>", "/b?x=1", "fw"),
                (b"<!-- <form action='/old'><input type='file' name='old'></form> -->"
                 b"<form action='/new'><input type='file' name='new'></form>", "/new", "new"),
                (b"<form action='./up'><input type='file' name='a'></form>", "/up", "a"),
                (b"<form action='./a/../up?x=/../y'><input type='file' name='a'></form>", "/up?x=/../y", "a"),
                (b"<form action='../../up'><input type='file' name='a'></form>", "/up", "a"),
                (b"<form><input type='file' name='here'></form>", "/", "here")):
            with self.subTest(html):
                result, server = self.upload({"/": html}, verdict=b"Done")
                self.assertEqual(result.status, 0, result)
                self.assertEqual([post[0] for post in server.posts], [path])
                self.assertIn(f'name="{name}"; filename='.encode(), server.posts[0][1])

    def test_wifimanager(self):
        """Its form leads to /u, although the page names /update, too; the class of a message is in any language."""
        html = (b"Upload new firmware<br/><form method='POST' action='u' enctype='multipart/form-data'>"
                b"<input type='file' name='update' accept='.bin,application/octet-stream'>"
                b"<button id='uploadbin' type='submit' class='h D'>Update</button></form><small>"
                b"<a href='http://192.168.4.1/update' target='_blank'>* May not function inside captive portal</a>")
        for verdict, status, said in (
                (b"<div class='msg S'><strong>Update successful.  </strong> <br/> Device rebooting now...</div>", 0,
                 "confirmed by the board"),
                (b"<div class='msg D'><strong>Update failed!</strong><Br/>Reboot device and try again</div>OTA Error: 4", 10,
                 "the board says: Update failed! Reboot device and try again OTA Error: 4"),
                ("<div class='msg D'><strong>Échec</strong></div>".encode(), 10, "the board says: Échec"),
                (b"<h1>Menu</h1>", 11, "the reply does not say whether they are installed")):
            with self.subTest(said):
                result, server = self.upload({"/update": html}, verdict=verdict)
                self.assertEqual(result.status, status, result)
                self.assertIn(said, result.err)
                self.assertEqual([path for path, _ in server.posts], ["/u"])

    def test_two_files(self):
        """A page with two files to send: --field says which."""
        html = b"<form action='/upload'><input type='file' name='data'></form>" \
               b"<form action='/ota'><input type='file' name='fw'></form>"
        result, server = self.upload({"/": html})
        self.assertEqual((result.status, server.posts), (5, []), result)
        self.assertIn('(/ has 2 fields for files: "data", "fw"; --field names the one for the image)', result.err)
        result, server = self.upload({"/": html}, "--field", "fw", verdict=b"Done")
        self.assertEqual(result.status, 0, result)
        self.assertEqual([path for path, _ in server.posts], ["/ota"])


if __name__ == "__main__":
    unittest.main()
