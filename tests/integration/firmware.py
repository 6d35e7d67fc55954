"""Whole images, made byte by byte from the formats' descriptions, for tests in which it matters.

Most tests send random bytes, which esp-ota takes for an unknown format.
"""

import functools
import hashlib
import operator
import random
import struct
import zlib

ESP32_FLASH = {0: 0x3F400020, 2: 0x3F000020, 5: 0x3C000020, 9: 0x3C000020}  # by chip number
ESP32_OVERHEAD = 24 + 8 + 256 + 16 + 32


def _checksum(content):
    return functools.reduce(operator.xor, content, 0xEF)


def _close(image, content):
    """Pads the segments, so that their checksum is the last of 16 bytes."""
    return image + bytes(15 - len(image) % 16) + bytes([_checksum(content)])


def esp32(chip=0, address=None, size=0):
    """An application image: one segment with a descriptor, checksum, SHA-256; about size bytes."""
    data = struct.pack("<II8x32s32s16s16s32s112x", 0xABCD5432, 0, b"1.2\x1b[2J", b"blink", b"12:00:00",
                       b"Nov 24 2026", b"v5.1")
    data += random.Random(size).randbytes(max(0, size - ESP32_OVERHEAD) // 16 * 16)
    header = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, 0x40080000) + b"\xee\0\0\0" + struct.pack("<H", chip)
    header += bytes(9) + b"\x01"
    image = header + struct.pack("<II", address or ESP32_FLASH.get(chip, ESP32_FLASH[0]), len(data)) + data
    image = _close(image, data)
    return image + hashlib.sha256(image).digest()


def esphome(version, project="", project_version=""):
    """What an image with ESPHome has of its log."""
    lines = f"ESPHome version {version} compiled on %s\0" + f"Project {project} version {project_version}\0" * bool(project)
    return lines.encode()


def esp32_sketch(size, seed=0, chip=0, text=b""):
    """What an ESP32 installs, of exactly size bytes, 336 or more: a segment of noise behind a descriptor, checksum,
    SHA-256, and what padding is left. text stands in the midst of the noise."""
    dice = random.Random(seed + size).randbytes(size // 16 * 16 - ESP32_OVERHEAD)
    data = struct.pack("<I252x", 0xABCD5432) + text + dice[len(text):]
    header = struct.pack("<BBBBI4xH9xB", 0xE9, 1, 2, 0x20, 0x40080000, chip, 1)
    image = _close(header + struct.pack("<II", ESP32_FLASH[chip], len(data)) + data, data)
    return (image + hashlib.sha256(image).digest()).ljust(size, b"\xff")


def noise(size=20000, first=0xE9, seed=0):
    """Bytes that pass for a sketch; every place is different, so that a mix-up shows. They are the same each time, as
    chance also makes the start of a damaged image, which is refused."""
    return bytes([first]) + random.Random(seed + size).randbytes(size - 1)


def sketch(family, size=20000, seed=0):
    """The same, which a board of the family installs: an ESP32 verifies more than the first byte."""
    if family == "pico":
        return rp2040(size, seed)
    return esp32_sketch(size, seed) if family.startswith("esp32") else noise(size, seed=seed)


def _esp8266_part(address, data):
    header = struct.pack("<BBBBI", 0xE9, 1, 2, 0x40, address) + struct.pack("<II", address, len(data))
    return _close(header + data, data)


def esp8266(size=20000, seed=0, alike=0):
    """A sketch behind the core's boot loader, of size bytes: a multiple of 16, 4,128 or more.

    Of its code so many bytes at the end are all alike, so that they take no room when compressed.
    """
    dice = random.Random(seed + size)
    boot = _esp8266_part(0x4010F000, dice.randbytes(400)).ljust(4096, b"\xaa")
    code = dice.randbytes(size - 4096 - 32 - alike) + b"\xf0" * alike
    sketch = _esp8266_part(0x40201000, code)
    return boot + sketch


def wled(size=20000, release="ESP8266", version="16.1.0", safe=(0, 0, 0)):
    """A sketch for an ESP8266 with the metadata of WLED: its release, and the version that must be there to install it."""
    content = bytearray(noise(size))
    metadata = b"STSW" + struct.pack("<I48s48s4x3B", 2, version.encode(), release.encode(), *safe)
    content[4096 + 40:4096 + 40 + len(metadata)] = metadata
    return bytes(content)


def _crc32(data):
    """As the boot ROM of the RP2040 computes it: most significant bit first, nothing inverted at the end."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def rp2040(size=20000, seed=0):
    """A boot stage with its checksum, a vector table, and code."""
    dice = random.Random(seed + size)
    stage = dice.randbytes(252)
    stage += struct.pack("<I", _crc32(stage))
    return stage + struct.pack("<II", 0x20042000, 0x100001F7) + dice.randbytes(size - 264)


def uf2(family, blocks=40):
    """A UF2 file of noise."""
    dice = random.Random(family + blocks)
    return b"".join(struct.pack("<8I", 0x0A324655, 0x9E5D5157, 0x2000, 256 * i, 256, i, blocks, family) + dice.randbytes(256) +
                    bytes(220) + struct.pack("<I", 0x0AB16F30) for i in range(blocks))


def cortex_m(size=20000):
    """A program for an MKR board: a vector table, and then what begins like no other file."""
    return struct.pack("<4I", 0x20008000, 0x29c1, 0x29b9, 0x29b9) + noise(size - 16)


def arduino_ota(size=20000):
    """What OTAUpdate fetches on an UNO R4 WiFi: its USB identifiers, a version, and a packed program."""
    rest = struct.pack("<HHQ", 0x1002, 0x2341, 1) + noise(size)
    return struct.pack("<II", len(rest), zlib.crc32(rest)) + rest


def littlefs(blocks=16, block_size=4096):
    """What mklittlefs writes at the start of an empty filesystem."""
    superblock = struct.pack("<I", 1) + b"\xf0\x0f\xff\xf7littlefs/\xe0\0\x10"
    superblock += struct.pack("<IIIIII", 0x20000, block_size, blocks, 255, 0x7FFFFFFF, 1022)
    block = superblock.ljust(block_size, b"\xff")
    return block + block + b"\xff" * block_size * (blocks - 2)
