#!/usr/bin/env python3
"""The sketch server of the simulated board: what the genuine one replied, and its literal parser."""

import ast
import contextlib
import os
import re
import unittest

import firmware
from scenario import Scenario, sketch
from web_client import Connection, basic, chunked, head

VECTORS = os.path.join(os.environ["ESP_OTA_VECTORS"], "web")
KEY = basic("arduino", "password")


def read_exchanges(name):
    """Title, size of the body, and the reply, of each that got one."""
    with open(os.path.join(VECTORS, name), encoding="utf-8") as file:
        blocks = re.split(r"^=== (.*)$", file.read(), flags=re.M)[1:]
    for title, text in zip(blocks[::2], blocks[1::2]):
        parts = re.findall(r"^[\d.]+ \+\S+ (b'.*')$", text.partition("\n---")[0], re.M)
        if parts:
            size = int(re.search(r"^# body bytes (\d+)$", text, re.M)[1])
            yield title, size, b"".join(ast.literal_eval(part) for part in parts)


class Recordings(Scenario):

    def exchange(self, board, request):
        connection = Connection(board)
        with contextlib.closing(connection):
            connection.send(request)
            return connection.read_all()

    @staticmethod
    def request(title, size):
        options = dict(part.partition(" ")[::2] for part in re.split(r"(?:^| )--", title)[1:])
        auth = options.get("auth")
        headers = [basic(*auth.split(":"))] if auth else []
        if "chunked" in options:
            body = chunked(b"\x7f" * 100000)
            headers.append("Transfer-Encoding: chunked")
        else:
            body = firmware.noise(size, first=0x7F if "bad" in title else 0xE9)
            headers += [] if "nolen" in options else [f"Content-Length: {size}"]
        return head("POST", options.get("path", "/sketch"), *headers, version=options.get("http", "1.1")) + body

    def test_replies(self):
        """Byte by byte, as often as there is a recording."""
        exchanges = [*read_exchanges("ja.txt"), *read_exchanges("ja2.txt")]
        self.assertGreater(len(exchanges), 12)
        for title, size, reply in exchanges:
            with self.subTest(title):
                board = self.board("--web", "sketch", "-p", "0", "-P", "password", "--capacity", "500000")
                self.assertEqual(self.exchange(board, self.request(title, size)).raw, reply)
                board.close()

    def test_other_replies(self):
        small = sketch("esp8266", 8192)
        length = f"Content-Length: {len(small)}"
        rows = (
            ("GET", head("GET", "/"), 404),
            ("a query", head("POST", "/sketch?x=1", KEY, length) + small, 404),
            ("lower-case names", head("POST", "/sketch", KEY.lower(), length.lower()), 401),
            ("a lower-case length", head("POST", "/sketch", KEY, length.lower()), 400),
            ("two blanks", head("POST", "/sketch", KEY.replace(": ", ":  "), length) + small, 401),
            ("another user", head("POST", "/sketch", basic("admin", "password"), length) + small, 401),
            ("no body", head("POST", "/sketch", KEY, "Content-Length: 0"), 400),
            ("a form's type", head("POST", "/sketch", KEY, length, "Content-Type: multipart/form-data; boundary=x") + small,
             200),
        )
        for name, request, status in rows:
            with self.subTest(name):
                board = self.board("--web", "sketch", "-p", "0", "-P", "password")
                self.assertEqual(self.exchange(board, request).status, status)
                board.close()
                self.assertEqual(board.received(), small if status == 200 else None)

    def test_wrong_first_byte(self):
        """200 all the same, and a restart into what ran before."""
        board = self.board("--web", "sketch", "-p", "0", "-P", "password")
        content = firmware.noise(8192, first=0x7F)
        reply = self.exchange(board, head("POST", "/sketch", KEY, "Content-Length: 8192") + content)
        self.assertEqual(reply.status, 200)
        board.wait_for(" rebooting")
        board.close()
        self.assertIsNone(board.received())


if __name__ == "__main__":
    unittest.main()
