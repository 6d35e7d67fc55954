#!/usr/bin/env python3
"""--sign and --verify-key, against the openssl command: what one signs, the other finds valid."""

import gzip
import json
import os
import re
import signal
import subprocess
import unittest

import firmware
import requirement
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
        for key in (self.rsa_key, self.ec_key):
            os.chmod(key, 0o600)


class Verify(Keys):

    def verify(self, key, content, status, phrase, **more):
        path = self.file("fw.bin", content)
        result = run("--check", "--verify-key", key, "-f", path, **more)
        self.assertEqual(result.status, status, result)
        self.assertIn(f"\n  signature  {phrase}", result.out, result)
        if status == 0:
            self.assertEqual(result.err, "", result)
        else:
            self.assertTrue(result.err.startswith(f"esp-ota: {path} cannot be trusted: {phrase}"), result)
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
        self.assertIn("should not be sent over the air", result.err)

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
                ("too long", bytes(70000), "is longer than 65536 bytes; it cannot be a key file"),
                ("protected", protected, "holds a private key with a password; give the public key"),
                ("Ed25519", openssl("genpkey", "-algorithm", "ED25519"), "no board accepts a key of the type in"),
                ("RSA-1536", openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1536"),
                 "no board accepts a key of the type in"),
                ("P-521", openssl("ecparam", "-name", "secp521r1", "-genkey"),
                 "no board accepts a key of the type in")):
            with self.subTest(name):
                key = self.file("\x1bkey.pem", content) if content is not None else "/nonexistent/key.pem"
                result = run("--check", "--verify-key", key, "-f", self.file("fw.bin", firmware.esp32()))
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(phrase, result.err)
                self.assertNotIn("\x1b", result.err)

    def test_mistakes(self):
        path = self.file("fw.bin", firmware.esp32())
        for arguments, phrase in (
                (("-i", "127.0.0.1", "--monitor"), "--verify-key needs an image to verify; add --check"),
                (("-l",), "--verify-key needs an image to verify; add --check"),
                (("-z", "-f", path, "--output", path + ".gz"), "--verify-key needs an image"),
                (("--check",), "no file is named; add -f FILE")):
            with self.subTest(arguments):
                result = run("--verify-key", self.rsa_public, *arguments)
                self.assertEqual((result.status, result.out), (2, ""), result)
                self.assertIn(phrase, result.err)
        result = run("--check", "--verify-key", "", "-f", path)
        self.assertEqual(result.status, 2, result)
        self.assertIn("the file name after --verify-key is empty", result.err)


class VerifiedUpload(Keys):
    """--verify-key with an upload: only what this key has signed leaves the computer."""

    def upload(self, status, phrase, *arguments, family="esp8266", board=()):
        board = self.board(*board, family=family)
        result = run("--verify-key", self.rsa_public, "-i", board.address, *arguments)
        self.assertEqual((result.status, result.out), (status, ""), result)
        self.assertIn(phrase, result.err)
        board.close()
        self.assertEqual(board.count("invitation") > 0, status == 0, board.events)

    def test_file(self):
        other = self.file("other.pem", self.other)
        plain = firmware.esp8266(5000)
        for name, content, status, phrase in (
                ("signed", esp8266_signed(self.rsa_key, plain), 0, ""),
                ("unsigned", plain, 3, "fw.bin is not sent: it has no signature\n"),
                ("another key", esp8266_signed(other, plain), 3, "fw.bin is not sent: its signature is not valid"),
                ("changed", esp8266_signed(self.rsa_key, plain)[:-1] + b"\1", 3, "fw.bin is not sent: it")):
            for more in ((), ("--force",), ("-q",)):
                with self.subTest(name, more=more):
                    self.upload(status, phrase, "-f", self.file("fw.bin", content), *more)

    def test_signed_file_beside_it(self):
        plain = firmware.esp8266(5000)
        path = self.file("fw.bin", plain)
        self.upload(3, "fw.bin is not sent: it has no signature", "-f", path)
        self.file("fw.bin.signed", esp8266_signed(self.rsa_key, plain))
        self.upload(0, "", "-f", path)
        self.file("fw.bin.signed", esp8266_signed(self.file("other.pem", self.other), plain))
        self.upload(3, "fw.bin.signed is not sent: its signature is not valid", "-f", path)

    def test_what_is_made_for_the_board(self):
        """-z and --sign: the bytes that go out, for each kind of board, are what has to be signed."""
        path, other = self.file("fw.bin", firmware.esp8266(5000)), self.file("other.pem", self.other)
        filesystem = self.file("fs.bin", firmware.littlefs())
        self.upload(3, "fw.bin is not sent: it has no signature", "-z", "-f", path)
        for more in ((), ("-z",)):
            with self.subTest(more):
                self.upload(3, "fw.bin is not sent: its signature is not valid", *more, "--sign", other, "-f", path)
                self.upload(0, "", *more, "--sign", self.rsa_key, "-f", path, board=("--verify-key", self.rsa_public))
        for family, port in (("esp8266", "8266"), ("esp32", "3232")):
            with self.subTest(family):
                self.upload(0, "", "-s", "-p", port, "--sign", self.rsa_key, "-f", filesystem, family=family)
                self.upload(3, "is not sent: its signature is not valid", "-s", "-p", port, "--sign", other, "-f",
                            filesystem, family=family)

    def test_esphome(self):
        """A board that asks for it compressed gets the bytes that were verified."""
        content = esp8266_signed(self.rsa_key, firmware.esp8266(40000))
        for more, packed in (((), 1), (("--verify-key", self.rsa_public), 0)):
            with self.subTest(more):
                board = self.board("--esphome", "-p", "0", "--esphome-set", "packed", family="esp8266")
                result = run("-i", f"esphome://{board.address}:{board.port}", "-f", self.file("fw.bin", content), *more)
                self.assertEqual(result.status, 0, result)
                board.wait_for(f" size .*packed={packed}$")
                self.assertEqual(board.received(), content)

    def test_line_of_hosts(self):
        board = self.board()
        plain = firmware.esp8266(5000)
        signed = self.file("signed.bin", esp8266_signed(self.rsa_key, plain))
        hosts = self.file("hosts", f"{board.address} file={self.file('plain.bin', plain)}\n".encode())
        result = run("--verify-key", self.rsa_public, "--hosts", hosts, "-f", signed)
        self.assertEqual((result.status, result.out), (3, ""), result)
        self.assertIn(f"esp-ota: {hosts}, line 1: ", result.err)
        self.assertIn("plain.bin is not sent: it has no signature", result.err)
        self.assertFalse(board.count("invitation"), board.events)
        result = run("--verify-key", self.rsa_public, "--hosts", self.file("hosts", f"{board.address}\n".encode()),
                     "-f", signed)
        self.assertEqual((result.status, result.out), (0, ""), result)

    def test_no_key(self):
        self.verify = run("--verify-key", "/nonexistent", "-i", "127.0.0.1", "-f", self.file("fw.bin", PICO))
        self.assertEqual(self.verify.status, 2, self.verify)
        self.assertIn("cannot open the key file /nonexistent", self.verify.err)


class Beside(Keys):
    """FILE.signed replaces FILE only where it is FILE with a signature, and nobody else's."""

    def upload(self, signed, status, phrase, *arguments, mode=0o644, age=0, plain=PICO, check=True):
        """The same is said by --check."""
        board = self.board(family="pico")
        path, beside = os.path.join(self.directory, "fw.bin"), self.file("fw.bin.signed", signed)
        if plain is not None:
            self.file("fw.bin", plain)
            os.utime(path, (1_700_000_000, 1_700_000_000))
        os.chmod(beside, mode)
        os.utime(beside, (1_700_000_000 - age, 1_700_000_000 - age))
        if check:
            result = run("--check", "-p", "2040", "-f", path)
            self.assertEqual(result.status, status, result)
            self.assertIn(phrase, result.out + result.err)
        result = run("-i", board.address, "-p", str(board.port), *arguments, "-f", path, TZ="UTC")
        self.assertEqual((result.status, result.out), (status, ""), result)
        self.assertIn(phrase, result.err)
        board.close()
        self.assertEqual(board.count("invitation") > 0, status == 0, board.events)
        return result

    def test_what_it_is(self):
        signed = esp8266_signed(self.rsa_key, PICO)
        sent = "sending "
        for name, content, status, phrase in (
                ("signed", signed, 0, ""),
                ("of another file", esp8266_signed(self.rsa_key, PICO[:-1] + b"?"), 3,
                 "fw.bin with a signature, but does not begin with the bytes of that file; sign it again"),
                ("other firmware", firmware.rp2040(6000), 3, "does not begin with the bytes of that file"),
                ("no signature", PICO, 3, "has no signature behind the bytes of that file"),
                ("cut", signed[:-1], 3, "has no signature behind the bytes of that file"),
                ("more than a signature", signed + b"\0", 3, "has no signature behind the bytes of that file")):
            with self.subTest(name):
                result = self.upload(content, status, phrase)
                self.assertEqual(sent in result.err, status == 0, result)
                self.assertEqual(len(re.findall("^esp-ota: ", result.err, re.M)), 1 if status else 0, result)

    def test_compressed(self):
        content = esp8266_signed(self.rsa_key, gzip.compress(PICO))
        self.upload(content, 0, "")
        self.upload(content, 3, "does not begin with the bytes of that file", plain=firmware.rp2040(6000))

    def test_alone(self):
        self.upload(esp8266_signed(self.rsa_key, PICO), 0, "", plain=None)
        self.upload(PICO, 3, "does not end in a signature as its name says", plain=None)

    def test_older(self):
        signed = esp8266_signed(self.rsa_key, PICO)
        times = f"it is older (2023-11-14 22:13:10) than {self.directory}/fw.bin (2023-11-14 22:13:20); sign it again"
        self.upload(signed, 3, times, age=10, check=False)
        self.upload(signed, 3, times, "-q", age=10, check=False)
        result = self.upload(signed, 0, times, "--force", age=10, check=False)
        self.assertIn("sending ", result.err)
        result = self.upload(esp8266_signed(self.rsa_key, PICO[:-1] + b"?"), 3,
                             "22:13:20) and does not begin with the bytes of that file", age=10, check=False)

    def test_owner(self):
        signed = esp8266_signed(self.rsa_key, PICO)
        for more in ((), ("--force",)):
            self.upload(signed, 3, "every user of this computer may change it", *more, mode=0o646)
        self.upload(signed, 0, "", mode=0o664)
        requirement.need_root(self, "only root can give files to others")
        beside, path = os.path.join(self.directory, "fw.bin.signed"), os.path.join(self.directory, "fw.bin")
        os.chown(beside, 1234, -1)
        for more in ((), ("--force",)):
            self.upload(signed, 3, "it belongs to user 1234, not to 0", *more)
        os.chown(path, 1234, -1)
        self.upload(signed, 0, "")
        os.chown(beside, 0, -1)
        self.upload(signed, 0, "")

    def test_owner_unknown(self):
        """A user namespace shows all users and groups whom it does not know as the same one."""
        before = requirement.need_user_namespace(self)
        path, beside = self.file("fw.bin", PICO), self.file("fw.bin.signed", esp8266_signed(self.rsa_key, PICO))
        link = self.file("link.bin", PICO) + ".signed"
        os.symlink("fw.bin.signed", link)
        os.chmod(self.directory, 0o755)
        why = "belongs to user 65534, as the files of all users do whom this user namespace does not know"

        def check(name, status, phrase):
            result = run("-p", "2040", "-i", "127.0.0.1", "--dry-run", "-f", name, before=before)
            self.assertEqual(result.status, status, result)
            self.assertIn(phrase, result.out + result.err)

        check(path, 0, "sending ")
        os.chown(path, 1001, 1001)
        check(path, 0, "sending ")
        for mode in (0o644, 0o664):
            os.chmod(beside, mode)
            os.chown(beside, 1002, 1002)
            check(path, 3, f"it {why}; remove it, or send it with -f {beside}")
            check(beside, 0, "")
        os.chmod(beside, 0o664)
        os.chown(beside, 0, 1002)
        check(path, 3, "the users of group 65534 may change it")
        os.chown(beside, 0, 0)
        os.chown(path, 1002, 1002)
        check(path, 0, "sending ")
        os.chown(link, 1002, 1002, follow_symlinks=False)
        os.chown(os.path.join(self.directory, "link.bin"), 1001, 1001)
        check(os.path.join(self.directory, "link.bin"), 3, "the symbolic link link.bin.signed belongs to another user")

    def test_link(self):
        """Of a link, owner and mode of the file that it leads to count, and the owner of the link."""
        path, target = self.file("fw.bin", PICO), self.file("elsewhere.bin", esp8266_signed(self.rsa_key, PICO))
        link = path + ".signed"
        os.symlink(target, link)

        def check(status, phrase):
            result = run("--check", "-p", "2040", "-f", path)
            self.assertEqual(result.status, status, result)
            self.assertIn(phrase, result.out + result.err)

        os.chmod(target, 0o646)
        check(3, "every user of this computer may change it")
        os.chmod(target, 0o644)
        check(0, "fw.bin.signed")
        requirement.need_root(self, "only root can give files to others")
        os.chown(target, 1234, -1)
        check(3, "it belongs to user 1234, not to 0")
        os.chown(target, 0, -1)
        os.chown(link, 1234, -1, follow_symlinks=False)
        check(3, "the symbolic link fw.bin.signed belongs to another user")
        os.chown(path, 1234, -1)
        check(0, "fw.bin.signed")

    def test_access_control_list(self):
        """One entry lets user 1234 write or only read, as far as the mask allows, which the mode shows as the group's bits."""
        beside = self.file("fw.bin.signed", esp8266_signed(self.rsa_key, PICO))
        path = self.file("fw.bin", PICO)
        os.utime(path, (1, 1))
        for status, rights, mask in ((3, 6, 6), (0, 6, 4), (0, 4, 6)):
            requirement.need_acl(self, beside, (1, 6), (2, rights, 1234), (4, 4), (16, mask), (32, 4))
            result = run("--check", "-p", "2040", "-f", path)
            self.assertEqual(result.status, status, result)
            self.assertEqual("its access control list lets others change it" in result.err, status == 3, result)

    def test_not_a_file(self):
        """A pipe, a directory, a link to nothing: the unsigned file is not sent instead."""
        path = self.file("fw.bin", PICO)
        beside = path + ".signed"
        for make, what, remove in ((os.mkfifo, "a pipe", os.unlink), (os.mkdir, "a directory", os.rmdir),
                                   (lambda name: os.symlink("missing", name), "a link to a missing file", os.unlink)):
            with self.subTest(what):
                make(beside)
                for arguments in (("--check",), ("-i", "127.0.0.1")):
                    result = run(*arguments, "-f", path)
                    self.assertEqual((result.status, result.out), (3, ""), result)
                    self.assertEqual(result.err, f"esp-ota: {beside} cannot be sent in place of the unsigned file: "
                                                 f"it is {what}; remove it\n")
                remove(beside)


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
                ("whose file", self.rsa_key, b"\0what is this?" * 20, 2, "may be for an ESP32 or not"),
                ("a public key", self.rsa_public, PICO, 2, "holds a public key, and only the private key"),
                ("no key", self.file("no.pem", b"?"), PICO, 2, "holds no key in PEM format")):
            with self.subTest(name):
                target = os.path.join(self.directory, "out.bin")
                result = run("--sign", key, "-f", self.file("fw.bin", content), "--output", target)
                self.assertEqual((result.status, result.out), (status, ""), result)
                self.assertIn(phrase, result.err)
                self.assertFalse(os.path.exists(target))

    def test_unknown_format(self):
        """Only the port tells what a file is for in which nothing is recognized."""
        content = bytes(range(256)) * 20
        path, target = self.file("noise.bin", content), os.path.join(self.directory, "signed")
        result = run("--sign", self.rsa_key, "-f", path, "--output", target)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("add -p 3232 for an ESP32, -p 8266 for an ESP8266 or -p 2040 for a Pico W", result.err)
        for port, size in (("3232", 512), ("8266", 260), ("2040", 260)):
            with self.subTest(port):
                signed = self.output(content, "--sign", self.rsa_key, "-p", port)
                self.assertEqual((signed[:-size], len(signed)), (content, len(content) + size))

    def test_filesystem(self):
        """ESP32 boards check signatures unlike the others: the key, the port or the board tells which one is needed."""
        content = firmware.littlefs()
        signed = self.output(content, "-s", "--sign", self.ec_key)
        self.assertEqual((signed[:-512], len(signed)), (content, len(content) + 512))
        self.assert_signed(self.ec_public, content, signed[-512:][:2 + signed[-511]], "-sha256")
        path, target = self.file("fs.bin", content), os.path.join(self.directory, "signed")
        result = run("-s", "--sign", self.rsa_key, "-f", path, "--output", target)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("may be for an ESP32 or not", result.err)
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
            self.assertIn("the board may be an ESP32 or not", result.err)

    def test_others_can_read_the_key(self):
        path = self.file("fw.bin", PICO)
        everybody, group = "every user of this computer", "every member of its group"
        for mode, key, who in ((0o644, self.rsa_key, everybody), (0o604, self.rsa_key, everybody),
                               (0o640, self.rsa_key, group), (0o600, self.rsa_key, None),
                               (0o644, self.protected, None)):
            os.chmod(key, mode)
            signing = [("-i", "127.0.0.1", "-t", "0.1")]
            if key != self.protected:  # nobody is there to be asked
                signing += [("--check",), ("--output", os.path.join(self.directory, "out"))]
            for more in signing:
                with self.subTest(mode=oct(mode), key=key, more=more):
                    result = run("--sign", key, "-f", path, *more)
                    self.assertEqual(re.findall("warning: (.*) can read (.*); chmod 600 keeps the key private",
                                                result.err), [(who, key)] if who else [], result)

    def test_others_can_read_a_private_key_that_verifies(self):
        """A public key is for everybody."""
        path = self.file("fw.bin", esp8266_signed(self.rsa_key, PICO))
        for mode, key, who in ((0o644, self.rsa_key, "every user of this computer"),
                               (0o640, self.rsa_key, "every member of its group"),
                               (0o600, self.rsa_key, None), (0o644, self.rsa_public, None)):
            os.chmod(key, mode)
            for more in (("-i", "127.0.0.1", "-t", "0.1"), ("--check",)):
                with self.subTest(mode=oct(mode), key=key, more=more):
                    result = run("--verify-key", key, "-f", path, *more)
                    self.assertEqual(re.findall("warning: (.*) can read (.*); chmod 600 keeps the key private",
                                                result.err), [(who, key)] if who else [], result)

    def test_weak_key(self):
        weak = self.file("weak.pem", openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"))
        os.chmod(weak, 0o600)
        path, warning = self.file("fw.bin", PICO), f"esp-ota: warning: the key in {weak} is RSA-1024"
        for more in (("--output", os.path.join(self.directory, "out")), ("--check",)):
            result = run("--sign", weak, "-f", path, *more)
            self.assertEqual((result.status, result.err.count(warning)), (0, 1), result)
            result = run("--sign", weak, "-q", "-f", path, *more)
            self.assertNotIn(warning, result.err)
        for key in (self.rsa_key, self.ec_key):
            os.chmod(key, 0o600)
            result = run("--sign", key, "-f", self.file("esp32.bin", firmware.esp32()), "--check")
            self.assertEqual((result.status, "warning" in result.err), (0, False), result)

    def test_signed_file_beside_it(self):
        """It is what the last build signed: the file itself is signed anew, and may replace it."""
        path, signed = self.file("fw.bin", PICO), self.file("fw.bin.signed", b"old" * 10)
        for _ in range(2):
            result = run("--sign", self.rsa_key, "-f", path, "--output", signed)
            self.assertEqual(result.status, 0, result)
        with open(signed, "rb") as file:
            self.assertEqual(file.read()[:len(PICO)], PICO)

    def test_output_to_the_key(self):
        result = run("--sign", self.rsa_key, "-f", self.file("fw.bin", PICO), "--output", self.rsa_key)
        self.assertEqual(result.status, 2, result)
        self.assertIn(f"--output names an input file, {self.rsa_key}", result.err)

    def test_older_form_of_a_protected_key(self):
        """"Proc-Type: 4,ENCRYPTED", as older versions of openssl write it."""
        for cipher in ("-aes128", "-aes256", "-des3"):
            with self.subTest(cipher):
                older = os.path.join(self.directory, "older.pem")
                subprocess.run(["openssl", "rsa", "-in", self.rsa_key, "-traditional", cipher, "-passout",
                                "pass:open sesame", "-out", older], check=True, stderr=subprocess.DEVNULL)
                self.protected = older
                terminal = self.start()
                terminal.wait_for(r"Password of the key in .*: ")
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
