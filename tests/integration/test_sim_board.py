#!/usr/bin/env python3
"""The simulated board itself, with plain sockets: what the scenarios rely on."""

import contextlib
import gzip
import hashlib
import os
import select
import socket
import stat
import struct
import subprocess
import time
import unittest

import firmware
import requirement
from scenario import SIMULATOR, Scenario, image, run, sketch

DEADLINE_S = 30
BOTH = ("esp8266", "esp32")


class Host:
    """The other end of an upload, step by step."""

    def __init__(self, board):
        self.board = board
        self.udp = socket.socket(type=socket.SOCK_DGRAM)
        self.udp.connect((board.address, board.port))
        self.udp.settimeout(DEADLINE_S)
        self.listener = socket.create_server((self.udp.getsockname()[0], 0))
        self.listener.settimeout(DEADLINE_S)
        self.channel = None

    def close(self):
        for part in (self.udp, self.listener, self.channel):
            if part:
                part.close()

    def say(self, datagram):
        self.udp.send(datagram)

    def invite(self, content, command=0, digest_of=None):
        """Announces content, perhaps with the MD5 of something else."""
        digest = hashlib.md5(content if digest_of is None else digest_of).hexdigest()
        self.say(f"{command} {self.listener.getsockname()[1]} {len(content)} {digest}\n".encode())

    def invite_until_answered(self, content):
        self.udp.settimeout(0.3)
        reply = b""
        while not reply:
            self.invite(content)
            with contextlib.suppress(TimeoutError):
                reply = self.reply()

    def reply(self):
        return self.udp.recv(2000)

    def accept(self):
        self.channel, _ = self.listener.accept()
        self.channel.settimeout(DEADLINE_S)
        return self.channel

    def begin(self, content, **more):
        """Up to the connection of a board without a password."""
        self.invite(content, **more)
        assert self.reply() == b"OK"
        return self.accept()

    def read_until(self, end):
        """What the board says up to end, or until it closes."""
        said = b""
        while not said.endswith(end) and (chunk := self.channel.recv(65536)):
            said += chunk
        return said

    def read_all(self):
        """What the board says until it closes, and whether it does so with FIN."""
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := self.channel.recv(65536):
                said += chunk
            return said, True
        return said, False

    def probe(self):
        """From now on the kernel probes the connection once a second."""
        for level, option in ((socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                              (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                              (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)):
            self.channel.setsockopt(level, option, 1)
        self.channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, DEADLINE_S)

    def unanswered_probes(self):
        return struct.unpack_from("4B", self.channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8))[3]


class BoardScenario(Scenario):

    def meet(self, *options, **more):
        """A board and its host."""
        board = self.board(*options, **more)
        host = Host(board)
        self.addCleanup(host.close)
        return board, host


class Families(BoardScenario):

    def test_kinds(self):
        """What a core of today would announce."""
        for family, options, kind in (("esp8266", (), "nodemcuv2"), ("pico", (), "rpipicow"),
                                      ("esp32", (), "esp32"), ("esp32-sha256", ("--chip", "esp32s3"), "esp32s3")):
            board, _ = self.meet(*options, family=family)
            self.assertRegex(board.wait_for(" ready "), rf" family={family} board={kind}$")


class Output(BoardScenario):

    def test_of_what_is_no_file(self):
        """Only a regular file is replaced by what a board gets, never a device or a pipe: not even with root's rights."""
        null, pipe, folder, file, link = (os.path.join(self.directory, name)
                                          for name in ("null", "pipe", "folder", "file", "link"))
        try:
            os.mknod(null, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            os.symlink("/dev/null", null)
        os.mkfifo(pipe)
        os.mkdir(folder)
        self.file("file", b"old")
        os.symlink("file", link)
        sent = sketch("esp8266")
        for target, is_taken in ((null, True), (pipe, False), (folder, False), (link, True)):
            with self.subTest(target):
                before = os.lstat(target)
                board = self.board("--output", target)
                result = run("-i", board.address, "-p", str(board.port), "-f", self.file("fw.bin", sent), "--retries", "0")
                self.assertEqual(result.status == 0, is_taken, result)
                self.assertTrue(os.path.samestat(before, os.lstat(target)))
        with open(file, "rb") as content:
            self.assertEqual(content.read(), sent)


class Invitations(BoardScenario):

    def burst(self, *options):
        """Datagrams read of six, and of six more that came when the first had been read."""
        board, host = self.meet("--loop-ms", "300", *options, family="esp32")
        for _ in range(6):
            host.say(b"x")
        board.wait_for(" malformed ")
        for _ in range(6):
            host.say(b"y")
        host.invite_until_answered(image())
        board.close()
        return board.count(" malformed ")

    def test_one_datagram_per_loop(self):
        """An ESP32 reads one each time round, so that its queue of six fills; to order, all."""
        self.assertLess(self.burst(), 12)
        self.assertLess(self.burst("--all-per-loop", "--one-per-loop"), 12)
        self.assertEqual(self.burst("--all-per-loop"), 12)


    def test_patience_with_the_host(self):
        """How long a board tries to connect: an ESP8266 5 s, an ESP32 3 s."""
        tries = [self.meet(family=family) for family in BOTH]
        for _, host in tries:
            with contextlib.ExitStack() as full:  # a queue in which no more connections fit
                port = full.enter_context(socket.socket())
                port.bind(("127.0.0.1", 0))
                port.listen(0)
                full.enter_context(socket.create_connection(port.getsockname()))
                self.addCleanup(full.pop_all().close)
            host.listener.close()
            host.listener = port
            host.invite(image())
        tries[0][0].wait_for("upload result=failed bytes=0 .*timed out")
        self.assertEqual(tries[1][0].count("upload result=failed bytes=0 .*timed out"), 1)

    def test_during_an_upload(self):
        """An 8266 drops what comes; an ESP32 keeps it, and reads it after a failure."""
        for family in BOTH:
            with self.subTest(family):
                board, host = self.meet("--fault", "pause:500@3000", "--fault", "close@5000*1", family=family)
                content = sketch(family, 9000)
                host.begin(content).sendall(content)
                board.wait_for("fault order=pause")
                host.say(b"x")
                board.wait_for("upload result=failed")
                host.invite_until_answered(content)
                board.close()
                self.assertEqual(board.count(" malformed "), int(family == "esp32"))

    def test_after_the_ok(self):
        """An 8266 drops what comes until it restarts, also behind its FIN. The waits are a day here."""
        for waits, ends in ((("--close-ms", "86400000"), False), (("--restart-ms", "86400000"), True)):
            with self.subTest(waits):
                board, host = self.meet(*waits)
                content = sketch("esp8266", 9000)
                host.begin(content).sendall(content)
                said = host.read_all()[0] if ends else host.read_until(b"OK")
                self.assertTrue(said.endswith(b"OK"), said)
                host.invite(content)
                host.say(b"x")
                board.wait_for_count(" dropped ", 2)
                board.close()
                self.assertEqual([board.count(event) for event in (" invitation ", " malformed ", "reboot")],
                                 [1, 0, 0])


class Transfers(BoardScenario):

    def unread_at_the_end(self, family):
        """The whole image is there and partly unread when FIN comes: nothing is said of the rest."""
        board, host = self.meet("--fault", "pause:500@1460", family=family)
        content = sketch(family, 5000)
        host.begin(content).sendall(content)
        board.wait_for("fault order=pause")
        host.channel.shutdown(socket.SHUT_WR)
        self.assertEqual(host.read_all()[0], b"1460")
        board.wait_for("upload result=")
        return board, content

    def test_fin_before_all_is_read(self):
        """An ESP32 gives up without a text; an 8266 installs the image, and cannot say so."""
        board, _ = self.unread_at_the_end("esp32")
        board.wait_for('upload result=failed bytes=1460 reason="host closed"')
        self.assertIsNone(board.received())
        board, content = self.unread_at_the_end("esp8266")
        self.assertEqual(board.received(), content)

    def test_fin_when_all_is_read(self):
        board, host = self.meet("--fault", "pause:500@5000", family="esp32")
        content = sketch("esp32", 5000)
        host.begin(content).sendall(content)
        board.wait_for("fault order=pause")
        host.channel.shutdown(socket.SHUT_WR)
        self.assertTrue(host.read_all()[0].endswith(b"OK"))
        self.assertEqual(board.received(), content)

    def end_after_fin_midway(self):
        """Seconds from FIN to the end of an ESP32's update."""
        board, host = self.meet(family="esp32")
        content = sketch("esp32", 5000)
        host.begin(content).sendall(content[:1460])
        self.assertEqual(host.channel.recv(100), b"1460")
        start = time.monotonic()
        host.channel.shutdown(socket.SHUT_WR)
        self.assertEqual(host.channel.recv(100), b"")
        board.wait_for('upload result=failed bytes=1460 reason="host closed"')
        return time.monotonic() - start

    def test_fin_midway(self):
        """It ends an update before the second is over after which silence is noticed, on a busy machine sometimes."""
        self.assertLess(min(self.end_after_fin_midway() for _ in range(3)), 0.9)

    def test_more_than_announced(self):
        """An ESP32 repeats its number for 4 s and closes without a text; an 8266 does not see it."""
        content = sketch("esp32", 3000)
        board, host = self.meet("--fault", "pause:300@0", family="esp32")
        host.begin(content).sendall(content + bytes(500))
        self.assertEqual(host.read_all()[0], b"1460" * 5)
        board.wait_for('upload result=failed bytes=2920 reason="more than announced"')
        board, host = self.meet(family="esp8266")
        host.begin(content).sendall(content + bytes(500))
        self.assertTrue(host.read_all()[0].endswith(b"OK"))


class VerdictScenario(BoardScenario):

    def verdict(self, content, *options, family="esp32", command=0, digest_of=None):
        """The board's last words, without its numbers."""
        board, host = self.meet(*options, family=family)
        host.begin(content, command=command, digest_of=digest_of).sendall(content)
        said = host.read_all()[0].decode().lstrip("0123456789")
        board.close()
        self.assertEqual(board.received() is not None, said == "OK")
        return said


class Verification(VerdictScenario):

    def test_images_of_an_esp32(self):
        """Chip, checksum and hash are verified, and whether all of it is there; nothing behind it."""
        good, refusal = sketch("esp32", 4000), "Could Not Activate The Firmware\r\n"
        s3 = firmware.esp32_sketch(4000, chip=9)
        for what, content, expected in (
                ("as it should be", good, "OK"), ("more behind it", good + bytes(100), "OK"),
                ("another chip's", s3, refusal), ("a byte changed", good[:500] + b"!" + good[501:], refusal),
                ("its hash changed", good[:-1] + bytes([good[-1] ^ 1]), refusal),
                ("its end missing", good[:-16], refusal), ("noise", image(4000), refusal)):
            with self.subTest(what):
                self.assertEqual(self.verdict(content), expected)
        self.assertEqual(self.verdict(s3, "--chip", "esp32s3"), "OK")

    def test_checksum_of_an_esp32(self):
        """Where the header announces no hash, the checksum is all."""
        good = bytearray(firmware.esp32_sketch(4000)[:-32])
        good[23] = 0
        self.assertEqual(self.verdict(bytes(good)), "OK")
        good[-1] ^= 1
        self.assertEqual(self.verdict(bytes(good)), "Could Not Activate The Firmware\r\n")

    def test_filesystem_images_are_not_verified(self):
        self.assertEqual(self.verdict(image(4000, first=0), command=100), "OK")

    def test_mistakes(self):
        for arguments, says in ((("--chip", "esp33"), "esp33: esp32, esp32s2"),
                                (("--verify-key", "/dev/null"), "/dev/null: not a public key in PEM")):
            with self.subTest(arguments):
                result = subprocess.run([SIMULATOR, *arguments], capture_output=True, text=True, timeout=30)
                self.assertEqual((result.returncode, result.stdout), (2, ""), result)
                self.assertIn(says, result.stderr)


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def make_key(directory, *options):
    """Paths of a private key, RSA unless the options say otherwise, and its public one."""
    key, public = (os.path.join(directory, name) for name in ("key.pem", "public.pem"))
    options = options or ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    openssl("genpkey", *options, "-out", key)
    openssl("pkey", "-in", key, "-pubout", "-out", public)
    return key, public


def sign(key, content, *options):
    return openssl("dgst", "-sha256", "-sign", key, *options, given=content)


class Signatures(VerdictScenario):

    def setUp(self):
        super().setUp()
        self.key, self.public = make_key(self.directory)

    def sign_for_esp32(self, content):
        return content + sign(self.key, content, "-sigopt", "rsa_padding_mode:pss", "-sigopt",
                                   "rsa_pss_saltlen:max").ljust(512, b"\0")

    def sign_for_esp8266(self, content):
        return content + sign(self.key, content) + struct.pack("<I", 256)

    def test_esp32(self):
        """Sketches and filesystem images alike."""
        refusal = "Signature Verification Failed\r\n"
        for command, content in ((0, sketch("esp32", 4000)), (100, image(4000, first=0))):
            with self.subTest(command):
                signed = self.sign_for_esp32(content)
                options = ("--verify-key", self.public)
                self.assertEqual(self.verdict(signed, *options, command=command), "OK")
                self.assertEqual(self.verdict(content, *options, command=command), refusal)
                changed = signed[:100] + b"!" + signed[101:]
                self.assertEqual(self.verdict(changed, *options, command=command), refusal)

    def test_ec_key(self):
        make_key(self.directory, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        content = sketch("esp32", 4000)
        signed = content + sign(self.key, content).ljust(512, b"\0")
        self.assertEqual(self.verdict(signed, "--verify-key", self.public), "OK")
        self.assertEqual(self.verdict(content, "--verify-key", self.public), "Signature Verification Failed\r\n")

    def test_esp32_and_less_than_a_signature(self):
        """OK, and nothing follows."""
        board, host = self.meet("--verify-key", self.public, family="esp32")
        host.invite(sketch("esp32", 500))
        self.assertEqual(host.reply(), b"OK")
        board.wait_for("upload result=failed bytes=0")
        self.assertEqual(select.select([host.listener], [], [], 0)[0], [])

    def test_esp8266(self):
        """It looks at the signature instead of the MD5."""
        content, refusal = image(4000), "ERROR[12]: Signature verification failed\n"
        options = dict(family="esp8266")
        signed = self.sign_for_esp8266(content)
        for what, sent, expected in (
                ("signed", signed, "OK"), ("unsigned", content, refusal),
                ("another length", signed[:-4] + struct.pack("<I", 255), refusal),
                ("a byte changed", signed[:100] + b"!" + signed[101:], refusal)):
            with self.subTest(what):
                self.assertEqual(self.verdict(sent, "--verify-key", self.public, **options), expected)
        self.assertEqual(self.verdict(signed, "--verify-key", self.public, digest_of=b"other", **options), "OK")
        self.assertRegex(self.verdict(signed, digest_of=b"other", **options), r"ERROR\[7\]")


class Eboot(BoardScenario):
    """What an ESP8266's boot loader makes of what was installed."""

    def install(self, content, *options):
        """The board after its restart, or what would have been one."""
        board, host = self.meet("--boot", *options)
        host.begin(content).sendall(content)
        self.assertTrue(host.read_all()[0].endswith(b"OK"))
        board.wait_for(" boot result=")
        return board

    def assert_starts(self, board, content):
        board.wait_for(" boot result=ok$")
        board.wait_for(" open$")
        board.close()
        self.assertEqual(board.received(), content)

    def test_sketch(self):
        content = firmware.esp8266(20000)
        self.assert_starts(self.install(content), content)
        self.assert_starts(self.install(gzip.compress(content)), content)

    def test_what_does_not_start(self):
        """It is installed and confirmed, and the board never comes back."""
        good = firmware.esp8266(20000)
        sketch_alone, lost = good[4096:], []
        for content, reason in (
                (image(20000), "the image is not linked for eboot"),
                (sketch_alone, "the image is not linked for eboot"),
                (firmware.esp32_sketch(20000), "the image is not linked for eboot"),
                (gzip.compress(b"\0" + good), "no image at 0"),
                (good[:100] + b"!" + good[101:], "eboot itself is damaged"),
                (good[:5000] + b"!" + good[5001:], "no whole sketch behind eboot"),
                (good[:-16], "no whole sketch behind eboot"), (good[:4096], "no whole sketch behind eboot")):
            with self.subTest(reason):
                board = self.install(content)
                board.wait_for(f' boot result=failed reason="{reason}"$')
                lost.append(board)
        self.assert_starts(self.install(good), good)  # meanwhile the others would have come back
        for board in lost:
            board.close()
            self.assertEqual(board.count(" open$"), 0, board.events)

    def test_gzip_that_eboot_takes_for_one_sector(self):
        """The last four bytes of a signature are its length; a board that checks it takes it off before."""
        key, public = make_key(self.directory)
        packed = gzip.compress(firmware.esp8266(20000))
        signed = packed + sign(key, packed) + struct.pack("<I", 256)
        board = self.install(signed)
        board.wait_for(" unpack result=ok bytes=256$")
        board.wait_for(" boot result=failed ")
        self.assert_starts(self.install(signed, "--verify-key", public), firmware.esp8266(20000))

    def test_without_the_option(self):
        """Whatever is installed, the board is back."""
        board, host = self.meet()
        host.begin(image()).sendall(image())
        board.wait_for(" open$")
        self.assertEqual(board.count(" boot "), 0)


class Restarts(BoardScenario):

    def assert_gone_until_reset(self, board, host):
        """No probe is answered while the board is away; when it is back, one draws a reset."""
        host.probe()
        while not host.unanswered_probes():
            ready, _, _ = select.select([host.channel], [], [], 0.05)
            self.assertFalse(ready, "it speaks")
        with self.assertRaises(ConnectionResetError):
            host.channel.recv(1)
        board.wait_for(" open$")

    def test_verdict_lost(self):
        """Everything was taken and is installed, and the board restarts unheard."""
        requirement.need_root(self, "a board that answers no probe needs root")
        for family in BOTH:
            with self.subTest(family):
                board, host = self.meet("--reboot-ms", "2500", "--fault", "drop-verdict", family=family)
                content = sketch(family, 5000)
                host.begin(content).sendall(content)
                board.wait_for("fault order=drop-verdict")
                board.wait_for(" rebooting$")
                said = host.channel.recv(65536, socket.MSG_DONTWAIT)
                self.assertTrue(said.isdigit(), said)
                self.assert_gone_until_reset(board, host)
                self.assertEqual(board.received(), content)

    def test_power_lost(self):
        requirement.need_root(self, "a board that answers no probe needs root")
        for family in BOTH:
            with self.subTest(family):
                board, host = self.meet("--reboot-ms", "2500", "--fault", "crash@5000", family=family)
                content = image(9000)
                host.begin(content).sendall(content[:5000])
                board.wait_for(" rebooting$")
                host.channel.recv(65536)
                self.assert_gone_until_reset(board, host)
                self.assertIsNone(board.received())

    def test_orderly_end(self):
        """OK and FIN come before the restart; and there is no reset where nobody speaks any more."""
        for family in BOTH:
            with self.subTest(family):
                board, host = self.meet(family=family)
                content = sketch(family, 5000)
                host.begin(content).sendall(content)
                said, orderly = host.read_all()
                self.assertTrue(said.endswith(b"5000OK" if family == "esp8266" else b"OK"), said)
                self.assertTrue(orderly)
                board.wait_for(" open$")
                self.assertEqual(board.received(), content)

    def test_silent_port(self):
        """A board that restarts is off the network also on loopback, where --online looks for that."""
        path = self.file("firmware.bin", firmware.esp8266())
        for scheme, options in (("espota", ()), ("http", ("--web", "esp8266")), ("sketch", ("--web", "sketch")),
                                ("esphome", ("--esphome",))):
            with self.subTest(scheme):
                board = self.board("--port", "0", "--reboot-ms", "4000", *options)
                result = run("-i", f"{scheme}://{board.address}:{board.port}", "-f", path, "--online=30")
                self.assertEqual(result.status, 0, result)
                self.assertIn("it went off the network and was back", result.err)


if __name__ == "__main__":
    unittest.main()
