#!/usr/bin/env python3
"""--check --verify-key, against signatures that the openssl command has made."""

import json
import subprocess
import unittest

import firmware
from scenario import Scenario, run

PICO = b"\x00\x20\x04\x20\xf7\x01\x00\x10" + bytes(range(256)) * 20  # raw: nothing tells its end


def openssl(*arguments, stdin=b""):
    return subprocess.run(("openssl", *arguments), input=stdin, capture_output=True, check=True,
                          timeout=60).stdout


def esp8266_signed(key, content):
    """As the ESP8266's and the Pico's cores have it."""
    signature = openssl("dgst", "-sha256", "-sign", key, stdin=content)
    return content + signature + len(signature).to_bytes(4, "little")


def esp32_signed(key, content, digest="sha256", is_rsa=True, salt="max"):
    """As the ESP32's core has it."""
    options = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", f"rsa_pss_saltlen:{salt}") if is_rsa else ()
    return content + openssl("dgst", f"-{digest}", *options, "-sign", key, stdin=content).ljust(512, b"\0")


class Verify(Scenario):

    @classmethod
    def setUpClass(cls):
        cls.rsa, cls.other = (openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
                              for _ in range(2))
        cls.ec = openssl("ecparam", "-name", "prime256v1", "-genkey")

    def setUp(self):
        super().setUp()
        self.rsa_key = self.file("rsa.pem", self.rsa)
        self.rsa_public = self.file("rsa.pub.pem", openssl("pkey", "-pubout", stdin=self.rsa))
        self.ec_key = self.file("ec.pem", self.ec)
        self.ec_public = self.file("ec.pub.pem", openssl("pkey", "-pubout", stdin=self.ec))

    def verify(self, key, content, status, phrase, **more):
        path = self.file("fw.bin", content)
        result = run("--check", "--verify-key", key, "-f", path, **more)
        self.assertEqual(result.status, status, result)
        self.assertIn(f"\n  signature  {phrase}", result.out, result)
        if status == 0:
            self.assertEqual(result.err, "", result)
        else:
            self.assertTrue(result.err.startswith(f"esp-ota: {path} is not to be trusted: {phrase}"), result)
        return result

    def test_valid(self):
        image = firmware.esp32()
        for key, content, phrase in (
                (self.rsa_public, esp8266_signed(self.rsa_key, PICO), "RSA-2048 PKCS#1 v1.5, SHA-256"),
                (self.rsa_public, esp32_signed(self.rsa_key, image), "RSA-2048 PSS, SHA-256"),
                (self.rsa_public, esp32_signed(self.rsa_key, image, "sha384"), "RSA-2048 PSS, SHA-384"),
                (self.rsa_key, esp32_signed(self.rsa_key, image, "sha512"), "RSA-2048 PSS, SHA-512"),
                (self.ec_public, esp32_signed(self.ec_key, image, is_rsa=False), "EC P-256, SHA-256"),
                (self.ec_key, esp32_signed(self.ec_key, image, "sha512", is_rsa=False), "EC P-256, SHA-512")):
            with self.subTest(phrase):
                self.verify(key, content, 0, f"its signature is valid: {phrase}\n")

    def test_certificate(self):
        certificate = self.file("cert.pem", openssl(
            "req", "-x509", "-key", self.rsa_key, "-subj", "/CN=firmware", "-days", "1"))
        self.verify(certificate, esp32_signed(self.rsa_key, firmware.esp32()), 0, "its signature is valid: RSA-2048")

    def test_not_valid(self):
        image, other = firmware.esp32(), self.file("other.pem", self.other)
        signed = esp8266_signed(self.rsa_key, PICO)
        changed = bytes([signed[0] ^ 1]) + signed[1:]
        invalid = "its signature is not valid: the file was changed after it was signed"
        for name, key, content, phrase in (
                ("none", self.rsa_public, image, "it has no signature\n"),
                ("changed", self.rsa_public, changed, invalid),
                ("another key", self.rsa_public, esp8266_signed(other, PICO), invalid),
                ("a salt that boards do not take", self.rsa_public,
                 esp32_signed(self.rsa_key, image, salt="digest"), invalid),
                ("a hash that the boards do not know", self.ec_public,
                 esp32_signed(self.ec_key, image, "sha1", is_rsa=False), invalid),
                ("an EC key's, not RSA", self.rsa_public, esp32_signed(self.ec_key, image, is_rsa=False),
                 "its signature was made with an EC key, but this is an RSA-2048 key"),
                ("an RSA key's, not EC", self.ec_public, esp32_signed(self.rsa_key, image),
                 "its signature was made with an RSA-2048 key, but this is an EC P-256 key")):
            with self.subTest(name):
                self.verify(key, content, 3, phrase)

    def test_damaged(self):
        """An image that does not hold by itself: said first."""
        content = esp32_signed(self.rsa_key, firmware.esp32())
        path = self.file("fw.bin", content[:100] + b"?" + content[101:])
        result = run("--check", "--verify-key", self.rsa_public, "-f", path)
        self.assertEqual(result.status, 3, result)
        self.assertNotIn("signature is valid", result.out)
        self.assertIn("cannot be sent over the air", result.err)

    def test_json(self):
        signed, plain = self.file("signed.bin", esp32_signed(self.rsa_key, firmware.esp32(), "sha384")), self.file(
            "plain.bin", firmware.esp32())
        result = run("--check", "--json", "--verify-key", self.rsa_public, "-f", signed)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertEqual(json.loads(result.out)["signature"], {
            "verdict": "valid", "hash": "sha384", "message": "its signature is valid: RSA-2048 PSS, SHA-384"})
        result = run("--check", "--json", "--verify-key", self.rsa_public, "-f", plain)
        self.assertEqual(result.status, 3, result)
        check, last = map(json.loads, result.out.splitlines())
        self.assertEqual(check["signature"], {"verdict": "absent", "hash": None, "message": "it has no signature"})
        self.assertEqual((last["code"], last["exit_status"]), ("signature", 3))
        self.assertIsNone(json.loads(run("--check", "--json", "-f", plain).out)["signature"])

    def test_configuration_is_not_read(self):
        """What openssl.cnf says of algorithms has no influence."""
        broken = self.file("openssl.cnf", b"openssl_conf = x\n[x]\nproviders = y\n[y]\nbase = z\n[z]\nactivate = 1\n")
        self.verify(self.rsa_public, esp32_signed(self.rsa_key, firmware.esp32()), 0, "its signature is valid",
                    OPENSSL_CONF=broken)

    def test_keys_that_do_not_do(self):
        protected = openssl("pkey", "-aes256", "-passout", "pass:secret", stdin=self.rsa)
        for name, content, phrase in (
                ("missing", None, "cannot open the key file"),
                ("no PEM", b"\x30\x82" + bytes(100), "holds no key in PEM format"),
                ("empty", b"", "holds no key in PEM format"),
                ("damaged", self.rsa[:200] + b"\n-----END PRIVATE KEY-----\n", "is damaged"),
                ("too long", bytes(70000), "is longer than 65536 bytes, which is no key file"),
                ("protected", protected, "holds a private key with a password; give the public key"),
                ("Ed25519", openssl("genpkey", "-algorithm", "ED25519"), "no board checks signatures of a key such"),
                ("RSA-1536", openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1536"),
                 "no board checks signatures of a key such"),
                ("P-521", openssl("ecparam", "-name", "secp521r1", "-genkey"),
                 "no board checks signatures of a key such")):
            with self.subTest(name):
                key = self.file("\x1bkey.pem", content) if content is not None else "/nonexistent/key.pem"
                result = run("--check", "--verify-key", key, "-f", self.file("fw.bin", firmware.esp32()))
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(phrase, result.err)
                self.assertNotIn("\x1b", result.err)

    def test_mistakes(self):
        path = self.file("fw.bin", firmware.esp32())
        for arguments, phrase in (
                (("-i", "127.0.0.1", "-f", path), "--verify-key says whether a file is signed; add --check"),
                (("-l",), "--verify-key says whether a file is signed; add --check"),
                (("--check",), "no file is named; add -f FILE")):
            with self.subTest(arguments):
                result = run("--verify-key", self.rsa_public, *arguments)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(phrase, result.err)
        result = run("--check", "--verify-key", "", "-f", path)
        self.assertEqual(result.status, 2, result)
        self.assertIn("the file name behind --verify-key is empty", result.err)


if __name__ == "__main__":
    unittest.main()
