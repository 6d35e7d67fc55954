#!/usr/bin/env python3
"""--check: what a file is, and whether it can be sent over the air; no board is asked."""

import base64
import bz2
import csv
import gzip
import hashlib
import io
import json
import lzma
import os
import struct
import subprocess
import tarfile
import unittest
import zipfile
import zlib

import firmware
from scenario import Scenario, run


UF2 = struct.pack("<8I476xI", 0x0A324655, 0x9E5D5157, 0x2000, 0x10000000, 256, 0, 1, 0xE48BFF56, 0x0AB16F30)

# What must be said of the files in shared/field/.
FIELD = {
    "artifact.zip": "it is a zip archive, not firmware: unpack it first",
    "page.html.bin": "it is a web page, not firmware: did the download fail?",
    "lfs-pointer.bin": "it is a Git LFS pointer, not firmware: fetch the file itself (git lfs pull)",
    "text.bin.gz": "it unpacks to a text file, not firmware",
    "esp8266-rtos-app.bin": "it was not built for eboot, the boot loader of the Arduino core",
    "esp8266-rtos-app-nohash.bin": "it was not built for eboot, the boot loader of the Arduino core",
    "littlefs-8192.bin": "can be sent as a filesystem image to ESP8266 boards\n",
    "spiffs-cut.bin": "nothing in it tells its size",
    "table-0x3f.bin": "partition tables are not updated over the air",
    "unknown-chip-boot-loader.bin": "boot loaders are not updated over the air",
}


def archive(opened, add):
    buffer = io.BytesIO()
    with opened(buffer) as target:
        add(target, firmware.esp32(size=3000))
    return buffer.getvalue()


def add_to_tar(target, content):
    info = tarfile.TarInfo("firmware.bin")
    info.size = len(content)
    target.addfile(info, io.BytesIO(content))


NO_FIRMWARE = {
    "a web page": b"\xef\xbb\xbf\r\n<!doctype html>\n<html><title>404</title></html>\n",
    "a JSON document": json.dumps({"message": "Not Found", "documentation_url": "https://example.org"}).encode(),
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n",
    "a text file": "esp32 ist größer\n".encode("utf-16"),
    "a base64 text file": base64.encodebytes(firmware.esp32(size=1000)),
    "a file of nothing but 0xFF bytes (erased flash)": b"\xff" * 4096,
    "a zip archive": archive(lambda file: zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED),
                             lambda target, content: target.writestr("firmware.bin", content)),
    "a tar archive": archive(lambda file: tarfile.open(fileobj=file, mode="w"), add_to_tar),
    "an xz file": lzma.compress(firmware.esp32()),
    "an lzma file": lzma.compress(firmware.esp32(), format=lzma.FORMAT_ALONE),
    "a zlib stream": zlib.compress(firmware.esp32()),
    "a bzip2 file": bz2.compress(firmware.esp32()),
}


class Check(Scenario):

    def check_file(self, content, status, *phrases, name="firmware.bin"):
        path = self.file(name, content)
        result = run("--check", "-f", path)
        self.assertEqual(result.status, status, result)
        self.assertTrue(result.out.startswith(f"{path}: "), result)
        for phrase in phrases:
            self.assertIn(phrase, result.out, result)
        if status == 0:
            self.assertEqual(result.err, "", result)
        else:
            self.assertIn(f"esp-ota: {path} should not be sent over the air\n", result.err, result)
        return result

    def test_whole(self):
        content = firmware.esp32(chip=5, address=0x3C000020)
        result = self.check_file(content, 0, f": ESP32-C3 application image, {len(content)} bytes\n",
                                 "can be sent as a sketch to ESP32-C3 boards", "\n  chip       esp32c3\n",
                                 "\n  project    blink\n",
                                 "\n  version    1.2\\x1b[2J\n",
                                 hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest())
        self.assertIn("\n  integrity  its checksum and its SHA-256 are correct\n", result.out)
        self.assertIn("\n  flash      4 MiB, ", result.out)

    def test_damaged(self):
        """Cut short, or a byte changed: no board takes it."""
        content = firmware.esp32()
        self.check_file(content[:-1], 3, "should not be sent")
        for place in (30, len(content) // 2, len(content) - 1):
            with self.subTest(place):
                result = self.check_file(content[:place] + bytes([content[place] ^ 1]) + content[place + 1:], 3,
                                         "should not be sent: it is ")
                self.assertNotIn("\n  integrity ", result.out)  # the verdict has it

    def test_what_is_no_image(self):
        for content, phrase in ((b"\x7fELF\x01\x01\x01" + bytes(100), "ELF"), (UF2, "UF2"),
                                (b":10000000" + b"0" * 32 + b"F0\n:00000001FF\n", "HEX")):
            with self.subTest(phrase):
                self.check_file(content, 3, phrase, "should not be sent")

    def test_unknown(self):
        self.check_file(b"\0something else altogether", 0, "unknown format", "may not work")

    def test_no_firmware(self):
        """Named for what it is, also when it is compressed."""
        for name, content in NO_FIRMWARE.items():
            with self.subTest(name):
                self.check_file(content, 3, f"should not be sent: it is {name}, not firmware: ")
            with self.subTest(name, compressed=True):
                self.check_file(gzip.compress(content), 3, f"should not be sent: it unpacks to {name}, not firmware: ")

        self.check_file(gzip.compress(gzip.compress(firmware.esp8266())), 3, "it unpacks to a gzip file, not firmware: unpack it first")

    def test_other_systems(self):
        """Boards may fetch what no board takes as an upload."""
        content = firmware.arduino_ota(5000)
        self.check_file(content, 0, "can only be served (--serve): it is an .ota file for OTAUpdate or Arduino's cloud, "
                        "which boards fetch. To upload, send the .bin file of the build", name="fw.ota")
        path = self.file("fw.ota", content)
        (event,) = map(json.loads, run("--check", "--json", "-f", path).out.splitlines())
        self.assertEqual((event["format"], event["sendable"], event["families"]), ("update", "served", []))
        for board in ("192.0.2.1", "sketch://192.0.2.1", "http://192.0.2.1"):
            with self.subTest(board):
                result = run("--check", "-f", path, "-i", board)
                self.assertEqual(result.status, 3, result)
                self.assertIn("can only be served", result.out)
                self.assertIn("should not be sent over the air", result.err)
        result = run("--check", "-z", "-f", path)
        self.assertEqual(result.status, 2, result)
        self.assertIn("is for boards of another system, which do not unpack images; leave -z out", result.out + result.err)

    def test_field(self):
        """Files that people sent by mistake, and the verdict that each must get."""
        field = os.path.join(os.environ["ESP_OTA_VECTORS"], "field")
        with open(os.path.join(field, "expected.tsv"), encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                with self.subTest(row["file"]):
                    result = run("--check", "-f", os.path.join(field, row["file"]))
                    self.assertEqual(result.status, int(row["what must be said"][0]), result)
                    self.assertIn(FIELD[row["file"]], result.out)

    def test_hostile_name_and_content(self):
        result = self.check_file(firmware.esp32(), 0, name="fw.bin")
        self.assertNotIn("\x1b", result.out)
        path = self.file("a\x1b[2Jb.bin", firmware.esp32())
        result = run("--check", "-f", path)
        self.assertEqual(result.status, 0, result)
        self.assertIn("a\\x1b[2Jb.bin: ESP32 application image", result.out)

    def test_json(self):
        content = firmware.esp32()
        result = run("--check", "--json", "-f", self.file("fw.bin", content))
        self.assertEqual((result.status, result.err), (0, ""), result)
        (event,) = map(json.loads, result.out.splitlines())
        self.assertEqual((event["event"], event["format"], event["integrity"], event["sendable"],
                          event["families"], event["chip"], event["size"]),
                         ("check", "esp32-application", "valid", "yes", ["esp32"], "esp32", len(content)))
        self.assertEqual((event["entry"], event["flash_size"], event["unpacked_size"], event["trailer_size"]),
                         (0x40080000, 4 << 20, None, None))
        self.assertEqual([segment["address"] for segment in event["segments"]], [0x3F400020])
        result = run("--check", "--json", "-f", self.file("fw.bin", content[:-9]))
        self.assertEqual(result.status, 3, result)
        check, last = map(json.loads, result.out.splitlines())
        self.assertEqual((check["sendable"], check["families"]), ("no", []))
        self.assertEqual((last["event"], last["code"]), ("result", "image"))

    def test_mistakes(self):
        path = self.file("fw.bin", firmware.esp32())
        for arguments, status, phrase in (
                (("--check",), 2, "no file is named; add -f FILE"),
                (("--check", "-f", path, "--hosts", path), 2, "--check only examines a file; leave --hosts out"),
                (("--check", "-f", path, "-l"), 2, "--check only examines a file; leave -l out"),
                (("--check", "-f", "/nonexistent/fw.bin"), 3, "/nonexistent/fw.bin")):
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual((result.status, result.out), (status, ""), result)
                self.assertIn(phrase, result.err)

    def test_as_it_would_be_sent(self):
        """With the options of an upload: what that would do, refuse and send; the boards are not asked."""
        key = os.path.join(self.directory, "key.pem")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        os.chmod(key, 0o600)
        sketch, program, filesystem = firmware.esp8266(alike=9000), firmware.esp32(), firmware.littlefs()
        board = ("-i", "192.0.2.1")
        for content, options, status, phrase in (
                (sketch, ("-z", *board), 0, "can be sent as a sketch to ESP8266 boards"),
                (sketch, ("-s",), 3, "should not be sent as a filesystem image: it is an ESP8266 image, a program; leave -s out"),
                (sketch, ("-s", "--force"), 0, "leave -s out; overridden by --force"),
                (filesystem, ("-z", "-s", "-p", "3232", "--force"), 0, "have no filesystem; overridden by --force"),
                (filesystem, ("-z", "-s", "-p", "3232"), 3, "should not be sent: the compressed filesystem image is for"),
                (filesystem, ("-z", "-s"), 0, "can be sent as a filesystem image only to ESP8266 boards whose sketch"),
                (sketch, ("--sign", key), 0, "can be sent as a sketch"),
                (program, ("-z",), 2, "is for ESP32 boards, which do not unpack images; leave -z out"),
                (filesystem, ("-s", *board), 0, "can be sent as a filesystem image"),
                (filesystem, board, 3, "should not be sent as a program: it is a LittleFS filesystem image; add -s"),
                (filesystem, (), 0, "can be sent as a filesystem image")):
            with self.subTest(options, size=len(content)):
                path = self.file("fw.bin", content)
                result = run("--check", *options, "-f", path)
                self.assertEqual(result.status, status, result)
                self.assertIn(phrase, result.out)
                self.assertNotRegex(result.err, "is compressed|is signed")  # below, it is
                self.assertEqual("\n  sent as  " in result.out, status == 0 and options[:1] in (("-z",), ("--sign",)))
        path, target = self.file("fw.bin", sketch), os.path.join(self.directory, "sent")
        self.assertEqual(run("-z", "--sign", key, "-f", path, "--output", target).status, 0)
        with open(target, "rb") as file:
            sent = file.read()
        (event,) = map(json.loads, run("--check", "--json", "-z", "--sign", key, "-f", path).out.splitlines())
        self.assertEqual((event["size"], event["md5"], event["sent_size"], event["sent_md5"]),
                         (len(sketch), hashlib.md5(sketch).hexdigest(), len(sent), hashlib.md5(sent).hexdigest()))

    def test_signature_of_what_would_be_sent(self):
        """--verify-key is for the bytes after -z and --sign, as for an upload."""
        key, other = (os.path.join(self.directory, name) for name in ("key.pem", "other.pem"))
        for path in (key, other):
            subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, capture_output=True)
            os.chmod(path, 0o600)
        path = self.file("fw.bin", firmware.esp8266(alike=9000))
        for options, status, phrase in (
                (("--sign", key, "--verify-key", key), 0, "its signature is valid"),
                (("-z", "--sign", key, "--verify-key", key), 0, "its signature is valid"),
                (("--sign", key, "--verify-key", other), 3, "cannot be trusted"),
                (("--verify-key", key), 3, "cannot be trusted")):
            with self.subTest(options):
                result = run("--check", *options, "-f", path)
                self.assertEqual(result.status, status, result)
                self.assertIn(phrase, result.out if status == 0 else result.err)

    def test_full_disk(self):
        path = self.file("fw.bin", firmware.esp32())
        with open("/dev/full", "wb") as full:
            result = run("--check", "-f", path, before=(
                "sh", "-c", f'exec "$@" >/proc/{os.getpid()}/fd/{full.fileno()}', "sh"))
        self.assertEqual(result.status, 1, result)
        self.assertIn("cannot write to standard output: No space left on device\n", result.err)
        self.assertIn("Make room on the disk", result.err)


if __name__ == "__main__":
    unittest.main()
