#!/usr/bin/env python3
"""--serve among strangers: whatever they send, nothing else is given away, and boards are served all the same."""

import hashlib
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import threading
import unittest

import firmware
import fetcher
from fetcher import Board
from scenario import Scenario, address, at_once, join
from test_serve import Server

load_tests = at_once  # a server takes 15 seconds to drop who says nothing
CROWD = 10000
STRANGERS_MAX = 500  # reported one by one
MEMORY_KIB = (512 if "asan" in os.environ["ESP_OTA"] else 64) * 1024
CONNECTIONS = 700  # more than a server of -j 1 has room for
IDLE_CPU_S = 1.5  # of some 15 seconds, with all that it takes to start
SECRET = b"the content of a file beside the image"


def cpu_seconds(pid):
    """What the process has used so far."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Hostile(Scenario):

    def setUp(self):
        super().setUp()
        self.image = firmware.esp8266(60000)
        self.server = Server(self, "-f", self.file("kitchen.bin", self.image), "-j", "1")
        self.file("secret.bin", SECRET)

    def answer(self, data):
        """All that comes back until the server closes the connection."""
        with socket.create_connection(self.server.server, timeout=60) as connection:
            try:
                connection.sendall(data)
            except ConnectionError:
                pass  # it has seen enough
            received = b""
            while True:
                try:
                    chunk = connection.recv(65536)
                except ConnectionError:
                    return received
                if not chunk:
                    return received
                received += chunk

    def assert_serving(self):
        board = Board(self.server.server)
        self.assertEqual((board.fetch(), board.sketch == self.image), ("update", True))
        self.server.program.wait_for(f"{board.mac}: took it")

    def test_requests(self):
        end = b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        rows = [
            (b"GET /" + 20000 * b"a" + end + b"\r\n", b"HTTP/1.1 414"),
            (b"GET /" + end + b"X: " + 20000 * b"a" + b"\r\n\r\n", b"HTTP/1.1 431"),
            (b"GET /" + end + b"".join(b"X-%d: a\r\n" % i for i in range(2000)) + b"\r\n", b"HTTP/1.1 431"),
            (b"POST /firmware.bin" + end + b"Content-Length: 3\r\n\r\nabc", b"HTTP/1.1 405"),
            (b"PUT /firmware.bin" + end + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", b"HTTP/1.1 405"),
            (b"DELETE /firmware.bin" + end + b"\r\n", b"HTTP/1.1 405"),
            (b"GET /firmware.bin" + end + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", b"HTTP/1.1 400"),
            (b"GET /firmware.bin" + end + b"Expect: 100-continue\r\n\r\n", b"HTTP/1.1 200"),
            (b"GET /firmware.bin" + end + b"Content-Length: 0\r\nContent-Length: 3\r\n\r\nabc", b"HTTP/1.1 400"),
            (b"GET /firmware.bin" + end + b"Content-Length: 99999999999999999999\r\n\r\n", b"HTTP/1.1 4"),
            (b"GET /firmware.bin" + end + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n", b"HTTP/1.1 400"),
            (b"GET /secret.bin" + end + b"\r\n", b"HTTP/1.1 404"),
            (b"GET /../secret.bin" + end + b"\r\n", b"HTTP/1.1 404"),
            (b"GET /%2e%2e/secret.bin" + end + b"\r\n", b"HTTP/1.1 404"),
            (b"GET /..%2fsecret.bin" + end + b"\r\n", b"HTTP/1.1 404"),
            (b"GET //etc/passwd" + end + b"\r\n", b"HTTP/1.1 404"),
            (b"GET " + os.fsencode(self.directory) + b"/kitchen.bin" + end + b"\r\n", b"HTTP/1.1 404"),
            (b"GET /kitchen.bin/" + end + b"\r\n", b"HTTP/1.1 404"),
            (b"GET http://a/secret.bin" + end + b"\r\n", b"HTTP/1.1 404"),
            (b"GET /%00" + end + b"\r\n", b"HTTP/1.1 "),
            (b"GET / HTTP/9.9\r\n\r\n", b""),
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b""),
            (b"\r\n\r\n\r\n\r\n", b""),
            (b"\0" * 9000, b""),
        ]
        for path in (b"/", b"/events", b"/firmware.bin", b"/kitchen.bin.md5", b"/manifest.json", b"/nothing"):
            self.assertTrue(self.answer(b"HEAD " + path + end + b"\r\n").endswith(b"\r\n\r\n"), path)
            self.assertEqual(self.answer(b"HEAD " + path + end + b"\r\n").count(b"\r\n\r\n"), 1, path)
        for data, status in rows:
            received = self.answer(data)
            self.assertTrue(received.startswith(status), (data[:60], received[:200]))
            self.assertNotIn(b"100 Continue", received)
            self.assertNotIn(SECRET, received)
            self.assertNotIn(b"root:", received)
        self.assert_serving()
        self.assertEqual(self.server.stop().status, 0)

    def test_claims(self):
        """What a stranger claims in headers is harmless where it is shown."""
        board = Board(self.server.server, version="1\x1b]0;x\x07\x85<b>", mac="24:0A:C4:00:00:01")
        board.fetch()
        page = self.server.get("/").body.decode()
        self.assertNotIn("\x1b", page)
        self.assertNotIn("<b>", page)
        self.assertNotIn("\x1b", self.server.get("/status.json").body.decode())
        self.assertNotIn("\x1b", self.server.stop().err)

    def open_download(self, server, board):
        """The board begins to download, and reads no further."""
        connection = fetcher.Connection(server.server, board.source)
        self.addCleanup(connection.close)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.send(board.request().encode())
        connection.read_head()
        connection.read_body(20000)
        return connection

    def test_other_board_with_its_mac(self):
        """What another address says with the MAC of a board that downloads is not the board's word."""
        image = firmware.esp8266(400000)
        server = Server(self, "-f", self.file("large.bin", image), "--until-confirmed", "1")
        board = Board(server.server, source=address())
        download = self.open_download(server, board)
        before = server.board(board.mac)
        self.assertEqual((before["state"], before["address"]), ("fetching", board.source))

        stranger = Board(server.server, mac=board.mac, source=address(), sketch=image)
        self.assertEqual(stranger.fetch(), "no update")  # it says that it runs the image
        stranger.sketch = b"\xe9another sketch"
        self.assertEqual((stranger.fetch(), stranger.fetch()), ("update", "no update"))
        stranger.sketch = b"\xe9another sketch"
        self.assertEqual(stranger.break_off(after=20000), None)
        after = server.board(board.mac)
        for name in ("state", "address", "failures"):
            self.assertEqual(after[name], before[name])
        download.read_body(len(image) - 20000)
        download.close()
        server.program.wait_for(f"{board.mac}: took it in")  # a board needs longer to restart
        board.sketch = image
        self.assertEqual(board.fetch(), "no update")
        result = server.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count(f"{stranger.source} asks with its MAC while it downloads"), 1, result)
        self.assertNotIn(f"{board.mac}: runs the image already", result.err)
        self.assertNotIn(f"{board.mac}: its download broke off", result.err)
        self.assertIn(f"{board.mac}: confirmed, ", result.err)

    def test_listed_board_with_its_mac(self):
        """While another address downloads with the MAC of a listed board, nobody gets the image of * with this MAC. One that
        is listed by its address gets its own."""
        image = firmware.esp8266(400000)
        own, rest = self.file("large.bin", image), self.file("rest.bin", firmware.esp8266(60000))
        where = address()
        for others in ("", f"* file={rest}\n"):
            for listed in ("mac", "address"):
                with self.subTest(listed, others=others):
                    board = Board(None, source=where)
                    lines = f"{board.mac if listed == 'mac' else where} file={own}\n{others}"
                    server = Server(self, "--hosts", self.file("hosts", lines.encode()))
                    board.server = server.server
                    if listed == "address":
                        self.assertEqual(board.break_off(after=20000), None)  # it has told its MAC
                    download = self.open_download(server, Board(server.server, mac=board.mac, source=address()))
                    if listed == "mac":
                        self.assertEqual((board.fetch(), board.answer.status, board.answer.body),
                                         (-104, 503, b"another address downloads with this MAC; ask again\n"))
                        download.read_body(len(image) - 20000)
                        download.close()
                        server.program.wait_for("took it in")
                    self.assertEqual((board.fetch(), board.sketch == image), ("update", True))
                    self.assertEqual(board.fetch(), "no update")
                    self.assertEqual(server.stop().status, 0)

    def test_back_without_an_end(self):
        """A board whose connection never ended asks again: the old one is reset, and its word counts."""
        image = firmware.esp8266(400000)
        server = Server(self, "-f", self.file("large.bin", image), "--until-confirmed", "1", "-j", "1")
        board = Board(server.server)
        lost = self.open_download(server, board)
        second = self.open_download(server, board)
        with self.assertRaises((ConnectionError, fetcher.BrokenAnswer)):
            lost.read_body(len(image))
        self.assertEqual(server.board(board.mac)["state"], "fetching")
        board.sketch = image
        self.assertEqual(board.fetch(), "no update")
        with self.assertRaises((ConnectionError, fetcher.BrokenAnswer)):
            second.read_body(len(image))
        result = server.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count(f"{board.mac}: its download broke off after"), 2)
        self.assertIn(f"{board.mac}: runs the image already", result.err)

    def test_log(self):
        """Who changes its reason, its firmware or its range with each request does not fill the log."""
        facts = (lambda number: f"x-ESP8266-free-space: {number}\r\nx-ESP8266-sketch-md5: {32 * '0'}\r\n",
                 lambda number: f"x-ESP8266-sketch-md5: {hashlib.md5(self.image if number % 2 else b'').hexdigest()}\r\n",
                 lambda number: f"x-ESP8266-mode: {('spiffs', 'other')[number % 2]}\r\n")
        for headers in facts:
            mac = fetcher.new_mac()
            for number in range(60):
                self.server.get("/firmware.bin", f"x-ESP8266-STA-MAC: {mac}\r\n" + headers(number))
        for _ in range(300):  # each causes two messages or three, by whether the download before has ended
            self.server.get("/firmware.bin", "Range: bytes=-1\r\n")
        lines = self.server.stop().err.splitlines()
        self.assertEqual(sum("causes too many messages" in line for line in lines), 4)
        self.assertLess(len(lines), 3 * 45 + 210)

    def test_invented_boards(self):
        """Requests with ever new MACs do not fill the log; a board of the list is still reported."""
        listed = fetcher.new_mac()
        server = Server(self, "-f", self.file("kitchen.bin", self.image), "--hosts",
                        self.file("hosts", f"{listed}\n*\n".encode()))
        strangers = [fetcher.new_mac() for _ in range(STRANGERS_MAX + 20)]
        for mac in (*strangers, *strangers[-5:], listed):
            server.get("/firmware.bin", f"x-ESP8266-STA-MAC: {mac}\r\nx-ESP8266-mode: other\r\n")
        result = server.stop()
        told = [mac for mac in strangers if f"{mac}: " in result.err]
        self.assertEqual((result.status, told), (3, strangers[:STRANGERS_MAX]), result)
        self.assertIn(f"{listed}: gets nothing: ", result.err)
        warnings = re.findall(r"(?m)warning: (.*)$", result.err)
        self.assertEqual(warnings, [
            "500 boards that are in no list have asked; further ones are only counted for 10 minutes (boards listed with "
            "--hosts are always reported)", "20 boards that are in no list were not reported"])
        self.assertEqual(result.out, "")

    def test_page_of_invented_boards(self):
        """Drawing it takes long, and no board is served meanwhile, so it is not drawn for each request."""
        connection = fetcher.Connection(self.server.server)
        self.addCleanup(connection.close)

        def ask(*requests):
            connection.send("".join(f"HEAD {path} HTTP/1.1\r\nHost: a\r\n{header}\r\n" for path, header in requests).encode())
            return [connection.read_head().header("content-length") for _ in requests]

        def invent(number):
            return "/firmware.bin", "x-ESP8266-STA-MAC: 24:0A:C4:01:{:02X}:{:02X}\r\n".format(*divmod(number, 256))

        for first in range(0, 9000, 100):
            ask(*(invent(number) for number in range(first, first + 100)))
        for path in ("/", "/status.json"):  # on a busy machine, the time until the next drawing may pass in between
            sizes = [ask((path, ""), invent(number), (path, "")) for number in range(20000, 20010)]
            self.assertTrue([size for size, _, later in sizes if size == later], sizes)
        self.assert_serving()

    def test_slow(self):
        """Who never completes a request is dropped; nobody waits for it."""
        slow = fetcher.Connection(self.server.server)
        slow.send(b"GET /firmware.bin HTTP/1.1\r\nHost: a\r\n")
        self.assert_serving()
        with self.assertRaises(fetcher.BrokenAnswer):
            slow.read_head()
        slow.close()
        self.assertEqual(self.server.stop().status, 0)

    def test_unfinished_handshakes(self):
        """Those of TLS cost the server next to nothing until it drops them."""
        server = Server(self, "-f", self.file("kitchen.bin", self.image), "--tls-cert", *self.certificate())
        hello = ssl.MemoryBIO()
        try:
            ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="a").do_handshake()
        except ssl.SSLWantReadError:
            hello = hello.read()
        crowd = [socket.create_connection(server.server, timeout=60) for _ in range(20)]
        for number, connection in enumerate(crowd):
            self.addCleanup(connection.close)
            connection.sendall(hello if number % 2 else hello[:5])
        for connection in crowd:
            while True:
                try:
                    if not connection.recv(65536):
                        break
                except ConnectionError:
                    break
        self.assertLess(cpu_seconds(server.program.pid), IDLE_CPU_S)
        self.assertEqual(server.stop().status, 0)

    def certificate(self):
        cert, key = (os.path.join(self.directory, name) for name in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-keyout", key,
                        "-out", cert], check=True, stderr=subprocess.DEVNULL)
        return cert, "--tls-key", key

    def test_crowd_of_idle_connections(self):
        """From many addresses: half of them begin a request and never end it. Boards are served meanwhile, at once."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(CROWD, hard - 200)
        if count < CROWD:
            print(f"the limit of open files, {hard}, allows only {count} of {CROWD} connections", file=sys.stderr)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        idle, served = [], 0
        for number in range(count):
            connection = socket.socket()
            self.addCleanup(connection.close)
            connection.settimeout(60)
            connection.bind((f"127.99.{number % 200}.1", 0))
            connection.connect(self.server.server)
            if number % 2:
                connection.sendall(b"GET /firmware.bin HTTP/1.1\r\nHost: a\r\n")
            idle.append(connection)
            if number % 1000 == 999:
                board = Board(self.server.server, source=address())
                self.assertEqual((board.fetch(), board.sketch == self.image), ("update", True))
                served += 1
                self.server.program.wait_for(f"{board.mac}: took it")
        self.assertEqual(served, count // 1000)
        with open(f"/proc/{self.server.program.pid}/status", encoding="ascii") as file:
            self.assertLess(int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]), MEMORY_KIB)
        self.assertEqual(self.server.stop().status, 0)

    def test_crowd_that_reads_nothing(self):
        """Those who ask again and again and read no answer make room for boards; a download and a browser go on."""
        room = 8  # with so few file descriptors
        image = firmware.esp8266(400000)
        server = Server(self, "-f", self.file("large.bin", image), "-j", "2",
                        before=("prlimit", f"--nofile={64 + 2 * room}"))
        slow = Board(server.server, source=address())
        download = self.open_download(server, slow)
        watcher = fetcher.Connection(server.server)
        self.addCleanup(watcher.close)
        watcher.send(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        watcher.read_head()

        for number in range(3 * room):
            stranger = socket.socket()
            self.addCleanup(stranger.close)
            stranger.settimeout(60)
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            stranger.connect(server.server)
            stranger.sendall(200 * b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(stranger.recv(4, socket.MSG_PEEK), b"HTTP", number)
            if number % room > room - 4:
                board = Board(server.server, source=address())
                self.assertEqual((board.fetch(), board.sketch == image), ("update", True))
                server.program.wait_for(f"{board.mac}: took it")

        watcher.socket.setblocking(False)
        with self.assertRaises(BlockingIOError):
            while True:
                self.assertNotEqual(watcher.socket.recv(65536), b"")
        download.read_body(len(image) - 20000)
        server.program.wait_for(f"{slow.mac}: took it")
        self.assertEqual(server.stop().status, 0)

    def test_crowd_while_a_part_is_sent(self):
        """A part of the image is sent to its end, whoever connects meanwhile. Those who ask for parts and do not read them
        make room for boards all the same."""
        room = 8  # with so few file descriptors
        image = firmware.esp8266(400000)
        server = Server(self, "-f", self.file("large.bin", image), "-j", "2",
                        before=("prlimit", f"--nofile={64 + 2 * room}"))

        def ask_for_part():
            connection = fetcher.Connection(server.server, address())
            self.addCleanup(connection.close)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.send(f"GET /firmware.bin HTTP/1.1\r\nHost: a\r\nRange: bytes=0-{len(image) - 2}\r\n\r\n".encode())
            self.assertEqual(connection.read_head().status, 206)
            return connection

        part = ask_for_part()
        for _ in range(3 * room):
            stranger = socket.create_connection(server.server, timeout=60)
            self.addCleanup(stranger.close)
        self.assertEqual(Board(server.server, source=address()).fetch(), "update")  # it has seen all of them
        self.assertEqual(part.read_body(len(image) - 1), image[:-1])
        for number in range(3 * room):
            ask_for_part()
            if number % room > room - 4:
                board = Board(server.server, source=address())
                self.assertEqual((board.fetch(), board.sketch == image), ("update", True))
                server.program.wait_for(f"{board.mac}: took it")
        self.assertEqual(server.stop().status, 0)

    def test_idle_connections(self):
        """One address cannot take all connections; boards at other addresses are served meanwhile."""
        first, other = address(), address()
        idle = []
        for _ in range(CONNECTIONS):
            connection = socket.socket()
            connection.settimeout(60)
            connection.bind((first, 0))
            connection.connect(self.server.server)
            idle.append(connection)
        board = Board(self.server.server, source=other)
        self.assertEqual((board.fetch(), board.sketch == self.image), ("update", True))
        for connection in idle:
            connection.close()
        self.assertEqual(self.server.stop().status, 0)

    def test_all_leave_at_once(self):
        """Where the room is full, whoever waits gets in when the others go, though all go in the same moment."""
        room = 3  # with so few file descriptors
        server = Server(self, "-f", self.file("kitchen.bin", self.image),
                        before=("prlimit", f"--nofile={64 + 2 * room}"))
        crowd = [fetcher.Connection(server.server) for _ in range(room)]
        for connection in crowd:  # it has accepted them when it answers
            connection.send(f"HEAD / HTTP/1.1\r\nHost: {server.where}\r\n\r\n".encode())
            connection.read_answer("HEAD")
        board, outcomes = Board(server.server), []
        waiting = threading.Thread(target=lambda: outcomes.append(board.fetch()), daemon=True)
        os.kill(server.program.pid, signal.SIGSTOP)
        waiting.start()
        for connection in crowd:
            connection.close()
        os.kill(server.program.pid, signal.SIGCONT)
        join(waiting)
        self.assertEqual((outcomes, board.sketch == self.image), (["update"], True))

    def test_streams(self):
        """Of those who watch the page, sixteen see it renewed; others are told to ask later."""
        watchers = []
        for _ in range(17):
            connection = socket.create_connection(self.server.server, timeout=60)
            self.addCleanup(connection.close)
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
            watchers.append(connection.recv(12)[9:])
        self.assertEqual(watchers, 16 * [b"200"] + [b"503"])
        self.assert_serving()

    def test_slow_downloads(self):
        """Forty from one address, each as another board, leave half of the downloads to others."""
        server = Server(self, "-f", self.file("large.bin", firmware.esp8266(400000)), "-j", "4")
        first, other = address(), address()
        answers = []
        for _ in range(40):
            connection = socket.socket()
            self.addCleanup(connection.close)
            connection.settimeout(60)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.bind((first, 0))
            connection.connect(server.server)
            connection.sendall(f"GET /firmware.bin HTTP/1.1\r\nHost: a\r\nUser-Agent: ESP8266-http-Update\r\n"
                               f"x-ESP8266-STA-MAC: {fetcher.new_mac()}\r\nx-ESP8266-mode: sketch\r\n\r\n".encode())
            answers.append(connection.recv(12)[9:])
        self.assertEqual((answers.count(b"200"), answers.count(b"503")), (2, 38))
        boards = [Board(server.server, source=other) for _ in range(2)]
        self.assertEqual([board.fetch() for board in boards], ["update", "update"])
        self.assertEqual(server.stop().status, 0)


if __name__ == "__main__":
    unittest.main()
