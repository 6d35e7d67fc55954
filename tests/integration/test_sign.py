#!/usr/bin/env python3
"""--sign and --verify-key, against the openssl command: what one signs, the other finds valid."""

import gzip
import json
import os
import signal
import subprocess
import unittest

import firmware
from scenario import Scenario, Terminal, run


PICO = firmware.rp2040(5000)  # nothing tells its end


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


class Keys(Scenario):
    """The base of the others: some keys, made once."""

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
        self.protected = self.file("protected.pem", openssl(
            "pkey", "-aes256", "-passout", "pass:open sesame", stdin=self.rsa))


class Verify(Keys):

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
        changed = signed[:600] + bytes([signed[600] ^ 1]) + signed[601:]
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


class Sign(Keys):

    def output(self, content, *options, name="firmware.bin"):
        """What --output writes."""
        target = os.path.join(self.directory, "signed.bin")
        result = run("-f", self.file(name, content), "--output", target, *options)
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn(f"{name} is signed\n", result.err)
        with open(target, "rb") as file:
            return file.read()

    def assert_signed(self, public, content, signature, *options):
        """By openssl's judgement, which is its exit status."""
        openssl("dgst", *options, "-verify", public, "-signature", self.file("signature", signature), stdin=content)

    def split_esp8266(self, data):
        size = int.from_bytes(data[-4:], "little")
        self.assertEqual(size, 256)
        return data[:-4 - size], data[-4 - size:-4]

    def test_esp8266(self):
        for name, content in (("ESP8266", firmware.esp8266()), ("Pico", PICO),
                              ("gzip", gzip.compress(PICO, mtime=0))):
            with self.subTest(name):
                image, signature = self.split_esp8266(self.output(content, "--sign", self.rsa_key))
                self.assertEqual(image, content)
                self.assert_signed(self.rsa_public, content, signature, "-sha256")

    def test_compressed(self):
        for option, content in ((), firmware.esp8266()), (("-s",), firmware.littlefs()):
            image, signature = self.split_esp8266(self.output(content, *option, "-z", "--sign", self.rsa_key))
            self.assertEqual(gzip.decompress(image), content)
            self.assert_signed(self.rsa_public, image, signature, "-sha256")

    def test_esp32(self):
        content = firmware.esp32()
        pss = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:max")
        for key, public, digest, options in ((self.rsa_key, self.rsa_public, "sha256", pss),
                                             (self.rsa_key, self.rsa_public, "sha512", pss),
                                             (self.ec_key, self.ec_public, "sha256", ()),
                                             (self.ec_key, self.ec_public, "sha384", ())):
            with self.subTest(f"{os.path.basename(key)} {digest}"):
                more = () if digest == "sha256" else ("--sign-hash", digest)
                signed = self.output(content, "--sign", key, *more)
                self.assertEqual((signed[:-512], len(signed)), (content, len(content) + 512))
                size = 256 if options else 2 + signed[-511]
                self.assertEqual(signed[-512:][size:], bytes(512 - size))
                self.assert_signed(public, content, signed[-512:][:size], f"-{digest}", *options)

    def test_upload(self):
        for family, content in (("esp8266", firmware.esp8266()), ("esp32", firmware.esp32(size=20000))):
            with self.subTest(family):
                board = self.board(family=family)
                result = run("--sign", self.rsa_key, "-i", board.address, "-p", str(board.port),
                             "-f", self.file("firmware.bin", content))
                self.assertEqual(result.status, 0, result)
                board.close()
                self.assertEqual(board.received()[:len(content)], content)
                received = self.file("received.bin", board.received())
                result = run("--check", "--verify-key", self.rsa_public, "-f", received)
                self.assertEqual(result.status, 0, result)

    def test_fall_back(self):
        """The plain sketch that an old core wants instead has a signature of its own."""
        content = firmware.esp8266(60000)
        board = self.board("--fault", "old-core", family="esp8266")
        result = run("-z", "--sign", self.rsa_key, "-i", board.address, "-p", str(board.port), "--retries", "0",
                     "-f", self.file("firmware.bin", content))
        self.assertEqual(result.status, 0, result)
        board.close()
        image, signature = self.split_esp8266(board.received())
        self.assertEqual(image, content)
        self.assert_signed(self.rsa_public, content, signature, "-sha256")

    def test_refused(self):
        signed = esp8266_signed(self.rsa_key, PICO)
        for name, key, content, status, phrase in (
                ("signed already", self.rsa_key, signed, 3, "is signed already; sign the file that it was made of"),
                ("an EC key", self.ec_key, firmware.esp8266(), 2, "ESP8266 and Pico W boards check only RSA"),
                ("whose file", self.rsa_key, b"\0what is this?" * 20, 2, "does not tell whether it is for an ESP32"),
                ("a public key", self.rsa_public, PICO, 2, "holds a public key, and only the private key"),
                ("no key", self.file("no.pem", b"?"), PICO, 2, "holds no key in PEM format")):
            with self.subTest(name):
                target = os.path.join(self.directory, "out.bin")
                result = run("--sign", key, "-f", self.file("fw.bin", content), "--output", target)
                self.assertEqual((result.status, result.out), (status, ""), result)
                self.assertIn(phrase, result.err)
                self.assertFalse(os.path.exists(target))

    def test_filesystem(self):
        """ESP32 boards check signatures unlike the others: the key, the port or the board tells which one is needed."""
        content = firmware.littlefs()
        signed = self.output(content, "-s", "--sign", self.ec_key)
        self.assertEqual((signed[:-512], len(signed)), (content, len(content) + 512))
        self.assert_signed(self.ec_public, content, signed[-512:][:2 + signed[-511]], "-sha256")
        path, target = self.file("fs.bin", content), os.path.join(self.directory, "signed")
        result = run("-s", "--sign", self.rsa_key, "-f", path, "--output", target)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("does not tell whether it is for an ESP32", result.err)
        self.assertIn("add -p 3232 for an ESP32", result.err)
        for family, port in (("esp32", ("-p", "3232")), ("esp8266", ("-p", "8266"))):
            with self.subTest(family, port=port):
                board = self.board(family=family)
                result = run("-s", "--sign", self.rsa_key, "-i", board.address, *port, "-f", path)
                self.assertEqual((result.status, result.out), (0, ""), result)
                board.close()
                received = board.received()
                self.assertEqual((received[:len(content)], len(received) - len(content)),
                                 (content, 512 if family == "esp32" else 260))
                result = run("--check", "--verify-key", self.rsa_public, "-f", self.file("received.bin", received))
                self.assertEqual(result.status, 0, result)
        for port in (("-p", "4000"), ()):
            result = run("-s", "--sign", self.rsa_key, "-i", "127.0.0.1", *port, "-f", path)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn("nothing tells whether the board is an ESP32", result.err)

    def test_others_can_read_the_key(self):
        warning = f"esp-ota: warning: every user of this computer can read {self.rsa_key}; chmod 600 keeps the key"
        for mode, key, warns in ((0o644, self.rsa_key, True), (0o600, self.rsa_key, False),
                                 (0o644, self.protected, False)):
            os.chmod(key, mode)
            result = run("--sign", key, "-i", "127.0.0.1", "-t", "0.1", "-f", self.file("fw.bin", PICO))
            self.assertEqual(warning in result.err, warns, result)

    def test_signed_file_beside_it(self):
        """It is what the last build signed: the file itself is signed anew, and may replace it."""
        path, signed = self.file("fw.bin", PICO), self.file("fw.bin.signed", b"old" * 10)
        for _ in range(2):
            result = run("--sign", self.rsa_key, "-f", path, "--output", signed)
            self.assertEqual(result.status, 0, result)
        with open(signed, "rb") as file:
            self.assertEqual(file.read()[:len(PICO)], PICO)

    def test_stale_signed_file(self):
        """Yesterday's signature takes the place of today's build, but not without a word."""
        path, signed = self.file("fw.bin", PICO), self.file("fw.bin.signed", PICO)
        os.utime(signed, (1000000000, 1000000000))
        result = run("-f", path, "-i", "127.0.0.1:1", "-t", "0.1", "--retries", "0")
        self.assertIn(f"warning: {signed} takes the place of a file that is newer than it\n", result.err)
        os.utime(path, (1000000000, 1000000000))
        result = run("-f", path, "-i", "127.0.0.1:1", "-t", "0.1", "--retries", "0")
        self.assertNotIn("newer", result.err)

    def test_output_to_the_key(self):
        result = run("--sign", self.rsa_key, "-f", self.file("fw.bin", PICO), "--output", self.rsa_key)
        self.assertEqual(result.status, 2, result)
        self.assertIn(f"--output names the file that is read, {self.rsa_key}", result.err)

    def test_older_form_of_a_protected_key(self):
        """"Proc-Type: 4,ENCRYPTED", as older versions of openssl write it."""
        for cipher in ("-aes128", "-aes256", "-des3"):
            with self.subTest(cipher):
                older = os.path.join(self.directory, "older.pem")
                subprocess.run(["openssl", "rsa", "-in", self.rsa_key, "-traditional", cipher, "-passout",
                                "pass:open sesame", "-out", older], check=True, stderr=subprocess.DEVNULL)
                self.protected = older
                terminal = self.start()
                terminal.wait_for("assword")
                terminal.type("open sesame\n")
                result = terminal.result()
                self.assertEqual(result.status, 0, result)

    # -- keys with a password --

    def start(self):
        return Terminal("--sign", self.protected, "-f", self.file("fw.bin", PICO), "--output",
                        os.path.join(self.directory, "out.bin"), cwd=self.directory)

    def test_password(self):
        for typed, status, phrase in (("open sesame", 0, "is signed"),
                                      ("open barley", 2, "the password does not open the key in"),
                                      ("", 2, "no password was given for the key in")):
            with self.subTest(typed):
                terminal = self.start()
                terminal.wait_for(r"Password of the key in .*/protected\.pem: ")
                self.assertFalse(terminal.has_echo())
                terminal.type(f"{typed}\n")
                result = terminal.result()
                self.assertEqual(result.status, status, result)
                self.assertIn(phrase, result.err)
                self.assertTrue(terminal.echo_at_end)
                self.assertNotIn("open ", result.err.replace("open the key", ""))

    def test_interrupted(self):
        terminal = self.start()
        terminal.wait_for("Password of the key in .*: ")
        terminal.send_signal(signal.SIGINT)
        result = terminal.result()
        self.assertEqual(result.status, -signal.SIGINT, result)
        self.assertTrue(terminal.echo_at_end)

    def test_asked_once(self):
        """However many images there are."""
        hosts = self.file("hosts", f"127.0.0.1:1 file={self.file('a.bin', PICO)}\n"
                                   f"127.0.0.1:2 file={self.file('b.bin', PICO)}\n".encode())
        terminal = Terminal("--sign", self.protected, "--hosts", hosts, "-t", "0.1", "--retries", "0")
        terminal.wait_for("Password of the key in .*: ")
        terminal.type("open sesame\n")
        result = terminal.result()
        self.assertEqual(result.err.count("Password of the key"), 1, result)
        self.assertEqual(result.err.count(".bin is signed"), 2, result)

    def test_nobody_to_ask(self):
        result = run("--sign", self.protected, "-f", self.file("fw.bin", PICO), "-i", "127.0.0.1")
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("is protected by a password, and there is no terminal to ask for it", result.err)


if __name__ == "__main__":
    unittest.main()
