#!/usr/bin/env python3
"""The web pages of the simulated board, with curl and with plain sockets: what the scenarios rely on."""

import ast
import contextlib
import dataclasses
import gzip
import hashlib
import json
import os
import re
import socket
import subprocess
import unittest

import firmware
import requirement
from scenario import DEADLINE_S, SIMULATOR, Scenario, image, sketch
from web_client import BOUNDARY, Connection, Form, basic, chunked, get, head, post

VECTORS = os.path.join(os.environ["ESP_OTA_VECTORS"], "web")
SUCCESS = b'<META http-equiv="refresh" content="15;URL=/">Update Success! Rebooting...'


@dataclasses.dataclass
class Page:
    """What a client must know of a page."""

    family: str
    path: str                  # of the upload
    field: str
    status: int                # of a success
    body: bytes                # is in it
    scheme: str = "Basic"      # of a challenge; None: the page knows no password
    before: tuple = ()         # GETs before the upload
    fields: tuple = ()         # of the form, before the file
    filesystem: dict = None    # what the form has otherwise for a filesystem image
    filesystem_path: str = None
    restarts_failed: bool = False
    failure: tuple = ()        # status and body after a wrong first byte
    appends: bool = False      # what follows a broken upload is added to it
    late: bool = False         # a 401 does not keep the image from being installed

    def form(self, content, **more):
        fields = tuple((name, value.format(md5=hashlib.md5(content).hexdigest())) for name, value in self.fields)
        return Form(content, **{"field": self.field, "fields_first": fields, **more})

    def gets(self, content):
        return [path.format(md5=hashlib.md5(content).hexdigest()) for path in self.before]


MAGIC_8266 = b"ERROR[10]: Magic byte is not 0xE9\n"
START = "/ota/start?mode=fr&hash={md5}"
PAGES = {
    "esp8266": Page("esp8266", "/update", "firmware", 200, SUCCESS, filesystem={"field": "filesystem"},
                    failure=(200, b"Update error: " + MAGIC_8266)),
    "esp32": Page("esp32", "/update", "firmware", 200, SUCCESS, filesystem={"field": "filesystem"},
                  failure=(200, b"Update error: Decryption error\r\n")),
    "asyncupdate": Page("esp32", "/update?name=firmware", "firmware", 200, SUCCESS, scheme="Digest",
                         filesystem={"field": "filesystem"}, filesystem_path="/update?name=filesystem",
                         failure=(200, b"Update error: Decryption error\r\n")),
    "form": Page("esp8266", "/flash", "image", 200, b"Done", failure=(500, b"error: ERROR[10]: Magic byte is not 0xE9")),
    "webupdater": Page("esp32", "/update?size=20000", "update", 307, b"", failure=(502, b"Decryption error")),
    "webupdater-old": Page("esp32", "/update", "update", 200, b"OK", scheme=None, restarts_failed=True,
                           failure=(200, b"FAIL")),
    "elegantota": Page("esp8266", "/ota/upload", "file", 200, b"OK", before=(START,), late=True,
                       failure=(400, MAGIC_8266 + b"\n")),
    "elegantota-async": Page("esp32", "/ota/upload", "file", 200, b"OK", scheme="Digest", before=(START,),
                             failure=(400, b"Decryption error\r\n\n")),
    "elegantota2": Page("esp32", "/update", "update", 200, b"OK", scheme="Digest", fields=(("MD5", "{md5}"),),
                        filesystem={"filename": "filesystem"}, restarts_failed=True, failure=(500, b"FAIL")),
    "elegantota2-core": Page("esp8266", "/update", "firmware", 200, SUCCESS, filesystem={"field": "filesystem"},
                             failure=(200, b"Update error: " + MAGIC_8266)),
    "async": Page("esp8266", "/update", "update", 200, b"OK", scheme="Digest", restarts_failed=True,
                  failure=(200, b"FAIL")),
    "tasmota": Page("esp8266", "/u2?fsz=20000", "u2", 200, b">Successful</font>", before=("/up",), late=True,
                    failure=(200, b">Failed</font></b><br><br>Invalid file signature<")),
    "wled": Page("esp8266", "/update", "update", 200, b"Update successful!", scheme=None,
                 fields=(("skipValidation", "1"),),
                 failure=(500, b"<h2>Update failed!</h2>ERROR[10]: Magic byte is not 0xE9<")),
    "wled-old": Page("esp32", "/update", "update", 200, b"Update successful!", scheme=None,
                     failure=(500, b"Update failed!")),
    "esphome": Page("esp32", "/update", "file", 200, b"Update Successful!", appends=True,
                    failure=(200, b"Update Failed!")),
    "esphome-async": Page("esp8266", "/update", "file", 200, b"Update Successful!", scheme="Digest", appends=True,
                          failure=(200, b"Update Failed!")),
    "espurna": Page("esp8266", "/upgrade", "filename", 200, b"OK", scheme="Digest",
                    failure=(400, b"ERROR: No magic byte / invalid flash config")),
    "safeboot": Page("esp32", "/", "firmware", 200, b"Update Success! Rebooting...", scheme=None, filesystem={},
                     filesystem_path="/?mode=1", failure=(500, b"Update error: Decryption error")),
    "wifimanager": Page("esp8266", "/u", "update", 200, b"<div class='msg S'>",
                        failure=(200, b"fehlgeschlagen!</strong></div>OTA Error: 10<")),
}


class Port(Scenario):

    def test_privileged(self):
        requirement.need_root(self, "a right is given up")
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            self.assertGreater(int(file.read()), 80)
        result = subprocess.run(["setpriv", "--bounding-set=-net_bind_service", SIMULATOR, "--web", "form"],
                                capture_output=True, text=True, timeout=30)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"cannot listen on TCP .*: Permission denied\n  Only root .*-p 8080")


class PageScenario(Scenario):

    def page(self, name, *options, family=None, **more):
        """A board with this page, at any port."""
        return self.board("--web", name, "-p", "0", *options, family=family or PAGES[name].family, **more)

    def upload_to(self, board, name, content, *headers, path=None, gets=None, **form):
        """By the rules of the page; returns the reply to the upload."""
        page = PAGES[name]
        referer = f"Referer: http://{board.address}:{board.port}/"
        for before in page.gets(content) if gets is None else gets:
            get(board, before, referer, *headers)
        return post(board, path or page.path, page.form(content, **form), referer, *headers)

    def curl(self, board, path, *arguments):
        """Runs curl as its user would, with what browsers add; returns its output."""
        site = f"http://{board.address}:{board.port}"
        return subprocess.run(["curl", "--silent", "--show-error", "--max-time", "60", "-H", f"Origin: {site}",
                               "-e", site + "/", *arguments, site + path], capture_output=True, check=True).stdout

    def assert_came_back(self, board):
        board.wait_for(" rebooting$")
        board.wait_for(" open$")


class Uploads(PageScenario):

    def test_by_curl(self):
        """What a browser sends installs, and the board restarts."""
        for name, page in PAGES.items():
            with self.subTest(name):
                board = self.page(name)
                content = sketch(page.family)
                file = self.file("fw.bin", content)
                for path in page.gets(content):
                    self.curl(board, path)
                fields = [option for name, value in page.form(content).fields_first
                          for option in ("-F", f"{name}={value}")]
                said = self.curl(board, page.path, *fields, "-F", f"{page.field}=@{file}")
                self.assertIn(page.body, said)
                self.assert_came_back(board)
                self.assertEqual(board.received(), content)
                board.wait_for(r" part name=\S+ filename=\"fw.bin\" headers=Content-Disposition,Content-Type$")
                board.wait_for(r" body bytes=\d+ boundary=-+\w+ tail=crlf$")
                self.assertEqual(board.count(" upload result="), 1)

    def test_authentication(self):
        """Right, wrong, none: a 401 comes after the whole body, and, but where the page writes before it looks,
        nothing is installed."""
        for name, page in PAGES.items():
            for credentials in ((), (basic("admin", "wrong"),), (basic("root", "secret"),), (basic("admin", "secret"),)):
                with self.subTest(name, credentials=credentials):
                    board = self.page(name, "-P", "secret")
                    content = sketch(page.family)
                    gets = page.gets(content)
                    if page.late:  # another client's first step
                        get(board, *gets, basic("admin", "secret"), f"Referer: http://{board.address}/")
                        gets = ()
                    reply = self.upload_to(board, name, content, *credentials, gets=gets)
                    right = page.scheme is None or credentials == (basic("admin", "secret"),)
                    self.assertEqual(reply.status, page.status if right else 401)
                    if not right:
                        self.assertRegex(reply.header("WWW-Authenticate"), f'^{page.scheme} realm="Login Required"')
                    self.assertEqual(board.received(), content if right or page.late else None)

    def test_digest_by_curl(self):
        """curl begins Digest with an empty POST; the challenge of its 401 is good for the next request. Not for
        pages that such a POST disturbs."""
        for name, page in PAGES.items():
            if page.scheme is None or page.before:
                continue
            with self.subTest(name):
                board = self.page(name, "-P", "secret", "--web-set", "auth=only-digest")
                content = sketch(page.family)
                file = self.file("fw.bin", content)
                fields = [option for name, value in page.form(content).fields_first
                          for option in ("-F", f"{name}={value}")]
                said = self.curl(board, page.path, "--digest", "-u", "admin:secret", *fields,
                                 "-F", f"{page.field}=@{file}")
                self.assertIn(page.body, said)
                self.assertEqual(board.received(), content)
                board.wait_for(" request .* authorised=yes scheme=digest ")

    def test_filesystem(self):
        for name, page in PAGES.items():
            if page.filesystem is None:
                continue
            with self.subTest(name):
                board = self.page(name)
                content = firmware.littlefs(2)
                reply = self.upload_to(board, name, content, path=page.filesystem_path, **page.filesystem)
                self.assertEqual(reply.status, page.status)
                board.wait_for(" upload result=ok .* command=100$")
                self.assertEqual(board.received(), content)

    def test_wrong_image(self):
        """Each page's way to say so; only hand-made ones restart."""
        for name, page in PAGES.items():
            with self.subTest(name):
                board = self.page(name)
                reply = self.upload_to(board, name, image(first=0x7F))
                self.assertEqual(reply.status, page.failure[0])
                self.assertIn(page.failure[1], reply.body)
                if page.restarts_failed:
                    self.assert_came_back(board)
                board.close()
                self.assertEqual(board.count(" rebooting"), page.restarts_failed)
                self.assertIsNone(board.received())

    def test_failures(self):
        """Each error's text, as the core's updater words it, and no restart."""
        big = sketch("esp32", 40000)
        for name, options, content, text in (
                ("esp8266", (), image(first=0x7F), "ERROR[10]: Magic byte is not 0xE9\n"),
                ("esp8266", ("--capacity", "16384"), image(), "ERROR[4]: Not Enough Space\n"),
                ("esp8266", (), image(3000), "ERROR[13]: No data supplied\n"),
                ("esp8266", ("--fault", "update-error:1"), image(), "ERROR[1]: Flash Write Failed\n"),
                ("esp8266", ("--fault", "error-end:ERROR[99]: odd\\n"), image(), "ERROR[99]: odd\n"),
                ("esp32", (), image(first=0x7F), "Decryption error\r\n"),
                ("esp32", (), image(), "Could Not Activate The Firmware\r\n"),
                ("esp32", ("--chip", "esp32s3"), sketch("esp32"), "Could Not Activate The Firmware\r\n"),
                ("esp32", ("--capacity", "32768"), big, "Not Enough Space\r\n"),
                ("esp32", ("--fault", "update-error:8"), sketch("esp32"), "Wrong Magic Byte\r\n")):
            with self.subTest(name, text=text):
                board = self.page(name, *options)
                reply = post(board, "/update", Form(content))
                self.assertEqual((reply.status, reply.body.decode()), (200, f"Update error: {text}"))
                board.wait_for(" upload result=failed ")
                self.assertEqual(board.count(" upload result=failed "), 1)
                self.assertEqual(get(board, "/update").status, 200)
                board.close()
                self.assertFalse(board.count(" rebooting"))

    def test_next_upload_after_a_failure(self):
        board = self.page("esp8266")
        post(board, "/update", Form(image(first=0)))
        reply = post(board, "/update", Form(image()))
        self.assertEqual(reply.body, SUCCESS)
        self.assertEqual(board.received(), image())


class Rules(PageScenario):
    """Each trap of the servers: who falls into it fares as with the real ones."""

    def test_surplus_part_header(self):
        """An ESP8266 takes it for data, an ESP32 skips it."""
        for name, expected in (("esp8266", b"Update error: ERROR[10]: Magic byte is not 0xE9\n"), ("esp32", SUCCESS)):
            with self.subTest(name):
                board = self.page(name)
                form = Form(sketch(PAGES[name].family), part_header="Content-Length: 20000")
                self.assertEqual(post(board, "/update", form).body, expected)

    def test_no_part_type(self):
        for name in ("esp8266", "esp32"):
            with self.subTest(name):
                board = self.page(name)
                form = Form(sketch(PAGES[name].family), part_type=None)
                self.assertEqual(post(board, "/update", form).body, SUCCESS)
                board.wait_for(" part .* headers=Content-Disposition$")

    def test_order_of_parameters(self):
        """By position: the file's name is what comes last, so this filesystem image is taken for firmware."""
        board = self.page("esp8266")
        form = Form(image(), disposition='form-data; filename="fw.bin"; name="filesystem"')
        self.assertEqual(post(board, "/update", form).body, SUCCESS)
        board.wait_for(" part name=fw.bin filename=\"filesystem\" ")
        board.wait_for(" upload result=ok .* command=0$")

    def test_no_line_end_after_the_last_boundary(self):
        """The reply comes when the server has given up waiting for it, twice."""
        board = self.page("esp8266")
        connection = Connection(board)
        with contextlib.closing(connection):
            body = Form(image(), tail=b"").body()
            connection.send(head("POST", "/update", *connection.headers(length=len(body))) + body)
            board.wait_for(" upload result=ok ")
            self.assertFalse(board.count(" response "))
            self.assertEqual(connection.read_reply().body, SUCCESS)
        board.wait_for(" body .* tail=none$")

    def test_chunked(self):
        """The first chunk's length is not the boundary: closed without a reply."""
        for name in ("esp8266", "esp32"):
            with self.subTest(name):
                board = self.page(name)
                connection = Connection(board)
                with contextlib.closing(connection):
                    connection.send(head("POST", "/update", *connection.headers("Transfer-Encoding: chunked")) +
                                    chunked(Form(image()).body()))
                    self.assertEqual(connection.read_all().raw, b"")
                self.assertIsNone(board.received())
                board.wait_for(" request .* length=none chunked=yes ")

    def test_charset_behind_the_boundary(self):
        for name in ("esp8266", "esp32"):
            with self.subTest(name):
                board = self.page(name)
                reply = post(board, "/update", Form(image()),
                             content_type=f"multipart/form-data; boundary={BOUNDARY}; charset=utf-8")
                self.assertEqual(reply.raw, b"")
                self.assertIsNone(board.received())

    def test_expectation(self):
        """No 100 Continue: who waits for it waits in vain."""
        board = self.page("esp8266")
        connection = Connection(board)
        with contextlib.closing(connection):
            body = Form(image()).body()
            connection.send(head("POST", "/update", *connection.headers("Expect: 100-continue", length=len(body))))
            board.wait_for(" request .* expect=yes ")
            connection.send(body)
            self.assertTrue(connection.read_reply().raw.startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_origin(self):
        """It must be the page's own: else 401 although the password is right, or an error without one."""
        for options, origin, expected in (
                (("-P", "secret"), "http://192.0.2.1", (401, b"")),
                ((), "http://192.0.2.1", (200, b"Update error: Wrong origin received!")),
                ((), "null", (200, b"Update error: Wrong origin received!")),
                (("--web-set", "unchecked"), "http://192.0.2.1", (200, SUCCESS))):
            with self.subTest(options=options, origin=origin):
                board = self.page("esp32", *options)
                reply = post(board, "/update", Form(sketch("esp32")), basic("admin", "secret"), origin=origin)
                self.assertEqual((reply.status, reply.body), expected)

    def test_body_without_a_file(self):
        """401 on a board without a password: the body was not understood."""
        board = self.page("esp8266")
        connection = Connection(board)
        with contextlib.closing(connection):
            connection.send(head("POST", "/update", *connection.headers(length=9000, content_type="text/x")) + image(9000))
            self.assertEqual(connection.read_reply().status, 401)

    def test_one_client_at_a_time(self):
        """While one is connected, the next is not served."""
        board = self.page("esp8266")
        first = Connection(board)
        with contextlib.closing(first):
            first.send(head("GET", "/update", f"Host: {first.host}"))
            reply = first.read_reply()
            self.assertEqual(reply.header("Connection"), "keep-alive")
            second = Connection(board)
            with contextlib.closing(second):
                second.send(head("GET", "/second", f"Host: {second.host}", "Connection: close"))
                first.send(head("GET", "/first", f"Host: {first.host}"))
                self.assertEqual(first.read_reply().body, b"Not found: /first")
                self.assertFalse(board.count("path=/second"))
                first.close()
                self.assertEqual(second.read_reply().body, b"Not found: /second")
        board.wait_for(" request connection=1 number=2 method=GET path=/first ")

    def test_digest_nonce_is_replaced(self):
        """The core's server keeps one nonce: another client's 401 makes it worthless."""
        for name, again, expected in (("esp8266", False, 200), ("esp8266", True, 401)):
            with self.subTest(name, again=again):
                board = self.page(name, "-P", "secret", "--web-set", "auth=digest")
                challenge = get(board, "/update").header("WWW-Authenticate")
                nonce, opaque = (re.search(rf'{key}="(\w+)"', challenge).group(1) for key in ("nonce", "opaque"))
                if again:
                    get(board, "/update")
                answer = digest("admin", "secret", "GET", "/update", nonce, opaque)
                self.assertEqual(get(board, "/update", answer).status, expected)


def digest(user, password, method, uri, nonce, opaque, realm="Login Required"):
    """The header of RFC 2617 with qop=auth."""
    def md5(*parts):
        return hashlib.md5(":".join(parts).encode()).hexdigest()
    response = md5(md5(user, realm, password), nonce, "00000001", "0a4f113b", "auth", md5(method, uri))
    return (f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", qop=auth, '
            f'nc=00000001, cnonce="0a4f113b", response="{response}", opaque="{opaque}"')


class Faults(PageScenario):

    def upload(self, fault):
        board = self.page("esp8266", "--fault", fault)
        return board, post(board, "/update", Form(image()))

    def test_at_a_byte(self):
        """reset, close, crash: the connection ends there."""
        for fault, ended in (("reset@12345", ("RST",)), ("close@12345", ("RST", "FIN"))):
            with self.subTest(fault):
                board, reply = self.upload(fault)
                self.assertEqual(reply.raw, b"")
                self.assertIn(reply.ended, ended)
                board.wait_for(' upload result=failed bytes=12345 reason="host closed"')

    def test_crash_and_restart_before_the_reply(self):
        """The connection is silent; once the board is back, it answers what comes with a reset."""
        requirement.need_root(self, "a board that answers no probe needs root")
        for fault, seen in (("crash@12345", ' upload result=failed bytes=12345 reason="crash"'),
                            ("drop-verdict", " upload result=ok ")):
            with self.subTest(fault):
                board = self.page("esp8266", "--fault", fault)
                connection = Connection(board)
                with contextlib.closing(connection):
                    body = Form(image()).body()
                    connection.send(head("POST", "/update", *connection.headers(length=len(body))) + body)
                    self.assert_came_back(board)
                    connection.send(b"still there?")
                    reply = connection.read_all()
                self.assertEqual((reply.raw, reply.ended), (b"", "RST"))
                board.wait_for(seen)
                self.assertEqual(get(board, "/update").status, 200)

    def test_early_reply(self):
        """The failure is told in the middle of the image."""
        board = self.page("esp8266", "--fault", "error:ERROR[1]: Flash Write Failed\\n@8192")
        connection = Connection(board)
        with contextlib.closing(connection):
            body = Form(image()).body()
            at = body.index(image()) + 8192
            connection.send(head("POST", "/update", *connection.headers(length=len(body))) + body[:at])
            reply = connection.read_all()
        self.assertEqual((reply.body, reply.ended), (b"Update error: ERROR[1]: Flash Write Failed\n", "FIN"))
        board.wait_for(" upload result=failed bytes=8192 ")

    def test_no_reply(self):
        """Installed, and the client is not told."""
        for fault in ("ok-missing", "ok-reset"):
            with self.subTest(fault):
                board, reply = self.upload(fault)
                self.assertEqual(reply.raw, b"")
                self.assert_came_back(board)
                self.assertEqual(board.received(), image())

    def test_odd_replies(self):
        for fault, raw in (("truncate-reply:20", b"HTTP/1.1 200 OK\r\nCon"),
                           ("raw-reply:HTTP/1.0 200\\r\\n\\r\\nfine", b"HTTP/1.0 200\r\n\r\nfine")):
            with self.subTest(fault):
                board, reply = self.upload(fault)
                self.assertEqual(reply.raw, raw)
                self.assert_came_back(board)
                self.assertEqual(board.received(), image())

    def test_late_401(self):
        board, reply = self.upload("late-401")
        self.assertEqual(reply.status, 401)
        self.assertEqual(board.received(), image())

    def test_stall_and_silence(self):
        """A stalled board, and one that never answers, wait for the client to leave."""
        for fault, seen in (("stall@5000", ' upload result=failed bytes=5000 reason="host closed"'),
                            ("silent", " request "), ("ok-never", " rebooting$")):
            with self.subTest(fault):
                board = self.page("esp8266", "--fault", fault)
                connection = Connection(board)
                with contextlib.closing(connection):
                    body = Form(image()).body()
                    connection.send(head("POST", "/update", *connection.headers(length=len(body))) + body)
                    board.wait_for(" fault order=")
                board.wait_for(seen)
                self.assertFalse(board.count(" response "))

    def test_corrupt(self):
        board, reply = self.upload("corrupt@5000")
        expected = bytearray(image())
        expected[5000] ^= 0x20
        self.assertEqual(reply.body, SUCCESS)
        self.assertEqual(board.received(), bytes(expected))

    def test_client_leaves(self):
        """The core's server ends the update, and the next upload succeeds."""
        board = self.page("esp8266")
        connection = Connection(board)
        with contextlib.closing(connection):
            body = Form(image()).body()
            connection.send(head("POST", "/update", *connection.headers(length=len(body))) + body[:9000])
        board.wait_for(' upload result=failed bytes=\\d+ reason="host closed"')
        self.assertEqual(post(board, "/update", Form(image())).body, SUCCESS)

    def test_slow_flash(self):
        """While a sector is written nothing is read: two whole sectors before the last one's cost too."""
        board = self.page("esp8266", "--write-ms", "200")
        self.assertEqual(post(board, "/update", Form(image())).body, SUCCESS)
        seconds = float(re.search(r"seconds=([\d.]+)", board.wait_for(" upload result=ok ")).group(1))
        self.assertGreaterEqual(seconds, 4 * 0.2)


class ElegantPages(PageScenario):

    def start(self, board, mode="fr", digest="0" * 32):
        return get(board, f"/ota/start?mode={mode}&hash={digest}")

    def test_page(self):
        """It comes packed, whatever is accepted."""
        for name in ("elegantota", "elegantota-async", "elegantota2"):
            with self.subTest(name):
                reply = get(self.page(name), "/update")
                self.assertEqual(reply.header("Content-Encoding"), "gzip")
                self.assertIn(b"ElegantOTA", gzip.decompress(reply.body))
        self.assertEqual(json.loads(get(self.page("elegantota2", family="esp32"), "/update/identity").body)["hardware"],
                         "ESP32")
        self.assertEqual(get(self.page("elegantota"), "/update/identity").status, 404)

    def test_start(self):
        """The hash is looked at and not compared. A second start has no effect; with the ESP8266 core after 3.1.2, it is
        refused, and ends the first."""
        board = self.page("elegantota")
        self.assertEqual([self.start(board).body for _ in range(2)], [b"OK", b"OK"])
        content = image()
        self.assertEqual(post(board, "/ota/upload", Form(content, "file")).body, b"OK")
        board.wait_for(" upload result=ok .* command=0$")
        self.assertEqual(board.received(), content)
        board = self.page("elegantota", "--web-set", "says-running")
        self.assertEqual(self.start(board, digest="123").body, b"MD5 parameter invalid")
        self.assertEqual(self.start(board).body, b"OK")
        reply = self.start(board)
        self.assertEqual((reply.status, reply.body), (400, b"ERROR[15]: Update already running\n\n"))
        self.assertEqual(self.start(board, mode="fs").body, b"OK")
        content = firmware.littlefs(2)
        self.assertEqual(post(board, "/ota/upload", Form(content, "file")).body, b"OK")
        board.wait_for(" upload result=ok .* command=100$")
        self.assertEqual(board.received(), content)

    def test_upload_without_start(self):
        """OK and a restart, and nothing is written; without a file likewise."""
        for name in ("elegantota", "elegantota-async"):
            for content in (image(), None):
                with self.subTest(name, file=content is not None):
                    board = self.page(name)
                    form = Form(content or b"", disposition=None if content else 'form-data; name="x"')
                    self.assertEqual(post(board, "/ota/upload", form).body, b"OK")
                    self.assert_came_back(board)
                    self.assertIsNone(board.received())

    def test_no_automatic_restart(self):
        board = self.page("elegantota", "--web-set", "stays")
        self.assertEqual(self.upload_to(board, "elegantota", image()).body, b"OK")
        self.assertEqual(get(board, "/update").status, 200)
        self.assertFalse(board.count(" rebooting"))

    def test_after_an_unauthorised_upload(self):
        """It was installed and answered 401; the next one, with credentials, is told OK and not written."""
        board = self.page("elegantota", "-P", "secret")
        get(board, "/ota/start?mode=fr", basic("admin", "secret"))
        self.assertEqual(post(board, "/ota/upload", Form(image())).status, 401)
        self.assertEqual(board.received(), image())
        reply = post(board, "/ota/upload", Form(image(30000)), basic("admin", "secret"))
        self.assertEqual((reply.status, reply.body), (200, b"OK"))
        self.assertEqual(board.received(), image())

    def test_version_2_without_md5(self):
        """OK and a restart, and nothing is written."""
        board = self.page("elegantota2")
        self.assertEqual(post(board, "/update", Form(sketch("esp32"))).body, b"OK")
        self.assert_came_back(board)
        self.assertIsNone(board.received())

    def test_version_2_with_wrong_md5(self):
        """Only an old core compares it."""
        for options, body in (((), b"OK"), (("--web-set", "md5"), b"FAIL")):
            with self.subTest(options):
                board = self.page("elegantota2", *options)
                form = Form(sketch("esp32"), fields_first=(("MD5", "0" * 32),))
                self.assertEqual(post(board, "/update", form).body, body)
                board.wait_for(' upload result=failed .* reason="MD5 Check Failed"' if options else " upload result=ok ")


class AsyncRules(PageScenario):

    def exchange(self, board, request):
        connection = Connection(board)
        with contextlib.closing(connection):
            connection.send(request(connection))
            return connection.read_all()

    def test_without_a_length(self):
        """A body of no bytes: OK at once, nothing written, and a restart; a chunked one likewise."""
        for more in ((), ("Transfer-Encoding: chunked",)):
            with self.subTest(more):
                board = self.page("async")
                reply = self.exchange(board, lambda connection: head("POST", "/update", *connection.headers(*more)) + (
                    chunked(Form(image()).body()) if more else Form(image()).body()))
                self.assertEqual(reply.body, b"OK")
                self.assert_came_back(board)
                self.assertIsNone(board.received())

    def test_no_line_end_after_the_last_boundary(self):
        """No reply, closed after 3 s, and installed."""
        board = self.page("async")
        body = Form(image(), tail=b"").body()
        reply = self.exchange(board, lambda connection: head("POST", "/update", *connection.headers(length=len(body)))
                              + body)
        self.assertEqual((reply.raw, reply.ended), (b"", "FIN"))
        self.assertEqual(board.received(), image())
        board.close()
        self.assertFalse(board.count(" response "))

    def test_tolerated(self):
        """Surplus headers of the part, the order of its parameters, what follows the boundary."""
        for form, more in ((Form(image(), part_header="Content-Length: 20000"), {}),
                           (Form(image(), part_type=None), {}),
                           (Form(image(), disposition='form-data; filename="fw.bin"; name="update"'), {}),
                           (Form(image()), {"content_type": f"multipart/form-data; boundary={BOUNDARY}; charset=utf-8"})):
            with self.subTest(form, more=more):
                board = self.page("async")
                self.assertEqual(post(board, "/update", form, **more).body, b"OK")
                self.assertEqual(board.received(), image())

    def test_expectation(self):
        """100 Continue comes when the body has begun."""
        board = self.page("async")
        connection = Connection(board)
        with contextlib.closing(connection):
            body = Form(image()).body()
            connection.send(head("POST", "/update", *connection.headers("Expect: 100-continue", length=len(body))))
            board.wait_for(" request .* expect=yes ")
            connection.send(body[:1])
            self.assertEqual(connection.socket.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            connection.send(body[1:])
            self.assertEqual(connection.read_reply().body, b"OK")

    def test_after_a_broken_upload(self):
        """The update goes on: an ESP32 adds the next upload to it, an ESP8266 with a core after 3.1.2 refuses that one,
        and the one after it succeeds."""
        for name in ("async", "esphome", "esphome-async", "wled-old"):
            page = PAGES[name]
            for family in ("esp8266", "esp32"):
                if page.appends and family == "esp8266":
                    continue
                with self.subTest(name, family=family):
                    board = self.page(name, "--web-set", "says-running", family=family)
                    content = sketch(family)
                    connection = Connection(board)
                    with contextlib.closing(connection):
                        body = Form(content).body()
                        connection.send(head("POST", page.path, *connection.headers(length=len(body))) + body[:9000])
                        board.wait_for(" part ")
                    replies = []
                    while not replies or (page.body not in replies[-1] and len(replies) < 3):
                        replies.append(post(board, page.path, page.form(content)).body)
                        if page.restarts_failed:
                            board.wait_for_count(" open$", len(replies))
                    self.assertEqual(len(replies), 2, replies)
                    failed = int(re.search(r"bytes=(\d+)", board.wait_for(" upload result=failed ")).group(1))
                    self.assertEqual(failed > len(content), family == "esp32")  # appended, or refused
                    self.assertEqual(board.received(), content)

    def test_appended_on_an_esp8266(self):
        """It checks no more than the first byte, and its core up to 3.1.2 has no error for an update that already runs:
        what is installed is a part of the image and the rest of the next one behind it."""
        for name in ("esphome-async", "async", "wled-old", "form"):
            with self.subTest(name):
                page = PAGES[name]
                board = self.page(name, family="esp8266")
                connection = Connection(board)
                with contextlib.closing(connection):
                    body = page.form(image()).body()
                    connection.send(head("POST", page.path, *connection.headers(length=len(body))) + body[:9000])
                    board.wait_for(" part ")
                reply = post(board, page.path, page.form(image()))
                self.assertEqual((reply.status, page.body in reply.body), (page.status, True), reply)
                self.assertTrue(board.received().endswith(image()[-1000:]))
                self.assertNotEqual(board.received(), image())

    def test_long_credentials(self):
        """Basic never matches where user and password have 54 bytes or more; Digest does."""
        for length, expected in ((48, 200), (49, 401)):
            with self.subTest(length):
                password = "p" * length
                board = self.page("async", "-P", password)
                self.assertEqual(get(board, "/update", basic("admin", password)).status, expected)
                nonce, opaque = "0" * 32, "1" * 32
                answer = digest("admin", password, "GET", "/update", nonce, opaque)
                self.assertEqual(get(board, "/update", answer).status, 200)

    def test_several_clients(self):
        board = self.page("async")
        first = Connection(board)
        with contextlib.closing(first):
            first.send(b"GET /")
            self.assertEqual(get(board, "/").body, b"root\n")

    def test_fingerprint(self):
        reply = get(self.page("async"), "/nope")
        self.assertEqual((reply.status, reply.header("Connection"), reply.header("Accept-Ranges")),
                         (404, "close", "none"))


class TasmotaPage(PageScenario):

    def status(self, board, *headers, query=""):
        referer = f"Referer: http://{board.address}/"
        return json.loads(get(board, f"/cm?cmnd=Status%202{query}", referer, *headers).body)

    def test_version(self):
        """The new one after the restart; the same in the header of every page."""
        board = self.page("tasmota")
        before = self.status(board)["StatusFWR"]
        self.assertEqual((before["Version"], before["Hardware"]), ("15.5.0(tasmota)", "ESP8266EX"))
        self.assertEqual(get(board, "/").header("Server"), "Tasmota/15.5.0 (ESP8266EX)")
        self.upload_to(board, "tasmota", image())
        self.assert_came_back(board)
        after = self.status(board)["StatusFWR"]
        self.assertEqual(after["Version"], "15.6.0(tasmota)")
        self.assertNotEqual(after["BuildDateTime"], before["BuildDateTime"])

    def test_given_versions(self):
        board = self.page("tasmota", "--web-set", "version=1.2.3", "--web-set", "version-after=1.2.4")
        self.assertEqual(self.status(board)["StatusFWR"]["Version"], "1.2.3(tasmota)")
        self.upload_to(board, "tasmota", image())
        self.assert_came_back(board)
        self.assertEqual(self.status(board)["StatusFWR"]["Version"], "1.2.4(tasmota)")

    def test_password_of_a_command(self):
        board = self.page("tasmota", "-P", "secret")
        self.assertIn("WARNING", self.status(board))
        self.assertIn("StatusFWR", self.status(board, query="&user=admin&password=secret"))
        self.assertIn("StatusFWR", self.status(board, basic("admin", "secret")))

    def test_referer(self):
        """Without its own, no reply at all; the upload was installed all the same. Older versions do not look."""
        board = self.page("tasmota")
        content = image()
        self.assertEqual(get(board, "/up").raw, b"")
        get(board, "/up", f"Referer: http://{board.address}/")
        reply = post(board, "/u2?fsz=20000", Form(content, "u2"), "Referer: http://192.0.2.1/")
        self.assertEqual((reply.raw, board.received()), (b"", content))
        board = self.page("tasmota", "--web-set", "unchecked")
        self.assertEqual(get(board, "/up").status, 200)
        self.assertIn(b">Successful<", post(board, "/u2?fsz=20000", Form(content, "u2")).body)

    def test_failures(self):
        """Without /up; without a file's name; more than there is room for."""
        for options, gets, form, path, reason in (
                ((), (), {}, "/u2?fsz=20000", b"File invalid"),
                ((), ("/up",), {"filename": ""}, "/u2?fsz=20000", b"No file selected"),
                (("--capacity", "16384"), ("/up",), {}, "/u2?fsz=20000", b"Not enough space"),
                (("--fault", "update-error:1"), ("/up",), {}, "/u2", b"Upload failed. Enable logging 3")):
            with self.subTest(reason):
                board = self.page("tasmota", *options)
                reply = self.upload_to(board, "tasmota", image(), gets=gets, path=path, **form)
                self.assertIn(b">Failed</font></b><br><br>" + reason, reply.body)
                self.assertNotIn(b"location.href", reply.body)
                self.assertIsNone(board.received())

    def test_language(self):
        """Only the script is the same in every language."""
        board = self.page("tasmota", "--web-set", "language=de")
        reply = self.upload_to(board, "tasmota", image(first=0x7F))
        self.assertIn(b">fehlgeschlagen<", reply.body)
        reply = self.upload_to(board, "tasmota", image())
        self.assertIn(b">erfolgreich<", reply.body)
        self.assertIn(b"location.href='.';},24000", reply.body)

    def test_safeboot(self):
        """An upload is for the recovery firmware, which a GET starts."""
        board = self.page("tasmota", "--web-set", "safeboot", family="esp32")
        referer = f"Referer: http://{board.address}/"
        content = sketch("esp32")
        self.assertIn(b"Not enough space", self.upload_to(board, "tasmota", content).body)
        self.assertEqual(get(board, "/u4?u4=fct&api=", referer).body, b"false")
        self.assert_came_back(board)
        self.assertEqual(get(board, "/u4?u4=fct&api=", referer).body, b"true")
        self.assertEqual(self.status(board)["StatusFWR"]["Version"], "15.5.0(safeboot)")
        self.assertIn(b">Successful<", self.upload_to(board, "tasmota", content).body)
        board.wait_for_count(" open$", 2)
        self.assertEqual(self.status(board)["StatusFWR"]["Version"], "15.6.0(tasmota)")

    def test_layouts(self):
        referer = "Referer: http://{}/"
        for family, expected in (("esp32", (200, b"none")), ("esp8266", (404, b"Not found: /u4"))):
            board = self.page("tasmota", family=family)
            reply = get(board, "/u4?u4=fct&api=", referer.format(board.address))
            self.assertEqual((reply.status, reply.body), expected)


class WledPage(PageScenario):

    def test_release(self):
        for options, content, fields, reason in (
                ((), firmware.wled(), (), None),
                (("--web-set", "release=ESP02"), firmware.wled(), (),
                 b"current='ESP02', uploaded='ESP8266'"),
                (("--web-set", "release=ESP02"), firmware.wled(), (("skipValidation", "1"),), None),
                (("--web-set", "release=ESP02_V4"), firmware.wled(release="ESP02"), (), None),
                ((), firmware.wled(safe=(16, 0, 0)), (), None),
                ((), firmware.wled(safe=(15, 9, 9)), (), None),
                ((), firmware.wled(safe=(16, 0, 1)), (),
                 b"Cannot update from this version: requires at least 16.0.1, current='16.0.0'. Enable 'Ignore"),
                ((), image(), (), b"missing compatibility metadata. Enable 'Ignore firmware validation' to proceed"),
                ((), image(4400), (), b"Release check data never arrived?")):
            with self.subTest(options, reason=reason):
                board = self.page("wled", *options)
                reply = post(board, "/update", Form(content, "update", fields_first=fields))
                self.assertEqual(reply.status, 500 if reason else 200)
                self.assertIn(reason or b"Update successful!", reply.body)
                self.assertEqual(board.received(), None if reason else content)

    def test_version(self):
        board = self.page("wled")
        before = json.loads(get(board, "/json/info").body)
        self.assertEqual((before["brand"], before["ver"], before["arch"]), ("WLED", "16.0.0", "esp8266"))
        self.upload_to(board, "wled", image())
        self.assert_came_back(board)
        after = json.loads(get(board, "/json/info").body)
        self.assertEqual((after["ver"], after["mac"]), ("16.1.0", before["mac"]))
        self.assertGreater(after["vid"], before["vid"])

    def tell_pin(self, board, kind, pin):
        connection = Connection(board)
        with contextlib.closing(connection):
            body = f'{{"pin":"{pin}"}}'.encode()
            connection.send(head("POST", "/json/state", *connection.headers(length=len(body), content_type=kind)) + body)
            connection.read_reply()

    def test_fenced(self):
        """An upload from another network is refused, not the page; a PIN opens the board to all networks."""
        board = self.page("wled", "--web-set", "fenced")
        self.assertIn(b"WLED Update", get(board, "/update").body)
        reply = self.upload_to(board, "wled", sketch("esp8266"))
        self.assertEqual((reply.status, board.received()), (401, None))
        self.assertIn(b"Client is not on local subnet.", reply.body)
        board = self.page("wled", "--web-set", "fenced", "--web-set", "pin=1234")
        self.tell_pin(board, "application/json", "1234")
        board.wait_for(" pin right=yes$")
        self.assertIn(b"Update successful!", self.upload_to(board, "wled", sketch("esp8266")).body)

    def test_lock_and_pin(self):
        """Neither installs anything; the PIN unlocks the board for all."""
        for name, pin_status, denied in (("wled", 401, b"unlock settings using PIN"), ("wled-old", 200, b"PIN required")):
            content = sketch(PAGES[name].family)
            for setting, status in (("locked", 401), ("pin=1234", pin_status)):
                with self.subTest(name, setting=setting):
                    board = self.page(name, "--web-set", setting)
                    self.assertEqual(get(board, "/update").status, status)
                    self.assertNotIn(b"WLED Update", get(board, "/update").body)
                    reply = self.upload_to(board, name, content)
                    self.assertEqual(reply.status, status)
                    self.assertNotIn(b"successful", reply.body)
                    self.assertIsNone(board.received())
            for kind, pin in (("text/plain", "1234"), ("application/json", "1235"), ("application/json", "1234")):
                self.tell_pin(board, kind, pin)
                self.assertIn(denied, self.upload_to(board, name, content).body)
                self.assertIn(b"PIN required", get(board, "/update").body)
                self.assertEqual([event for event in board.events if " pin right=" in event][1:], [])
            board = self.page(name, "--web-set", "pin=1234")
            self.tell_pin(board, "application/json", "1234")
            board.wait_for(" pin right=yes$")
            self.assertIn(b"Update successful!", self.upload_to(board, name, content).body)


class OtherPages(PageScenario):

    def test_webupdater(self):
        """307 with where to look next; every path is the page."""
        board = self.page("webupdater")
        self.assertIn(b"name='update'", get(board, "/any").body)
        reply = self.upload_to(board, "webupdater", sketch("esp32"))
        self.assertEqual((reply.status, reply.header("Location"), reply.header("Refresh")), (307, "/", "10"))
        board = self.page("webupdater", "-P", "secret")
        reply = post(board, "/update", Form(sketch("esp32")), basic("admin", "secret"), origin="http://192.0.2.1")
        self.assertEqual((reply.status, board.received()), (401, None))

    def test_old_webupdater_without_a_file(self):
        board = self.page("webupdater-old")
        self.assertIn(b"ESP32 Login Page", get(board, "/").body)
        self.assertIn(b"name='update'", get(board, "/serverIndex").body)
        reply = post(board, "/update", Form(disposition='form-data; name="x"'))
        self.assertEqual(reply.body, b"OK")
        self.assert_came_back(board)

    def test_esphome(self):
        """No page at /update; a length is wanted; a form without a file fails, and restarts nothing."""
        for name in ("esphome", "esphome-async"):
            with self.subTest(name):
                board = self.page(name)
                self.assertEqual(get(board, "/update").status, 404)
                self.assertIn(b"<esp-app>", get(board, "/").body)
                self.assertEqual(post(board, "/update", Form(disposition='form-data; name="x"')).body, b"Update Failed!")
                self.assertFalse(board.count(" rebooting"))
        board = self.page("esphome")
        connection = Connection(board)
        with contextlib.closing(connection):
            connection.send(head("POST", "/update", *connection.headers()))
            self.assertEqual(connection.read_reply().status, 411)
        challenge = get(self.page("esphome", "-P", "secret"), "/")
        self.assertEqual((challenge.status, challenge.header("Connection")), (401, "keep-alive"))

    def test_espurna(self):
        board = self.page("espurna")
        self.assertIn(b"<title>ESPurna 0.0.0</title>", get(board, "/").body)
        reply = post(board, "/upgrade", Form(disposition='form-data; name="x"'))
        self.assertEqual((reply.status, reply.body), (400, b"ERROR: Invalid request"))
        self.assertEqual(reply.header("X-Frame-Options"), "deny")

    def test_safeboot(self):
        """Unknown paths lead to the page; /cancel restarts."""
        board = self.page("safeboot")
        reply = get(board, "/generate_204")
        self.assertEqual((reply.status, reply.header("Location")), (302, "/"))
        self.assertRegex(get(board, "/chipspecs").body, rb"^ESP32.*\(4 MB\)$")
        self.assertEqual(get(board, "/sbversion").status, 200)
        connection = Connection(board)
        with contextlib.closing(connection):
            connection.send(head("POST", "/cancel", *connection.headers(length=0, content_type=None)))
            self.assertEqual(connection.read_reply().status, 200)
        self.assert_came_back(board)

    def test_async_updater(self):
        """A POST without the query crashes the board; after a broken upload the next one is dropped, and answered as a
        success, and the one after the restart is installed."""
        for family in ("esp8266", "esp32"):
            with self.subTest(family):
                content = sketch(family)
                form, path = PAGES["asyncupdate"].form(content), PAGES["asyncupdate"].path
                board = self.page("asyncupdate", family=family)
                with contextlib.suppress(OSError):
                    self.assertEqual(post(board, "/update", form).raw, b"")
                self.assert_came_back(board)

                connection = Connection(board)
                with contextlib.closing(connection):
                    body = form.body()
                    connection.send(head("POST", path, *connection.headers(length=len(body))) + body[:9000])
                    board.wait_for(" part ")
                self.assertIn(SUCCESS, post(board, path, form).body)
                board.wait_for_count(" open$", 2)
                self.assertIsNone(board.received())
                self.assertIn(SUCCESS, post(board, path, form).body)
                self.assertEqual(board.received(), content)

    def test_preflight(self):
        """What a browser asks before it sends a form of another site: an ESP8266 allows all."""
        board = self.page("esp8266")
        connection = Connection(board)
        with contextlib.closing(connection):
            connection.send(head("OPTIONS", "/update", f"Host: {connection.host}"))
            reply = connection.read_reply()
        self.assertEqual((reply.body, reply.header("Access-Control-Allow-Origin")), (b"y", "*"))

    def test_closed_at_first(self):
        """The port is closed until the board is back."""
        with self.assertRaises(ConnectionRefusedError):
            Connection(self.page("form", "--fault", "closed:86400000"))
        board = self.page("form", "--fault", "closed:1")
        board.wait_for(" open$")
        self.assertEqual(get(board, "/").status, 200)

    def test_settings(self):
        """Mistakes in them have a message each."""
        for arguments, said in ((("--web", "nosuch"), "nosuch: no such page"),
                                (("--web-set", "nosuch"), "there is no setting `nosuch'"),
                                (("--web-set", "auth=odd"), "`auth=odd' does not read as auth=SCHEME"),
                                (("--web-set", "unchecked=1"), "`unchecked=1' does not read as unchecked"),
                                (("--web-set", "user"), "`user' does not read as user=NAME")):
            with self.subTest(arguments):
                run = subprocess.run([SIMULATOR, *arguments], capture_output=True, text=True, check=False,
                                     timeout=DEADLINE_S)
                self.assertEqual(run.returncode, 2)
                self.assertIn(said, run.stderr)

    def test_other_credentials(self):
        board = self.page("form", "-P", "secret", "--web-set", "user=me", "--web-set", "realm=here", "--web-set",
                          "path=/put")
        self.assertEqual(get(board, "/").header("WWW-Authenticate"), 'Basic realm="here"')
        self.assertEqual(post(board, "/put", Form(image()), basic("me", "secret")).body, b"Done")


@dataclasses.dataclass
class Recording:
    """A request to a genuine server, and what it replied."""

    name: str
    arguments: list   # (option, value) of the program that sent it, or curl's command line
    body_bytes: int   # of the request; None: not recorded
    reply: bytes      # in which nonces are masked
    is_curl: bool


def masked(reply, *headers):
    """Without what differs each time."""
    for pattern, by in ((rb'(nonce|opaque)="\w+"', rb'\1="x"'), *((name + rb": .*", name + b": x") for name in headers)):
        reply = re.sub(pattern, by, reply)
    return reply


def read_recordings(name):
    """Those of a file, by section."""
    with open(os.path.join(VECTORS, name), encoding="utf-8") as file:
        blocks = re.split(r"^(=== .*|#{3,} .*|--- .*)$", file.read(), flags=re.M)[1:]
    sections = {"": []}
    section = ""
    for title, text in zip(blocks[::2], blocks[1::2]):
        if not title.startswith("==="):
            section = title.lstrip("#- ")
            sections[section] = []
            continue
        size = re.search(r"^# body bytes (\d+)$", text, re.M)
        is_curl = title.startswith("=== curl ")
        if is_curl:
            reply = "".join(line[2:] + "\r\n" for line in text.split("\n") if line.startswith("< ")).encode()
            arguments = title.removeprefix("=== curl ").split()
        else:
            reply = b"".join(ast.literal_eval(part) for part in re.findall(r"^[\d.]+ \+\S+(?: \d+\))? (b'.*')$", text, re.M))
            arguments = [part.partition(" ")[::2] for part in re.split("(?:^| )--(?=[A-Za-z])", title[4:])[1:]]
            arguments = [(option, value.strip()) for option, value in arguments]
        sections[section].append(Recording(title, arguments, int(size.group(1)) if size else None, masked(reply), is_curl))
    return sections


class Recordings(PageScenario):
    """The genuine servers' replies, byte by byte."""

    SKIPPED = "abortafter"  # artefacts of the recorded build, which ran on no board

    def content(self, options):
        size = int(options.get("size", 20000))
        if options.get("file") == "bad.bin":
            return image(20000, first=0x7F)
        if options.get("file") == "esp32.bin":
            return sketch("esp32", size) if size >= 1000 else image(size)
        return image(size) if size else b""

    def body(self, options):
        """What the recording program sent; --raw and --nobody are no forms."""
        content = self.content(options)
        if "nobody" in options:
            return b""
        if "raw" in options:
            return content
        fields = [tuple(options["fieldfirst"].split("="))] if "fieldfirst" in options else ()
        return Form(content, options.get("field", "firmware"), options.get("filename", "fw.bin"),
                    options.get("disp"), None if "nopartct" in options else "application/octet-stream",
                    options.get("partheader"), fields, b"" if "notail" in options else b"\r\n").body()

    def head(self, connection, options, length):
        default = "application/octet-stream" if "raw" in options else f"multipart/form-data; boundary={BOUNDARY}"
        lines = [] if "nohost" in options else [f"Host: {connection.host}"]
        lines += [f"Connection: {options.get('conn', 'close')}"] if options.get("conn", "close") else []
        lines += [basic(*options["auth"].split(":"))] if "auth" in options else []
        lines += [options["H"]] if "H" in options else []
        lines += [f"Content-Type: {options.get('cth', default)}"]
        lines += ["Transfer-Encoding: chunked"] if "chunked" in options else []
        lines += [] if {"chunked", "nolen"} & set(options) else [f"Content-Length: {length}"]
        return head("POST", options.get("path", "/update"), *lines, version=options.get("http", "1.1"))

    def replay(self, board, recording):
        """Sends it again; returns the reply."""
        options = dict(recording.arguments)
        connection = Connection(board)
        with contextlib.closing(connection):
            body = self.body(options)
            sent = chunked(body, 1000) if "chunked" in options else body
            self.assertEqual(len(sent), recording.body_bytes)
            connection.send(self.head(connection, options, len(body)))
            if "headerpause" in options:
                board.wait_for(" request ")
            connection.send(sent)
            if "halfclose" in options:
                connection.socket.shutdown(socket.SHUT_WR)
            wanted = len(recording.reply)
            return connection.read_until_length(wanted)

    def check(self, name, section, page, *options, family=None):
        recordings = [one for one in read_recordings(name)[section]
                      if not one.is_curl and self.SKIPPED not in dict(one.arguments)]
        self.assertTrue(any(recording.reply for recording in recordings))
        for recording in recordings:
            with self.subTest(recording.name):
                board = self.page(page, *options, family=family)
                self.assertEqual(masked(self.replay(board, recording).raw), recording.reply)
                board.close()

    def test_esp8266(self):
        self.check("esp8266-webupd.txt", "", "esp8266", "--capacity", "700000", "--fs-capacity", "1000000")

    def test_esp8266_with_password(self):
        self.check("auth-elegant.txt", "ESP8266HTTPUpdateServer with password", "esp8266", "-P", "secret")

    def test_without_a_file_after_an_error(self):
        """On the same board: the last upload's text again; and what follows."""
        sections = read_recordings("esp8266-webupd.txt")
        board = self.page("esp8266", "--capacity", "700000")
        post(board, "/update", Form(image(800000)))
        for recording in sections["same server, after error: POST without file"][:4]:
            with self.subTest(recording.name):
                self.assertEqual(self.replay(board, recording).raw, recording.reply)

    def test_async(self):
        self.check("async.txt", "plain v2", "elegantota2")

    def test_async_with_password(self):
        self.check("async.txt", "auth", "elegantota-async", "-P", "secret")

    def test_by_curl(self):
        """Its own command lines; the lengths of the pages differ, and the first Digest is an empty POST. The core was one
        after 3.1.2."""
        page = "esp8266"
        for section, recordings in read_recordings("auth-elegant.txt").items():
            if "ElegantOTA" in section:
                page = "elegantota"
            password = ("-P", "secret") if "password" in section or page == "esp8266" else ()
            board = self.page(page, "--web-set", "says-running", *password)
            restarts = 0
            for recording in [one for one in recordings if one.is_curl]:
                with self.subTest(section, recording=recording.name):
                    heads = self.curl_again(board, recording)
                    self.assertEqual(heads, masked(recording.reply, b"Content-Length"))
                if b" 200 OK" in heads and {"-F", "-X"} & set(recording.arguments):
                    restarts += 1
                    board.wait_for_count(" open$", restarts)

    def curl_again(self, board, recording):
        """The heads of all replies."""
        *arguments, url = [one for one in recording.arguments if one not in ("-o", "/dev/null")]
        content = image(20000, first=0x7F) if "@bad.bin" in " ".join(arguments) else image(297632)
        arguments = [re.sub("@.*", "@" + self.file("fw.bin", content), one) for one in arguments]
        if "@" in url:
            arguments += ["-u", "admin:secret"]
        path = re.sub("^http://[^/]*", "", url)
        heads = self.file("heads", b"")
        subprocess.run(["curl", "--silent", "--max-time", "60", "--dump-header", heads, "--output", "/dev/null",
                        *arguments, f"http://{board.address}:{board.port}{path}"], check=True)
        with open(heads, "rb") as file:
            return masked(file.read(), b"Content-Length")


if __name__ == "__main__":
    unittest.main()
