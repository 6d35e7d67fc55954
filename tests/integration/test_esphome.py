#!/usr/bin/env python3
"""Uploads by ESPHome's protocol: each version, authentication, encryption, error byte and fault."""

import base64
import dataclasses
import gzip
import json
import os
import re
import signal
import socket
import unittest

import firmware
from peer import Server
import requirement
from scenario import Case, DEADLINE_S, Program, Scenario, Terminal, address, run, sketch

KEY = base64.b64encode(bytes(range(64, 96))).decode()
OTHER_KEY = base64.b64encode(bytes(range(32))).decode()
CONFIRMED = r"confirmed"


def settings(*names):
    return tuple(part for name in names for part in ("--esphome-set", name))


def device(*names, options=()):
    return ("--esphome", "-p", "0", *settings(*names), *options)


@dataclasses.dataclass
class Esphome(Case):
    """A board with ESPHome. key: what ESP_OTA_ENCRYPTION_KEY has."""

    family: str = "esp32"
    sets: tuple = ()
    options: tuple = ()
    key: str = None
    has_board: bool = True

    def __post_init__(self):
        super().__post_init__()
        self.board = device(*self.sets, options=self.options) if self.has_board else None
        self.args = ("--protocol", "esphome", *self.args)
        if self.key:
            self.env = {**self.env, "ESP_OTA_ENCRYPTION_KEY": self.key}
        self.never = (*self.never, re.escape(KEY), re.escape(OTHER_KEY))


class Uploads(Scenario):

    def test_versions(self):
        """Each version of the protocol, and each step in one segment."""
        sets = {"version 1": ("protocol=1",), "version 2": (), "extended": ("extended",),
                "patience of 1 s": ("read-ms=1000", "md5"), "packed, never offered": ("packed",),
                "encryption that is not needed": (f"key={KEY}",)}
        self.check(Esphome(name, sets=row, says=(CONFIRMED,), options=("--restart-ms", "500"), events=(" upload result=ok ", " acknowledged$"))
                   for name, row in sets.items())
        board = self.board(*device("extended"), family="esp32")
        path = self.file("fw.bin", sketch("esp32"))
        self.assertEqual(run("-i", f"esphome://{board.address}:{board.port}", "-f", path).status, 0)
        board.wait_for(" rebooting$")
        self.assertEqual(board.count(" parts "), 0)

    def test_without_a_scheme(self):
        """Nothing listens there by ArduinoOTA's protocol: the remedy names the scheme if the image is ESPHome's."""
        board = self.board(*device(), family="esp32")
        for text, is_told in ((firmware.esphome("2026.9.0"), True), (b"", False)):
            with self.subTest(is_told):
                path = self.file("fw.bin", firmware.esp32_sketch(20000, text=text))
                result = run("-i", board.address, "-p", str(board.port), "-f", path, "-t", "1", "--retries", "0")
                self.assertEqual(result.status, 5, result)
                self.assertIn("nothing listens at", result.err)
                for phrase in ("; the image is ESPHome 2026.9.0", "Write esphome:// before the board's name or address"):
                    self.assertEqual(phrase in result.err, is_told, result)
        self.assertEqual(run("-i", f"esphome://{board.address}:{board.port}", "-f", path).status, 0)

    def test_port_of_the_image(self):
        """The first suspect is the image, as the port comes from it: another port would send it to the wrong board."""
        result = run("-i", f"esphome://{address()}", "-f", self.file("fw.bin", sketch("esp32")))
        self.assertEqual(result.status, 5, result)
        self.assertIn("boards)\n  Check that the image is for this board", result.err)
        self.assertNotIn("8266", result.err)

    def test_families(self):
        """Others than the ESP32; an ESP8266 that asks for it gets a compressed image, from 3 ports the right one."""
        self.check((Esphome("ESP8266", family="esp8266", says=(CONFIRMED,), events=(" size .*packed=0$",)),
                    Esphome("Pico W", family="pico", says=(CONFIRMED,))))
        for key in (None, KEY):
            with self.subTest(key=key):
                content = sketch("esp8266") + bytes(30000)
                board = self.board(*device("packed", *((f"key={KEY}",) if key else ())), family="esp8266")
                result = run("-i", board.address, "-p", str(board.port), "--protocol", "esphome", "-f",
                             self.file("fw.bin", content), **({"ESP_OTA_ENCRYPTION_KEY": key} if key else {}))
                self.assertEqual(result.status, 0, result)
                board.wait_for(" size .*packed=1$")
                self.assertEqual(board.received(), content)

    def test_compressed_file(self):
        """A file that is compressed already goes to boards that ask for it, and to no others."""
        content = sketch("esp8266", 50000)
        path = self.file("fw.bin.gz", gzip.compress(content))
        for sets, status in ((("packed",), 0), ((), 7)):
            with self.subTest(sets):
                board = self.board(*device(*sets), family="esp8266")
                result = run("-i", f"esphome://{board.address}:{board.port}", "-f", path)
                self.assertEqual(result.status, status, result)
                self.assertEqual(board.received(), content if status == 0 else None)
                self.assertEqual("does not unpack" in result.err, status == 7)

    def test_passwords(self):
        secret = ("-P", "quite secret")
        right = ("-a", "quite secret")
        self.check((
            Esphome("SHA-256", options=secret, args=right, says=(CONFIRMED,), never=("MD5",)),
            Esphome("MD5", options=secret, args=right, sets=("md5",), says=(CONFIRMED, "answer with MD5")),
            Esphome("wrong", options=secret, args=("-a", "entirely wrong"), status=6,
                    says=("authentication: .*0x82", 'stands below "ota:"'), events=("answer result=wrong",)),
            Esphome("wrong, MD5", options=secret, args=("-a", "entirely wrong"), sets=("md5",), status=6, says=("0x82",)),
            Esphome("none", options=secret, status=6, says=("asks for a password",)),
            Esphome("weak", options=secret, args=(*right, "--min-auth", "sha256"), sets=("md5",), status=6,
                    says=("--min-auth", "2025.10")),
            Esphome("not asked", args=right, says=(CONFIRMED, "did not ask for the password")),
            Esphome("encrypted", options=secret, args=right, sets=(f"key={KEY}",), key=KEY,
                    says=(CONFIRMED,), events=(" encrypted$",), never=("did not ask",)),
        ))

    def test_passwords_within_the_encryption(self):
        """No device asks there, but its peers answer. With SHA-256 this is the longest step of all."""
        secret = ("-P", "quite secret")
        self.check(Esphome(f"{name} {sets}", options=secret, args=("-a", password), sets=(f"key={KEY}", "asks-encrypted", *sets),
                           key=KEY, status=status, says=says, events=(" encrypted$", f" answer result={name}$"))
                   for sets in ((), ("md5",))
                   for name, password, status, says in (("right", "quite secret", 0, (CONFIRMED,)),
                                                        ("wrong", "entirely wrong", 6, ("0x82",))))

    def test_typed_password(self):
        """That the answer will be made with MD5 is said once, and before the password is asked for."""
        board = self.board(*device("md5"), "-P", "quite secret", family="esp8266")
        terminal = Terminal("-i", f"esphome://{board.address}:{board.port}", "-f", self.file("fw.bin", sketch("esp8266")))
        terminal.wait_for(r"(?s)answer with MD5.*Password of [^\r\n]*: $")
        terminal.type("entirely wrong\n")
        terminal.wait_for_prompt(count=2)
        terminal.type("quite secret\n")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err.count("answer with MD5"), 1, result)

    def test_password_typed_within_the_encryption(self):
        """The right key says nothing of the password: the mistyped one is not for the next board."""
        options = ("-P", "quite secret")
        first = self.board(*device(f"key={KEY}", "asks-encrypted"), *options, family="esp8266")
        second = self.board(*options, family="esp8266")
        terminal = Terminal("-i", f"esphome://{first.address}:{first.port}", "-i", f"{second.address}:{second.port}",
                            "-f", self.file("fw.bin", sketch("esp8266")), "--retries", "0", "-j", "1",
                            ESP_OTA_ENCRYPTION_KEY=KEY)
        terminal.wait_for_prompt()
        terminal.type("entirely wrong\n")
        terminal.wait_for_prompt(count=2)
        terminal.type("quite secret\n")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertIn("2 of 2 boards confirmed", result.err)

    def test_encryption(self):
        self.check((
            Esphome("key", sets=(f"key={KEY}",), key=KEY, says=(CONFIRMED,), events=(" encrypted$",)),
            Esphome("needed", sets=(f"key={KEY}", "encrypted"), key=KEY, says=(CONFIRMED,), events=(" encrypted$",)),
            Esphome("needed, no key", sets=(f"key={KEY}", "encrypted"), status=6,
                    says=("0x94", "--encryption-key-file")),
            Esphome("another key", sets=(f"key={OTHER_KEY}",), key=KEY, status=6,
                    says=(r"authentication: the board has another encryption key \(Handshake MAC failure\)", "who answers")),
            Esphome("not offered", sets=("extended",), key=KEY, status=6,
                    says=("offers no encryption", "2026.9"), events=(" features value=0e$",), seconds=20),
            Esphome("an old board", key=KEY, status=6, says=("offers no encryption",)),
            Esphome("not offered by a board that knows it", sets=(f"key={KEY}", "in-clear"), key=KEY, status=6,
                    says=("offers no encryption",)),
        ))

    def test_error_bytes(self):
        """Before the image it is a refusal (7), afterwards an error of the upload (10)."""
        rows = [(step, byte, status, words)
                for step, byte, status, words in (
                    ("error-magic", "80", 7, "magic byte"), ("error-features", "ff", 7, "unknown error"),
                    ("error-size", "81", 7, "prepare its flash"), ("error-size", "85", 7, "reset"),
                    ("error-size", "88", 7, "does not fit"), ("error-size", "89", 7, "app partition"),
                    ("error-size", "8a", 7, "no partition"), ("error-size", "93", 7, "older"),
                    ("error-md5", "86", 7, "size of flash"), ("error-md5", "c1", 7, "does not know"))]
        self.check([Esphome(f"{step} {byte}", sets=(f"{step}={byte}",), status=status,
                            says=(words, f"0x{byte.upper()}")) for step, byte, status, words in rows])
        self.check([Esphome(f"{fault} {key}", options=("--fault", fault), status=10, says=(words,), key=key,
                            sets=(f"key={KEY}",) if key else (), image=100000)
                    for key in (None, KEY)
                    for fault, words in ((r"error:\x83@20000", "0x83"), (r"error:\x83@99999", "0x83"),
                                         (r"error-end:\x84", "0x84"), ("corrupt@30000", "0x8B"))])

    def test_real_refusals(self):
        """What the board's updater says, in the right words."""
        self.check((
            Esphome("too large", options=("--capacity", "10000"), status=7, says=("0x89", "leaving out components")),
            Esphome("too large for an ESP8266", family="esp8266", options=("--capacity", "10000"), status=7,
                    says=("0x88",)),
            Esphome("too large for a Pico W", family="pico", options=("--capacity", "10000"), status=7,
                    says=("0x8C",)),
        ))

    def test_faults(self):
        for key in (None, KEY):
            sets = (f"key={KEY}",) if key else ()
            self.check([Esphome(f"{fault} {key}", status=status, says=says, key=key, sets=sets,
                                options=sum((["--fault", one] for one in fault.split()), ["--window", "5744"]),
                                args=("--retries", "1"),
                                image=200000, installed=installed)
                        for fault, status, says, installed in (
                            ("reset@50000", 9, ("of 200000 bytes",), False),
                            ("close@50000", 9, ("of 200000 bytes",), False),
                            ("crash@50000", 9, ("of 200000 bytes",), False),
                            ("ok-missing", 11, ("all 200000 bytes were sent", "before you send again"), True),
                            ("ok-reset", 11, ("all 200000 bytes were sent",), True),
                            # else it may have the whole image before the garbage is read
                            (r"garbage:\x44@50000 stall@50001", 9, ("when it had only",), False),
                            (r"garbage:\x07@50000 stall@50001", 10, ("0x07",), False),
                            ("pause:300@50000", 0, (CONFIRMED,), True))])

    def test_another_service(self):
        self.check((Esphome("HTTP", sets=("first=48",), status=5, says=("not from ESPHome's OTA service",)),
                    Esphome("a later version", sets=("protocol=3",), status=7, says=("version 3",)),
                    Esphome("nobody", has_board=False, status=5, says=("nothing listens",))))

    def test_silence(self):
        self.check((Esphome("silent", options=("--fault", "silent"), args=("-t", "1"), status=5,
                            says=("was silent", "one client at a time")),))

    def test_acknowledgements_without_end(self):
        """Signs of life do not stand in for a verdict. Takes its minute."""
        where, size = address(), 30000
        server = socket.create_server((where, 0))
        self.addCleanup(server.close)
        program = Program("-i", f"esphome://{where}:{server.getsockname()[1]}", "-f",
                          self.file("fw.bin", sketch("esp32", size)), "--retries", "0")
        board, _ = server.accept()
        with board, board.makefile("rb") as sent:
            for length, reply in ((5, b"\0\2"), (1, b"\x40\x41"), (4, b"\x42"), (32, b"\x43"), (size, b"")):
                self.assertEqual(len(sent.read(length)), length)
                board.sendall(reply)
            board.settimeout(1)  # between two acknowledgements
            for _ in range(DEADLINE_S):
                try:
                    board.sendall(b"\x47")
                    self.assertEqual(board.recv(1), b"")
                    break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
        result = program.result()
        self.assertEqual(result.status, 11, result)
        self.assertIn("gave no verdict", result.err)

    def test_verdict_before_the_answer(self):
        """What comes together with the challenge is no verdict on an answer that was not sent yet."""
        for verdict in (b"\x41", b"\x82", b"\x41\x42\x43"):
            with self.subTest(verdict):
                server = socket.create_server((address(), 0))
                self.addCleanup(server.close)
                program = Program("-i", "esphome://{}:{}".format(*server.getsockname()), "-f", self.file("fw.bin", sketch("esp32")),
                                  "--retries", "0", "--json", ESP_OTA_AUTH="secret")
                board, _ = server.accept()
                with board, board.makefile("rb") as sent:
                    sent.read(5)
                    board.sendall(b"\0\2")
                    sent.read(1)
                    board.sendall(b"\x40\x02" + b"ab" * 32 + verdict)
                    board.shutdown(socket.SHUT_WR)
                    self.assertEqual(len(sent.read()), 128)  # the answer, and nothing of the image
                result = program.result()
                self.assertEqual(result.status, 7, result)
                events = [json.loads(line) for line in result.out.splitlines()]
                self.assertNotIn("authenticated", [event["event"] for event in events])
                end = next(event for event in events if event["event"] == "result")
                self.assertEqual(end["phase"], "authentication")
                self.assertIn(f"sent 0x{verdict[0]:02X} before it could have the answer", end["message"])

    def test_frees_the_board(self):
        """A client that gives up closes its connection, so that the board serves the next one."""
        board = self.board(*device("error-answer=82", options=("-P", "secret")), family="esp32")
        path = self.file("fw.bin", sketch("esp32"))
        for _ in range(3):
            result = run("-i", f"esphome://{board.address}:{board.port}", "-a", "secret", "-f", path)
            self.assertEqual(result.status, 6, result)
        board.wait_for_count(" client result=closed", 3)

    def test_filesystem(self):
        self.check((Esphome("-s", args=("-s", "--force"), status=2, says=("take no filesystem images",)),))

    def test_no_other_host_is_asked(self):
        """Of a name's addresses, the one that accepts is the board, also if it says nothing of a challenge's answer."""
        addresses, before = self.two_addresses("boards.example")
        asked = []

        def answer(connection):
            asked.append(connection.getsockname()[0])
            connection.sendall(b"\x00\x02")
            connection.recv(4096)

        for host in addresses:
            server = Server(answer, socket.create_server((host, 3232)))
            self.addCleanup(server.close)
        result = run("esphome://boards.example:3232", "-f", self.file("fw.bin", sketch("esp32")), "-a", "kwert",
                     "--retries", "0", before=before)
        self.assertNotEqual(result.status, 0, result)
        self.assertEqual(len(asked), 1, result)

    def test_key_in_the_log(self):
        """A board that shows the key in its log shows it to nobody here."""
        said = (f"key is {KEY}", f"part {KEY[5:16].lower()}", f"hex {bytes(range(64, 96)).hex()}")
        lines = (*(part for line in said for part in ("--say-after", line)), "--say-after", "version 2")
        # Away for longer than this computer may be late: else the new firmware's log would pass for the old one's.
        board = self.board(*device(f"key={KEY}"), "--reboot-ms", "3000", "--telnet", "2323", *lines, family="esp32")
        result = run("-i", f"esphome://{board.address}:{board.port}", "--monitor=2323", "--expect", "version 2", "--raw",
                     "-f", self.file("fw.bin", sketch("esp32")), ESP_OTA_ENCRYPTION_KEY=KEY)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out.count("words that repeat"), 3, result)
        for line in said:
            self.assertNotIn(line.split()[-1], result.out + result.err)

    def test_json(self):
        board = self.board(*device(f"key={KEY}"), family="esp32")
        result = run("-i", f"esphome://{board.address}:{board.port}", "--json", "-f",
                     self.file("fw.bin", sketch("esp32")), ESP_OTA_ENCRYPTION_KEY=KEY)
        self.assertEqual(result.status, 0, result)
        events = [json.loads(line) for line in result.out.splitlines()]
        end = next(event for event in events if event["event"] == "result")
        self.assertEqual((end["protocol"], end["verified"]), ("esphome", "board"))
        self.assertEqual([event["scheme"] for event in events if event["event"] == "authenticated"], ["Noise"])


def ask(connection, digits, asked):
    """A board's side that asks for an answer, and does not judge it."""
    with connection.makefile("rb") as stream:
        stream.read(5)
        connection.sendall(bytes([0, 2]))
        stream.read(1)
        kind, nonce = (1, 32) if digits == 32 else (2, 64)
        connection.sendall(bytes([0x40, kind]) + b"%0*x" % (nonce, len(asked)))
        if stream.read(2 * digits):
            asked.append(1)


class Answers(Scenario):

    def test_how_many(self):
        """A peer that never judges an answer gets three with MD5 and four with SHA-256, however long --wait is."""
        for digits, most in ((32, 3), (64, 4)):
            asked = []
            server = Server(lambda connection, digits=digits, asked=asked: ask(connection, digits, asked))
            self.addCleanup(server.close)
            host, port = server.socket.getsockname()
            with self.subTest(digits):
                result = run("-i", f"esphome://{host}:{port}", "-f", self.file("fw.bin", sketch("esp32")),
                             "--wait", "30", "--retries", "20", "--json", ESP_OTA_AUTH="secret")
                self.assertEqual((result.status, len(asked)), (6, most), result)
                self.assertIn(f"answers to {most} of its challenges without judging all", result.out)
                self.assertEqual(json.loads(result.out.splitlines()[-1])["code"], "no-verdict")


class Keys(Scenario):

    def test_files(self):
        """The key from a file, from a list of boards, and none that is one."""
        board = self.board(*device(f"key={KEY}", "encrypted"), family="esp32")
        path = self.file("fw.bin", sketch("esp32"))
        key = self.file("key", KEY.encode() + b"\n")
        target = f"esphome://{board.address}:{board.port}"
        hosts = self.file("hosts", f"{target} encryption-key-file={key}\n".encode())
        wrong = self.file("wrong", b"not a key at all\n")
        espota = self.file("espota", f"{address()} encryption-key-file={key}\n".encode())
        rows = (
            (("-i", target, "--encryption-key-file", key, "-f", path), {}, 0, CONFIRMED),
            (("-i", target, "--encryption-key-file", key, "-f", path), {"ESP_OTA_ENCRYPTION_KEY": OTHER_KEY}, 0, CONFIRMED),
            (("--hosts", hosts, "-f", path), {}, 0, CONFIRMED),
            (("--hosts", hosts, "-f", path), {"ESP_OTA_ENCRYPTION_KEY": OTHER_KEY}, 0, CONFIRMED),
            (("-i", target, "--encryption-key-file", wrong, "-f", path), {}, 2, "holds no encryption key"),
            (("-i", target, "--encryption-key-file", "/nonexistent", "-f", path), {}, 2, "cannot open the encryption key file"),
            (("-i", target, "-f", path), {"ESP_OTA_ENCRYPTION_KEY": "not a key"}, 2, "ESP_OTA_ENCRYPTION_KEY holds no"),
            (("--hosts", espota, "-f", path), {}, 2, "without encryption; write esphome://"),
        )
        for number, (arguments, env, status, says) in enumerate(rows):
            with self.subTest(arguments=arguments, env=env):
                result = run(*arguments, **env)
                self.assertEqual(result.status, status, result)
                self.assertIn(says, result.err)
                for secret in (KEY, OTHER_KEY, "not a key at all"):
                    self.assertNotIn(secret, result.out + result.err)
                if status == 0:
                    board.wait_for_count(" open$", number + 1)

    def test_environment(self):
        """While it runs, the environment of the process no longer has the key."""
        requirement.need_root(self, "only root sees the environment of a process that hides it")
        board = self.board(*device("read-ms=60000", options=("--fault", "silent")), family="esp32")
        program = Program("-i", f"esphome://{board.address}:{board.port}", "-t", "100", "-f",
                          self.file("fw.bin", sketch("esp32")), ESP_OTA_ENCRYPTION_KEY=KEY)
        board.wait_for(" client$")
        with open(f"/proc/{program.pid}/environ", "rb") as file:
            seen = file.read()
        self.assertIn(b"ESP_OTA_ENCRYPTION_KEY=", seen)
        self.assertNotIn(KEY.encode(), seen)
        program.send_signal(signal.SIGTERM)
        self.assertEqual(program.result().status, -signal.SIGTERM)
        board.wait_for(" client result=closed")

    def test_exposed(self):
        """A key file that others can read is warned of."""
        board = self.board(*device(f"key={KEY}"), family="esp32")
        key = self.file("key", KEY.encode())
        os.chmod(key, 0o644)
        result = run("-i", f"esphome://{board.address}:{board.port}", "--encryption-key-file", key, "-f",
                     self.file("fw.bin", sketch("esp32")))
        self.assertEqual(result.status, 0, result)
        self.assertIn("encryption key", result.err)


class Fleets(Scenario):

    def test_many(self):
        """500 boards at once, half of them encrypted."""
        path = self.file("fw.bin", sketch("esp32", 30000))
        key = self.file("key", KEY.encode())
        lines = []
        for sets, setting in (((), ""), ((f"key={KEY}", "encrypted"), f" encryption-key-file={key}")):
            board = self.board(*device(*sets), "-c", "250", family="esp32", where=f"127.{30 + len(lines) // 250}.77.1")
            board.wait_for_count(" ready ", 250)
            lines += [f"esphome://{event.split()[0]}{setting}" for event in board.events if " ready " in event]
        hosts = self.file("hosts", "\n".join(lines).encode())
        result = run("--hosts", hosts, "-f", path, "-j", "500")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(lines), 500)
        self.assertIn("500 of 500 boards confirmed", result.err)


class FourProtocols(Scenario):
    """One run for boards with ArduinoOTA, an update page, ESPHome and a sketch server."""

    def boards(self, **more):
        """{protocol: (board, its line)}"""
        options = {"espota": (), "web": ("--web", "esp32", "-p", "0"), "esphome": device("extended"),
                   "sketch": ("--web", "sketch", "-p", "0", "-P", "secret")}
        boards = {name: self.board(*words, *more.get(name, ()), family="esp32") for name, words in options.items()}
        scheme = {"web": "http"}
        lines = {name: f"{scheme.get(name, name)}://{board.address}:{board.port}" for name, board in boards.items()}
        lines["web"] += "/update"
        secret = self.file("secret", b"secret")
        os.chmod(secret, 0o600)
        lines["sketch"] += f" auth-file={secret}"
        return {name: (board, lines[name]) for name, board in boards.items()}

    def upload(self, boards, *options):
        path = self.file("fw.bin", self.image)
        hosts = self.file("hosts", "".join(line + "\n" for _, line in boards.values()).encode())
        result = run("--hosts", hosts, "-f", path, "--json", "--retries", "0", *options)
        events = [json.loads(line) for line in result.out.splitlines()]
        by_place = {f"{board.address}:{board.port}": name for name, (board, _) in boards.items()}
        return result, events, {by_place[f"{event['address']}:{event['port']}"]: event for event in events
                                if event["event"] == "result"}

    def setUp(self):
        super().setUp()
        self.image = sketch("esp32", 30000)

    def test_all_confirm(self):
        boards = self.boards()
        result, events, results = self.upload(boards)
        self.assertEqual(result.status, 0, result)
        self.assertEqual({name: (one["protocol"], one["ok"], one["verified"]) for name, one in results.items()},
                         {"espota": ("espota", True, "board"), "web": ("web", True, "board"),
                          "esphome": ("esphome", True, "board"), "sketch": ("sketch", True, "received")}, result)
        self.assertEqual([events[-1][key] for key in ("event", "boards", "confirmed", "failed", "exit_status")],
                         ["summary", 4, 4, 0, 0])
        for name, (board, _) in boards.items():
            self.assertEqual(board.received(), self.image, name)

    def test_one_refuses(self):
        """Each in turn: its status is that of the whole, and the others are not affected."""
        for refusing, more, status in (("espota", ("--fault", "error:ERROR[1]: Flash Write Failed\\n@20000"), 10), ("esphome", ("--esphome-set", "error-size=89"), 7),
                                       ("web", ("-P", "other"), 6), ("sketch", ("-P", "other"), 6)):
            with self.subTest(refusing):
                boards = self.boards(**{refusing: more})
                result, events, results = self.upload(boards)
                self.assertEqual(result.status, status, result)
                self.assertEqual({name: one["exit_status"] for name, one in results.items()},
                                 {name: status if name == refusing else 0 for name in boards}, result)
                self.assertEqual((events[-1]["confirmed"], events[-1]["failed"]), (3, 1))
        boards = self.boards(web=("-P", "other"), esphome=("--esphome-set", "error-size=89"))
        result, events, _ = self.upload(boards)
        self.assertEqual((result.status, events[-1]["exit_status"], events[-1]["code"], events[-1]["confirmed"]),
                         (20, 20, "mixed", 2), result)


if __name__ == "__main__":
    unittest.main()
