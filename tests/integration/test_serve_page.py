#!/usr/bin/env python3
"""The page of --serve in a browser: it follows a roll-out by itself, and can be read on a phone, in the dark."""

import contextlib
import os
import shutil
import socket
import unittest

import fetcher
from browser import Browser
from fetcher import Board
import firmware
import peer
import requirement
from scenario import Scenario
from test_serve import Server

# Each text with its contrast to what is behind it, as WCAG 2 computes it.
CONTRASTS = """
(() => {
  const numbers = color => color.match(/[0-9.]+/g).map(Number);
  const channel = value => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const color = numbers(getComputedStyle(element).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    if (!text) continue;
    const element = walker.currentNode.parentElement;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    found.push([text, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
})()
"""
# Short words that go over two lines. On a phone the headings are not shown.
BROKEN_WORDS = """
(() => {
  const found = [];
  const isNarrow = getComputedStyle(document.querySelector("thead")).position === "absolute";
  const walker = document.createTreeWalker(document.querySelector(isNarrow ? "tbody" : "table"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    if (/^\\S{2,17}$/.test(walker.currentNode.data) && range.getClientRects().length > 1)
      found.push(walker.currentNode.data);
  }
  return found;
})()
"""
READABLE = 4.5  # WCAG 2, level AA
IS_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
UNLABELLED = "[...document.querySelectorAll('progress')].filter(bar => !bar.getAttribute('aria-label')).length"


def shows(text):
    return f"document.body.innerText.includes({text!r})"


def prefix_proxy(scenario, upstream):
    """The port of a proxy that serves what is upstream below /fleet/, as nginx does."""
    def copy(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def relay(client):
        with client.makefile("rb") as lines, socket.create_connection(upstream) as server:
            head = b"".join(iter(lines.readline, b"\r\n"))
            if b" /fleet/" in head:
                server.sendall(head.replace(b" /fleet/", b" /", 1).replace(b"keep-alive", b"close") + b"\r\n")
                copy(server, client)

    proxy = peer.Server(relay, socket.create_server(("127.0.0.1", 0)))
    scenario.addCleanup(proxy.close)
    return proxy.socket.getsockname()[1]


def setUpModule():
    if not shutil.which("chromium"):
        requirement.end("needs chromium")


class Page(Scenario):

    def setUp(self):
        super().setUp()
        image = firmware.esp8266(600000)
        self.server = Server(self, "-f", self.file("kitchen-lamp.bin", image), "--serve-version", "1.2.0", "--retries", "0")
        self.browser = Browser(self)

    def look_at(self, name):
        """Keeps a picture where somebody wants to look at it."""
        if "ESP_OTA_SCREENSHOTS" in os.environ:
            self.browser.screenshot(os.path.join(os.environ["ESP_OTA_SCREENSHOTS"], name + ".png"))

    def test_rollout(self):
        """Each step of a board shows without a reload."""
        board = Board(self.server.server, version="1.1.0", free_space=4000000)
        self.browser.open(self.server.url + "/")
        self.browser.run("window.wasLoadedOnce = true")
        self.browser.wait_for(shows("No board has asked yet."))
        connection = fetcher.Connection(self.server.server)
        connection.socket.setsockopt(fetcher.socket.SOL_SOCKET, fetcher.socket.SO_RCVBUF, 4096)
        connection.send(board.request().encode())
        size = int(connection.read_head().header("content-length"))
        connection.read_body(size // 3)
        self.browser.wait_for(shows(board.mac) + " && document.querySelector('progress')?.value > 0")
        connection.read_body(size - size // 3)
        connection.close()
        self.browser.wait_for(shows("taken, not back yet"))
        board.fetch()
        self.browser.wait_for(shows("given up"))
        Board(self.server.server, free_space=4000000).fetch()
        self.assertTrue(self.browser.run("window.wasLoadedOnce"))

    def test_behind_a_proxy(self):
        """A proxy may serve it below a path of its own, and is asked to pass each event on at once."""
        self.browser.open(f"http://127.0.0.1:{prefix_proxy(self, self.server.server)}/fleet/")
        self.browser.wait_for(shows("No board has asked yet."))
        self.browser.run("window.wasLoadedOnce = true")
        board = Board(self.server.server, free_space=4000000)
        board.fetch()
        self.browser.wait_for(shows(board.mac))
        self.assertTrue(self.browser.run("window.wasLoadedOnce"))
        self.assertTrue(self.browser.run("document.styleSheets[0].cssRules.length > 0"))
        connection = fetcher.Connection(self.server.server)
        self.addCleanup(connection.close)
        connection.send(b"GET /events HTTP/1.1\r\nHost: board\r\n\r\n")
        self.assertEqual(connection.read_head().header("x-accel-buffering"), "no")

    def test_password_in_url(self):
        """fetch() takes no URL with a password, and a relative URL would inherit the password of the page."""
        server = Server(self, "-f", self.file("fw.bin", firmware.esp8266(60000)), "-a", "kwert")
        self.browser.call("Page.navigate", url=server.url.replace("://", "://me:kwert@") + "/")
        self.browser.wait_for(shows("No board has asked yet."))
        server.get("/firmware.bin", "Authorization: Basic bWU6a3dlcnQ=\r\nUser-Agent: ESP8266-http-Update\r\n"
                   "x-ESP8266-STA-MAC: 24:0A:C4:00:00:01\r\nx-ESP8266-mode: sketch\r\n")
        self.browser.wait_for(shows("24:0A:C4:00:00:01"))

    def test_headings(self):
        """A long reason leaves little room for the other columns."""
        self.assertEqual(Board(self.server.server, compose=fetcher.esp32_request).fetch(), -103)
        self.browser.look(760, "light")
        self.browser.open(self.server.url + "/")
        self.browser.wait_for(shows("one of the ESP32 family"))
        self.assertEqual((self.browser.run(BROKEN_WORDS), self.browser.run(IS_TOO_WIDE)), ([], False))

    def test_readable(self):
        """Every text has contrast, and nothing is wider than the screen."""
        boards = [Board(self.server.server, free_space=space, version="1.1.0-beta+build.20261129.with.a.long.name")
                  for space in (4000000, 4000000, 10)]
        for board in boards:
            board.fetch()
        boards[0].fetch()
        connection = fetcher.Connection(self.server.server)
        connection.socket.setsockopt(fetcher.socket.SOL_SOCKET, fetcher.socket.SO_RCVBUF, 4096)
        self.addCleanup(connection.close)
        connection.send(Board(self.server.server, free_space=4000000).request().encode())
        connection.read_head()
        connection.read_body(200000)
        for width, scheme in ((360, "dark"), (360, "light"), (1280, "dark"), (1280, "light")):
            self.browser.look(width, scheme)
            self.browser.open(self.server.url + "/")
            self.browser.wait_for(shows("confirmed") + " && document.querySelector('progress')")
            back = self.browser.run("getComputedStyle(document.body).backgroundColor")
            self.assertEqual(back, {"dark": "rgb(13, 17, 23)", "light": "rgb(255, 255, 255)"}[scheme])
            contrasts = self.browser.run(CONTRASTS)
            self.assertGreater(len(contrasts), 30)
            self.assertEqual([row for row in contrasts if row[1] < READABLE], [], (width, scheme))
            self.assertFalse(self.browser.run(IS_TOO_WIDE), (width, scheme))
            self.assertEqual(self.browser.run(BROKEN_WORDS), [], (width, scheme))
            self.assertEqual(self.browser.run(UNLABELLED), 0)
            self.look_at(f"{width}-{scheme}")


if __name__ == "__main__":
    unittest.main()
