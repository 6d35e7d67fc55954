#!/usr/bin/env python3
"""The simulated board's ESPHome service, with plain sockets: what the scenarios rely on."""

import hashlib
import os
import socket
import subprocess
import unittest

from scenario import DEADLINE_S, SIMULATOR, Scenario, sketch

MAGIC = bytes.fromhex("6c26f75c45")
VECTORS = os.path.join(os.environ["ESP_OTA_VECTORS"], "noise.txt")
KEY = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="  # of the vectors


class Client:
    """One connection to the board."""

    def __init__(self, board):
        self.socket = socket.create_connection((board.address, board.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def take(self, count):
        data = b""
        while len(data) < count:
            chunk = self.socket.recv(count - len(data))
            if not chunk:
                break
            data += chunk
        return data

    def rest(self):
        """All until the board closes."""
        data = b""
        while chunk := self.socket.recv(4096):
            data += chunk
        return data

    def greet(self, features):
        self.send(MAGIC)
        greeting = self.take(2)
        self.send(bytes([features]))
        return greeting


class SimEsphome(Scenario):

    def device(self, *sets, options=(), family="esp32"):
        return self.board("--esphome", "-p", "0", *(part for name in sets for part in ("--esphome-set", name)),
                          *options, family=family)

    def upload(self, client, content):
        """From the size to the last reply of the board; returns what it said for the data."""
        client.send(len(content).to_bytes(4, "big"))
        self.assertEqual(client.take(1), b"\x42")
        client.send(hashlib.md5(content).hexdigest().encode())
        self.assertEqual(client.take(1), b"\x43")
        client.send(content)
        said = b""
        while said[-1:] != b"\x45":
            byte = client.take(1)
            self.assertTrue(byte, said)
            said += byte
        client.send(b"\0")
        return said

    def test_versions(self):
        """Version 2 acknowledges each 8 KiB and the rest, version 1 nothing."""
        content = sketch("esp32", 20000)
        for sets, features, greeting, reply, acks in (
                (("protocol=1",), 3, b"\0\1", b"\x40", 0), ((), 3, b"\0\2", b"\x40", 3),
                ((), 15, b"\0\2", b"\x40", 3), (("extended",), 3, b"\0\2", b"\x40", 3),
                (("extended",), 7, b"\0\2", b"\x48\0", 3), ((f"key={KEY}",), 7, b"\0\2", b"\x48\0", 3)):
            with self.subTest(sets, features=features):
                board = self.device(*sets, options=("--restart-ms", "500"))
                with Client(board) as client:
                    self.assertEqual(client.greet(features), greeting)
                    self.assertEqual(client.take(len(reply) + 1), reply + b"\x41")
                    if reply[0] == 0x48:
                        client.send(b"\0")
                    self.assertEqual(self.upload(client, content), b"\x47" * acks + b"\x44\x45")
                    board.wait_for(" acknowledged$")
                board.wait_for(" rebooting$")
                self.assertEqual(board.received(), content)

    def test_passwords(self):
        for sets, algorithm, kind in ((("md5",), "md5", b"\1"), ((), "sha256", b"\2")):
            for password, reply in (("secret", b"\x41"), ("wrong", b"\x82")):
                with self.subTest(algorithm, password=password):
                    board = self.device(*sets, options=("-P", "secret"))
                    size = hashlib.new(algorithm).digest_size * 2
                    with Client(board) as client:
                        client.greet(3)
                        self.assertEqual(client.take(2), b"\x40" + kind)
                        nonce, cnonce = client.take(size), b"c" * size
                        answer = hashlib.new(algorithm, password.encode() + nonce + cnonce).hexdigest()
                        client.send(cnonce + answer.encode())
                        self.assertEqual(client.take(1), reply)
                        if reply == b"\x82":
                            self.assertEqual(client.rest(), b"")

    def test_no_sha256(self):
        """A device that knows nothing else refuses a client that does not."""
        with Client(self.device(options=("-P", "secret"))) as client:
            client.greet(1)
            self.assertEqual(client.rest(), b"\x40\x82")

    def test_packed(self):
        for features, sets, reply in ((3, ("packed",), b"\x46"), (2, ("packed",), b"\x40"), (3, (), b"\x40"),
                                      (7, ("packed", "extended"), b"\x48\x01")):
            with self.subTest(sets, features=features), Client(self.device(*sets, family="esp8266")) as client:
                client.greet(features)
                self.assertEqual(client.take(len(reply) + 1), reply + b"\x41")

    def test_encryption_required(self):
        for features, reply in ((7, b"\x94"), (3, b"\x94"), (15, b"")):
            with self.subTest(features=features), Client(self.device(f"key={KEY}", "encrypted")) as client:
                client.greet(features)
                if reply:
                    self.assertEqual(client.rest(), reply)
                else:
                    self.assertEqual(client.take(2), b"\x48\x04")

    def test_handshake(self):
        """It takes the first message of the vectors, which the device's own library has made, and no other."""
        with open(VECTORS, encoding="ascii") as file:
            vectors = dict(line.split() for line in file if not line.startswith("#"))
        message = bytes.fromhex(vectors["msg1"])
        forged = message[:-1] + bytes([message[-1] ^ 1])
        for sets, sent, reply in (((f"key={KEY}",), message, b"\x01\x00\x31\x00"),
                                  ((f"key={KEY}",), forged, b"\x01\x00\x16\x01"),
                                  (("key=" + "A" * 43 + "=",), message, b"\x01\x00\x16\x01")):
            with self.subTest(sets, forged=sent == forged), Client(self.device(*sets)) as client:
                client.greet(15)
                self.assertEqual(client.take(2), b"\x48\x04")
                client.send(b"\x01\x00\x31\x00" + sent)
                self.assertEqual(client.take(4), reply)
                if reply[-1] == 1:
                    self.assertEqual(client.rest(), b"Handshake MAC failure")
                else:
                    self.assertEqual(len(client.take(48)), 48)
                    self.assertEqual(len(client.take(20)), 20)  # 41 in a frame

    def test_errors_to_order(self):
        content = sketch("esp32")
        for sets, options, said in ((("error-magic=80",), (), b"\x80"), (("error-features=ff",), (), b"\0\2\xff"),
                                    (("error-size=89",), (), b"\0\2\x40\x41\x89"),
                                    (("error-md5=81",), (), b"\0\2\x40\x41\x42\x81"),
                                    ((), ("--fault", r"error:\x83@20000"), b"\0\2\x40\x41\x42\x43\x47\x47\x83"),
                                    ((), ("--fault", r"error-end:\x8b"), b"\0\2\x40\x41\x42\x43\x47\x47\x47\x8b"),
                                    (("protocol=1",), ("--fault", "corrupt@100"), b"\0\1\x40\x41\x42\x43\x44\x8b"),
                                    ((), ("--capacity", "1000"), b"\0\2\x40\x41\x89")):
            with self.subTest(sets, options=options):
                board = self.device(*sets, options=options)
                with Client(board) as client:
                    md5 = hashlib.md5(content).hexdigest().encode()
                    steps = ((MAGIC, 2), (b"\3", 2), (len(content).to_bytes(4, "big"), 1), (md5, 1), (content, 99))
                    heard = b""
                    try:
                        for data, count in steps:
                            client.send(data)
                            heard += client.take(count)
                    except (BrokenPipeError, ConnectionResetError):
                        heard += client.take(1)  # it has closed with data unread
                    self.assertEqual(heard, said)
                self.assertIsNone(board.received())

    def test_wrong_magic(self):
        with Client(self.device()) as client:
            client.send(b"GET /")
            self.assertEqual(client.rest(), b"\x80")

    def test_patience(self):
        """It gives each step its time, and then closes."""
        board = self.device("read-ms=50")
        with Client(board) as client:
            client.send(MAGIC)
            self.assertEqual(client.rest(), b"\0\2")
        board.wait_for(' client result=closed reason="time-out"$')

    def test_one_at_a_time(self):
        """The second client is served when the first has gone."""
        board = self.device()
        with Client(board) as first, Client(board) as second:
            self.assertEqual(first.greet(3), b"\0\2")
            second.send(MAGIC)
            board.wait_for(" features ")
            self.assertEqual(board.count(" client$"), 1)
            first.socket.close()
            self.assertEqual(second.take(2), b"\0\2")

    def test_settings(self):
        """Each setting is listed, and a wrong one is refused."""
        for setting, words in (("nonsense", "there is no setting"), ("protocol=x", "does not read as protocol=N"),
                               ("key=short", "does not read as key=BASE64"), ("md5=1", "does not read as md5")):
            result = subprocess.run([SIMULATOR, "--esphome", "--esphome-set", setting], capture_output=True, text=True,
                                    check=False, timeout=DEADLINE_S)
            self.assertEqual(result.returncode, 2)
            self.assertIn(words, result.stderr)


if __name__ == "__main__":
    unittest.main()
