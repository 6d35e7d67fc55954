#!/usr/bin/env python3
"""Uploads to sketch servers: passwords, faults, filesystem images, and what a success proves."""

import gzip
import json
import os
import re
import socket
import subprocess
import unittest

import firmware
from peer import Server
from scenario import DEADLINE_S, Case, Scenario, Terminal, environment, run, secrets

SKETCH = ("--protocol", "sketch", "--retries", "0")
RECEIVED = "received by the board; such a board does not check it; --online waits for its return"
CLEAR = "asks for the password itself \\(Basic\\), without encryption"
EMPTY = "the board's password is empty: whoever is in its network can replace its firmware"


def server(*options):
    """Options of a board with a sketch server, at any port."""
    return ("--web", "sketch", "-p", "0", *options)


def posts(board):
    return [event for event in board.events if " request " in event and " method=POST " in event]


class SketchServers(Scenario):

    def test_how_often_the_password_is_sent(self):
        """Each first request has it; who does not reply to three of them gets no more."""
        requests = []
        server = Server(lambda connection: requests.append(connection.recv(4096)))
        self.addCleanup(server.close)
        host, port = server.socket.getsockname()
        result = run(f"sketch://{host}:{port}", "-f", self.file("fw.bin", firmware.sketch("esp8266")), "-a", "secret",
                     "--wait", "60")
        self.assertEqual((result.status, len(requests)), (6, 3), result)
        self.assertIn("answers to 3 of its challenges without judging all", result.err)

    def test_no_other_host_gets_the_password(self):
        """Of a name's addresses, only one gets the password, also if nothing comes back; without one, all are asked."""
        image = self.file("fw.bin", firmware.sketch("esp8266"))
        for password, count in (((), 2), (("-a", "secret"), 1)):
            with self.subTest(password):
                addresses, before = self.two_addresses("boards.example")
                requests = []
                for host in addresses:
                    server = Server(lambda connection, requests=requests: requests.append(connection.recv(4096)),
                                    socket.create_server((host, 65280)))
                    self.addCleanup(server.close)
                result = run("sketch://boards.example", "-f", image, *password, "--retries", "0", before=before)
                self.assertEqual((result.status, len(requests)), (5, count), result)
                self.assertTrue(all(b"POST /sketch" in request for request in requests), requests)

    def test_no_other_host_gets_the_password_later(self):
        """Nor does one in a later attempt, if nothing listens any more where the password went."""
        addresses, before = self.two_addresses("boards.example")
        servers, asked = {}, []

        def answer(connection):
            asked.append(host := connection.getsockname()[0])
            if len(asked) == 1:
                servers[host].close()
            connection.recv(4096)

        for host in addresses:
            servers[host] = Server(answer, socket.create_server((host, 65280)))
            self.addCleanup(servers[host].close)
        result = run("sketch://boards.example", "-f", self.file("fw.bin", firmware.sketch("esp8266")), "-a", "secret",
                     "--retries", "1", before=before)
        self.assertEqual((result.status, asked), (5, asked[:1]), result)
        self.assertIn("; attempt 2 of 2 in", result.err)

    def test_success(self):
        self.check([
            Case("ESP8266", server("-P", "secret"), (*SKETCH, "-a", "secret"), says=(RECEIVED, CLEAR), never=(EMPTY,)),
            Case("ESP32", server("-P", "secret"), (*SKETCH, "-a", "secret"), family="esp32", says=(RECEIVED,)),
            Case("300000 bytes, no multiple of what the board reads", server("-P", "secret"), (*SKETCH, "-a", "secret"),
                 image=300000, says=(RECEIVED,)),
            Case("SAMD", server("-P", "secret"), (*SKETCH, "-a", "secret"), family="samd",
                 image=firmware.cortex_m(20001), says=(RECEIVED,)),
            Case("no password", server(), SKETCH, says=(RECEIVED, EMPTY), never=(CLEAR,)),
            Case("--quiet", server(), (*SKETCH, "--quiet"), never=(".",)),
        ])

    def test_scheme(self):
        board = self.board(*server("-P", "secret"))
        image = self.file("firmware.bin", firmware.sketch("esp8266"))
        result = run(f"sketch://{board.address}:{board.port}", "-f", image, "-a", "secret")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, RECEIVED)

    def test_typed_password(self):
        """It is asked for once the board wants it, after it was said how it will be sent; without one nothing is sent."""
        image = self.file("firmware.bin", firmware.sketch("esp8266"))
        for typed, status, said in (("secret", 0, RECEIVED), ("", 6, "asks for a password, and no password was given")):
            board = self.board(*server("-P", "secret"))
            terminal = Terminal(f"sketch://{board.address}:{board.port}", "-f", image, "--retries", "0")
            terminal.wait_for(f"(?s){CLEAR}.*Password of {board.address}: ")
            terminal.type(typed + "\n")
            result = terminal.result()
            self.assertEqual(result.status, status, result)
            self.assertEqual(len(re.findall(CLEAR, result.err)), 1, result)
            self.assertIn(said, result.err)
            self.assertNotIn("secret", result.err)
            board.close()
            self.assertEqual(bool(board.count(" upload result=ok")), status == 0, board.events)

    def test_typed_password_in_the_log(self):
        """What the log may not show, it may not show of a typed password either."""
        said = (option for word in secrets("secret")[1:] for option in ("--say-after", f"saved {word}"))
        board = self.board(*server("-P", "secret"), "--telnet", "2323", *said, "--say-after", "ready")
        terminal = Terminal(f"sketch://{board.address}:{board.port}", "--monitor=2323", "--expect", "ready",
                            "-f", self.file("firmware.bin", firmware.sketch("esp8266")))
        terminal.wait_for(f"Password of {board.address}: ")
        terminal.type("secret\n")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count("words that repeat"), 2, result)
        self.assert_no_secret(result, "secret")

    def test_online(self):
        """A board that goes and comes back is proof of more than its reply is."""
        board = self.board(*server("--reboot-ms", "3000"))
        image = self.file("firmware.bin", firmware.sketch("esp8266"))
        result = run(f"sketch://{board.address}:{board.port}", "-f", image, "--online=60", "--json")
        self.assertEqual(result.status, 0, result)
        ended = [json.loads(line) for line in result.out.splitlines()][-1]
        self.assertEqual((ended["event"], ended["phase"]), ("result", "proof of boot"), result)
        self.assertRegex(ended["message"], r"^it went off the network and was back \d+\.\d s later$")

    def test_no_doubt(self):
        """Programs for these boards have no format that could be known; others are warned of, as everywhere."""
        for content, is_told in ((firmware.cortex_m(), False), (firmware.noise(first=0x12), True)):
            board = self.board(*server(), family="esp8266" if is_told else "samd")
            result = run(f"sketch://{board.address}:{board.port}", "-f", self.file("firmware.bin", content), "--force")
            self.assertEqual(result.status, 0, result)
            self.assertEqual("its format is unknown" in result.err, is_told, result)
            result = run("-i", board.address, "-p", "9", "-f", self.file("firmware.bin", content), "-t", "1", "--retries", "0")
            self.assertIn("its format is unknown", result.err)

    def test_words(self):
        """Its reply is no confirmation, so nothing speaks of one."""
        image = self.file("firmware.bin", firmware.sketch("esp8266"))
        for options, status, said in (
                ((), 0, "and received by the board; such a board does not check it"),
                (("--online=60",), 0, "the board has received the image; waiting at most 60 s for it to go off the network and come back"),
                (("--online=60", "--deadline", "3"), 12, "the board has received the image, but the 3 s of --deadline were over")):
            with self.subTest(options):
                board = self.board(*server("--reboot-ms", "3000" if status == 0 else "60000"))
                result = run(f"sketch://{board.address}:{board.port}", "-f", image, *options)
                self.assertEqual(result.status, status, result)
                self.assertIn(said, result.err)
                self.assertNotIn("confirmed", result.err)

    def test_request(self):
        """The first requests have no body; the last one is the image as it is, and nothing else asks."""
        board = self.board(*server("-P", "secret"))
        content = firmware.sketch("esp8266", 30001)
        result = run("-i", board.address, "-p", str(board.port), "-f", self.file("firmware.bin", content), *SKETCH,
                     "-a", "secret")
        self.assertEqual(result.status, 0, result)
        board.wait_for(" rebooting")
        password, chip, upload = posts(board)
        for event, path, length in ((password, "/sketch", 0), (chip, "/data", 0), (upload, "/sketch", 30001)):
            for text in (f"path={path} ", 'query=""', "scheme=basic", f" length={length} ", "chunked=no", "expect=no",
                         "close=yes", f'host="{board.address}:{board.port}"'):
                self.assertIn(text, event)
        board.close()
        self.assertEqual(board.received(), content)

    def test_json(self):
        board = self.board(*server("-P", "secret"))
        image = self.file("firmware.bin", firmware.sketch("esp8266"))
        result = run("-i", f"sketch://{board.address}:{board.port}", "-f", image, "-a", "secret", "--json")
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual(events[-1]["verified"], "received", result)
        self.assertEqual(events[-1]["protocol"], "sketch", result)
        self.assert_no_secret(result, "secret")
        self.assertNotIn("YXJkdWlubzpzZWNyZXQ", result.out + result.err)

    def test_passwords(self):
        """A wrong password is found out before the image is sent."""
        self.check([
            Case("wrong", server("-P", "secret"), (*SKETCH, "-a", "wrong"), status=6,
                 says=("the board rejected the password",), events=("status=401", " length=0 ")),
            Case("none", server("-P", "secret"), SKETCH, status=6,
                 says=("asks for a password, and no password was given",), events=(" length=0 ",)),
            Case("given to a board without one", server(), (*SKETCH, "-a", "secret"), status=6,
                 says=("the board rejected the password",)),
            Case("--min-auth", server("-P", "secret"), (*SKETCH, "-a", "secret", "--min-auth", "sha256"), status=6,
                 says=("takes the password only in plain text \\(Basic\\)",), never=("without encryption",)),
        ])

    def test_min_auth_sends_nothing(self):
        board = self.board(*server("-P", "secret"))
        image = self.file("firmware.bin", firmware.sketch("esp8266"))
        result = run("-i", board.address, "-p", str(board.port), "-f", image, *SKETCH, "-a", "secret", "--min-auth",
                     "sha256")
        self.assertEqual(result.status, 6)
        board.close()
        self.assertEqual(posts(board), [])

    def test_filesystem(self):
        content = firmware.littlefs(block_size=8192)
        self.check([
            Case("ESP8266", server("-P", "secret"), (*SKETCH, "-a", "secret", "-s"), image=content,
                 says=(RECEIVED,), events=("path=/data ", "command=100")),
            Case("SAMD", server("-P", "secret"), (*SKETCH, "-a", "secret", "-s"), family="samd", image=content, status=7,
                 says=("takes no filesystem images: of those with a sketch server, only ESP8266 and ESP32",)),
        ])

    def test_chips(self):
        """Most of these boards announce no chip; whether they take filesystem images tells enough of it."""
        esp8266, esp32 = firmware.esp8266(20480), firmware.sketch("esp32")
        other, noise = firmware.cortex_m(), firmware.noise(20001, first=0x00)
        password = (*SKETCH, "-a", "secret")
        no_esp = "takes no filesystem images, so it is neither an ESP8266 nor an ESP32"
        cable = "would not start, and then need a cable \\(--force sends it anyway\\)"
        self.check([
            Case("an ESP8266's, for another board", server("-P", "secret"), password, family="samd", image=esp8266,
                 status=3, installed=False, says=(f"is for the chip esp8266, but the board .*{no_esp}.*{cable}",)),
            Case("an ESP32's, for another board", server("-P", "secret"), password, family="samd", image=esp32,
                 status=3, installed=False, says=(f"is for the chip esp32, but the board .*{no_esp}.*{cable}",)),
            Case("another file", server("-P", "secret"), password, family="samd", image=noise, status=3,
                 installed=False, says=(f"no vector table, with which .* begins, and the board .*{no_esp}",)),
            Case("another board's, for an ESP8266", server("-P", "secret"), password, image=other, status=3,
                 installed=False, says=("begins like a program for a Cortex-M microcontroller .* takes filesystem",)),
            Case("another board's, for an ESP32", server("-P", "secret"), password, family="esp32", image=other,
                 status=3, installed=False, says=("begins like a program for a Cortex-M microcontroller",)),
            Case("--force", server("-P", "secret"), (*password, "--force"), family="samd", image=esp8266,
                 says=(RECEIVED,)),
            Case("by ArduinoOTA", ("-p", "0"), ("--retries", "0"), image=other, status=10,
                 says=("Magic byte is not 0xE9",)),
        ])

    def test_compressed(self):
        packed = gzip.compress(firmware.sketch("esp8266"))
        self.check([
            Case("an unknown board", server(), SKETCH, image=packed, status=3,
                 says=("is compressed, and a board with a sketch server does not unpack it",)),
            Case("--force", server(), (*SKETCH, "--force"), family="samd", image=packed, says=(RECEIVED,)),
        ])

    def test_faults(self):
        password = (*SKETCH, "-a", "secret")
        self.check([
            Case("too large", server("-P", "secret", "--capacity", "8192"), password, status=10,
                 says=("cannot open its storage for an image of this size",)),
            Case("closed in the middle", server("-P", "secret", "--fault", "close@100000"), password, status=9, image=240000,
                 installed=False),
            Case("reset in the middle", server("-P", "secret", "--fault", "reset@100000"), password, status=9, image=240000,
                 installed=False),
            Case("no reply", server("-P", "secret", "--fault", "ok-missing"), password, status=11, installed=True,
                 says=("all 20000 bytes were sent, but the board closed the connection without a reply",)),
            Case("another reply", server("-P", "secret", "--fault", "raw-reply:HTTP/1.1 302 Found\\r\\n\\r\\n"), password,
                 status=11, installed=True, says=("its reply is not one of a sketch server \\(status 302\\)",)),
            *(Case(f"{cut} bytes of the reply", server("-P", "secret", "--fault", f"truncate-reply:{cut}"), password,
                   status=11, installed=True) for cut in (17, 60, 80)),
            Case("nobody", None, (*SKETCH, "-p", "9"), status=5, says=("connection: nothing listens at ", "has a sketch server")),
            Case("an update page", ("--web", "esp8266", "-p", "0"), SKETCH, status=5,
                 says=("answers, but is not a sketch server \\(status 404 to POST /sketch\\)",)),
        ])

    def test_wrong_first_byte(self):
        """The board says OK to it, and does not install it: the result claims no more than that."""
        self.check([Case("a wrong first byte", server("-P", "secret"), (*SKETCH, "-a", "secret", "--force"),
                         image=firmware.noise(first=0x42), installed=False, says=(RECEIVED,))])

    def test_old_server(self):
        """WiFi101OTA's replies have neither a length nor a body."""
        statuses, requests = iter((b"400 Bad Request", b"404 Not Found", b"200 OK")), []

        def answer(connection):
            with connection.makefile("rwb") as stream:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += (line := stream.readline())
                    self.assertTrue(line, head)
                body = stream.read(int(re.search(rb"Content-Length: (\d+)", head)[1]))
                requests.append((head, body))
                stream.write(b"HTTP/1.1 " + next(statuses) + b"\r\nConnection: close\r\n\r\n")

        server = Server(answer)
        self.addCleanup(server.close)
        content = firmware.cortex_m()
        host, port = server.socket.getsockname()
        result = run("-i", f"sketch://{host}:{port}", "-f", self.file("firmware.bin", content), "-a", "secret")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(requests[2][1], content)
        secret, nothing = b"YXJkdWlubzpzZWNyZXQ=", b"YXJkdWlubzo="
        wanted = (b"/sketch", secret), (b"/data", nothing), (b"/sketch", secret)
        for (path, pair), (head, _) in zip(wanted, requests, strict=True):
            self.assertTrue(head.startswith(b"POST " + path + b" HTTP/1.1\r\n"), head)
            self.assertIn(b"\r\nAuthorization: Basic " + pair + b"\r\n", head)

    def test_arduino_ota(self):
        """Called by the name of Arduino's uploader, with the command line of arduino-cli."""
        link = os.path.join(self.directory, "arduinoOTA")
        os.symlink(os.environ["ESP_OTA"], link)
        content = firmware.sketch("esp8266")
        image = self.file("firmware.bin", content)
        for password, status, said in (("secret", 0, RECEIVED), ("wrong", 6, "the board rejected the password")):
            with self.subTest(password):
                board = self.board(*server("-P", "secret"))
                result = subprocess.run(
                    [link, "-address", board.address, "-port", str(board.port), "-username", "arduino", "-password",
                     password, "-sketch", image, "-upload", "/sketch", "-b"], capture_output=True, text=True, check=False,
                    timeout=DEADLINE_S)
                self.assertEqual(result.returncode, status, result)
                self.assertEqual(result.stdout, "")
                self.assertRegex(result.stderr, said)
                self.assertNotIn(password, result.stderr.replace("wrong password", ""))
                board.close()
                self.assertEqual(board.received(), None if status else content)
        result = subprocess.run([link, "-address", "127.0.0.1"], capture_output=True, text=True, check=False,
                                timeout=DEADLINE_S)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("needs -address, -sketch and -upload", result.stderr)

    def test_arduino_ota_with_endless_aliases(self):
        """The values of all words are wiped then, also of those that the caller did not write."""
        link = os.path.join(self.directory, "arduinoOTA")
        os.symlink(os.environ["ESP_OTA"], link)
        lines = ["--x1" + 10 * " --progress"] + [f"--x{i + 1}" + 10 * f" --x{i}" for i in range(1, 5)] + ["-s --x5"]
        self.file(".popt", "".join(f"esp-ota alias {line}\n" for line in lines).encode())
        result = subprocess.run([link, "-address", "127.0.0.1", "-sketch", "a.bin", "-upload", "/data"],
                                env=environment(HOME=self.directory), capture_output=True, text=True, check=False,
                                timeout=DEADLINE_S)
        self.assertEqual((result.returncode, result.stdout), (2, ""), result)
        self.assertIn("popt aliases such as '-s' stand for more than", result.stderr)

    def test_mixed_fleet(self):
        """Three protocols from one list."""
        boards = [self.board("-p", "0"), self.board("--web", "esp8266", "-p", "0"), self.board(*server("-P", "secret"))]
        where = ["{}:{}", "http://{}:{}/update", "sketch://{}:{}"]
        self.file("password", b"secret\n")
        image = self.file("firmware.bin", firmware.sketch("esp8266"))
        lines = [text.format(board.address, board.port) for text, board in zip(where, boards)]
        hosts = self.file("hosts", ("\n".join(lines) + " auth-file=password\n").encode())
        result = run("--hosts", hosts, "-f", image, "--json", cwd=self.directory)
        self.assertEqual(result.status, 0, result)
        results = [json.loads(line) for line in result.out.splitlines()]
        results = {event["protocol"]: event["verified"] for event in results if event["event"] == "result"}
        self.assertEqual(results, {"espota": "board", "web": "board", "sketch": "received"})
        self.assertEqual(len(re.findall(CLEAR, result.err)), 1, result)


if __name__ == "__main__":
    unittest.main()
