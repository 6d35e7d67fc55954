#!/usr/bin/env python3
"""What boards announce as their kind and are called, through a real avahi-daemon, against images of every family."""

import concurrent.futures
import dataclasses
import json
import unittest

import firmware
import mdns
from mdns import Board
from mdns_case import LOOKED_FOR, OnLink, share_link
import scenario

PORT = 8300  # nobody's default, so that it says nothing


@dataclasses.dataclass(frozen=True)
class Kind:
    """A board, and which images are for it; of the others these words say what the board is."""

    board: Board
    takes: str
    words: str


def kind(number, name, announced, takes, words):
    txt = (f"board={announced}",) if announced else ()
    return Kind(Board(name, PORT, v4=f"10.77.0.{number}", txt=txt), takes,
                words or f'announces itself as "{announced}"')


KINDS = (
    # the boards.txt id of ESP8266 cores, PlatformIO's id, and what older cores announce
    kind(10, "one", "nodemcuv2", "esp8266 blocks-4096 blocks-8192", ""),
    kind(11, "two", "esp12e", "esp8266 blocks-4096 blocks-8192", ""),
    kind(12, "three", '"ESP8266_WEMOS_D1MINI"', "esp8266 blocks-4096 blocks-8192",
         'announces itself as "ESP8266_WEMOS_D1MINI"'),
    # the variant of ESP32 cores
    kind(13, "four", "lolin32", "esp32 blocks-4096", ""),
    kind(14, "five", "um_tinys3", "esp32s3 blocks-4096", ""),
    kind(15, "six", "XIAO_ESP32S3", "esp32s3 blocks-4096", ""),
    # Pico W
    kind(16, "seven", "rpipicow", "rp2040 blocks-4096", ""),
    # the ESP8266's generic board, and the Pico core's
    kind(17, "eight", "generic", "esp8266 rp2040 blocks-4096 blocks-8192", ""),
    # by name only, or to tell which of two it is; a copied name does not count
    kind(18, "esp8266-a1b2c3", "", "esp8266 blocks-4096 blocks-8192", 'is called "esp8266-a1b2c3"'),
    kind(19, "esp32-a1b2c3d4e5f6", "", "esp32 esp32s3 blocks-4096", 'is called "esp32-a1b2c3d4e5f6"'),
    kind(20, "esp32s3-a1b2c3", "", "esp32s3 blocks-4096", 'is called "esp32s3-a1b2c3"'),
    kind(21, "pico-e6614104034b5c25", "generic", "rp2040 blocks-4096", 'is called "pico-e6614104034b5c25"'),
    kind(22, "esp8266-d4e5f6", "esp32dev", "esp32 blocks-4096", ""),
    # neither the name nor the kind says anything
    kind(23, "esp32-cam", "workshop", "esp8266 esp32 esp32s3 rp2040 blocks-4096 blocks-8192", ""),
)
LOCKED = Board("locked", 3232, v4="10.77.0.40", txt=("auth_upload=yes", "board=esp32dev"))
OPEN = Board("open", 3232, v4="10.77.0.41", txt=("auth_upload=no", "board=esp32dev"))
IMAGES = {
    "esp8266": (firmware.esp8266(), ()),
    "esp32": (firmware.esp32(size=20000), ()),
    "esp32s3": (firmware.esp32(chip=9, size=20000), ()),
    "rp2040": (firmware.rp2040(), ()),
    "blocks-4096": (firmware.littlefs(), ("-s",)),
    "blocks-8192": (firmware.littlefs(blocks=64, block_size=8192), ("-s",)),
}


def setUpModule():
    share_link(*(each.board for each in KINDS), LOCKED, OPEN)


class Kinds(OnLink):

    def setUp(self):
        super().setUp()
        self.paths = {name: self.file(name + ".bin", content) for name, (content, _) in IMAGES.items()}

    def upload(self, each, image, *options):
        return scenario.run("-i", each.board.local, "-f", self.paths[image], *IMAGES[image][1], *options)

    def check(self, each):
        """Every image, one after the other; returns what is not as it should be."""
        faults = []
        for image in IMAGES:
            # It takes everything, as a Pico W does, and is deaf for a while after an upload.
            board = self.simulate(each.board, "--family", "pico")
            is_for_it = image in each.takes.split()
            result = self.upload(each, image)
            board.stop()
            if is_for_it:
                is_right = result.status == 0 and "warning" not in result.err and "upload result=ok" in board.output
            else:
                is_right = (result.status == 3 and each.words in result.err and "invitation" not in board.output
                            and ": image: " in result.err and "(--force sends it anyway)" in result.err)
            if not is_right:
                faults.append((each.board.name, image, result, board.output))
        return faults

    def test_every_kind(self):
        with concurrent.futures.ThreadPoolExecutor(len(KINDS)) as pool:
            for faults in pool.map(self.check, KINDS):
                for fault in faults:
                    with self.subTest(fault[:2]):
                        self.fail(fault)

    def test_force(self):
        board = self.simulate(KINDS[0].board, "--family", "pico")
        result = self.upload(KINDS[0], "esp32", "--force")
        self.assert_result(result, 0, (
            'the image is for the chip esp32, but the board announces itself as "nodemcuv2" (esp8266): an ESP8266 '
            "accepts such an image but cannot start it, and then needs a cable; overridden by --force",), LOOKED_FOR)
        board.stop()


class Password(OnLink):
    """A board that announces that it asks for one."""

    def upload(self, *options):
        image = self.file("firmware.bin", firmware.esp32_sketch(20000))
        return scenario.run("-i", LOCKED.local, "-f", image, *options)

    def test_refused(self):
        simulated = self.simulate(LOCKED, "--family", "esp32", "--fast")
        result = self.upload("-a", "kwert", "--json")
        self.assertEqual(result.status, 6, result)
        self.assertIn('"code":"password-not-asked"', result.out)
        self.assertIn("accepted the upload without one", result.err)
        self.assertEqual(self.upload("-a", "kwert", "--force").status, 0)
        self.assertEqual(self.upload().status, 0)
        simulated.stop()

    def test_fleet(self):
        """Each board is held to what it announces itself."""
        boards = [self.simulate(board, "--family", "esp32", "--fast") for board in (LOCKED, OPEN)]
        image = self.file("firmware.bin", firmware.esp32_sketch(20000))
        options = ("-i", OPEN.local, "-i", LOCKED.local, "-f", image, "-a", "kwert", "--json")
        for more, codes, passwords in (((), ["ok", "password-not-asked"], {OPEN.local: "not-asked"}),
                                       (("--force",), ["ok", "ok"],
                                        {OPEN.local: "not-asked", LOCKED.local: "not-asked"})):
            result = scenario.run(*options, *more)
            events = [json.loads(line) for line in result.out.splitlines()]
            self.assertEqual([event["code"] for board in (OPEN, LOCKED) for event in events
                              if event["event"] == "result" and event["board"] == board.local], codes, result)
            self.assertEqual({event["board"]: event["password"] for event in events
                              if event["event"] == "note" and event["password"]}, passwords, result)
        for board in boards:
            board.stop()

    def test_asked_for(self):
        simulated = self.simulate(LOCKED, "--family", "esp32", "--fast", "-P", "kwert")
        self.assertEqual(self.upload("-a", "kwert").status, 0)
        simulated.stop()


if __name__ == "__main__":
    mdns.enter()
    unittest.main()
