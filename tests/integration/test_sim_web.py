#!/usr/bin/env python3
"""The web pages of the simulated board, with curl and with plain sockets: what the scenarios rely on."""

import contextlib
import dataclasses
import hashlib
import os
import re
import subprocess
import unittest

import firmware
from scenario import Scenario, image, sketch
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
    "async": Page("esp8266", "/update", "update", 200, b"OK", scheme="Digest", restarts_failed=True,
                  failure=(200, b"FAIL")),
    "tasmota": Page("esp8266", "/u2?fsz=20000", "u2", 200, b">Successful</font>", before=("/up",), late=True,
                    failure=(200, b">Failed</font></b><br><br>Invalid file signature<")),
    "wled": Page("esp8266", "/update", "update", 200, b"Update successful!", scheme=None,
                 fields=(("skipValidation", "1"),),
                 failure=(500, b"<h2>Update failed!</h2>ERROR[10]: Magic byte is not 0xE9<")),
    "wled-old": Page("esp32", "/update", "update", 200, b"Update successful!", scheme=None,
                     failure=(500, b"Update failed!")),
    "esphome": Page("esp32", "/update", "file", 200, b"Update Successful!", failure=(200, b"Update Failed!")),
    "esphome-async": Page("esp8266", "/update", "file", 200, b"Update Successful!", scheme="Digest",
                          failure=(200, b"Update Failed!")),
    "espurna": Page("esp8266", "/upgrade", "filename", 200, b"OK", scheme="Digest",
                    failure=(400, b"ERROR: No magic byte / invalid flash config")),
    "safeboot": Page("esp32", "/", "firmware", 200, b"Update Success! Rebooting...", scheme=None, filesystem={},
                     filesystem_path="/?mode=1", failure=(500, b"Update error: Decryption error")),
}


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


if __name__ == "__main__":
    unittest.main()
