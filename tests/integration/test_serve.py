#!/usr/bin/env python3
"""--serve: boards fetch their firmware, and their next request shows what became of it."""

import base64
import gzip
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import unittest
import urllib.request

import firmware
import fetcher
from fetcher import Board, esp32_request, pico_request, request
from scenario import DEADLINE_S, Program, Scenario, address, run, simulated_mac

STOPPED = "the roll-out stops here: no further board gets the image (--canary, --max-failures)\n"
HTTP_11 = "GET {} HTTP/1.1\r\nHost: board\r\n{}\r\n"


class Server:
    """esp-ota --serve, with the address of its own that it serves at."""

    def __init__(self, scenario, *arguments, where=None, **more):
        self.where, self.ended = where or address(), None
        self.program = Program(f"--serve={self.where}:0", *arguments, **more)
        scenario.addCleanup(self.stop)
        self.program.wait_for(r"fetch from https?://\S+/firmware\.bin\n")
        text = b"".join(self.program._text.values()).decode()
        self.scheme, port = re.search(r"fetch from (https?)://\S+:(\d+)/firmware", text).groups()
        self.server = (self.where, int(port))
        self.url = f"{self.scheme}://{self.where}:{port}"

    def stop(self):
        if not self.ended:
            self.program.send_signal(signal.SIGINT)
            self.ended = self.program.result()
        return self.ended

    def result(self):
        self.ended = self.program.result()
        return self.ended

    def get(self, path, headers="", source=None):
        return request(self.server, HTTP_11.format(path, headers + "Connection: close\r\n"), source)

    def status(self):
        return json.loads(self.get("/status.json").body)

    def board(self, mac):
        return next(board for board in self.status()["boards"] if board["mac"] == mac)


class Serve(Scenario):

    def setUp(self):
        super().setUp()
        self.image = firmware.esp8266(120000)
        self.path = self.file("kitchen.bin", self.image)

    def serve(self, *arguments, **more):
        return Server(self, "-f", self.path, *arguments, **more)

    def boards(self, server, count, **more):
        return [Board(server.server, **more) for _ in range(count)]

    # -- one board --

    def test_update(self):
        server = self.serve("--until-confirmed", "1")
        board = Board(server.server, version="1.0")
        self.assertEqual(board.fetch(), "update")
        self.assertEqual(board.sketch, self.image)
        self.assertEqual(server.board(board.mac)["state"], "fetched")
        self.assertEqual(board.fetch(), "no update")
        result = server.result()
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertRegex(result.err, rf"(?m)^{board.mac}: took it in \d+\.\d s$")
        self.assertRegex(result.err, rf"(?m)^{board.mac}: confirmed, .* KiB in .*; back with it after \d+ s$")
        self.assertRegex(result.err, r"(?m)^1 of 1 boards confirmed, in ")

    def test_json(self):
        server = self.serve("--until-confirmed", "1", "--json")
        board, source = Board(server.server), self.source(server)
        board.fetch(), board.fetch()
        events = [json.loads(line) for line in server.result().out.splitlines()]
        events = [event for event in events if event["event"] != "progress"]
        first = events.pop(0)
        self.assertEqual((first["event"], first["board"], first["port"], first["urls"]),
                         ("serving", None, server.server[1], [server.url + "/firmware.bin"]))
        self.assertEqual([event["event"] for event in events], ["start", "connected", "note", "result", "summary"])
        self.assertEqual({event["board"] for event in events[:-1]}, {board.mac})
        self.assertEqual((events[3]["ok"], events[3]["verified"], events[3]["address"]),
                         (True, "returned", source))
        self.assertEqual((events[-1]["boards"], events[-1]["confirmed"]), (1, 1))

    @staticmethod
    def source(server):
        """From which address the kernel reaches the server."""
        connection = fetcher.Connection(server.server)
        try:
            return connection.socket.getsockname()[0]
        finally:
            connection.close()

    def test_has_it_already(self):
        server = self.serve()
        board = Board(server.server, sketch=self.image)
        self.assertEqual(board.fetch(), "no update")
        self.assertEqual(board.answer.header("content-length"), "0")
        result = server.stop()
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"{board.mac}: runs the image already\n", result.err)

    def test_broken_download(self):
        server = self.serve("--retries", "0", "--until-confirmed", "1")
        board = Board(server.server)
        for _ in range(3):
            board.break_off(after=20000)
            server.program.wait_for(rf"{board.mac}: its download broke off")
        self.assertEqual(server.board(board.mac)["failures"], 0)
        self.assertEqual((board.fetch(), board.fetch()), ("update", "no update"))
        self.assertEqual(server.result().status, 0)

    def test_update_loop(self):
        server = self.serve()
        board = Board(server.server, keeps_old=True)
        self.assertEqual([board.fetch() for _ in range(5)], 3 * ["update"] + 2 * ["no update"])
        self.assertEqual(server.board(board.mac)["state"], "given-up")
        board.keeps_old, board.sketch = False, self.image  # somebody helped it
        self.assertEqual(board.fetch(), "no update")
        self.assertEqual(server.board(board.mac)["state"], "confirmed")
        err = server.stop().err
        self.assertIn(f"{board.mac}: came back without the image that it took (2 of 3 times)\n", err)
        self.assertIn(f"{board.mac}: took the image 3 times and never came back with it; it gets nothing more", err)
        self.assertRegex(err, rf"{board.mac}: confirmed, ")

    def test_nothing_to_go_by(self):
        """A Pico tells no MD5: without versions it gets the image once, and is not confirmed."""
        self.path = self.file("pico.bin", firmware.rp2040())
        server = self.serve()
        board = Board(server.server, pico_request)
        self.assertEqual([board.fetch() for _ in range(3)], ["update", "no update", "no update"])
        self.assertEqual(server.board(board.mac)["state"], "fetched")
        told = f"{board.mac}: gets nothing: it has taken the image, but does not say what it runs (see --serve-version)\n"
        err = server.stop().err
        self.assertEqual((err.count(told), err.count("has not been back")), (1, 0), err)
        server = self.serve("--hosts", self.file("hosts", board.mac.encode()))
        board.server = server.server
        self.assertEqual([board.fetch() for _ in range(2)], ["update", "no update"])
        self.assertEqual(server.stop().status, 12)
        self.assertIn(f"{board.mac}: proof of boot: it has taken the image, but does not say what it runs", server.ended.err)
        self.assertIn(f"(not-returned): {board.mac}\n  Look at what it runs; a board that reports no MD5", server.ended.err)

    def test_other_version(self):
        """A Pico that runs the image, but calls its version otherwise than the command line."""
        self.path = self.file("pico.bin", firmware.rp2040())
        board = Board(None, pico_request, version="1.0")
        server = self.serve("--serve-version", "v1.1", "--retries", "1", "--hosts", self.file("hosts", board.mac.encode()))
        board.server = server.server
        self.assertEqual(board.fetch(), "update")
        board.version = "1.1"
        self.assertEqual([board.fetch() for _ in range(2)], ["update", "no update"])
        err, why = server.stop().err, 'by its version: it reports "1.1" instead of "v1.1"'
        self.assertIn(f"{board.mac}: came back without the image that it took (1 of 2 times), {why}\n", err)
        self.assertIn(f"{board.mac}: took the image 2 times and never came back with it, {why}; it gets nothing more", err)
        self.assertIn(f"(not-returned): {board.mac}\n  Check that --serve-version is exactly the version", err)

    def test_version(self):
        self.path = self.file("pico.bin", firmware.rp2040())
        server = self.serve("--serve-version", "1.1")
        board = Board(server.server, pico_request, version="1.0")
        self.assertEqual(board.fetch(), "update")
        self.assertEqual(board.answer.header("x-version"), "1.1")
        board.version = "1.1"
        self.assertEqual(board.fetch(), "no update")
        self.assertEqual(server.board(board.mac)["state"], "confirmed")

    def test_version_question(self):
        server = self.serve("--serve-version", "7")
        answer = request(server.server, Board(server.server, mode="version", version="6").request())
        self.assertEqual((answer.status, answer.header("x-version"), answer.body), (200, "7", b""))

    # -- what each gets --

    def test_refusals(self):
        rows = [({"compose": esp32_request}, -103, "the image is for ESP8266 boards, and it is one of the ESP32 family"),
                ({"mode": "spiffs"}, -103, "it asks for a filesystem image, and a sketch is served"),
                ({"free_space": 1000}, -103, rf"the image has {len(self.image)} bytes, and the board has room for 1000"),
                ({"path": "/other.bin"}, -102, "there is nothing here")]
        server = self.serve()
        for settings, result, reason in rows:
            board = Board(server.server, **settings)
            self.assertEqual(board.fetch(), result, settings)
            self.assertEqual(board.answer.body.decode(), reason + "\n")
        other = address()
        Board(server.server, path="/a\x1bb", source=other).fetch()
        self.assertEqual(server.get("/favicon.ico", source=address()).status, 404)
        err = server.stop().err
        for settings, result, reason in rows[:-1]:
            self.assertEqual(err.count(f"gets nothing: {reason}\n"), 1, err)
        self.assertEqual(re.findall(r"asks for (.*) and gets nothing: its URL should end in /firmware\.bin", err),
                         ["/other.bin", r"/a\x1bb"], err)

    def test_compressed(self):
        server = self.serve("-z")
        esp8266 = Board(server.server)
        self.assertEqual(esp8266.fetch(), "update")
        self.assertEqual(gzip.decompress(esp8266.answer.body), self.image)
        self.assertEqual((esp8266.sketch, esp8266.fetch()), (self.image, "no update"))
        self.assertEqual(server.get("/firmware.bin").body, self.image)  # who says nothing gets it plain
        packed = server.get("/kitchen.bin.gz")
        self.assertEqual(gzip.decompress(packed.body), self.image)
        self.assertEqual(server.get("/kitchen.bin.gz.md5").body.decode(), fetcher.md5(packed.body) + "\n")
        esp32 = Board(server.server, esp32_request, path="/kitchen.bin.gz")
        self.assertEqual(esp32.fetch(), -103)

    def test_padded_esp32(self):
        """An ESP32 tells the MD5 of its image as the header bounds it."""
        image = firmware.esp32_sketch(20000)
        self.path = self.file("padded.bin", image + 512 * b"\xff")
        server = self.serve()
        board = Board(server.server, esp32_request)
        self.assertEqual(board.fetch(), "update")
        board.sketch = image
        self.assertEqual(board.fetch(), "no update")
        self.assertEqual(server.board(board.mac)["state"], "confirmed")

    def test_other_proofs(self):
        """A release of arduino-esp32 tells only a SHA-256, and the Pico W only a version."""
        rows = [("esp32", "esp32-old", firmware.esp32_sketch(60000) + 512 * b"\xff"),
                ("pico", "pico", firmware.rp2040(60000)), ("pico", "pico-old", firmware.rp2040(60000))]
        for family, name, image in rows:
            self.path = self.file("firmware.bin", image)
            server = self.serve(*(["--serve-version", "2"] if family == "pico" else []))
            board = self.board("--fetch", server.url + "/firmware.bin", "--fetch-set", "every-ms=100", "--fetcher", name,
                               "--fetch-set", "version=1", "--fetch-set", "version-after=2", "-n", "1", family=family)
            board.wait_for("fetch result=none")
            board.close()
            self.assertTrue(board.received() == image, name)
            server.program.wait_for("back with it")
            server.stop()

    def test_http(self):
        server = self.serve()
        size = len(self.image)
        sha256 = hashlib.sha256(self.image).hexdigest()
        rows = [("", 200, None, self.image),
                ("Range: bytes=0-0\r\n", 206, f"bytes 0-0/{size}", self.image[:1]),
                ("Range: bytes=1000-\r\n", 206, f"bytes 1000-{size - 1}/{size}", self.image[1000:]),
                (f"Range: bytes=1000-{size}\r\n", 206, f"bytes 1000-{size - 1}/{size}", self.image[1000:]),  # esp_https_ota
                ("Range: bytes=-5\r\n", 206, f"bytes {size - 5}-{size - 1}/{size}", self.image[-5:]),
                (f"Range: bytes={size}-\r\n", 416, f"bytes */{size}", b""),
                ("Range: bytes=0-1,3-4\r\n", 200, None, self.image),
                (f"Range: bytes=0-0\r\nIf-Range: \"{sha256}\"\r\n", 206, f"bytes 0-0/{size}", self.image[:1]),
                ("Range: bytes=0-0\r\nIf-Range: \"old\"\r\n", 200, None, self.image),
                (f"If-None-Match: \"{sha256}\"\r\n", 304, None, b""),
                ("If-None-Match: \"old\"\r\n", 200, None, self.image)]
        for headers, status, content_range, body in rows:
            answer = server.get("/kitchen.bin", headers)
            self.assertEqual((answer.status, answer.header("content-range")), (status, content_range), headers)
            self.assertTrue(answer.body == body, headers)
            self.assertEqual(answer.header("etag"), f'"{sha256}"')
            self.assertEqual(answer.header("content-length"), str(len(body)))
            self.assertIsNone(answer.header("transfer-encoding"))
        answer = server.get("/firmware.bin")
        self.assertEqual(answer.header("x-md5"), fetcher.md5(self.image))
        self.assertEqual(answer.header("x-sha256"), sha256)
        self.assertEqual(answer.header("x-sha512"), hashlib.sha512(self.image).hexdigest())
        self.assertEqual(server.get("/kitchen.bin.sha256").body.decode(), sha256 + "\n")
        head = request(server.server, "HEAD /firmware.bin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        self.assertEqual((head.status, head.header("content-length"), head.body), (200, str(size), b""))

    def test_other_clients(self):
        self.image = firmware.esp32_sketch(120000)
        self.path = self.file("kitchen.bin", self.image)
        server = self.serve()
        rows = [("idf",), ("idf-pieces", "--fetch-set", "piece=20000"), ("esphome",), ("esphome-arduino",),
                ("esphome", "--fetch", server.url + "/manifest.json"), ("idf", "--fault", "reset@50000*1"), ("esp32",)]
        boards = [self.board("--fetch", server.url + "/firmware.bin", "--fetch-set", "every-ms=100", "-n", "1", "--fetcher", *row,
                             family="esp32") for row in rows]
        for row, board in zip(rows, boards):
            board.wait_for("fetch result=update")
            board.close()
            self.assertTrue(board.received() == self.image, row)
            self.assertEqual(board.count("range=bytes=50000-"), "--fault" in row)
        with urllib.request.urlopen(server.url + "/kitchen.bin", timeout=60) as answer:
            self.assertTrue(answer.read() == self.image)
        manifest = json.loads(server.get("/manifest.json").body)
        self.assertEqual(manifest["builds"], [{"chipFamily": "ESP32",
                                               "ota": {"path": "/firmware.bin", "md5": fetcher.md5(self.image)}}])
        self.assertEqual(server.stop().status, 0)

    def test_other_systems(self):
        """An update file of another system is for boards that fetch such files, and for no ESP board."""
        self.path, content = self.file("fw.ota", firmware.arduino_ota(50000)), firmware.arduino_ota(50000)
        server = self.serve()
        self.assertTrue(server.get("/fw.ota").body == content)
        for settings in ({}, {"compose": esp32_request}):
            board = Board(server.server, **settings)
            self.assertEqual(board.fetch(), -103)
            self.assertIn("the image is an .ota file for OTAUpdate or Arduino's cloud, and the board is one of the ESP",
                          board.answer.body.decode())
        err = server.stop().err
        self.assertIn(f"{self.path} is an .ota file for OTAUpdate or Arduino's cloud; it is not served to ESP8266, ESP32 and Pico W boards\n", err)
        self.assertNotIn("warning", err)
        result = run("-i", "192.0.2.1", "-f", self.path)
        self.assertEqual(result.status, 3, result)
        self.assertIn(f"{self.path} can only be served (--serve): it is an .ota file for OTAUpdate or Arduino's cloud, ", result.err)

    # -- many boards --

    def test_canaries(self):
        server = self.serve("--canary", "2")
        first, second, third = self.boards(server, 3)
        self.assertEqual((first.fetch(), second.fetch(), third.fetch()), ("update", "update", "no update"))
        self.assertEqual(request(server.server, HTTP_11.format("/firmware.bin", "Connection: close\r\n")).status, 304)
        self.assertEqual((first.fetch(), third.fetch()), ("no update", "no update"))
        self.assertEqual(server.board(third.mac)["reason"], "it waits until the canaries have confirmed")
        self.assertEqual((second.fetch(), third.fetch(), third.fetch()), ("no update", "update", "no update"))
        self.assertEqual([board["canary"] for board in server.status()["boards"] if board["mac"]],
                         [True, True, False])
        self.assertIn("3 of 3 boards confirmed", server.stop().err)

    def test_canary_fails(self):
        server = self.serve("--canary", "1", "--retries", "0")
        canary, other = self.boards(server, 2)
        canary.keeps_old = True
        self.assertEqual([canary.fetch(), other.fetch(), canary.fetch(), other.fetch()],
                         ["update", "no update", "no update", "no update"])
        self.assertEqual(server.board(other.mac)["reason"], "the roll-out has stopped after failures")
        self.assertEqual(server.stop().err.count(STOPPED), 1, server.ended.err)

    def test_max_failures(self):
        server = self.serve("--max-failures", "2", "--retries", "0")
        boards = self.boards(server, 3, keeps_old=True)
        self.assertEqual([board.fetch() for board in boards[:2]], 2 * ["update"])
        self.assertEqual([board.fetch() for board in boards], 3 * ["no update"])
        self.assertEqual(server.stop().err.count(STOPPED), 1, server.ended.err)

    def test_downloads_at_a_time(self):
        self.image = firmware.esp8266(3000000)
        self.path = self.file("large.bin", self.image)
        server = self.serve("-j", "1")
        slow, other = self.boards(server, 2, free_space=4000000)
        connection = fetcher.Connection(server.server)
        connection.send(slow.request().encode())
        connection.read_head()
        self.assertEqual(other.fetch(), -104)
        self.assertEqual((other.answer.status, other.answer.header("retry-after")), (503, "30"))
        self.assertTrue(connection.read_body(len(self.image)) == self.image)
        connection.close()
        server.program.wait_for(f"{slow.mac}: took it")
        self.assertEqual(other.fetch(), "update")

    def test_list(self):
        other = firmware.esp8266(60000)
        path = self.file("other.bin", other)
        macs = [fetcher.new_mac() for _ in range(3)]
        where = address()
        hosts = self.file("hosts", f"{macs[0].lower()}\n{macs[1]} file={path}\n{where} file={path}\n{macs[2]}\n".encode())
        server = self.serve("--hosts", hosts)
        kitchen, lab = (Board(server.server, mac=mac) for mac in macs[:2])
        by_address = Board(server.server, source=where)
        stranger = Board(server.server, source=address())
        self.assertEqual([board.fetch() for board in (kitchen, lab, by_address, stranger)], 3 * ["update"] + [-103])
        server.program.wait_for(f"warning: {stranger.source} asks as {stranger.mac}, which is not in the list of boards, and")
        self.assertEqual([board.sketch for board in (kitchen, lab, by_address)], [self.image, other, other])
        lab.path = "/kitchen.bin"
        self.assertEqual(lab.fetch(), -103)
        server.program.wait_for(f"asks as {macs[1]} for the image of another board and gets nothing")
        lab.path = "/other.bin"
        self.assertEqual([lab.fetch(), kitchen.fetch()], 2 * ["no update"])
        result = server.stop()
        self.assertEqual(result.status, 20, result)
        self.assertIn(f"{macs[0].lower()}: confirmed", result.err)
        self.assertIn(f"1 board: the board did not ask for the image (never-asked): {macs[2]}\n", result.err)
        self.assertIn(f"1 board: the board did not come back with the image (not-returned): {where}\n", result.err)

    def test_list_and_digests(self):
        """Who asks for a digest tells no MAC. So it gets that of the only image, or of the one that it names."""
        self.image = firmware.esp32_sketch(120000)
        self.path = self.file("kitchen.bin", self.image)
        other = self.file("other.bin", firmware.esp32_sketch(60000))
        where, path = address(), "/firmware.bin"
        for lines in ("{}\n", f"{{}}\n{fetcher.new_mac()} file={other}\n"):
            hosts = self.file("hosts", lines.format(simulated_mac(where)).encode())
            server = self.serve("--hosts", hosts)
            board = self.board("--fetch", server.url + path, "--fetch-set", "sidecar", "--fetch-set", "every-ms=100",
                               "-n", "1", family="esp32", where=where)
            board.wait_for("fetch result=none")
            self.assertEqual((board.received() == self.image, board.count("result=failed")), (True, 0), board.events)
            server.program.wait_for(f"(?m)^{board.mac}: confirmed")
            path = "/kitchen.bin"
        self.assertEqual(server.get("/firmware.bin.md5").status, 403)
        self.assertEqual(server.get("/other.bin.md5").status, 200)
        self.assertEqual(server.get("/other.bin").status, 403)

    def until_known(self, board):
        """What a board gets once the names have been looked up."""
        while True:
            result = board.fetch()
            if result != -104:
                return result
            self.assertEqual((board.answer.status, board.answer.body),
                             (503, b"the names in the list of boards are being looked up; ask again\n"))

    def test_list_of_names(self):
        """A listed name is matched by the address; one that does not resolve is said once, and holds nobody up."""
        other = firmware.esp8266(60000)
        hosts = self.file("hosts", f"localhost file={self.file('other.bin', other)}\nnowhere.invalid\n*\n".encode())
        server = self.serve("--hosts", hosts)
        self.assertEqual(server.get("/status.json").status, 200)
        listed, stranger = Board(server.server, source="127.0.0.1"), Board(server.server, source=address())
        self.assertEqual(stranger.fetch(), -104)
        self.assertEqual((self.until_known(listed), listed.sketch == other), ("update", True))
        self.assertEqual((self.until_known(stranger), stranger.sketch == self.image), ("update", True))
        listed.source = address()  # it is known by its MAC from now on
        self.assertEqual([listed.fetch(), stranger.fetch()], 2 * ["no update"])
        self.assertEqual(server.board(listed.mac)["board"], "localhost")
        result = server.stop()
        self.assertEqual(result.status, 4, result)
        self.assertEqual(len(re.findall(r"(?m)^nowhere\.invalid: cannot be recognized by its name yet: ", result.err)), 1,
                         result.err)
        self.assertIn("localhost: confirmed", result.err)

    def test_claimed_before(self):
        """A listed address, or name, is its board's, whoever has asked with the board's MAC before. Others get the image of *."""
        other = firmware.esp8266(60000)
        path = self.file("other.bin", other)
        for listed, where in ((where := address(), where), ("localhost", "127.0.0.1")):
            with self.subTest(listed):
                server = self.serve("--hosts", self.file("hosts", f"{listed} file={path}\n*\n".encode()))
                board = Board(server.server, source=where)
                stranger = Board(server.server, mac=board.mac, source=address())
                self.assertEqual((self.until_known(stranger), stranger.sketch == self.image), ("update", True))
                self.assertEqual((self.until_known(board), board.sketch == other), ("update", True))
                self.assertEqual(board.fetch(), "no update")
                result = server.stop()
                self.assertEqual(result.status, 0, result)
                self.assertRegex(result.err, f"(?m)^{listed}: confirmed, ")

    def test_without_a_mac(self):
        """One that tells no MAC is not the listed board that has asked from its address before: behind NAT are others."""
        own, other = firmware.esp8266(60000), firmware.esp8266(80000)
        own_path, other_path = self.file("own.bin", own), self.file("other.bin", other)
        rows = [("", address(), 403, b"the list of boards has no such image for it\n"),
                (f"* file={other_path}\n", address(), 200, other), (f"localhost file={other_path}\n", "127.0.0.1", 200, other)]
        for others, where, status, body in rows:
            with self.subTest(others=others):
                mac = fetcher.new_mac()
                server = self.serve("--hosts", self.file("hosts", f"{mac} file={own_path}\n{others}".encode()))
                board = Board(server.server, mac=mac, source=where)
                self.assertEqual((board.fetch(), board.sketch == own, board.fetch()), ("update", True, "no update"))
                while (answer := server.get("/firmware.bin", source=where)).status == 503:
                    pass  # the name is being looked up
                self.assertEqual((answer.status, answer.body == body), (status, True))
                self.assertEqual(server.board(mac)["state"], "confirmed")
                asked = [line["address"] for line in server.status()["boards"] if line["board"] == "localhost"]
                self.assertEqual(asked, ["127.0.0.1"] if others.startswith("localhost") else [])

    def test_digest_by_name(self):
        """A board that is listed by its MAC gets its digest by the name of its file, also after another one behind its address
        has got the image of *."""
        own = firmware.esp8266(60000)
        lines = f"{fetcher.new_mac()} file={self.file('own.bin', own)}\n* file={self.path}\n"
        server = self.serve("--hosts", self.file("hosts", lines.encode()))
        where = address()
        self.assertEqual(server.get("/firmware.bin", source=where).body == self.image, True)
        answer = server.get("/own.bin.md5", source=where)
        self.assertEqual((answer.status, answer.body), (200, f"{hashlib.md5(own).hexdigest()}\n".encode()))

    def test_two_macs_at_an_address(self):
        """The first MAC that asks from a listed address does not lock the board out that has another one."""
        other = firmware.esp8266(60000)
        where = address()
        hosts = self.file("hosts", f"{where} file={self.file('other.bin', other)}\n*\n".encode())
        server = self.serve("--hosts", hosts)
        first, second = self.boards(server, 2, source=where)
        for board in (first, second):
            self.assertEqual((board.fetch(), board.sketch == other), ("update", True))

    def test_list_of_names_alone(self):
        """Who is not listed gets nothing, then as before."""
        server = self.serve("--hosts", self.file("hosts", b"localhost\n"), "--until-confirmed", "1")
        self.assertEqual(self.until_known(Board(server.server, source=address())), -103)
        listed = Board(server.server, source="127.0.0.1")
        self.assertEqual([self.until_known(listed), listed.fetch()], ["update", "no update"])
        self.assertEqual(server.result().status, 0, server.ended)

    def test_list_statuses(self):
        mac, other = fetcher.new_mac(), fetcher.new_mac()
        rows = [(f"{mac}\n", ["update", "no update"], {}, 0), (f"{mac}\n*\n", ["update"], {}, 12),
                (f"{mac}\n{other}\n", ["update", "no update"], {}, 4), (f"{mac}\n", [], {}, 4),
                (f"{mac}\n", [-103], {"free_space": 10}, 3), (f"* file={self.path}\n", ["update"], {}, 0)]
        for text, results, settings, status in rows:
            server = self.serve("--hosts", self.file("hosts", text.encode()))
            board = Board(server.server, mac=mac, **settings)
            self.assertEqual([board.fetch() for _ in results], results, text)
            self.assertEqual(server.stop().status, status, server.ended)

    def test_resume(self):
        macs = [fetcher.new_mac() for _ in range(2)]
        hosts = self.file("hosts", "\n".join(macs).encode())
        server = self.serve("--hosts", hosts, "--json")
        board = Board(server.server, mac=macs[0])
        board.fetch(), board.fetch()
        report = self.file("report", server.stop().out.encode())
        self.assertEqual(server.ended.status, 4)
        server = self.serve("--hosts", hosts, "--resume", report)
        self.assertEqual([board["state"] for board in server.status()["boards"]], ["confirmed", "silent"])
        board = Board(server.server, mac=macs[1])
        board.fetch(), board.fetch()
        self.assertEqual(server.stop().status, 0, server.ended)
        server = self.serve("--hosts", hosts, "--resume", report, "--until-confirmed", "1")
        self.assertEqual(server.result().status, 4, server.ended)
        self.assertIn("\n1 of 2 already has it: the image was confirmed in an earlier run\n", server.ended.err)

    def test_reports_in_turn(self):
        """A run tells of the boards that it leaves out, so the next one may resume it."""
        macs = [fetcher.new_mac() for _ in range(2)]
        hosts = self.file("hosts", "\n".join(macs).encode())
        server, resume = self.serve("--hosts", hosts, "--json"), ()
        board = Board(server.server, mac=macs[0])
        board.fetch(), board.fetch()
        for verbose in ((), ("-v",)):
            report = server.stop().out
            resume = ("--resume", self.file("report", report.encode()))
            server = self.serve("--hosts", hosts, "--json", *resume, *verbose)
            self.assertEqual([board["state"] for board in server.status()["boards"]], ["confirmed", "silent"])
        events = [json.loads(line) for line in server.stop().out.splitlines()]
        skipped = [event for event in events if event["event"] == "skipped"]
        self.assertEqual([(event["board"], event["code"], event["port"], event["sha256"]) for event in skipped],
                         [(macs[0], "confirmed", None, hashlib.sha256(self.image).hexdigest())])
        self.assertEqual(server.ended.err.count("has confirmed this image in an earlier run"), 1, server.ended)
        self.assertNotIn("has confirmed", self.serve("--hosts", hosts, *resume).stop().err)

    def test_mac_in_two_ways(self):
        """It is one board; its two lines may not demand different things."""
        mac, other = fetcher.new_mac(), self.file("other.bin", firmware.esp8266(50000))
        again = mac.replace(":", "-").lower()
        server = self.serve("--hosts", self.file("hosts", f"{mac}\n{again}\n".encode()), "--until-confirmed", "1", "--json")
        board = Board(server.server, mac=mac)
        self.assertEqual([board.fetch(), board.fetch()], ["update", "no update"])
        result = server.result()
        self.assertEqual(result.status, 0, result)
        self.assertIn("1 of 1 boards confirmed", result.err)
        hosts = self.file("hosts", f"{again}\n{mac}\n".encode())
        result = run("--serve=0", "--hosts", hosts, "-f", self.path, "--until-confirmed", "1", "--resume",
                     self.file("report", result.out.encode()))
        self.assertEqual(result.status, 0, result)
        result = run("--serve=0", "--hosts", self.file("hosts", f"{mac}\n{again} file={other}\n".encode()), "-f", self.path)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn(f"hosts, line 2: {again} would get two different images; leave one of them out\n", result.err)

    # -- who may ask, and how --

    def test_password(self):
        server = self.serve("-a", "swordfish")
        for path in ("/", "/firmware.bin", "/status.json", "/events", "/page.css", "/nothing"):
            answer = server.get(path)
            self.assertEqual((answer.status, answer.header("www-authenticate")[:6]), (401, "Basic "), path)
            self.assertNotIn(self.image[:64], answer.body)
        rows = [("Ym9hcmQ6c3dvcmRmaXNo", 200), ("OnN3b3JkZmlzaA==", 200), ("Ym9hcmQ6c3dvcmRmaXNoMg==", 401),
                ("c3dvcmRmaXNo", 401), ("", 401), ("!", 401)]
        for credentials, status in rows:
            answer = server.get("/firmware.bin", f"Authorization: Basic {credentials}\r\n")
            self.assertEqual(answer.status, status, credentials)
        other = address()
        self.assertEqual(Board(server.server, source=other).fetch(), -108)
        result = server.stop()
        self.assertNotIn("swordfish", result.out + result.err)
        self.assertEqual(result.err.count("asks with a wrong user or password and gets nothing\n"), 1, result.err)
        self.assertEqual(result.err.count(f"warning: {other} asks without the password and gets nothing\n"), 1, result.err)
        self.path = self.file("kitchen.bin", firmware.esp32_sketch(60000))
        server = self.serve("-a", "swordfish")
        for name in ("idf", "idf-old"):
            board = self.board("--fetch", server.url + "/firmware.bin", "-P", "swordfish", "--fetcher", name, "-n", "1",
                               family="esp32")
            board.wait_for("fetch result=update")
        server = self.serve("-a", "swordfish", "--user", "board")
        for credentials, status in (("Ym9hcmQ6c3dvcmRmaXNo", 200), ("OnN3b3JkZmlzaA==", 401)):
            answer = server.get("/firmware.bin", f"Authorization: Basic {credentials}\r\n")
            self.assertEqual(answer.status, status, credentials)

    def test_turned_away(self):
        """A listed board that asks in vain has not been silent: the end, and the page, say why it got nothing. Who is in no
        list, and a browser at the address of a listed board, change nothing; nor does anybody, once it has got an answer."""
        other, where, secret = self.file("other.bin", firmware.esp8266(60000)), address(), ("-a", "swordfish")
        wrong, right = (f"Authorization: Basic {base64.b64encode(word).decode()}\r\n" for word in (b"x:wrong", b"x:swordfish"))
        mac = fetcher.new_mac()
        named = f"x-ESP8266-STA-MAC: {mac}\r\n"
        password, path = (6, "unauthorized"), (4, "never-asked")
        rows = [(secret, mac, "/firmware.bin", named + wrong, password, "it gave a wrong user or password", "password of this server"),
                (secret, mac, "/firmware.bin", named, password, "it gave no password", "password of this server"),
                (secret, where, "/firmware.bin", "", password, "it gave no password", "password of this server"),
                (secret, where, "/", wrong, path, None, "firewall lets it in"),
                (secret, mac, "/firmware.bin", wrong, path, None, "firewall lets it in"),
                (secret, mac, "/old%1b.bin", named + right, path, "it asks for /old\\x1b.bin, and its URL should end in /firmware.bin",
                 "Let its sketch ask the URL"),
                ((), mac, "/other.bin", named, (3, "image"), "it asks for the image of another board", ""),
                ((), mac, "/firmware.bin.gz", named, (3, "image"), "it asks for a compressed form, and there is none (see -z)", "")]
        for more, listed, asked, headers, (status, code), reason, remedy in rows:
            with self.subTest(listed=listed, asked=asked, headers=headers):
                hosts = self.file("hosts", f"{listed}\n{fetcher.new_mac()} file={other}\n".encode())
                server = self.serve("--hosts", hosts, "--json", *more)
                for _ in range(3):
                    self.assertGreaterEqual(server.get(asked, headers, source=where).status, 401)
                board = json.loads(server.get("/status.json", right).body)["boards"][0]
                self.assertEqual((board["state"], board["requests"], board["reason"]),
                                 ("refused", 3, reason) if reason else ("silent", 0, None))
                result = server.stop()
                end = next(event for event in map(json.loads, result.out.splitlines())
                           if event["event"] == "result" and event["board"] == listed)
                self.assertEqual((end["exit_status"], end["code"]), (status, code))
                self.assertIn(reason or "it has not asked for the image", end["message"])
                self.assertIn(remedy, result.err)
        server = self.serve("--hosts", self.file("hosts", mac.encode()), *secret)
        self.assertEqual([server.get("/firmware.bin", named + more).status for more in (wrong, right, wrong)], [401, 200, 401])
        server.program.wait_for(f"{mac}: took it")
        self.assertEqual(server.stop().status, 12, server.ended)

    def test_all_turned_away(self):
        """No board has confirmed, and none is blamed for its silence that was told why it gets nothing."""
        for credentials, remedy in (("Authorization: Basic ISE=\r\n", "Change what the warnings say of the boards that asked"),
                                    ("", "Check that the boards' sketches ask the URL")):
            server = self.serve("-a", "swordfish", "--until-confirmed", "1")
            self.assertEqual(server.get("/firmware.bin", credentials).status, 401)
            result = server.stop()
            self.assertEqual(result.status, 12, result)
            self.assertIn(remedy, result.err)

    def certificate(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.file("key.pem", b""),
                        "-out", self.file("cert.pem", b""), "-days", "2", "-subj", f"/CN={name}", "-addext",
                        f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
        return os.path.join(self.directory, "cert.pem"), os.path.join(self.directory, "key.pem")

    def test_tls(self):
        def shown(server):
            return subprocess.run(["openssl", "s_client", "-connect", "{}:{}".format(*server.server), "-tls1_2",
                                   "-maxfraglen", "512"], input=b"", capture_output=True, timeout=DEADLINE_S).stdout.decode()

        cert, key = self.certificate("one.example")
        os.chmod(key, 0o604)
        server = self.serve("--tls-cert", cert, "--tls-key", key)
        server.program.wait_for("warning: every user of this computer can read .*key.pem; chmod 600 keeps the key private")
        self.assertEqual(server.scheme, "https")
        self.assertRegex(shown(server), r"subject=CN = one\.example")
        context = fetcher.ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, fetcher.ssl.CERT_NONE
        board = Board(server.server, context=context)
        self.assertEqual((board.fetch(), board.sketch == self.image), ("update", True))
        got = subprocess.run(["curl", "--silent", "--insecure", "--max-time", "60", server.url + "/kitchen.bin"], capture_output=True)
        self.assertTrue(got.stdout == self.image)
        self.certificate("two.example")
        server.program.send_signal(signal.SIGHUP)
        server.program.wait_for("new connections get the certificate")
        self.assertRegex(shown(server), r"subject=CN = two\.example")
        with open(cert, "w", encoding="ascii") as file:
            file.write("no certificate")
        server.program.send_signal(signal.SIGHUP)
        server.program.wait_for("the old certificate stays in use: the file of --tls-cert, .*, is not in PEM format")
        self.assertRegex(shown(server), r"subject=CN = two\.example")
        self.assertEqual(board.fetch(), "no update")

    def test_tls_closed_at_once(self):
        """As ESP-IDF closes it: the server's last words of TLS come too late, but the image has come."""
        cert, key = self.certificate("one.example")
        server = self.serve("--tls-cert", cert, "--tls-key", key)
        for version in (fetcher.ssl.TLSVersion.TLSv1_2, fetcher.ssl.TLSVersion.TLSv1_3):
            with self.subTest(version):
                context = fetcher.ssl.SSLContext(fetcher.ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, fetcher.ssl.CERT_NONE
                context.minimum_version = context.maximum_version = version
                mac = fetcher.new_mac()
                text = HTTP_11.format("/firmware.bin", f"x-ESP8266-STA-MAC: {mac}\r\nx-ESP8266-mode: sketch\r\n")
                self.assertTrue(request(server.server, text, context=context).body == self.image)
                server.program.wait_for(f"{mac}: (took it|its download broke off)")
        self.assertNotIn("broke off", server.stop().err)

    def test_tls_not_trusted(self):
        cert, key = self.certificate("one.example")
        server = self.serve("--tls-cert", cert, "--tls-key", key)
        others = [address() for _ in range(3)]
        with self.assertRaises(fetcher.ssl.SSLCertVerificationError):
            fetcher.Connection(server.server, source=others[0], context=fetcher.ssl.create_default_context(cafile=cert))
        self.assertEqual(Board(server.server, source=others[1]).fetch(), "broken")  # by http
        context = fetcher.ssl.SSLContext(fetcher.ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, fetcher.ssl.CERT_NONE
        idle = fetcher.Connection(server.server, source=others[2], context=context)
        self.addCleanup(idle.close)
        for other in others[:2]:
            server.program.wait_for(f"warning: {other} connects and asks for nothing: does its URL begin with https")
        self.assertEqual(Board(server.server, context=context).fetch(), "update")
        self.assertEqual(server.stop().err.count("asks for nothing"), 2, server.ended.err)

    def test_reloads_with_streams(self):
        """The last two certificates are in use at the same time. A page that is followed with an older one is closed."""
        cert, key = self.certificate("one.example")
        server = self.serve("--tls-cert", cert, "--tls-key", key)
        context = fetcher.ssl.SSLContext(fetcher.ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, fetcher.ssl.CERT_NONE
        streams = []
        for reloads in range(1, 4):
            streams.append(fetcher.Connection(server.server, context=context))
            self.addCleanup(streams[-1].close)
            streams[-1].send(HTTP_11.format("/events", "").encode())
            streams[-1].read_head()
            while b"data: " not in streams[-1].buffer:
                streams[-1]._read_more()
            streams[-1].buffer = b""
            server.program.send_signal(signal.SIGHUP)
            server.program.wait_for("(?s)(new connections get the certificate.*){%d}" % reloads)
        self.assertEqual(Board(server.server, context=context).fetch(), "update")
        for closed in streams[:2]:
            with self.assertRaises(fetcher.BrokenAnswer):
                closed._read_more()
        while b"data: " not in streams[2].buffer:
            streams[2]._read_more()
        self.assertEqual(server.stop().status, 0)

    def test_a_warning_hides_no_other(self):
        """A board drops its first connection, and others use up those warnings. Its wrong password is told all the same."""
        server, board = self.serve("-a", "swordfish"), address()
        others = [address() for _ in range(20)]
        for source in (board, *others):
            connection = fetcher.Connection(server.server, source=source)
            connection.send(b"GET /fi")
            connection.close()
        server.program.wait_for("asks for nothing that is understood.*; further ones.* are not reported")
        request(server.server, HTTP_11.format("/firmware.bin", "Authorization: Basic ISE=\r\n"), source=board)
        server.program.wait_for(f"warning: {board} asks with a wrong user or password and gets nothing")
        self.assertEqual(server.stop().err.count("warning: "), 21, server.ended.err)

    def test_tls_without_a_certificate(self):
        server, other, idle = self.serve(), address(), address()
        connection = fetcher.Connection(server.server, source=idle)
        with self.assertRaises((fetcher.ssl.SSLError, ConnectionError)):
            fetcher.Connection(server.server, source=other, context=fetcher.ssl.create_default_context())
        server.program.wait_for(f"warning: {other} connects and asks for nothing that is understood: does its URL begin with http")
        connection.close()
        self.assertEqual(Board(server.server).fetch(), "update")
        self.assertEqual(server.stop().err.count("warning: "), 1, server.ended.err)

    def test_tls_versions(self):
        """TLS 1.2 and later. OpenSSL itself offers less only at security level 0."""
        cert, key = self.certificate("one.example")
        server = self.serve("--tls-cert", cert, "--tls-key", key)
        for version, is_served in (("tls1", False), ("tls1_1", False), ("tls1_2", True), ("tls1_3", True)):
            with self.subTest(version):
                result = subprocess.run(["openssl", "s_client", "-connect", "{}:{}".format(*server.server), f"-{version}",
                                         "-cipher", "DEFAULT:@SECLEVEL=0"], input=b"", capture_output=True,
                                        timeout=DEADLINE_S)
                self.assertEqual(result.returncode == 0, is_served, result)
                if not is_served:  # by the server, which libmicrohttpd lets close without an alert
                    self.assertRegex(result.stderr, b"unexpected eof|alert protocol version")

    def test_keys_of_connections(self):
        """Neither in a file nor on standard error, whatever the environment says."""
        cert, key = self.certificate("one.example")
        log = os.path.join(self.directory, "keys")
        server = self.serve("--tls-cert", cert, "--tls-key", key, SSLKEYLOGFILE=log, GNUTLS_DEBUG_LEVEL="9")
        context = fetcher.ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, fetcher.ssl.CERT_NONE
        self.assertEqual(Board(server.server, context=context).fetch(), "update")
        self.assertNotIn("gnutls[", server.stop().err)
        self.assertFalse(os.path.exists(log))

    # -- the page --

    def test_small_records(self):
        """An ESP8266 has hardly room for a TLS record of 16 KiB."""
        cert, key = self.certificate("one.example")
        server = self.serve("--tls-cert", cert, "--tls-key", key)
        context = fetcher.ssl.SSLContext(fetcher.ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, fetcher.ssl.CERT_NONE
        received, sent = fetcher.ssl.MemoryBIO(), fetcher.ssl.MemoryBIO()
        tls = context.wrap_bio(received, sent)
        raw, plain = b"", b""
        with fetcher.socket.create_connection(server.server, 60) as connection:
            step = tls.do_handshake
            while len(plain) < len(self.image):
                try:
                    plain += step() or b""
                    if step == tls.do_handshake:
                        tls.write(b"GET /firmware.bin HTTP/1.0\r\n\r\n")
                    step = tls.read
                except fetcher.ssl.SSLWantReadError:
                    connection.sendall(sent.read())
                    data = connection.recv(65536)
                    self.assertTrue(data)
                    raw += data
                    received.write(data)
        sizes = []
        while len(raw) >= 5:
            size = int.from_bytes(raw[3:5], "big")
            sizes += [size] if raw[0] == 23 else []
            raw = raw[5 + size:]
        self.assertGreater(len(sizes), len(self.image) // 4096)
        self.assertLess(max(sizes), 4096 + 256)

    def test_page(self):
        server = self.serve()
        Board(server.server, version="<script>alert('&\"')</script>").fetch()
        answer = server.get("/")
        page = answer.body.decode()
        self.assertIn("&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;", page)
        self.assertNotIn("alert('", page)
        self.assertIn("default-src 'none'", answer.header("content-security-policy"))
        self.assertEqual(re.findall(r"(?:src|href)=\"(?!page\.|data:,)", page), [])
        for name in ("page.css", "page.js"):
            self.assertIn(f'="{name}"', page)
            self.assertEqual(server.get("/" + name).status, 200, name)

    def test_events(self):
        """The page hears at once that a board has come."""
        server = self.serve()
        connection = fetcher.Connection(server.server)
        connection.send(HTTP_11.format("/events", "").encode())
        self.assertEqual(connection.read_head().header("content-type"), "text/event-stream")
        while b"data: " not in connection.buffer:
            connection._read_more()
        connection.buffer = b""
        Board(server.server).fetch()
        while b"data: " not in connection.buffer:
            connection._read_more()
        connection.close()

    # -- the command --

    def test_status(self):
        """SIGUSR1 asks how far it is: before anybody asked, during a download, and afterwards."""
        server = Server(self, "-f", self.file("large.bin", firmware.esp8266(600000)), "--until-confirmed", "1")
        server.program.send_signal(signal.SIGUSR1)
        server.program.wait_for(r"(?m)^no board has asked yet, after \d+\.\d s$")
        board = Board(server.server)
        connection = fetcher.Connection(server.server)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.send(board.request().encode())
        connection.read_head()
        connection.read_body(20000)
        server.program.send_signal(signal.SIGUSR1)
        server.program.wait_for(r"(?m)^0 of 1 done, 1 running; \d.* of 585\.9 KiB sent, after \d+\.\d s$")
        server.program.wait_for(rf"(?m)^  {board.mac}: transfer, \d+% \(")
        connection.close()
        self.assertEqual((board.fetch(), board.fetch()), ("update", "no update"))
        self.assertEqual(server.result().status, 0)

    def test_nobody(self):
        server = self.serve()
        server.get("/firmware.bin")
        result = server.stop()
        self.assertEqual(result.status, 0, result)
        self.assertIn("no board that tells its MAC has asked\n", result.err)
        self.assertNotIn("0 boards", result.err)

    def test_ends(self):
        self.assertEqual(self.serve("--serve-for", "0.2").result().status, 0)
        result = self.serve("--serve-for", "0.2", "--until-confirmed", "1").result()
        self.assertEqual(result.status, 12, result)
        self.assertIn("0 boards have confirmed, but --until-confirmed waits for 1", result.err)
        self.assertIn("sketches ask the URL that is printed at the start", result.err)
        self.assertNotIn("takes the image again and again", result.err)
        server = self.serve()
        server.program.send_signal(signal.SIGTERM)
        self.assertEqual(server.result().status, 0)

    def test_too_few_confirm(self):
        """The remedy fits what the boards lack that are in no list."""
        def run_image(board):
            board.fetch(), board.fetch()

        def fail_each_time(board):
            for _ in range(4):
                board.fetch()

        rows = [("others did not ask", run_image, {}, "1 board has", "Check that the sketches of the other boards ask the URL"),
                ("no return", Board.fetch, {}, "0 boards have", "If the board sleeps, serve for longer; if not"),
                ("the old firmware", fail_each_time, {"keeps_old": True}, "0 boards have", "Look on the board's serial port"),
                ("another kind", Board.fetch, {"compose": esp32_request}, "0 boards have", "Serve an image that is for the board"),
                ("a broken download", lambda board: board.break_off(after=20000), {}, "0 boards have",
                 "Serve for longer; if downloads break off")]
        for name, act, more, confirmed, remedy in rows:
            with self.subTest(name):
                server = self.serve("--until-confirmed", "2")
                act(Board(server.server, **more))
                result = server.stop()
                self.assertEqual(result.status, 12, result)
                self.assertIn(f"{confirmed} confirmed, but --until-confirmed waits for 2\n  {remedy}", result.err)

        server = self.serve("--until-confirmed", "1")
        server.get("/firmware.bin")  # without a MAC
        self.assertIn("\n  Let the sketch send its board's MAC", server.stop().err)

    def test_ends_by_an_unusual_signal(self):
        """In order, but the program that started it learns of the signal."""
        server = self.serve("--until-confirmed", "1")
        server.program.send_signal(signal.SIGUSR2)
        result = server.result()
        self.assertEqual(result.status, -signal.SIGUSR2, result)
        self.assertIn("0 boards have confirmed, but --until-confirmed waits for 1", result.err)

    def test_port_in_use(self):
        server = self.serve()
        result = run("-f", self.path, "--serve={}:{}".format(*server.server))
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn("cannot serve at {}:{}: Address already in use\n  Give another port, such as --serve=8081, or end "
                      "the program that has this one".format(*server.server), result.err)
        result = run("-f", self.path, "--serve=192.0.2.77:8080")
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn("cannot serve at 192.0.2.77:8080: Cannot assign requested address\n  Give an address of this computer",
                      result.err)

    def test_usage(self):
        rows = [(["--serve"], "no firmware is named; add -f FILE"),
                (["--serve", self.path], "the word behind --serve is its port; write -f before the file"),
                (["--serve=1x", "-f", self.path], "--serve '1x' is neither a port number"),
                (["--serve", "http://me:kwert@board", self.path], "--serve is followed by its port, but a board was written "
                                                                  "there; write -i before the board"),
                (["--serve=::1:80", "-f", self.path], "--serve '::1:80' is neither"),
                (["--serve=[fe80::1]:80", "-f", self.path], "'[fe80::1]:80' is a link-local address: add the interface"),
                (["--serve=70000", "-f", self.path], "--serve '70000' is neither"),
                (["--serve", "-f", self.path, "-i", "board"], "leave -i out, or write -i http://board if"),
                (["--serve", "-f", self.path, "--all"], "leave --all out"),
                (["--serve", "-f", self.path, "--tls-cert", "a"], "belong together; add --tls-key FILE"),
                (["--serve", "-f", self.path, "--serve-version", "a\nb"], "--serve-version 'a\\nb' is not"),
                (["--serve", "-f", self.path, "-p", "80"], "leave -p out, or name the port to serve at with --serve=PORT"),
                (["-i", "board", "-f", self.path, "--serve-for", "3"], "--serve-for is about boards that fetch; add"),
                (["-f", self.path, "--serve-for", "3"], "--serve-for is about boards that fetch; add --serve"),
                (["--hosts", self.file("rest", b"*\n"), "-f", self.path],
                 '"*" stands for all boards that are not listed, and needs --serve'),
                (["--serve=0", "-f", self.path, "--tls-cert", self.path, "--tls-key", self.path],
                 'is not in PEM format ("-----BEGIN ...")')]
        certificate, key = self.certificate("one.example")
        rows.append((["--serve=0", "-f", self.path, "--tls-cert", certificate, "--tls-key", certificate],
                     "are not a certificate and its key"))
        for form in ((), ("-traditional",)):
            locked = self.file(f"locked-{len(form)}.pem", b"")
            subprocess.run(["openssl", "rsa", "-in", key, "-aes128", "-passout", "pass:kwert", "-out", locked, *form], check=True,
                           capture_output=True)
            rows.append((["--serve=0", "-f", self.path, "--tls-cert", certificate, "--tls-key", locked],
                         f"the key in {locked} is protected by a password, and --serve has nobody to ask for it"))
        for mac in ("24:0A:C4:00:00:0G", "24:0A:C4:00:00", "24-0a-c4-00-00-0x", "240AC4000001", "FF:FF:FF:FF:FF:FF"):
            hosts = self.file(f"list-{len(rows)}", b"10.0.0.7\n" + mac.encode())
            rows.append((["--serve=0", "-f", self.path, "--hosts", hosts],
                         f"{hosts}, line 2: '{mac}' is not a MAC address, which is written like 24:0A:C4:00:00:01"))
        password = self.file("password", b"kwert\n")
        useless = "--serve has no use for {}= with a board that {}; leave it out"
        for line, message in ((f"{{}} auth-file={password}", "boards that ask --serve by themselves all need the same password, "
                                                             "that of --auth-file; leave auth-file= out"),
                              ("{} min-auth=sha256", useless.format("min-auth", "asks by itself")),
                              ("http://10.0.0.7 page=tasmota", useless.format("page", "is told to fetch"))):
            for board in ("24:0A:C4:00:00:01", "10.0.0.7", "kitchen.local", "*"):
                hosts = self.file(f"list-{len(rows)}", f"10.0.0.8\n{line.format(board)}\n".encode())
                rows += [(["--serve=0", "-f", self.path, "--hosts", hosts, *more], f"{hosts}, line 2: {message}")
                         for more in ([], ["-a", "other"])]
        for more in ([], ["--hosts", self.file("askers", b"24:0A:C4:00:00:01\n")]):
            rows.append((["--serve=0", "-f", self.path, "-a", "swordfish", "--min-auth", "sha256", *more],
                         "boards that ask --serve send the password itself (Basic), and --min-auth allows nothing below SHA-256; "
                         "encrypt it with --tls-cert and --tls-key, or allow it with --min-auth md5"))
        for arguments, message in rows:
            result = run(*arguments)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn(message, result.err)

    def test_min_auth(self):
        """It says something of a password that is given away only."""
        certificate, key = self.certificate("one.example")
        ignored = "--serve ignores --min-auth, as no board is told to fetch and no password is given"
        for arguments, is_ignored in ((("--min-auth", "sha256"), True), (("--min-auth", "md5"), False),
                                      (("--min-auth", "sha256", "-q"), False), (("--min-auth", "md5", "-a", "swordfish"), False),
                                      (("--min-auth", "sha256", "-a", "swordfish", "--tls-cert", certificate, "--tls-key", key),
                                       False)):
            result = run("--serve=0", "-f", self.path, "--serve-for", "0.1", *arguments)
            self.assertEqual((result.status, result.out), (0, ""), result)
            self.assertEqual(ignored in result.err, is_ignored, result)


if __name__ == "__main__":
    unittest.main()
