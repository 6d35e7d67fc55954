#!/usr/bin/env python3
"""Simulated boards that fetch: what each library sends, byte by byte, and what it makes of a reply."""

import gzip
import hashlib
import os
import re
import socket
import subprocess
import unittest

from elsewhere import elsewhere
import firmware
from peer import WebPeer
from scenario import DEADLINE_S, SIMULATOR, Scenario

RECORDING = os.path.join(os.environ["ESP_OTA_VECTORS"], "web", "pull8266.txt")  # of the genuine ESP8266httpUpdate
IMAGE = firmware.esp8266(40000)
ESP32 = firmware.esp32_sketch(40000)
MD5 = hashlib.md5(IMAGE).hexdigest()


class Server(WebPeer):
    """Answers each request with what reply(request) returns. Whoever sends half waits for the board to go."""

    def __init__(self, test, reply):
        super().__init__()
        test.addCleanup(self.close)
        self.reply, self.requests = reply, []
        self.url += "/fw.bin"

    def answer(self, connection):
        """Several requests on one connection, as long as the reply says so."""
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
            if data.endswith(b"\r\n\r\n"):
                self.requests.append(data.decode())
                answer = self.reply(data.decode())
                connection.sendall(answer)
                if b"keep-alive" not in answer:
                    connection.shutdown(socket.SHUT_WR)
                data = b""


def reply(status="200 OK", headers=(), body=IMAGE, length=True, version="1.1", end="\r\n"):
    lines = [f"HTTP/{version} {status}", *headers, *([f"Content-Length: {len(body)}"] if length else []), "", ""]
    return end.join(lines).encode() + body


# What the server of the recording answered, by the names of the recording.
REPLIES = {
    "ok": reply(), "v10": reply(version="1.0"), "lower": reply(headers=[f"content-length: {len(IMAGE)}"], length=False),
    "md5": reply(headers=["x-MD5: " + MD5]), "md5upper": reply(headers=["x-MD5: " + MD5.upper()]),
    "md5bad": reply(headers=["x-MD5: " + 32 * "0"]), "md5short": reply(headers=["x-MD5: 1234"]),
    "nolen": reply(length=False), "chunked": reply(headers=["Transfer-Encoding: chunked"], length=False),
    "lenchunked": reply(headers=["Transfer-Encoding: chunked"], body=b"9c40\r\n" + IMAGE),
    "304": reply("304 Not Modified", body=b"", length=False), "304len": reply("304 Not Modified", body=b""),
    "404": reply("404 Not Found", body=b"no"), "403": reply("403 Forbidden", body=b"no"),
    "401": reply("401 Unauthorized", body=b"no"), "500": reply("500 Failed", body=b"no"),
    "204": reply("204 No Content", body=b"", length=False), "206": reply("206 Partial Content"),
    "302": reply("302 Found", ["Location: http://127.0.0.1/fw"], b""), "302rel": reply("302 Found", ["Location: /fw"], b""),
    "307": reply("307 Temporary Redirect", ["Location: /fw"], b""), "html": reply(body=b"<html>" + IMAGE),
    "short": reply(headers=["Content-Length: 40000"], body=IMAGE[:20000], length=False),
    "gz": reply(body=gzip.compress(IMAGE)), "ka": reply(headers=["Connection: keep-alive"]), "cont": b"HTTP/1.1 100 Continue\r\n\r\n" + reply(),
    "big": reply(headers=["Content-Length: 2000000"], length=False), "lf": reply(end="\n"),
}


class Fetch(Scenario):

    def fetch(self, server, *options, family="esp8266"):
        return self.board("--fetch", server.url, *options, family=family)

    def first_result(self, server, *options, **more):
        event = self.fetch(server, *options, **more).wait_for(" fetch result=")
        return re.search(r'result=(\w+)(?: reason="(.*)")?', event).groups()

    def test_stays_elsewhere(self):
        """A board that starts does not end the priority of the test, whose servers stand for other computers."""
        with elsewhere():
            before = os.sched_getscheduler(0)
            self.board()
            self.assertEqual(os.sched_getscheduler(0), before)

    # -- requests --

    def requests(self, answer, count, *options, **more):
        server = Server(self, answer)
        board = self.fetch(server, "--fetch-set", "every-ms=60000", *options, **more)
        board.wait_for_count(" fetch result=", count)
        host = re.search("//([^/]*)", server.url)[1]
        return [request.replace(host, "HOST").replace(board.mac, "MAC").replace(board.mac.replace("5C", "5E", 1), "AP")
                for request in server.requests]

    def test_arduino(self):
        old = hashlib.md5(b"the first sketch").hexdigest()
        sha256 = hashlib.sha256(b"the first sketch").hexdigest().upper()
        rows = [
            ("esp8266", ["GET /fw.bin HTTP/1.0", "Host: HOST", "User-Agent: ESP8266-http-Update", "Connection: close",
                         "Authorization: Basic bWU6cHc=", r"x-ESP8266-Chip-ID: \d+", "x-ESP8266-STA-MAC: MAC",
                         "x-ESP8266-AP-MAC: AP", "x-ESP8266-free-space: 1048576", "x-ESP8266-sketch-size: 16",
                         "x-ESP8266-sketch-md5: " + old, "x-ESP8266-chip-size: 4194304",
                         r"x-ESP8266-sdk-version: 2\.2\.2-dev\(38a443e\)", "x-ESP8266-mode: sketch", r"x-ESP8266-version: 1\.0",
                         "Content-Length: 0", "", ""]),
            ("esp32", ["GET /fw.bin HTTP/1.0", "Host: HOST", "User-Agent: ESP32-http-Update", "Connection: close",
                       "Authorization: Basic bWU6cHc=", "Cache-Control: no-cache", "x-ESP32-STA-MAC: MAC", "x-ESP32-AP-MAC: AP",
                       "x-ESP32-free-space: 1310720", "x-ESP32-sketch-size: 16", "x-ESP32-sketch-md5: " + old,
                       "x-ESP32-sketch-sha256: " + sha256, "x-ESP32-chip-size: 4194304", r"x-ESP32-sdk-version: v5\.5\.1",
                       "x-ESP32-mode: sketch", r"x-ESP32-version: 1\.0", "", ""]),
            ("esp32-old", ["GET /fw.bin HTTP/1.0", "Host: HOST", "User-Agent: ESP32-http-Update", "Connection: close",
                           "Cache-Control: no-cache", "x-ESP32-STA-MAC: MAC", "x-ESP32-AP-MAC: AP",
                           "x-ESP32-free-space: 1310720", "x-ESP32-sketch-size: 16", "x-ESP32-sketch-sha256: " + sha256,
                           "x-ESP32-chip-size: 4194304", r"x-ESP32-sdk-version: v3\.2\.3-14-gd3e562907",
                           "x-ESP32-mode: sketch", r"x-ESP32-version: 1\.0", "", ""]),
            ("pico-old", ["GET /fw.bin HTTP/1.0", "Host: HOST", "User-Agent: -http-Update", "Connection: close",
                          "Authorization: Basic bWU6cHc=", r"x--Chip-ID: \d+", "x--STA-MAC: MAC", "x--AP-MAC: MAC",
                          "x--mode: sketch", r"x--version: 1\.0", "", ""]),
            ("pico", ["GET /fw.bin HTTP/1.0", "Host: HOST", "User-Agent: Pico-HTTP-Update", "Connection: close",
                      "Authorization: Basic bWU6cHc=", r"x-Pico-Chip-ID: \d+", "x-Pico-STA-MAC: MAC", "x-Pico-AP-MAC: MAC",
                      "x-Pico-Mode: sketch", r"x-Pico-Version: 1\.0", "", ""])]
        for name, lines in rows:
            request, = self.requests(lambda _: REPLIES["304len"], 1, "-P", "pw", "--fetch-set", "user=me",
                                     "--fetch-set", "version=1.0", "--fetcher", name, family=name.removesuffix("-old"))
            self.assertRegex(request, "^" + "\r\n".join(lines) + "$")

    def test_sidecar(self):
        first, second = self.requests(lambda request: reply(body=(MD5 if ".md5" in request else "").encode()), 1,
                                      "--fetch-set", "sidecar", family="esp32")
        self.assertEqual(first, "GET /fw.bin.md5 HTTP/1.0\r\nHost: HOST\r\nUser-Agent: ESP32-http-Update\r\n"
                         "Connection: close\r\n\r\n")
        self.assertIn("\r\nx-ESP32-STA-MAC: MAC\r\n", second)

    def test_idf(self):
        """It sends its password when it is asked for it, on the same connection."""
        head = "GET /fw.bin HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: HOST\r\n"
        login = reply("401 Unauthorized", ["Connection: keep-alive", 'WWW-Authenticate: Basic realm="x"'], b"no")
        requests = self.requests(lambda request: REPLIES["304len"] if "Basic" in request else login, 1, "-P", "pw",
                                 "--fetcher", "idf", family="esp32")
        self.assertEqual(requests, [head + "\r\n", head + "Authorization: Basic YWRtaW46cHc=\r\n\r\n"])

    @staticmethod
    def answer_range(request):
        """206, or to HEAD the length."""
        if request.startswith("HEAD"):
            return reply(headers=[f"Content-Length: {len(ESP32)}"], body=b"", length=False)
        match = re.search(r"Range: bytes=(\d+)-(\d*)", request)
        if not match:
            return reply(body=ESP32)
        first, last = int(match[1]), min(int(match[2] or len(ESP32)), len(ESP32) - 1)
        return reply("206 Partial Content", [f"Content-Range: bytes {first}-{last}/{len(ESP32)}"], ESP32[first:last + 1])

    def test_pieces(self):
        requests = self.requests(self.answer_range, 1, "--fetcher", "idf-pieces", "--fetch-set", "piece=15000", "--fetch-set",
                                 "stays", family="esp32")
        more = "User-Agent: ESP32 HTTP Client/1.0\r\nHost: HOST\r\nContent-Length: 0\r\n"
        self.assertEqual(requests, [f"HEAD /fw.bin HTTP/1.1\r\n{more}\r\n", *(
            f"GET /fw.bin HTTP/1.1\r\n{more}Range: bytes={part}\r\n\r\n" for part in ("0-14999", "15000-29999", "30000-"))])

    def test_resume(self):
        server = Server(self, self.answer_range)
        board = self.fetch(server, "--fetcher", "idf", "--fetch-set", "every-ms=1", "--fault", "reset@12345", family="esp32")
        board.wait_for("fetch result=update")
        self.assertEqual(re.findall(r"Range: (\S*)", "".join(server.requests)), ["bytes=12345-"])
        self.assertEqual(board.received(), ESP32)

    def test_no_ranges(self):
        server = Server(self, lambda _: reply(body=ESP32))
        board = self.fetch(server, "--fetcher", "idf", "--fetch-set", "every-ms=1", "--fault", "reset@12345*1", family="esp32")
        board.wait_for("fetch result=update")
        # The board that was updated soon asks again.
        self.assertEqual(["Range" in request for request in server.requests[:3]], [False, True, False])

    def test_esphome(self):
        rows = [("esphome", "esp32", "GET {} HTTP/1.1\r\nUser-Agent: ESPHome/2026.9.0 (https://esphome.io)\r\nHost: HOST\r\n\r\n"),
                ("esphome-arduino", "esp8266", "GET {} HTTP/1.1\r\nHost: HOST\r\nUser-Agent: ESPHome/2026.9.0 (https://esphome.io)"
                 "\r\nConnection: keep-alive\r\nAccept-Encoding: identity;q=1,chunked;q=0.1,*;q=0\r\nContent-Length: 0\r\n\r\n")]
        for fetcher, family, text in rows:
            image = ESP32 if family == "esp32" else IMAGE
            digest = hashlib.md5(image).hexdigest().encode() + b"\n"
            requests = self.requests(lambda request: reply(body=digest if ".md5" in request else image), 1, "--fetcher", fetcher,
                                     "--fetch-set", "stays", family=family)
            self.assertEqual(requests, [text.format("/fw.bin.md5"), text.format("/fw.bin")])

    def test_wrong_digests(self):
        """Each library compares what it is told."""
        rows = [(["--fetcher", "esphome"], ".md5", reply(body=32 * b"0"), "MD5 Check Failed"),
                (["--fetcher", "esphome"], ".md5", reply(body=b"none"), "MD5 invalid"),
                (["--fetch-set", "sidecar"], ".md5", reply(body=32 * b"0"), "MD5 Check Failed"),
                ([], " ", reply(headers=["x-SHA256: " + 64 * "0"], body=ESP32), "SHA256 Check Failed")]
        for options, where, answer, reason in rows:
            server = Server(self, lambda request: answer if where in request.split("\r\n")[0] else reply(body=ESP32))
            self.assertEqual(self.first_result(server, *options, family="esp32"), ("failed", reason), options)

    # -- replies --

    def test_recording(self):
        """What ESP8266httpUpdate made of each reply."""
        with open(RECORDING, encoding="utf-8") as file:
            lines = re.findall(r"(?m)^(\w+): RESULT (\d) \(.*?\) err -?\d+ (.*?) ?after \d+ ms$", file.read())
        self.assertEqual(sorted(name for name, _, _ in lines), sorted(REPLIES))
        boards = []
        for name, number, text in lines:
            server = Server(self, lambda _, name=name: REPLIES[name])
            boards.append((name, number, text, self.fetch(server, "--fetch-set", "hasty")))
        for name, number, text, board in boards:
            event = board.wait_for(" fetch result=")
            with self.subTest(name):
                self.assertIn("result=" + ("failed", "none", "update")[int(number)], event)
                reason = re.sub(r"Update error: |ERROR\[\d+\]: |expected:.*", "", text)
                self.assertIn(reason, event)

    def test_esp32_unpacks_nothing(self):
        server = Server(self, lambda _: reply(body=b"\x1f\x8b" + IMAGE))
        self.assertEqual(self.first_result(server, family="esp32"), ("failed", "Verify Bin Header Failed"))

    # -- the sketch --

    def test_comes_back(self):
        """After the restart it tells of the new sketch."""
        server = Server(self, lambda request: REPLIES["304len" if MD5 in request else "ok"])
        board = self.fetch(server, "--fetch-set", "version=1", "--fetch-set", "version-after=2", "-n", "1")
        board.wait_for("fetch result=none")
        self.assertEqual(re.findall(r"ESP8266-version: (\S+)", "".join(server.requests)), ["1", "2"])
        self.assertEqual([event.split(" ", 1)[1].split("=")[0] for event in board.events if " open" in event or "rebooting" in event],
                         ["rebooting", "open"])
        self.assertEqual(board.received(), IMAGE)

    def test_does_not_come_back(self):
        """It goes back to its old sketch, or is not restarted."""
        for setting, restarts in (("rolls-back", True), ("stays", False)):
            server = Server(self, lambda _: REPLIES["ok"])
            board = self.fetch(server, "--fetch-set", setting, "--fetch-set", "every-ms=1")
            board.wait_for_count("fetch result=update", 3)
            self.assertNotIn(MD5, "".join(server.requests))
            self.assertEqual(board.count("rebooting") > 0, restarts)

    def test_boards(self):
        """Each has its own address and MAC."""
        server = Server(self, lambda _: REPLIES["304len"])
        board = self.fetch(server, "-c", "3", "--fetch-set", "every-ms=100")
        for last in range(3):
            host = ".".join(board.address.split(".")[:3] + [str(int(board.address.split(".")[3]) + last)])
            board.wait_for(f"{host}:0 fetch result=none")
        self.assertEqual(len(set(re.findall(r"STA-MAC: (\S+)", "".join(server.requests)))), 3)

    def test_usage(self):
        rows = [(["--fetch", "https://127.0.0.1/x"], "https://127.0.0.1/x: a board fetches from http://ADDRESS[:PORT]/PATH"),
                (["--fetch", "http://host/x"], "ADDRESS in digits"), (["--fetcher", "curl"], "no such fetcher"),
                (["--fetcher", "idf"], "--fetcher: needs --fetch URL"), (["--fetch-set", "x"], "there is no setting `x'"),
                (["--fetch", "http://127.0.0.1/x", "--web", "tasmota"], "a board has only one of"),
                (["--fetch", "http://127.0.0.1/x", "-F", "samd"], "samd: does not fetch")]
        for arguments, message in rows:
            result = subprocess.run([SIMULATOR, *arguments], capture_output=True, text=True, timeout=DEADLINE_S)
            self.assertEqual(result.returncode, 2, result)
            self.assertIn(message, result.stderr)


if __name__ == "__main__":
    with elsewhere():  # esp-ota takes no part here
        unittest.main()
