#!/usr/bin/env python3
"""Update pages with https at announced names: whose certificate is accepted.

Whoever is in the network can announce any name with an address of his own, and may have a certificate for that
address, and for a name of his own, from the same authority as the boards.
"""

import os
import subprocess
import sys
import unittest

import mdns
from mdns import Board
from mdns_case import OnLink, SOON, share_link
import scenario

PASSWORD = "kwertz42"
WLED = "_wled._tcp"
LAMP = Board("lamp", 443, v4="10.77.0.66", type=WLED, txt=())
DESK = Board("dl", 443, "Desk lamp", v4="10.77.0.67", type=WLED, txt=())
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tls_page.py")
NOT_SECURE = "no secure connection to 10.77.0.66:443"


def setUpModule():
    share_link(LAMP, DESK)


class Certificates(OnLink):

    def setUp(self):
        super().setUp()
        self.authority = self.path("ca.pem")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.path("ca.key"), "-out",
                     self.authority, "-days", "3", "-subj", "/CN=Home CA", "-addext",
                     "keyUsage=keyCertSign")

    def path(self, name):
        return os.path.join(self.directory, name)

    def openssl(self, *arguments):
        subprocess.run(("openssl", *arguments), check=True, capture_output=True, timeout=60)

    def serve(self, names):
        """A page at the announced addresses, with a certificate of the authority for these names."""
        key, request, extension, certificate = map(self.path, ("board.key", "board.csr", "board.ext", "board.pem"))
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=x")
        with open(extension, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={names}\n")
        self.openssl("x509", "-req", "-in", request, "-CA", self.authority, "-CAkey", self.path("ca.key"),
                     "-CAcreateserial", "-days", "2", "-out", certificate, "-extfile", extension)
        page = mdns.Process(*self.link.boards.prefix, sys.executable, PAGE, str(LAMP.port), certificate, key)
        self.addCleanup(page.stop)
        page.wait_for("ready")
        return page

    def upload(self, url, *options):
        return scenario.run("-i", url, "-f", self.image, "--cacert", self.authority, "--retries", "0", *options,
                            ESP_OTA_AUTH=PASSWORD)

    def test_impostor(self):
        """A certificate for the announced address is none for the name in the URL."""
        page = self.serve(f"DNS:evil.local,IP:{LAMP.v4}")
        hosts = self.file("hosts", b"https://lamp\n")
        config = self.file("config", b"[board ceiling]\nhost = https://lamp\n")
        for options in (("-i", "https://lamp"), ("-i", "https://lamp.local"), ("-i", "https://lamp._arduino._tcp.local"),
                        ("--hosts", hosts), ("--config", config, "ceiling")):
            with self.subTest(options):
                result = scenario.run(*options, "-f", self.image, "--cacert", self.authority, "--retries", "0",
                                      ESP_OTA_AUTH=PASSWORD)
                self.assert_result(result, 6, (NOT_SECURE,), SOON)
        self.assertIn("; the certificate has to be for \"lamp\", as the URL says; if it is for lamp.local, write "
                      "https://lamp.local", self.upload("https://lamp").err)
        page.stop()
        self.assertNotIn("got", page.output)

    def test_named(self):
        """The name in the URL, however the board was found; --insecure needs none."""
        for names, url, options in (("DNS:lamp", "https://lamp", ()), ("DNS:lamp.local", "https://lamp.local", ()),
                                    (f"IP:{LAMP.v4}", f"https://{LAMP.v4}", ()),
                                    ("DNS:evil.local", "https://lamp", ("--insecure",)),
                                    ("DNS:evil.local", "https://Desk lamp", ("--insecure",))):
            with self.subTest(names, url=url):
                page = self.serve(names)
                self.assert_result(self.upload(url, *options), 0, ("received by the board",), SOON)
                page.wait_for("got POST")
                page.stop()

    def test_other_name(self):
        """lamp.local is not lamp: only what was written counts."""
        page = self.serve("DNS:lamp.local")
        self.assert_result(self.upload("https://lamp"), 6, (NOT_SECURE,), SOON)
        page.stop()
        self.assertNotIn("got", page.output)

    def test_name_of_no_certificate(self):
        """Refused before anybody is asked."""
        for name in ("Desk lamp", "Küche.local"):
            with self.subTest(name):
                result = self.upload(f"https://{name}", "-d")
                self.assertEqual(result.status, 2, result)
                self.assertIn(f"no certificate can be for \"{name}\", so https cannot verify this board; write its host name "
                              "or address behind https://, or accept any certificate with --insecure\n", result.err)
                self.assertNotIn("Avahi", result.err)


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
