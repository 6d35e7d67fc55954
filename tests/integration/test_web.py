#!/usr/bin/env python3
"""Uploads through update pages: each page with its quirks, passwords, refusals, and connections that break."""

import base64
import ctypes
import gzip
import http.client
import http.server
import json
import os
import re
import select
import signal
import ssl
import subprocess
import threading
import time
import unittest

from elsewhere import elsewhere
import firmware
from peer import WebPeer
from requirement import need_root, skip
from scenario import DEADLINE_S, Case, Program, Scenario, Terminal, address, run, secrets, sketch

WEB = ("--protocol", "web", "--retries", "0")
CLEAR = "asks for the password itself \\(Basic\\), without encryption"
MD5 = "asks for an answer with MD5 \\(Digest\\), from which"
PIN = "asks for its PIN without encryption"

RESTARTING = "the board may have kept a part of the upload that broke off; restarting it"
RECEIVED = "received by the board; such a page does not say whether the image is good"
ONCE_MORE = "the board asks for the password with the upload, not with its page; trying again"
CONFIRMED = "confirmed by the board"

# page: family, what it is called, and what a success says
PAGES = {
    "esp8266": ("esp8266", "ESP8266HTTPUpdateServer, at /update", CONFIRMED),
    "esp32": ("esp32", "HTTPUpdateServer of the ESP32, at /update", CONFIRMED),
    "asyncupdate": ("esp32", "ESPAsyncHTTPUpdateServer, at /update", RECEIVED),
    "webupdater": ("esp32", "OTAWebUpdater or WebUpdate, at /update", RECEIVED),
    "webupdater-old": ("esp32", "OTAWebUpdater or WebUpdate, at /", RECEIVED),
    "elegantota": ("esp8266", "ElegantOTA, at /update", RECEIVED),
    "elegantota-async": ("esp32", "ElegantOTA, at /update", RECEIVED),
    "elegantota2-core": ("esp8266", "ElegantOTA, at /update; chip ESP8266", RECEIVED),
    "elegantota2": ("esp8266", "ElegantOTA, at /update; chip ESP8266", RECEIVED),
    "async": ("esp8266", "form on ESPAsyncWebServer, at /update", RECEIVED),
    "tasmota": ("esp8266", "Tasmota, at /update; firmware 15\\.5\\.0.*; chip ESP8266EX", CONFIRMED),
    "wled-old": ("esp8266", "WLED, at /update; firmware 0\\.15\\.0.*; chip esp8266", CONFIRMED),
    "esphome": ("esp32", "ESPHome's web server, at /", CONFIRMED),
    "esphome-async": ("esp8266", "ESPHome's web server, at /", CONFIRMED),
    "espurna": ("esp8266", "ESPurna, at /", CONFIRMED),
    "safeboot": ("esp32", "MycilaSafeBoot, at /chipspecs; firmware v3", CONFIRMED),
    "wifimanager": ("esp8266", "WiFiManager, at /update", CONFIRMED),
    "form": ("esp8266", "page with one file input, at /", RECEIVED),
}
WITHOUT_PASSWORD = {"wled-old", "safeboot", "webupdater-old"}
WITH_PASSWORD = {name: row for name, row in PAGES.items() if name not in WITHOUT_PASSWORD}


def web(name, *options):
    """Options of a board with this page, at any port."""
    return ("--web", name, "-p", "0", *options)


def posts(board):
    return [event for event in board.events if " request " in event and " method=POST " in event]


class Pages(Scenario):

    def test_success(self):
        self.check(Case(f"{name}, {size} bytes", web(name), WEB, family=family, image=size,
                        says=(f"update page: {title}", said))
                   for name, (family, title, said) in PAGES.items() for size in (20000, 300000))

    def test_pico(self):
        """Its page says "Update Success" also if its updater fails without an error, as it does with a full filesystem."""
        self.check([
            Case("Pico W", web("esp8266"), WEB, family="pico", says=(RECEIVED,)),
            Case("compressed", web("esp8266"), (*WEB, "-z"), family="pico", says=(RECEIVED,)),
            Case("its filesystem is full", web("esp8266", "--fault", "error-end:"), WEB, family="pico", installed=False,
                 says=(RECEIVED,)),
            Case("a filesystem image", web("esp8266"), (*WEB, "-s"), family="pico", image=firmware.littlefs(),
                 says=(CONFIRMED,)),
        ])

    def test_filesystem(self):
        self.check([
            Case("ESP8266", web("esp8266"), (*WEB, "-s"), image=firmware.noise(20480, first=0x21),
                 events=("part name=filesystem ", "command=100")),
            Case("ESP32", web("esp32"), (*WEB, "-s"), family="esp32", image=firmware.noise(20480, first=0x21),
                 events=("part name=filesystem ", "command=100")),
            *(Case(f"ESPAsyncHTTPUpdateServer, {family}", web("asyncupdate"), (*WEB, "-s"), family=family,
                   image=firmware.noise(20480, first=0x21), events=('query="name=filesystem"', "command=100"))
              for family in ("esp8266", "esp32")),
            Case("ElegantOTA 2", web("elegantota2"), (*WEB, "-s"), image=firmware.noise(20480, first=0x21),
                 events=("filename=\"filesystem\"", "command=100")),
            Case("ElegantOTA 2 of the core", web("elegantota2-core"), (*WEB, "-s"),
                 image=firmware.noise(20480, first=0x21), events=("part name=filesystem ", "command=100")),
            Case("ElegantOTA 3", web("elegantota"), (*WEB, "-s"), image=firmware.noise(20480, first=0x21),
                 events=("mode=fs", "command=100")),
            Case("SafeBoot", web("safeboot"), (*WEB, "-s"), family="esp32", image=firmware.noise(20480, first=0x21),
                 events=('query="mode=1"', "command=100")),
            *(Case(f"{name} has no field for it", web(name), (*WEB, "-s"), status=3, family=PAGES[name][0],
                   image=firmware.noise(20480, first=0x21), says=("takes no filesystem images",))
              for name in ("form", "async", "tasmota", "wled-old", "webupdater", "esphome", "espurna", "wifimanager")),
        ])

    def test_uf2(self):
        """LibreTiny's boards take the file at ESPHome's page; other pages are not theirs."""
        image = firmware.uf2(0x7B3EF230)
        self.check([
            Case("ESPHome", web("esphome"), WEB, family="pico", image=image, events=("part name=file ",)),
            *(Case(name, web(name), WEB, status=3, family="pico", image=image,
                   says=("the image is a UF2 file for the BK7231N, which only ESPHome's page takes",)) for name in ("form", "async")),
        ])

    def test_rules(self):
        """What the boards' parsers demand of every upload, and no POST before it."""
        for name, (family, *_) in PAGES.items():
            with self.subTest(name):
                board = self.board(*web(name), family=family)
                path = self.file("fw.bin", sketch(family, 1100000 if family == "esp32" else 600000))
                result = run("-i", f"http://{board.address}:{board.port}", "-f", path)
                requests = [event for event in board.events if " request " in event]
                authority = f"{board.address}:{board.port}"

                self.assertEqual(result.status, 0, result)
                self.assertEqual(len(posts(board)), 1)
                self.assertIn("method=POST", requests[-1])
                for number, request in enumerate(requests, 1):
                    self.assertIn(f" connection={number} number=1 ", request)
                    self.assertIn(" chunked=no expect=no close=yes ", request)
                    self.assertIn(f' host="{authority}" ', request)
                    self.assertIn(f' referer="http://{authority}/', request)
                self.assertIn(f' origin="http://{authority}" ', requests[-1])
                board.wait_for(r" part name=(?!firmware\.bin)\S+ filename=\"[\w.]+\" headers=Content-Disposition,Content-Type$")
                body = board.wait_for(r" body bytes=\d+ boundary=\w+ tail=crlf$")
                length = re.search(r" length=(\d+) ", requests[-1]).group(1)
                self.assertIn(f" bytes={length} ", body)
                self.assertLessEqual(len(re.search(r"boundary=(\w+)", body).group(1)), 40)

    def test_json(self):
        for name, verified in (("esp8266", "board"), ("form", "received")):
            with self.subTest(name):
                board = self.board(*web(name))
                path = self.file("fw.bin", sketch("esp8266"))
                result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "--json")
                events = [json.loads(line) for line in result.out.splitlines()]
                self.assertEqual([event["protocol"] for event in events if event["event"] in ("start", "result")],
                                 ["web", "web"])
                self.assertEqual(events[-1]["verified"], verified)
                self.assertEqual(events[-1]["port"], board.port)
                kinds = [event["event"] for event in events]
                self.assertLess(kinds.index("connected"), kinds.index("progress"))

    def test_ipv6(self):
        """Host, Origin and Referer have the brackets of the URL."""
        board = self.board(*web("esp32"), family="esp32", where="::1")
        result = run("-i", f"http://[::1]:{board.port}", "-f", self.file("fw.bin", sketch("esp32")))
        self.assertEqual(result.status, 0, result)
        (post,) = posts(board)
        for header in ('host="', 'origin="http://', 'referer="http://'):
            self.assertIn(f" {header}[::1]:{board.port}", post)

    def test_proxies(self):
        """Boards are next door: no proxy of the environment is asked for them."""
        board = self.board(*web("esp8266"))
        proxies = {name: "http://127.0.0.1:1" for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")}
        result = run("-i", f"http://{board.address}:{board.port}", "-f", self.file("fw.bin", sketch("esp8266")), "--retries", "0",
                     **proxies)
        self.assertEqual(result.status, 0, result)

    def test_given_page(self):
        """--page, --field, and paths in URLs."""
        board = self.board(*web("form"))
        url = f"http://{board.address}:{board.port}"
        path = self.file("fw.bin", sketch("esp8266"))
        restarts = 0
        for target, arguments, status, said in (
                (url, ("--page", "form"), 0, "page with one file input, at /"),
                (url + "/", ("--page", "form"), 0, "page with one file input, at /"),
                (url + "/flash", ("--page", "form", "--field", "image"), 0, "at /flash"),
                (url + "/flash", (), 5, "status 4"),
                (url + "/", ("--field", "other"), 5, "no known update page"),
                (url + "/nothing", ("--page", "form"), 5, "no known update page (/nothing has status 404"),
                (url, ("--page", "tasmota"), 5, "the board has no page of Tasmota: /up has status 404"),
                (url, ("--page", "elegantota"), 5, "the board has no page of ElegantOTA: /ota/start"),
                (url, ("--page", "esp8266"), 5, "nothing takes an upload at /update: status 404")):
            with self.subTest(target, arguments=arguments):
                result = run("-i", target, "-f", path, "--retries", "0", *arguments)
                self.assertEqual(result.status, status, result)
                self.assertIn(said, result.err)
                if status == 0:
                    restarts += 1
                    board.wait_for_count(" open$", restarts)

    def test_settings_of_a_line(self):
        """page=, field= and user= in a list, which count more than the command line."""
        form = self.board(*web("form"))
        other = self.board(*web("esp8266", "-P", "kwertz", "--web-set", "user=bob"))
        path = self.file("fw.bin", sketch("esp8266"))
        hosts = self.file("hosts", (f"http://{form.address}:{form.port}/flash page=form field=image\n"
                                    f"http://eve@{other.address}:{other.port} user=bob page=auto\n").encode())
        result = run("--hosts", hosts, "-f", path, "--page", "wled", "--user", "mallory",
                     ESP_OTA_AUTH="kwertz")
        self.assertEqual(result.status, 0, result)
        form.wait_for(r" part name=image ")
        for lines, said in (
                ("a page=form", "line 1: a gets its image by espota, but page=, field= and user= are for update pages"),
                ("http://a page=x", 'line 1: "page=x" is not known; there are auto, esp8266'),
                ("http://a user=b\nhttp://a user=c", "line 2: a is named twice with different page=, field= or user=")):
            with self.subTest(lines):
                result = run("--hosts", self.file("hosts", lines.encode()), "-f", path)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(said, result.err)

    def test_usage(self):
        for arguments, said in (
                (("-i", "http://admin:secret@10.0.0.1/",), "a password in a URL"),
                (("-i", "10.0.0.1", "--page", "x"), "--page 'x' is not known; there are auto, esp8266"),
                (("-i", "10.0.0.1", "--field", "a=b"), "--field 'a=b' is not a name"),
                (("-i", "10.0.0.1", "--field", ""), "--field '' is not a name"),
                (("-i", "10.0.0.1", "--user", "a:b"), "--user 'a:...' is empty"),
                (("-i", "10.0.0.1", "--cacert", ""), "the file name after --cacert is empty")):
            with self.subTest(arguments):
                result = run(*arguments, "-f", "fw.bin")
                self.assertEqual(result.status, 2)
                self.assertIn(said, result.err)
                self.assertNotIn("secret", result.err)


def type_twice(test, terminal, wrong, right, first):
    """A typed password that is rejected is asked for again. first is a pattern before the first prompt, and comes once."""
    for before, typed in ((first, wrong), ("rejected", right)):
        terminal.wait_for(rf"(?s){before}.*Password of [^\r\n]*: $")
        terminal.type(f"{typed}\n")
    result = terminal.result()
    test.assertEqual(result.status, 0, result)
    test.assertEqual(len(re.findall(first, result.err)), 1, result)
    return result


class Passwords(Scenario):

    def test_schemes(self):
        self.check(
            Case(f"{name}, {scheme}", web(name, "-P", "kwertz", "--web-set", f"auth={scheme}"),
                 (*WEB, "-a", "kwertz"), family=family, events=(f"method=POST .*scheme={sent}",),
                 says=(CLEAR,) if sent == "basic" else (), never=() if sent == "basic" else (CLEAR,))
            for name, (family, *_) in WITH_PASSWORD.items()
            for scheme, sent in (("basic", "basic"), ("digest", "digest"), ("only-digest", "digest")))

    def test_wrong_and_none(self):
        """Nothing is sent before the page accepts the password."""
        for name, (family, *_) in WITH_PASSWORD.items():
            for scheme in ("basic", "digest"):
                for arguments, said in ((("-a", "trewqq"), "rejected the password of the user \"admin\""),
                                        (("-a", "kwertz", "--user", "eve"), "of the user \"eve\""),
                                        ((), "no password was given")):
                    with self.subTest(name, scheme=scheme, arguments=arguments):
                        board = self.board(*web(name, "-P", "kwertz", "--web-set", f"auth={scheme}"), family=family)
                        path = self.file("fw.bin", sketch(family))
                        result = run("-i", f"http://{board.address}:{board.port}", "-f", path, *arguments)
                        self.assertEqual(result.status, 6, result)
                        self.assertIn(said, result.err)
                        self.assertEqual(posts(board), [])

    def test_asked_for_with_the_upload(self):
        """The page is open: the first upload brings the challenge, and the second one answers it."""
        self.check(
            Case(f"{name}, {scheme}", web(name, "-P", "kwertz", "--web-set", f"auth={scheme}", "--web-set", "open", *more),
                 (*WEB, "-a", "kwertz"), family=family, image=size, says=(ONCE_MORE,), never=("did not ask",),
                 events=("method=POST .*authorised=no scheme=none", f"method=POST .*authorised=yes scheme={sent}"))
            for name in ("form", "async", "esp8266", "webupdater", "esphome", "espurna", "wifimanager")
            for family in (PAGES[name][0],)
            for scheme, sent in (("basic", "basic"), ("digest", "digest"), ("only-digest", "digest"))
            for size, more in ((20000, ()), (700000, ("--web-set", "denies-early"))))

    def test_rejected_with_the_upload(self):
        """No more than one upload answers the challenge."""
        for scheme in ("basic", "digest"):
            for arguments, uploads, said in (
                    (("-a", "trewqq"), 2, 'rejected the password of the user "admin"'),
                    ((), 1, "for the upload, although not for its page, and no password was given"),
                    (("-a", "kwertz", "--min-auth", "sha256"), 1, "--min-auth allows nothing below SHA-256")):
                with self.subTest(scheme, arguments=arguments):
                    board = self.board(*web("form", "-P", "kwertz", "--web-set", f"auth={scheme}", "--web-set", "open"))
                    path = self.file("fw.bin", sketch("esp8266"))
                    result = run("-i", f"http://{board.address}:{board.port}", "-f", path, *arguments)
                    self.assertEqual(result.status, 6, result)
                    self.assertIn(said, result.err)
                    self.assertNotIn("did not ask", result.err)
                    self.assertEqual(len(posts(board)), uploads, board.events)

    def test_clear_text_is_told_once(self):
        """Not again by the next attempt."""
        board = self.board(*web("esp8266", "-P", "kwertz", "--fault", "reset@100000*1"))
        path = self.file("fw.bin", sketch("esp8266", 700000))
        result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "-a", "kwertz")
        self.assertEqual((result.status, len(posts(board))), (0, 2), result)
        self.assertEqual(len(re.findall(CLEAR, result.err)), 1, result)

    def test_later_uploads_answer_at_once(self):
        for scheme in ("basic", "digest"):
            with self.subTest(scheme):
                board = self.board(*web("esp8266", "-P", "kwertz", "--web-set", f"auth={scheme}", "--web-set", "open",
                                        "--fault", "reset@100000*1"))
                path = self.file("fw.bin", sketch("esp8266", 700000))
                result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "-a", "kwertz", "--json")
                self.assertEqual(result.status, 0, result)
                self.assertEqual(["authorised=yes" in post for post in posts(board)], [False, True, True], board.events)
                events = [json.loads(line) for line in result.out.splitlines()]
                self.assertEqual([event for event in events if event.get("password")], [])
                self.assertEqual([event["evidence"] for event in events if event["event"] == "authenticated"], ["reply"])

    def type_a_wrong_one_first(self, terminal, first):
        """No output has either."""
        self.assert_no_secret(type_twice(self, terminal, "trewqq", "kwertz", first), "trewqq", "kwertz")

    def test_prompt_for_the_upload(self):
        for scheme, first in (("basic", CLEAR), ("digest", MD5)):
            with self.subTest(scheme):
                board = self.board(*web("form", "-P", "kwertz", "--web-set", f"auth={scheme}", "--web-set", "open"))
                path = self.file("fw.bin", sketch("esp8266"))
                terminal = Terminal("-i", f"http://{board.address}:{board.port}", "-f", path)
                self.type_a_wrong_one_first(terminal, first)

    def test_users(self):
        self.check([
            Case("--user", web("esp8266", "-P", "kwertz", "--web-set", "user=bob"),
                 (*WEB, "-a", "kwertz", "--user", "bob")),
            Case("no need for it", web("esp8266"), (*WEB, "-a", "kwertz"),
                 says=("did not ask for the password",)),
        ])
        board = self.board(*web("esp8266", "-P", "kwertz", "--web-set", "user=bob"))
        path = self.file("fw.bin", sketch("esp8266"))
        result = run("-i", f"http://bob@{board.address}:{board.port}/", "-f", path, ESP_OTA_AUTH="kwertz")
        self.assertEqual(result.status, 0, result)

    def test_prompt(self):
        """How the password will be sent is said before it is asked for. Tasmota's asks only just before the upload."""
        path = self.file("fw.bin", sketch("esp8266"))
        for name in ("esp8266", "tasmota"):
            for scheme, first in (("basic", CLEAR), ("digest", MD5)):
                with self.subTest(name, scheme=scheme):
                    board = self.board(*web(name, "-P", "kwertz", "--web-set", f"auth={scheme}"))
                    terminal = Terminal("-i", f"http://{board.address}:{board.port}", "-f", path)
                    self.type_a_wrong_one_first(terminal, first)

    def test_prompt_of_a_fleet(self):
        """The board that waits for the word of another one is asked once more, and no attack if nobody knows the password."""
        boards = [self.board(*web("tasmota", "-P", "kwertz")) for _ in range(2)]
        urls = [word for board in boards for word in ("-i", f"http://{board.address}:{board.port}")]
        for typed in (("",), ("trewqq", "kwertz")):
            with self.subTest(typed):
                terminal = Terminal(*urls, "-f", self.file("fw.bin", sketch("esp8266")))
                for count, password in enumerate(typed, 1):
                    terminal.wait_for_prompt(count=count)
                    terminal.type(f"{password}\n")
                result = terminal.result()
                self.assertEqual(result.status, 0 if typed[-1] else 6, result)
                self.assertNotIn("downgrade", result.err)
                if not typed[-1]:
                    self.assertIn("2 boards: the board asks for a password, and got none", result.err)

    def test_prompt_for_many(self):
        """How the one password will be sent is said of the first board, before it is asked for."""
        for options, password, first, scheme in ((("esp8266", "-P", "kwertz"), "kwertz", CLEAR, "Basic"),
                                                 (("wled-old", "--web-set", "pin=1234"), "1234", PIN, "PIN")):
            with self.subTest(scheme):
                boards = [self.board(*web(*options)) for _ in range(2)]
                path, output = self.file("fw.bin", sketch("esp8266")), self.file("json", b"")
                where = [f"http://{board.address}:{board.port}" for board in boards]
                terminal = Terminal("-i", where[0], "-i", where[1], "-f", path, "--json", stdout=output)
                terminal.wait_for(rf"(?s){first}.*Password[^\r\n]*: $")
                terminal.type(f"{password}\n")
                result = terminal.result()
                self.assertEqual(result.status, 0, result)
                self.assertEqual(len(re.findall(first, result.err)), 1, result)
                with open(output, encoding="utf-8") as file:
                    events = [json.loads(line) for line in file]
                self.assertEqual([event["scheme"] for event in events if event["event"] == "note" and event["scheme"]],
                                 [scheme] * 2)

    def test_password_that_many_do_not_ask_for(self):
        """It is said of each board."""
        boards = [self.board(*web("esp8266")) for _ in range(2)]
        arguments = [part for board in boards for part in ("-i", f"http://{board.address}:{board.port}")]
        result = run(*arguments, "-f", self.file("fw.bin", sketch("esp8266")), ESP_OTA_AUTH="kwertz")
        self.assertEqual(result.status, 0, result)
        for board in boards:
            self.assertIn(f"{board.address}: the page did not ask for the password\n", result.err)

    def test_prompt_when_quiet(self):
        board = self.board(*web("esp8266", "-P", "kwertz"))
        terminal = Terminal("-i", f"http://{board.address}:{board.port}", "-f", self.file("fw.bin", sketch("esp8266")), "-q")
        terminal.wait_for_prompt()
        terminal.type("kwertz\n")
        result = terminal.result()
        self.assertEqual(result.status, 0, result)
        self.assertNotRegex(result.err, CLEAR)

    def test_min_auth(self):
        self.check([
            Case("Basic", web("esp8266", "-P", "kwertz"), (*WEB, "-a", "kwertz", "--min-auth", "sha256"), status=6,
                 says=("asks for the password itself \\(Basic\\), and --min-auth allows nothing below",),
                 never=(CLEAR,)),
            Case("Digest with MD5", web("esp8266", "-P", "kwertz", "--web-set", "auth=only-digest"),
                 (*WEB, "-a", "kwertz", "--min-auth", "sha256"), status=6, says=("asks for an answer with MD5, and",)),
        ])

    def test_secrets(self):
        """No output has the password or an answer, not even when the board repeats them."""
        answer = base64.b64encode(b"admin:kwertz").decode()
        for said in ("kwertz", answer, answer[3:14]):
            for scheme in ("basic", "digest"):
                with self.subTest(said, scheme=scheme):
                    text = f"HTTP/1.1 500 Error\\r\\n\\r\\nUpdate error: {said}"
                    board = self.board(*web("esp8266", "-P", "kwertz", "--web-set", f"auth={scheme}", "--fault",
                                            f"raw-reply:{text}"))
                    path = self.file("fw.bin", sketch("esp8266"))
                    result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "-a", "kwertz", "-d",
                                 "--json", "--retries", "0")
                    seen = result.out + result.err
                    self.assertEqual(result.status, 10, result)
                    if scheme == "basic":
                        self.assertNotIn(said, seen)
                    for secret in (*secrets("kwertz"), answer):
                        if scheme == "basic" or secret != answer:
                            self.assertNotIn(secret, seen)
                    self.assertNotIn("Authorization", seen)
                    self.assertNotRegex(seen, "response=")


class Images(Scenario):

    def test_wrong_board(self):
        self.check([
            Case("an ESP8266's for an ESP32", web("esp32"), WEB, family="esp32", image=firmware.esp8266(),
                 status=3, says=("update page of HTTPUpdateServer of the ESP32", "--force")),
            Case("an ESP32's for an ESP8266", web("esp8266"), WEB, image=firmware.esp32(size=20000),
                 status=3, says=("update page of ESP8266HTTPUpdateServer", "--force")),
            Case("--force", web("esp32"), (*WEB, "--force"), family="esp32", image=firmware.esp8266(),
                 status=10, says=("overridden by --force", "the board says: Update error: ")),
            *(Case(f"what {name} tells", web(name), WEB, image=firmware.esp32(size=20000), status=3,
                   says=(f'the board says that it is "{chip}" \\(esp8266\\)',))
              for name, chip in (("tasmota", "ESP8266EX"), ("wled-old", "esp8266"), ("elegantota2", "ESP8266"))),
        ])

    def test_room(self):
        """Tasmota tells its free space: what cannot fit is not sent."""
        board = self.board(*web("tasmota", "--capacity", "102400"))
        path = self.file("fw.bin", sketch("esp8266", 102401))
        result = run("-i", f"http://{board.address}:{board.port}", "-f", path)
        self.assertEqual(result.status, 3, result)
        self.assertIn("the image has 102401 bytes, and the board says that it has 102400 bytes free for it "
                      "(--force sends it anyway)", result.err)
        self.assertIn("compressed (-z)", result.err)
        self.assertEqual(posts(board), [])
        self.check([
            Case("it just fits", web("tasmota", "--capacity", "102400"), WEB, image=sketch("esp8266", 102400)),
            Case("compressed", web("tasmota", "--capacity", "102400"), (*WEB, "-z"),
                 image=firmware.esp8266(102401)),
            Case("--force", web("tasmota", "--capacity", "102400"), (*WEB, "--force"), status=10,
                 image=sketch("esp8266", 102401), says=("102400 bytes free for it; overridden by --force",
                                                        "Not enough space")),
            Case("an ESP32 is not asked", web("tasmota"), WEB, family="esp32"),
        ])

    def test_compressed(self):
        self.check([
            Case("ESP8266", web("esp8266"), (*WEB, "-z"), image=firmware.esp8266(), says=("confirmed",)),
            Case("compressed already, for an ESP32", web("esp32"), WEB, family="esp32", status=3,
                 image=gzip.compress(firmware.esp8266()), says=("does not unpack it; send it uncompressed",)),
        ])

    def test_smallest(self):
        """An ESP8266 writes whole sectors."""
        self.check([Case("4095 bytes", web("esp8266"), WEB, image=sketch("esp8266", 4095), status=10,
                         says=("ERROR\\[13\\]: No data supplied", "less than 4096 bytes, of which an ESP8266 writes none")),
                    Case("more", web("esp8266"), WEB, image=sketch("esp8266", 4097))])

    def test_refusals(self):
        """The board's reason, and the remedy that fits it."""
        self.check(
            Case(f"error {number}", web(page, "--fault", f"update-error:{number}"), WEB, status=10,
                 family=PAGES[page][0], says=(reason, remedy), never=("attempt",))
            for page, number, reason, remedy in (
                ("esp8266", 4, "the board says: Update error: ERROR\\[4\\]: Not Enough Space", "compressed \\(-z\\)"),
                ("esp8266", 1, "Update error: ERROR\\[1\\]", "power supply"),
                ("esp32", 4, "the board says: Update error: Not Enough Space", "larger app partitions"),
                ("wifimanager", 4, "the board says: Update fehlgeschlagen! OTA Error: 4\n", "compressed \\(-z\\)"),
                ("safeboot", 5, "the board says: Update error: Bad Size Given", "larger app partitions"),
                ("form", 4, "the board says: error: ", "compressed")))


class Quirks(Scenario):
    """What single pages want, or do otherwise than others."""

    def test_tasmota(self):
        self.check([
            Case("in German", web("tasmota", "--web-set", "language=de"), WEB, says=(CONFIRMED,)),
            Case("refused in German", web("tasmota", "--web-set", "language=de", "--fault", "update-error:4"), WEB,
                 status=10, says=("the board says: Upload fehlgeschlagen",)),
            Case("one partition", web("tasmota", "--web-set", "safeboot"), WEB, family="esp32",
                 says=("restarts into its safeboot firmware", CONFIRMED),
                 events=("path=/u4 ",)),
            Case("one partition, whose server has to settle", web("tasmota", "--web-set", "safeboot", "--web-set", "unsettled"),
                 WEB, family="esp32", says=(CONFIRMED,), never=("broke", "attempt")),
            Case("two partitions", web("tasmota"), WEB, family="esp32", never=("safeboot",)),
            Case("larger than its partition", web("tasmota", "--capacity", "19000"), WEB, family="esp32", status=10,
                 says=("Program flash size is larger than real flash size", "larger app partitions")),
            Case("its name in the URL does not matter", web("tasmota"), (*WEB, "--page", "tasmota")),
        ])

    def test_elegantota(self):
        """An upload that somebody else began is no refusal; one refused at its start is. Released cores of the ESP8266 do
        not refuse that start."""
        for name, *settings in (("elegantota",), ("elegantota", "says-running"), ("elegantota-async", "says-running")):
            with self.subTest(name, settings=settings):
                board = self.board(*web(name, *(word for setting in settings for word in ("--web-set", setting))))
                connection = http.client.HTTPConnection(board.address, board.port, timeout=60)
                connection.request("GET", "/ota/start?mode=fr", headers={"Connection": "close"})
                self.assertEqual(connection.getresponse().read(), b"OK")
                connection.close()
                path = self.file("fw.bin", sketch("esp8266"))
                result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "--retries", "0")
                self.assertEqual(result.status, 0, result)
                self.assertEqual("an earlier upload was not finished; starting again" in result.err, bool(settings))
        self.check([
            Case("401 after the upload", web("elegantota", "-P", "kwertz", "--fault", "late-401"),
                 (*WEB, "-a", "kwertz"), status=11, installed=True, says=("status 401",)),
            Case("version 2 compares the MD5", web("elegantota2", "--web-set", "md5"), WEB),
            *(Case(f"--page, {name}", web(name), (*WEB, "--page", "elegantota"))
              for name in ("elegantota", "elegantota2", "elegantota2-core")),
        ])

    def test_wled(self):
        self.check([
            Case("no release", web("wled"), WEB, status=10,
                 says=("missing compatibility metadata", "uncompressed image of WLED 0\\.15\\.2 or later",
                       "--force sends this one without that check")),
            Case("compressed", web("wled"), (*WEB, "-z"), status=10, image=firmware.wled(60000),
                 says=("missing compatibility metadata", "uncompressed image of WLED 0\\.15\\.2 or later")),
            Case("another release", web("wled"), WEB, status=10, image=firmware.wled(release="ESP02"),
                 says=("current='ESP8266', uploaded='ESP02'", "Send an image of the board's release")),
            Case("a version in between", web("wled"), WEB, status=10, image=firmware.wled(safe=(16, 0, 1)),
                 says=("requires at least 16\\.0\\.1, current='16\\.0\\.0'",
                       "First install the version that the board demands; --force")),
            Case("its own release", web("wled"), WEB, image=firmware.wled(safe=(16, 0, 0)), says=(CONFIRMED,)),
            Case("--force", web("wled"), (*WEB, "--force"), says=(CONFIRMED,), events=("part name=update ",)),
            *(Case(f"{name} locked", web(name, "--web-set", "locked"), WEB, status=6,
                   says=("WLED's OTA lock is on",)) for name in ("wled", "wled-old")),
            Case("from another network", web("wled", "--web-set", "fenced"), WEB, status=6,
                 says=("Access Denied Client is not on local subnet.", "from the board's own network")),
        ])

    def test_wled_pin(self):
        """The password unlocks the page before the upload, if it is a PIN; no other is sent."""
        for name in ("wled", "wled-old"):
            for password, *options, status, said, tries in (
                    (None, 6, "WLED asks for its settings PIN, and none was given", ()),
                    ("kwertz", 6, "is not a PIN, and was not sent", ()),
                    ("12345", 6, "is not a PIN, and was not sent", ()),
                    ("4711", 6, "WLED rejected the PIN", ("no", "no")),
                    ("1234", 0, CONFIRMED, ("yes",)),
                    ("1234", "--page", "wled", 0, CONFIRMED, ("yes",)),
                    ("1234", "--min-auth", "sha256", 6, "WLED asks for its PIN itself", ())):
                with self.subTest(name, password=password, options=options):
                    board = self.board(*web(name, "--web-set", "pin=1234"))
                    path = self.file("fw.bin", sketch("esp8266"))
                    given = ("-a", password) if password else ()
                    result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "--force", "-d", *given,
                                 *options)
                    self.assertEqual(result.status, status, result)
                    self.assertIn(said, result.err)
                    self.assertEqual("Give the PIN that is set" in result.err, len(tries) == 2)
                    self.assertEqual(PIN in result.err, not password or bool(tries))
                    self.assertEqual(tuple(re.findall(r" pin right=(\w+)", "\n".join(board.events))), tries)
                    self.assertEqual([" path=/update " in event for event in posts(board)],
                                     [False] * len(tries) + [True] * (status == 0))
                    if password:
                        self.assert_no_secret(result, password)

    def test_wled_pin_ignored(self):
        """A board ignores the PIN for some seconds after a wrong one."""
        board = self.board(*web("wled-old", "--web-set", "pin=1234"))
        connection = http.client.HTTPConnection(board.address, board.port, timeout=60)
        connection.request("POST", "/json/state", '{"pin":"0000"}',
                           {"Content-Type": "application/json", "Connection": "close"})
        connection.getresponse().read()
        connection.close()
        path = self.file("fw.bin", sketch("esp8266"))
        result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "--json", ESP_OTA_AUTH="1234")
        self.assertEqual(result.status, 0, result)
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual([event["scheme"] for event in events if event["event"] == "authenticated"], ["PIN"])
        self.assert_no_secret(result, "1234")

    def test_wled_pin_prompt(self):
        board = self.board(*web("wled-old", "--web-set", "pin=1234"))
        path = self.file("fw.bin", sketch("esp8266"))
        terminal = Terminal("-i", f"http://{board.address}:{board.port}", "-f", path)
        type_twice(self, terminal, "4711", "1234", first=PIN)

    def test_wled_locks_again(self):
        self.where = address()
        path = self.file("fw.bin", sketch("esp8266"))
        result = run("-i", f"http://{self.where}:{serve(self, LocksAgain)}", "-f", path, "-a", "1234", "--page", "wled")
        self.assertEqual(result.status, 6, result)
        self.assertIn('(status 401, "Please unlock settings using PIN code!"), although it took the PIN for its page',
                      result.err)
        self.assertIn("Give the PIN as this board's password", result.err)

    def test_wled_stays_open(self):
        """The page that was opened wants no PIN in the next attempt; that is no downgrade."""
        board = self.board(*web("wled-old", "--web-set", "pin=1234", "--fault", "reset@100000*1"), family="esp32")
        path = self.file("fw.bin", sketch("esp32", 400000))
        result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "-a", "1234")
        self.assertEqual(result.status, 0, result)
        self.assertIn("attempt 2 of 3", result.err)
        self.assertEqual("\n".join(board.events).count(" pin right="), 1)

    def test_wled_restarted(self):
        """A board that was restarted after a broken upload wants its PIN again; each image is sent once more at most."""
        board = self.board(*web("wled-old", "--web-set", "pin=1234", "--fault", "reset@100000*1"))
        path = self.file("fw.bin", firmware.esp8266(400000))
        result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "-a", "1234")
        self.assertEqual(result.status, 0, result)
        events = "\n".join(board.events)
        self.assertEqual(re.findall(r" pin right=(\w+)| path=/(reset) ", events),
                         [("yes", ""), ("", "reset"), ("yes", "")])
        self.assertEqual(sum(" path=/update " in event for event in posts(board)), 2)
        self.assert_no_secret(result, "1234")
        for name, image, *settings, resets in (("wled", firmware.wled(400000), 0),
                                               ("wled-old", firmware.esp8266(400000), "--web-set", "ignores-reset", 1)):
            with self.subTest(name, settings=settings):
                board = self.board(*web(name, *settings, "--fault", "reset@100000*1"))
                path = self.file("fw.bin", image)
                run("-i", f"http://{board.address}:{board.port}", "-f", path)
                self.assertEqual("\n".join(board.events).count(" path=/reset "), resets)
                self.assertEqual(len(posts(board)), 1 if resets else 2)

    def test_updater_that_still_runs(self):
        """After an upload that broke off, the first refusal is no verdict on the image."""
        self.check(
            Case(name, web(name, "--fault", "reset@100000*1"), ("--protocol", "web"), image=400000,
                 family="esp32", says=("attempt 2 of 3", "this may be about the previous upload"))
            for name in ("async", "elegantota2", "esphome-async"))
        self.check([
            Case("an ESP8266 would start the mixture", web("esphome-async", "--fault", "reset@100000*1"),
                 ("--protocol", "web"), image=400000, status=9, never=("attempt 2",),
                 says=("Turn the board off and on before you try again",)),
            *(Case(f"so would one with its core's updater, {name}", web(name, "--fault", "reset@100000*1"),
                   ("--protocol", "web"), image=firmware.esp8266(400000), status=9, never=("attempt 2",),
                   says=("Turn the board off and on before you try again",))
              for name in ("async", "form", "webupdater")),
            *(Case(f"this page drops the next upload, {family}", web("asyncupdate", "--fault", "reset@100000*1"),
                   ("--protocol", "web"), family=family, image=sketch(family, 400000), status=9, never=("attempt 2",),
                   says=("Turn the board off and on before you try again",)) for family in ("esp8266", "esp32")),
            *(Case(f"ElegantOTA 2 compares the MD5 of the mixture, or its core says that it runs {settings}",
                   web("elegantota2", *settings, "--fault", "reset@100000*1"), ("--protocol", "web"),
                   image=firmware.esp8266(400000),
                   says=("attempt 2 of 3", "the board says: FAIL; this may be about the previous upload", RECEIVED))
              for settings in ((), ("--web-set", "says-running"))),
            Case("and a Pico W", web("form", "--fault", "reset@100000*1"), ("--protocol", "web"), family="pico",
                 image=400000, status=9, never=("attempt 2",), says=("Turn the board off and on before you try again",)),
            *(Case(f"{name} does not say that its updater runs", web(name, "--fault", "reset@100000*1"),
                   ("--protocol", "web"), image=firmware.esp8266(400000), status=9, never=("attempt 3",),
                   says=("the board may still have the part of the image", "Turn the board off and on"))
              for name in ("elegantota", "elegantota-async")),
            Case("nor after the last attempt", web("elegantota", "--fault", "reset@100000*1"), WEB,
                 image=firmware.esp8266(400000), status=9, says=("Turn the board off and on before you start again",)),
            Case("a newer core says so", web("elegantota", "--web-set", "says-running", "--fault", "reset@100000*1"),
                 ("--protocol", "web"), image=firmware.esp8266(400000),
                 says=("an earlier upload was not finished; starting again", RECEIVED)),
            Case("ESPurna's runs until a restart", web("espurna", "--fault", "reset@100000*1"), ("--protocol", "web"),
                 image=400000, status=10,
                 says=("attempt 2 of 3", "the board says: ERROR: Upgrade in progress", "or restart the board")),
            Case("WLED 16 ends its updater", web("wled", "--fault", "reset@100000*1"), ("--protocol", "web"),
                 image=firmware.wled(400000), says=("attempt 2 of 3", CONFIRMED), never=("restarting it",)),
            Case("ESP8266HTTPUpdateServer does", web("esp8266", "--fault", "reset@100000*1"), ("--protocol", "web"),
                 image=400000, says=("attempt 2 of 3", CONFIRMED)),
            Case("an older one is restarted", web("wled-old", "--fault", "reset@100000*1"), ("--protocol", "web"),
                 image=firmware.esp8266(400000), says=("attempt 2 of 3", RESTARTING, CONFIRMED),
                 events=(" path=/reset ",)),
            Case("its refusal is one then",
                 web("wled-old", "--fault", "reset@100000*1", "--fault", "update-error:4"), ("--protocol", "web"),
                 image=firmware.esp8266(400000), status=10, says=(RESTARTING, "the board says: "),
                 never=("may be about the previous upload",)),
            Case("one that crashes has none", web("wled-old", "--fault", "crash@100000*1"), ("--protocol", "web"),
                 image=firmware.esp8266(400000), says=(CONFIRMED,)),
            Case("one that does not restart gets nothing more",
                 web("wled-old", "--web-set", "ignores-reset", "--fault", "reset@100000*1"), ("--protocol", "web"),
                 image=firmware.esp8266(400000), status=9, never=("attempt 3",),
                 says=(RESTARTING, "the board may still have the part of the image", "Turn the board off and on")),
            Case("nor after the last attempt of one", web("wled-old", "--fault", "reset@100000*1"), WEB,
                 image=firmware.esp8266(400000), status=9, says=("Turn the board off and on before you start again",),
                 never=(RESTARTING,)),
            Case("another page has no such path", web("async", "--fault", "reset@100000*1"),
                 ("--protocol", "web", "--page", "wled"), image=firmware.esp8266(400000), status=9,
                 never=("attempt 2",), says=("Turn the board off and on before you try again",)),
            Case("a refusal after that is one", web("async", "--fault", "reset@100000*1", "--fault", "update-error:4"),
                 ("--protocol", "web"), family="esp32", image=400000, status=10,
                 says=("attempt 2 of 3", "the board says: FAIL")),
        ])


class Broken(Scenario):

    def test_before_the_end(self):
        self.check([
            Case("reset", web("esp8266", "--fault", "reset@100000"), WEB, image=700000, status=9,
                 says=("transfer: ",)),
            Case("closed", web("esp8266", "--fault", "close@100000"), WEB, image=700000, status=9),
            Case("power lost", web("esp8266", "--fault", "crash@100000"), WEB, image=700000, status=9),
            Case("once, then well", web("esp8266", "--fault", "reset@100000*1"),
                 ("--protocol", "web"), image=700000, says=("attempt 2 of 3",)),
        ])

    def test_after_the_end(self):
        """The whole image is there: it may be installed, and that is what is said."""
        self.check([
            Case("closed", web("esp8266", "--fault", "ok-missing"), WEB, status=11, installed=True,
                 says=("all 20000 bytes were sent, but the board closed the connection without a reply",)),
            Case("reset", web("esp8266", "--fault", "ok-reset"), WEB, status=11, installed=True),
            Case("half a head", web("esp8266", "--fault", "truncate-reply:10"), WEB, status=11, installed=True),
            Case("no body", web("esp8266", "--fault", "truncate-reply:150"), WEB, status=11, installed=True),
            Case("401 after the upload", web("esp8266", "--fault", "late-401"), WEB, status=6, installed=True,
                 says=("for the upload, although not for its page, and no password was given",)),
            Case("something else", web("esp8266", "--fault", "raw-reply:HTTP/1.1 200 OK\\r\\n\\r\\n<h1>Router</h1>"),
                 WEB, status=11, installed=True, says=('status 200, "Router"',)),
            Case("not HTTP", web("esp8266", "--fault", "raw-reply:hello"), WEB, status=11, installed=True),
            *(Case(f"OK of more, {header}",
                   web("elegantota", "--fault", f"raw-reply:HTTP/1.1 200 OK\\r\\n{header}\\r\\n\\r\\n{body}"), WEB,
                   status=11, installed=True,
                   says=('the reply broke off before its end, and does not say whether .* \\(status 200, "OK"\\)',))
              for header, body in (("Content-Length: 39", "OK"), ("Transfer-Encoding: chunked", "27\\r\\nOK"))),
        ])

    def test_head_that_breaks_off(self):
        """No verdict on any page, whatever the rest would have said."""
        self.check(
            Case(f"{name}, {what}, {cut} bytes", web(name, "--fault", f"truncate-reply:{cut}", *faults), WEB,
                 family=PAGES[name][0], status=11, installed=installed,
                 says=("all 20000 bytes were sent, but the (board closed|reply broke off in its head)",))
            for name in PAGES
            for what, installed, faults in (("installed", True, ()), ("refused", False, ("--fault", "update-error:4")))
            for cut in (10, 17, 45, 60))

    def test_early_reply(self):
        """What the board says counts, even if it does not take the rest."""
        self.check([
            Case("an error", web("esp8266", "--fault", "error:ERROR[1]: Flash Write Failed@90000"), WEB, image=700000,
                 status=10, says=("transfer: the board says: Update error: ERROR\\[1\\]",), seconds=20),
        ])

    def test_early_reply_on_an_open_connection(self):
        """A board that has replied need not close first."""
        self.where = address()
        EarlyReply.has_closed.clear()
        path = self.file("fw.bin", sketch("esp8266", 8000000))
        result = run("-i", f"http://{self.where}:{serve(self, EarlyReply)}", "-f", path, "--retries", "0", "--force")
        self.assertEqual(result.status, 10, result)
        self.assertIn("the board says: Update error: ERROR[1]: Flash Write Failed", result.err)
        self.assertTrue(EarlyReply.has_closed.wait(DEADLINE_S))

    def test_early_reply_stops_the_upload(self):
        """Also if the board takes the rest."""
        self.where = address()
        path = self.file("fw.bin", sketch("esp8266", 8000000))
        result = run("-i", f"http://{self.where}:{serve(self, ReadsOn)}", "-f", path, "--retries", "0", "--force")
        self.assertEqual(result.status, 10, result)
        self.assertTrue(ReadsOn.has_ended.wait(DEADLINE_S))
        self.assertLess(ReadsOn.taken, 4000000)

    def test_continue(self):
        """100 is no reply, also if it comes early and nobody asked for it."""
        self.where = address()
        path = self.file("fw.bin", sketch("esp8266", 8000000))
        result = run("-i", f"http://{self.where}:{serve(self, SaysContinue)}", "-f", path, "--retries", "0", "--force")
        self.assertEqual(result.status, 0, result)

    def test_reply_before_a_reset(self):
        """The image is still sent when the board replies and resets the connection: the reply counts."""
        self.where = address()
        fifo = os.path.join(self.directory, "fifo")
        os.mkfifo(fifo)
        RepliesAndResets.fifo = fifo
        path = self.file("fw.bin", sketch("esp8266", 1000000))
        result = run("-i", f"http://{self.where}:{serve(self, RepliesAndResets)}", "-f", path, "--retries", "0",
                     LD_PRELOAD=os.environ["ESP_OTA_LATE_SEND"], LATE_SEND_FIFO=fifo,
                     ASAN_OPTIONS="verify_asan_link_order=0")
        self.assertEqual(result.status, 10, result)
        self.assertIn("the board says: Update error: ERROR[1]: Flash Write Failed", result.err)

    def test_nobody(self):
        where = address()
        path = self.file("fw.bin", sketch("esp8266"))
        result = run("-i", f"http://{where}:1/", "-f", path, "--retries", "0")
        self.assertEqual(result.status, 5, result)
        self.assertIn(f"nothing listens at {where}:1 (the given port)", result.err)
        self.assertIn("if it has ArduinoOTA instead, leave http:// out", result.err)
        self.assertIn("port in the URL", result.err)


class Fleet(Scenario):

    def test_mixed(self):
        """Boards with ArduinoOTA and with pages, in one command."""
        boards = [self.board(), self.board(*web("esp8266")), self.board(*web("form")),
                  self.board(*web("esp8266", "--fault", "update-error:4"))]
        path = self.file("fw.bin", sketch("esp8266"))
        lines = [f"{boards[0].address}:{boards[0].port}",
                 *(f"http://{board.address}:{board.port}" for board in boards[1:])]
        hosts = self.file("hosts", "\n".join(lines).encode())
        result = run("--hosts", hosts, "-f", path, "--json")
        results = [event for event in map(json.loads, result.out.splitlines()) if event["event"] == "result"]
        self.assertEqual(result.status, 10, result)
        self.assertEqual(sorted((event["protocol"], event["exit_status"]) for event in results),
                         [("espota", 0), ("web", 0), ("web", 0), ("web", 10)])
        with open(path, "rb") as file:
            content = file.read()
        for board in boards[:3]:
            self.assertEqual(board.received(), content)

    def test_many(self):
        boards = [self.board(*web("esp8266")) for _ in range(20)]
        path = self.file("fw.bin", sketch("esp8266", 100000))
        arguments = [word for board in boards for word in ("-i", f"http://{board.address}:{board.port}")]
        result = run(*arguments, "-f", path, "-j", "20")
        self.assertEqual(result.status, 0, result)


class PageServer(http.server.BaseHTTPRequestHandler):
    """An ESP8266's page behind https, as a proxy gives it."""

    protocol_version = "HTTP/1.1"

    def _reply(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self._reply(b"<form action=''><input type='file' name='firmware'></form>"
                    b"<form action=''><input type='file' name='filesystem'></form>")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(b"Update Success! Rebooting...")

    def log_message(self, *_):
        pass


class SameTasmota(PageServer):
    """A Tasmota that confirms every upload and goes on as before."""

    server_version, sys_version = "Tasmota/13.3.0", ""

    def do_GET(self):
        self._reply(b'{"StatusFWR":{"Version":"13.3.0(tasmota)","Hardware":"ESP8266EX"}}')

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(b"<script>setTimeout(function(){location.href='.';},24000);</script>Successful")


class BusyTasmota(SameTasmota):
    """One that leaves the first question after the upload without a reply until the next one comes, or hangs up."""

    hangs_up = False

    def do_GET(self):
        server = self.server
        pending, server.pending = getattr(server, "pending", None), None
        if not pending:
            getattr(server, "asked_again", threading.Event()).set()
            super().do_GET()
        elif not self.hangs_up:
            pending.wait(DEADLINE_S)
        self.close_connection = True

    def do_POST(self):
        self.server.pending = self.server.asked_again = threading.Event()
        super().do_POST()


class CurtTasmota(BusyTasmota):
    hangs_up = True


class Locked(SameTasmota):
    """A Tasmota whose new firmware asks for a password that nobody has."""

    is_updated = False

    def do_GET(self):
        if not Locked.is_updated:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="new"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        Locked.is_updated = True
        super().do_POST()


class SaysOk(PageServer):
    """A server that answers every path with a short plain text."""

    def do_GET(self):
        self._reply(b"OK")

    def do_POST(self):
        raise AssertionError("there is no page")


class Redirect(PageServer):
    """A hand-made page whose reply to an upload is a redirect."""

    leads_to = "/"

    def do_GET(self):
        self._reply(b"<form method='post'><input type='file' name='fw'></form>")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(303)
        self.send_header("Location", self.leads_to)
        self.send_header("Content-Length", "0")
        self.end_headers()


class WebUpdate(PageServer):
    """OTAWebUpdater, or whoever answers for it."""

    status, leads_to, says = 307, "/", b""

    def do_GET(self):
        self._reply(b"<form method='POST' action='/update' enctype='multipart/form-data'><input type='file' name='update'></form>")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Location", self.leads_to)
        self.send_header("Content-Length", str(len(self.says)))
        self.end_headers()
        self.wfile.write(self.says)


class LocksAgain(PageServer):
    """A WLED of version 16 whose PIN somebody else enters wrongly before the upload."""

    is_open = False

    def do_GET(self):
        if self.path == "/json/info":
            self._reply(b'{"ver":"16.0.0","vid":2612000,"release":"ESP8266","arch":"esp8266","brand":"WLED"}')
        elif not LocksAgain.is_open:
            self._reply(b"<title>PIN required</title><form><input type='password' name='PIN'></form>", 401)
        else:
            self._reply(b"<title>WLED Update</title><form action='./update'><input type='file' name='update'></form>")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/json/state":
            LocksAgain.is_open = True
            self._reply(b'{"success":true}')
        else:
            self._reply(b"<h2>Access Denied</h2>Please unlock settings using PIN code!", 401)


class EarlyReply(PageServer):
    """Says what is wrong in the middle of an upload, takes no more of it, and waits for the client to close."""

    has_closed = threading.Event()

    def do_POST(self):
        self.rfile.read(20000)
        self._reply(b"Update error: ERROR[1]: Flash Write Failed")
        poll = select.poll()
        poll.register(self.connection, select.POLLRDHUP)
        if poll.poll(20000):
            self.has_closed.set()
        self.close_connection = True


class ReadsOn(PageServer):
    """Says what is wrong in the middle of an upload, and counts what still comes."""

    taken, has_ended = 0, threading.Event()

    def do_POST(self):
        self.rfile.read(20000)
        self._reply(b"Update error: ERROR[1]: Flash Write Failed")
        try:
            while part := self.rfile.read1(65536):
                ReadsOn.taken += len(part)
        except ConnectionError:
            pass
        ReadsOn.has_ended.set()
        self.close_connection = True


class SaysContinue(PageServer):

    def do_POST(self):
        self.send_response_only(100)
        self.end_headers()
        super().do_POST()


class RepliesAndResets(PageServer):
    """Says what is wrong while the client is about to send more, and closes the connection with much unread."""

    fifo = None

    def do_POST(self):
        self.rfile.read(20000)
        with open(self.fifo, "rb"):
            self._reply(b"Update error: ERROR[1]: Flash Write Failed")
        self.close_connection = True


class TwoFaced(WebPeer):
    """Has its page on the first connection, and another certificate on the later ones; None: these are closed."""

    def __init__(self, first, others, where):
        self.contexts, self.connections = iter((first,)), 0
        self.others = others
        super().__init__(where)

    def answer(self, connection):
        self.connections += 1
        context = next(self.contexts, self.others)
        if not context:
            connection.recv(1)
            return
        connection.settimeout(60)
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(4096)
                page = b"<form action='/u'><input type='file' name='f'></form>"
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(page) + page)
                secure.recv(1)
        except OSError:  # the client did not trust it
            pass


class Turncoat(WebPeer):
    """Replies to a path as replies say (None: a reset in the midst of the request), to others with a form. From the
    change on, which is the reply to this method and path, it has the second certificate."""

    def __init__(self, contexts, replies, change, where):
        self.contexts, self.replies, self.change = contexts, replies, change
        self.asked, self.has_changed, self.distrusted = [], False, 0
        super().__init__(where)

    def answer(self, connection):
        connection.settimeout(DEADLINE_S)
        try:
            secure = self.contexts[self.has_changed].wrap_socket(connection, server_side=True)
        except OSError:
            self.distrusted += self.has_changed
            return
        with secure, secure.makefile("rb") as stream:
            asked = " ".join(stream.readline().decode().split()[:2])
            length = [int(line.split(b":")[1]) for line in iter(stream.readline, b"\r\n") if line.startswith(b"Content-Length")]
            self.asked.append(asked)
            said = self.replies.get(asked, b"<form action='/update'><input type='file' name='update'></form>")
            self.has_changed = asked == self.change
            if said is None:
                return
            stream.read(*length or (0,))
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(said) + said)
            stream.read()


def serve(case, handler, context=None):
    """The port of a server that runs until the end of the test."""
    server = http.server.ThreadingHTTPServer((case.where, 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    with elsewhere():
        threading.Thread(target=server.serve_forever, daemon=True).start()
    case.addCleanup(server.shutdown)
    return server.server_address[1]


class HandMade(Scenario):
    """Servers that are no board's, or say little."""

    def upload(self, server, **env):
        self.where = address()
        path = self.file("fw.bin", sketch("esp8266"))
        return run("-i", f"http://{self.where}:{serve(self, server)}", "-f", path, "--retries", "0", **env)

    def test_one_reply_for_every_path(self):
        result = self.upload(SaysOk)
        self.assertEqual(result.status, 5, result)
        self.assertIn('answers, but has no known update page', result.err)

    def test_redirects(self):
        for leads_to, status, said in (("/", 0, "received by the board"), ("/login", 11, '(status 303, Location "/login")'),
                                        ("http://a:geheim@portal.example/?key=geheim", 11,
                                         'Location "http://a:...@portal.example/?...")'),
                                        ("//portal.example/geheim", 11, '(status 303, Location "(words that repeat')):
            with self.subTest(leads_to):
                Redirect.leads_to = leads_to
                result = self.upload(Redirect, ESP_OTA_AUTH="geheim")
                self.assertEqual(result.status, status, result)
                self.assertIn(said, result.err)
                self.assertNotIn("geheim", result.err)

    def test_redirects_of_webupdater(self):
        """Its 307 is a success, but not another host's or a login's."""
        for status, leads_to, says, ended in (
                (307, "/", b"", 0), (307, "http://portal.example/login", b"", 11), (307, "/login", b"", 11),
                (307, "//evil/", b"Please log in", 11), (302, "http://portal.example/", b"OK", 11),
                (302, "\r\n http://portal.example/", b"OK", 11), (302, "/\r\n /portal.example/", b"OK", 11),
                (302, "http://portal.example/\r\nLocation: /", b"OK", 11), (307, "/update", b"OK", 11), (308, "/", b"OK", 11),
                (302, "/", b"OK", 0)):
            with self.subTest(status=status, leads_to=leads_to):
                WebUpdate.status, WebUpdate.leads_to, WebUpdate.says = status, leads_to, says
                result = self.upload(WebUpdate)
                self.assertEqual(result.status, ended, result)
                self.assertIn("page: OTAWebUpdater", result.err)
                self.assertIn(f"(status {status}" if ended else "received by the board", result.err)


class ReadBack(Scenario):
    """--expect-version: what the page tells after the restart."""

    # An image with what the simulated boards tell of themselves after an upload.
    MARKED = sketch("esp8266") + b"12:00:00\0" b"0.0.2\0" b"99.1\0mega-20117\0"

    def test_versions(self):
        self.check([
            *(Case(f"{name} tells the new version", web(name, "--web-set", f"version={old}", "--web-set",
                                                        f"version-after={new}"),
                   (*WEB, "--force", "--expect-version", new), family=family, image=self.MARKED,
                   says=(f"it runs .*99\\.1.* now \\(before: .*{re.escape(old)}",))
              for name, family, old, new in (("tasmota", "esp8266", "13.3.0", "99.1.0"), ("wled", "esp8266", "15.0", "99.1"))),
            Case("ESPEasy", web("esp8266", "--web-set", "version=20116", "--web-set", "version-after=20117"),
                 (*WEB, "--expect-version", "20117"), image=self.MARKED,
                 says=(r"chip ESP8266EX", r"it runs 20117, mega-20117 of 22:00:00 now \(before: 20116, mega-20116 of 21")),
            Case("with a password", web("tasmota", "-P", "kwertz", "--web-set", "version=13.3", "--web-set",
                                        "version-after=99.1"),
                 (*WEB, "-a", "kwertz", "--expect-version", "99.1"), image=self.MARKED, never=("did not ask for the password",),
                 says=(r"it runs 99\.1\(tasmota\) .*now \(before: 13\.3\(tasmota\)",)),
            *(Case(f"{name}, a version that begins or ends like the expected one",
                   web(name, "--web-set", f"version-after={new}"),
                   (*WEB, "--force", "--expect-version", "0.15.1", "--expect-timeout", "2"), status=12, installed=True,
                   image=sketch("esp8266") + b"12:00:00\0" + new.encode(), says=(f"its version is {re.escape(new)}",))
              for name in ("tasmota", "wled-old") for new in ("0.15.10", "10.15.1", "0.15.1-b2")),
            Case("the image's version begins like that which runs", web("wled-old", "--web-set", "version-after=0.15.1"),
                 (*WEB, "--force", "--expect-version", "0.15.1"), status=12, installed=True,
                 image=sketch("esp8266") + b"0.15.10\0", says=("it runs 0\\.15\\.1 .*now, and the image is another version",)),
            Case("another version", web("tasmota", "--web-set", "version-after=14.0"),
                 (*WEB, "--expect-version", "99.1", "--expect-timeout", "2"), status=12, installed=True,
                 says=("has confirmed the upload, but after 2 s its version is 14\\.0", "Check that --expect-version, if given \\(the whole version\\)")),
            *(Case(f"{name}, neither the old one nor the image", web(name, "--web-set", "version-after=13.1"),
                   (*WEB, "--force", "--expect-version", "13.1"), status=12, installed=True,
                   says=("has confirmed the upload, but it runs 13\\.1.* now, and the image is another version",
                         "Check that --expect-version, if given \\(the whole version\\)")) for name in ("tasmota", "wled-old")),
            Case("the same version, built on another day", web("tasmota"), (*WEB, "--expect-version", "2026-11-02"),
                 image=self.MARKED, says=(r"it runs \S+ of 2026-11-02T12:00:00 now \(before: \S+ of 2026-11-01T12:00:00\)",)),
            Case("not back in time", web("tasmota", "--reboot-ms", "60000"),
                 (*WEB, "--expect-version", "99.1", "--expect-timeout", "2"), status=12, installed=True,
                 says=("but it did not report its version within 2 s", "back in the network and shows its version")),
            *(Case(f"{name} has none", web(name), (*WEB, "--expect-version", "1"), status=2, family=PAGES[name][0],
                   says=("does not show a version; leave --expect-version out",)) for name in ("esp8266", "safeboot")),
        ])

    def test_recovery(self):
        """The safeboot firmware took the upload, and runs again after it. That proves the image only if it is this one."""
        board = web("tasmota", "--web-set", "safeboot", "--web-set", "rolls-back", "--web-set", "version=14.2.0")
        expected = (*WEB, "--expect-version", "14.2.0")
        self.check([
            Case("and the image is another one", board, (*expected, "--expect-timeout", "6"), family="esp32", status=12,
                 installed=True, never=(" now",),
                 says=(r"has confirmed the upload, but after 6 s it runs its recovery firmware \(14\.2\.0\(safeboot\) of "
                       r"\S+\), not the image\n", "Restart 3")),
            Case("and is another one, with --online", (*board, "--reboot-ms", "4000"), (*WEB, "--online=60", "-t", "5"),
                 family="esp32", status=12, installed=True, never=(" now",),
                 says=("has confirmed the upload, but after 5 s it runs its recovery firmware .*, not the image\n", "Restart 3")),
            Case("and is the image", (*board, "--reboot-ms", "4000"), (*expected, "--online=60"),
                 family="esp32", image=firmware.esp32_sketch(20000, text=b"11:00:00\0"),
                 says=(r"it runs 14\.2\.0\(safeboot\) of \S+ now \(before: 14\.2\.0\(tasmota\) of",)),
        ])

    # A board that logs the same with either firmware, and an upload that demands more of it than its log.
    LOGS = ("--web-set", "version=0.0.1", "--web-set", "version-after=0.0.2", "--telnet", "2323", "--say", "!tick 300 alive",
            "--reboot-ms", "3000")
    ALIVE = (*WEB, "--force", "--monitor=2323", "--expect", "alive", "--expect-timeout", "15", "--expect-version", "0.0.2")

    def test_lost_verdict(self):
        """--expect stands in for the verdict, but not for the version."""
        self.check([
            Case(f"{name}, {fault}, status {status}", web(name, *self.LOGS, *after, "--fault", fault), self.ALIVE,
                 status=status, installed=True, says=(says,), never=("confirmed",), out=None, image=self.MARKED)
            for name in ("tasmota", "wled-old") for fault in ("ok-missing", "ok-reset") for after, status, says in (
                (("--web-set", "rolls-back"), 12, "its verdict was lost, and after 15 s its version is 0\\.0\\.1"),
                ((), 0, "its verdict was lost, but its log said .*; it runs 0\\.0\\.2.* now \\(before: 0\\.0\\.1"))])

    def test_ended_while_read(self):
        """The board has confirmed the upload, whatever ends the wait for its version."""
        board = (*self.LOGS, "--web-set", "rolls-back")
        for name in ("tasmota", "wled-old"):
            with self.subTest(name):
                where = self.board(*web(name, *board))
                arguments = ("-i", f"http://{where.address}:{where.port}", "-f", self.file("fw.bin", sketch("esp8266")),
                             "--force", "--expect-version", "0.0.2", "--json")
                result = run(*arguments, "--deadline", "15")
                last = json.loads(result.out.splitlines()[-1])
                self.assertEqual((last["exit_status"], last["phase"]), (12, "proof of boot"), result)
                self.assertIn("the board has confirmed the upload, but the 15 s of --deadline were over before", result.err)
                self.assertIn("Give --deadline more seconds", result.err)

                where = self.board(*web(name, *board))
                program = Program("-i", f"http://{where.address}:{where.port}", *arguments[2:])
                program.wait_for("waiting for its page to show the new version")
                program.send_signal(signal.SIGINT)
                last = json.loads(program.result().out.splitlines()[-1])
                self.assertEqual((last["exit_status"], last["phase"]), (130, "proof of boot"), last)
                self.assertIn("interrupted by SIGINT; the board had confirmed the upload", last["message"])

    def test_locked_afterwards(self):
        """The new firmware has another password, so its version remains unknown; the upload is confirmed."""
        self.where = address()
        result = run("-i", f"http://{self.where}:{serve(self, Locked)}", "-f", self.file("fw.bin", sketch("esp8266")),
                     "-a", "kwertz", "--expect-version", "14.0", "--expect-timeout", "5", "--retries", "0")
        self.assertEqual(result.status, 12, result)
        self.assertIn("the board has confirmed the upload, but it did not tell its version: ", result.err)

    def test_same_version(self):
        """It proves nothing, as long as no restart is seen."""
        self.where = address()
        path = self.file("fw.bin", sketch("esp8266"))
        result = run("-i", f"http://{self.where}:{serve(self, SameTasmota)}", "-f", path, "--expect-version", "13.3.0",
                     "--expect-timeout", "2")
        self.assertEqual(result.status, 12, result)
        self.assertIn("reported version 13.3.0(tasmota) before the upload, too, and was not seen to restart", result.err)
        self.assertIn("If it has not restarted, restart it", result.err)

    def test_same_version_of_a_busy_board(self):
        """Its TCP answers while the page does not: it was not away."""
        path = self.file("fw.bin", sketch("esp8266"))
        for server in BusyTasmota, CurtTasmota:
            with self.subTest(server.__name__):
                self.where = address()
                result = run("-i", f"http://{self.where}:{serve(self, server)}", "-f", path, "--expect-version", "13.3.0",
                             "--expect-timeout", "8", "-t", "5")
                self.assertEqual(result.status, 12, result)

    def test_others(self):
        path = self.file("fw.bin", sketch("esp8266"))
        board = self.board()
        for arguments, said in ((("--expect-version", "1"), "boards updated by espota do not"),
                                (("--expect-version", "1", "--protocol", "sketch"), "boards updated by sketch do not"),
                                (("--expect-version", ""), "the text after --expect-version is empty")):
            with self.subTest(arguments):
                result = run("-i", board.address, "-p", str(board.port), "-f", path, *arguments)
                self.assertEqual(result.status, 2, result)
                self.assertIn(said, result.err)

    def test_json(self):
        board = self.board(*web("tasmota", "--web-set", "version-after=99.1"))
        path = self.file("fw.bin", self.MARKED)
        result = run("-i", f"http://{board.address}:{board.port}", "-f", path, "--json", "--expect-version", "99.1")
        last = json.loads(result.out.splitlines()[-1])
        self.assertEqual((last["verified"], last["exit_status"], last["phase"]), ("readback", 0, "proof of boot"))


class Https(Scenario):

    def setUp(self):
        super().setUp()
        self.where = address()
        self.key, self.certificate = self.make_certificate("board")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        self.url = f"https://{self.where}:{serve(self, PageServer, context)}"

    def make_certificate(self, name, *options, where=None):
        key, certificate = (os.path.join(self.directory, name + end) for end in ("-key.pem", ".pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=" + name,
                        "-addext", f"subjectAltName=IP:{where or self.where}", *options], check=True, capture_output=True)
        return key, certificate

    def test_authority(self):
        """A certificate for the board's address is accepted if the one that signed it is trusted, as is usual."""
        path = self.file("fw.bin", sketch("esp8266", 300000))
        authority_key, authority = self.make_certificate("authority")
        signed = ("-CA", authority, "-CAkey", authority_key, "-addext", "basicConstraints=critical,CA:FALSE")
        for digest in ("sha256", "sha384", "sha512"):
            for where, status, said in ((self.where, 0, CONFIRMED), (address(), 6, "no secure connection.*match")):
                with self.subTest(digest, where=where):
                    key, certificate = self.make_certificate("leaf", *signed, "-" + digest, where=where)
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(certificate, key)
                    url = f"https://{self.where}:{serve(self, PageServer, context)}"
                    result = run("-i", url, "-f", path, "--cacert", authority, "--retries", "0")
                    self.assertEqual(result.status, status, result)
                    self.assertRegex(result.err, said)

    def test_certificates(self):
        path = self.file("fw.bin", sketch("esp8266", 300000))
        _, other = self.make_certificate("other")
        for arguments, status, said in (
                (("--cacert", self.certificate), 0, CONFIRMED),
                (("--insecure",), 0, CONFIRMED),
                ((), 6, "no secure connection to .*certificate.*\n  Name the host as its certificate does"),
                (("--cacert", other), 6, "no secure connection")):
            with self.subTest(arguments):
                result = run("-i", self.url, "-f", path, *arguments, "--retries", "0")
                self.assertEqual(result.status, status, result)
                self.assertRegex(result.err, said)

    def test_other_certificate(self):
        """Whoever shows another certificate for the upload gets nothing, and is no lost connection: no second attempt. A
        handshake that breaks off is one."""
        path = self.file("fw.bin", sketch("esp8266", 300000))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*reversed(self.make_certificate("other")))
        for other, retries, status, code, says in (
                (context, 1, 6, "tls", "the certificate for the upload is not trusted, although that for an earlier request "
                                       "was; nothing was sent over this connection: .*certificate"),
                (None, 0, 9, "lost", "no second connection to the board"),
                (None, 1, 9, "lost", "for GET /, although there was one before: ")):
            page = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            page.load_cert_chain(self.certificate, self.key)
            server = TwoFaced(page, other, self.where)
            self.addCleanup(server.close)
            with self.subTest(code):
                result = run("-i", server.url.replace("http:", "https:"), "--page", "form", "-f", path, "--cacert",
                             self.certificate, "--retries", str(retries), "--json")
                events = {event["event"]: event for event in map(json.loads, result.out.splitlines())}
                end = events["result"]
                connections = 3 if retries and not other else 2
                self.assertEqual((result.status, end["code"], server.connections), (status, code, connections), result)
                self.assertRegex(end["message"], says)
                self.assertNotIn("connected", events)
                self.assertNotIn("--insecure", result.err)

    def test_other_certificate_later(self):
        """Wherever it comes, it is the cause, at once, and no reason to accept any. A board that restarts may have made it."""
        contexts = []
        for names in ((self.certificate, self.key), reversed(self.make_certificate("other"))):
            contexts.append(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            contexts[-1].load_cert_chain(*names)
        path = self.file("fw.bin", sketch("esp8266", 300000) + b"0.15.1")
        info = "GET /json/info", b'{"ver":"0.15.0","brand":"WLED","arch":"esp8266","uptime":1000}'
        status = "GET /cm?cmnd=Status%202", (b'{"StatusFWR":{"Version":"1.0(tasmota32)","BuildDateTime":"2020-01-01T00:00:00",'
                                             b'"Hardware":"ESP32-D0WD"}}')
        confirmed, broken = ("POST /update", b"Update successful"), ("POST /update", None)
        safeboot = "GET /u4?u4=fct&api="
        for page, replies, change, options, failed, says in (
                ("wled", (info, confirmed), "POST /update", ("--expect-version", "0.15.1"), "GET /json/info",
                 "proof of boot: the board has confirmed the upload, but the certificate for"),
                ("wled", (info, broken), "POST /update", ("--retries", "2"), "GET /update", "attempt 2 of 3"),
                ("wled", (info, broken), "GET /reset", ("--retries", "2"), "GET /json/info", "restarting it"),
                ("tasmota", (status, (safeboot, b"false")), safeboot, (), safeboot, "restarts into its safeboot firmware"),
                ("wled", (info, confirmed), "GET /update", (), "GET /json/info", "update page: the certificate for")):
            server = Turncoat(contexts, dict(replies), change, self.where)
            self.addCleanup(server.close)
            with self.subTest(page, change=change):
                result = run("-i", server.url.replace("http:", "https:"), "--page", page, "--force", "-f", path, "--cacert",
                             self.certificate, *options)
                self.assertEqual((result.status, server.asked[-1], server.distrusted), (6, change, 1), result)
                self.assertIn(f"the certificate for {failed} is not trusted, although that for an earlier request was; nothing "
                              "was sent over this connection: ", result.err)
                self.assertRegex(result.err, says)
                self.assertIn("  Find out who answers at the board's address: ", result.err)
                self.assertNotIn("--insecure", result.err)

    def test_no_certificates(self):
        """A pipe without a writer would be waited for by libcurl."""
        path = self.file("fw.bin", sketch("esp8266", 300000))
        pipe = os.path.join(self.directory, "pipe")
        os.mkfifo(pipe)
        with open(self.certificate, "rb") as file:
            whole = file.read()
        truncated, half = self.file("truncated", whole[:300]), self.file("half", whole + whole[:300])
        for file, said in ((pipe, "--cacert needs a file"),
                           ("-", "cannot open the file of --cacert, -: No such file"),
                           (self.key, "the file of --cacert, .*, has no certificate in PEM format"),
                           (truncated, "the file of --cacert, .*truncated, is damaged"),
                           (half, "the file of --cacert, .*half, is damaged"),
                           (path, "the file of --cacert, .*, has no certificate in PEM format"),
                           (self.directory, "--cacert"),
                           (os.path.join(self.directory, "none"), "cannot open the file of --cacert, .*No such file")):
            with self.subTest(file):
                result = run("-i", self.url, "-f", path, "--cacert", file, "--retries", "0")
                self.assertEqual(result.status, 2, result)
                self.assertRegex(result.err, said)

    def test_bundle(self):
        """Without the certificates of this computer, neither the board is to blame nor any certificate to be accepted."""
        need_root(self, "hiding /etc/ssl needs root")
        path = self.file("fw.bin", sketch("esp8266", 300000))
        hidden = ("for folder in /etc/ssl /etc/pki; do [ ! -d $folder ] || mount -t tmpfs none $folder; done; ")
        damaged = "mkdir -p /etc/ssl/certs; %s >/etc/ssl/certs/ca-certificates.crt; "
        for before in (hidden, hidden + damaged % "echo junk", hidden + damaged % ":",
                       hidden + damaged % f"head -c 300 {self.certificate}"):
            with self.subTest(before):
                before = ("unshare", "--mount", "sh", "-c", before + 'exec "$@"', "sh")
                result = run("-i", self.url, "-f", path, "--retries", "0", before=before)
                self.assertEqual(result.status, 1, result)
                self.assertRegex(result.err, "the request failed on this computer: .*certificate.*\n"
                                             "  Install the certificates that programs trust .*--cacert")
                self.assertNotIn("--insecure", result.err)
                given = run("-i", self.url, "-f", path, "--cacert", self.certificate, before=before)
                self.assertEqual(given.status, 0, given)

    def test_no_descriptor_for_certificates(self):
        """They are there and cannot be opened, so nothing is to be installed. Which limit that takes is not known."""
        path = self.file("fw.bin", sketch("esp8266", 300000))
        for limit in range(5, 64):
            before = ("sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh")
            result = run("-i", self.url, "-f", path, "--cacert", self.certificate, "--retries", "0", before=before)
            with self.subTest(limit):
                self.assertNotIn("Install the certificates", result.err)
            if result.status == 0:
                break
        self.assertEqual(result.status, 0, result)

    def test_other_tls(self):
        """A board could hold up a libcurl with GnuTLS for ever, so that one is not used for https, and nothing is sent."""
        try:
            ctypes.CDLL("libcurl-gnutls.so.4")  # git for Debian needs it
        except OSError as error:
            skip(self, str(error))
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            real = re.search(r"/\S*/libcurl-gnutls\.so\.4\S*", maps.read())[0]
        os.symlink(real, os.path.join(self.directory, "libcurl.so.4"))
        server = TwoFaced(None, None, self.where)
        self.addCleanup(server.close)
        path = self.file("fw.bin", sketch("esp8266"))
        board = self.board(*web("esp8266"))
        result = run("-i", server.url.replace("http:", "https:"), "-i", f"http://{board.address}:{board.port}", "-f", path,
                     "--insecure", LD_LIBRARY_PATH=self.directory)
        self.assertEqual((result.status, server.connections), (1, 0), result)
        self.assertRegex(result.out + result.err, f"{board.address}: confirmed")
        self.assertIn("https needs a libcurl that uses the OpenSSL of this computer, and the one that is installed has GnuTLS/",
                      result.err)
        self.assertIn("\n  Install the libcurl of OpenSSL ", result.err)

    def test_keys_of_connections(self):
        """Nobody gets them, whatever the environment says."""
        path = self.file("fw.bin", sketch("esp8266", 300000))
        log = os.path.join(self.directory, "keys")
        result = run("-i", self.url, "-f", path, "--insecure", SSLKEYLOGFILE=log)
        self.assertEqual(result.status, 0, result)
        self.assertFalse(os.path.exists(log))

    def test_wrong_clock(self):
        """Each certificate looks invalid then, which is no reason to accept any. Only people can see which one is wrong."""
        path = self.file("fw.bin", sketch("esp8266", 300000))
        for years, said in ((-10, "certificate is not yet valid"), (10, "certificate has expired")):
            shift = years * 365 * 24 * 3600
            with self.subTest(years):
                dates = [time.strftime("%Y-%m-%d", time.localtime(time.time() + shift))]
                result = run("-i", self.url, "-f", path, "--cacert", self.certificate, "--retries", "0", CLOCK_SHIFT_S=str(shift),
                             LD_PRELOAD=os.environ["ESP_OTA_SHIFTING_CLOCK"], ASAN_OPTIONS="verify_asan_link_order=0")
                dates.append(time.strftime("%Y-%m-%d", time.localtime(time.time() + shift)))
                self.assertEqual(result.status, 6, result)
                self.assertRegex(result.err, f"{said}; the date of this computer is ({'|'.join(dates)})\n"
                                             "  Check this computer's clock first ")
                self.assertNotIn("--insecure", result.err)

    def test_plain_server(self):
        """https to a server without it, and http to one that wants it."""
        board = self.board(*web("esp8266"))
        path = self.file("fw.bin", sketch("esp8266"))
        result = run("-i", f"https://{board.address}:{board.port}", "-f", path, "--retries", "0")
        self.assertEqual(result.status, 6, result)
        self.assertRegex(result.err, "no secure connection.*\n  Write http:// if the page has no https")
        result = run("-i", self.url.replace("https", "http"), "-f", path, "--retries", "0")
        self.assertEqual(result.status, 5, result)


class Helper(Scenario):
    """The process that starts those that look up names. With web pages it is older than any secret."""

    def test_is_killed(self):
        """No name can be looked up any more, so --wait has nothing to wait for."""
        program = Program("-i", "http://board.invalid", "-a", "kwert", "-f", self.file("fw.bin", firmware.esp8266()),
                          "--wait", "3600", "--retries", "0", "-v",
                          DBUS_SYSTEM_BUS_ADDRESS="unix:path=/nonexistent")
        deadline = time.monotonic() + DEADLINE_S
        children = []
        while not children:
            self.assertLess(time.monotonic(), deadline)
            with open(f"/proc/{program.pid}/task/{program.pid}/children", encoding="ascii") as file:
                children = file.read().split()
        os.kill(int(children[0]), signal.SIGKILL)
        result = program.result()
        self.assertEqual(result.status, 1, result)
        self.assertIn("(no process can be started to ask: the helper process that starts others was ended or stopped)",
                      result.err)
        self.assertIn("\n  Start esp-ota again: ", result.err)
        self.assertNotIn("End other programs", result.err)


class Manual(Scenario):

    def test_table(self):
        """esp-ota-pages(7) has the rows of the program's table, and each kind of page its paragraph."""
        source = os.environ["ESP_OTA_SOURCE"]
        with open(os.path.join(source, "src/upload/web/page_table.c"), encoding="utf-8") as file:
            code = file.read()
        with open(os.path.join(source, "man/esp-ota-pages.7"), encoding="utf-8") as file:
            manual = file.read()
        rows = []
        for row in re.findall(r"\.name = .*?restart_ms", code, re.S):
            text = dict(re.findall(r'\.(name|title|post|sketch_field) = "([^"]*)"', row))
            generic = "is_generic" in row
            rows.append([text["name"], text["title"], "its form's" if generic else text.get("post", "its own path"),
                         "its form's" if generic else text["sketch_field"]])
        table = re.search(r"_\n(.*?)\n\.TE", manual, re.S)[1]
        self.assertEqual([line.split("\t") for line in table.splitlines()], rows)
        said = run("--page", "x", "-i", "x", "-f", "x").err
        for name, *_ in rows:
            self.assertRegex(said, rf"\b{name}\b")
            self.assertRegex(manual, rf"\.TP\n\.(B|BR) .*\b{name}\b")


if __name__ == "__main__":
    unittest.main()
