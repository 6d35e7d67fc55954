#!/usr/bin/env python3
"""The web pages of the simulated board, with curl and with plain sockets: what the scenarios rely on."""

import ast
import contextlib
import hashlib
import os
import re
import subprocess
import unittest

import firmware
import web_client
from scenario import SIMULATOR, Scenario, folder, image, sketch
from web_client import BOUNDARY, Connection, Form, basic, chunked, get, head, post

VECTORS = os.path.join(os.environ["ESP_OTA_VECTORS"], "web")
SUCCESS = b'<META http-equiv="refresh" content="15;URL=/">Update Success! Rebooting...'
NEVER_UPDATED = "request .* method=POST"

# page: family, path of the upload, its field, the reply to a success
PAGES = {
    "esp8266": ("esp8266", "/update", "firmware", (200, SUCCESS)),
    "esp32": ("esp32", "/update", "firmware", (200, SUCCESS)),
    "form": ("esp8266", "/flash", "image", (200, b"Done")),
}


class PageScenario(Scenario):

    def page(self, name, *options, family=None, **more):
        """A board with this page, at any port."""
        return self.board("--web", name, "-p", "0", *options, family=family or PAGES[name][0], **more)

    def firmware(self, board_family, size=20000):
        return sketch(board_family, size)

    def curl(self, board, path, *arguments):
        """Runs curl as its user would; returns its output."""
        url = f"http://{board.address}:{board.port}{path}"
        return subprocess.run(["curl", "--silent", "--show-error", "--max-time", "60", *arguments, url],
                              capture_output=True, check=True).stdout

    def assert_came_back(self, board):
        board.wait_for(" rebooting$")
        board.wait_for(" open$")


class Uploads(PageScenario):

    def test_by_curl(self):
        """What a browser sends installs, and the board restarts."""
        for name, (family, path, field, (_, body)) in PAGES.items():
            with self.subTest(name):
                board = self.page(name)
                content = self.firmware(family)
                file = self.file("fw.bin", content)
                said = self.curl(board, path, "-F", f"{field}=@{file}", "-H",
                                 f"Origin: http://{board.address}:{board.port}")
                self.assertEqual(said, body)
                self.assert_came_back(board)
                self.assertEqual(board.received(), content)
                board.wait_for(r" part name=\S+ filename=\"fw.bin\" headers=Content-Disposition,Content-Type$")
                board.wait_for(r" body bytes=\d+ boundary=-+\w+ tail=crlf$")

    def test_authentication(self):
        """Right, wrong, none: a 401 comes after the whole body, and nothing is installed."""
        for name, (family, path, field, (status, body)) in PAGES.items():
            for credentials, expected in (((), 401), ((basic("admin", "wrong"),), 401),
                                          ((basic("root", "secret"),), 401),
                                          ((basic("admin", "secret"),), status)):
                with self.subTest(name, credentials=credentials):
                    board = self.page(name, "-P", "secret")
                    content = self.firmware(family)
                    reply = post(board, path, Form(content, field), *credentials)
                    self.assertEqual(reply.status, expected)
                    if expected == 401:
                        self.assertEqual(reply.header("WWW-Authenticate"), 'Basic realm="Login Required"')
                        self.assertIsNone(board.received())
                    else:
                        self.assertEqual(reply.body, body)
                        self.assertEqual(board.received(), content)

    def test_digest_by_curl(self):
        """curl begins Digest with an empty POST; the nonce of its 401 is good for the next request."""
        for name, (family, path, field, (_, body)) in PAGES.items():
            with self.subTest(name):
                board = self.page(name, "-P", "secret", "--web-set", "auth=digest")
                content = self.firmware(family)
                file = self.file("fw.bin", content)
                said = self.curl(board, path, "--digest", "-u", "admin:secret", "-F", f"{field}=@{file}",
                                 "-H", f"Origin: http://{board.address}:{board.port}")
                self.assertEqual(said, body)
                self.assertEqual(board.received(), content)
                board.wait_for(" request .* authorised=yes scheme=digest ")

    def test_filesystem(self):
        for name in ("esp8266", "esp32"):
            with self.subTest(name):
                board = self.page(name)
                content = firmware.littlefs(2)
                reply = post(board, "/update", Form(content, "filesystem"))
                self.assertEqual((reply.status, reply.body), (200, SUCCESS))
                board.wait_for(" upload result=ok .* command=100$")
                self.assertEqual(board.received(), content)

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
                form = Form(sketch(PAGES[name][0]), part_header="Content-Length: 20000")
                self.assertEqual(post(board, "/update", form).body, expected)

    def test_no_part_type(self):
        for name in ("esp8266", "esp32"):
            with self.subTest(name):
                board = self.page(name)
                form = Form(sketch(PAGES[name][0]), part_type=None)
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

    def upload(self, *faults, name="esp8266"):
        options = [option for fault in faults for option in ("--fault", fault)]
        board = self.page(name, *options)
        return board, post(board, PAGES[name][1], Form(self.firmware(PAGES[name][0])))

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
