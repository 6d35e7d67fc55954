#!/usr/bin/env python3
"""A multicast DNS responder for boards that no real one would announce: a thousand in one packet
train, names full of control characters, boards that are silent when asked for more.

It reads one JSON object from standard input, {"interfaces": [...], "boards": [...]}, prints "ready",
and answers until it is ended; when asked for all boards it prints "asked INTERFACE FAMILY". A board is {"instance", "host", "port", "txt", "addresses"}; strings
stand for bytes (latin-1). With "silent" it is only seen: nothing but its name is ever told. With
"terse" all else is told only when asked for, not along with the name. One that is "plain" is announced by name at the
start, and answers nothing but the query of 37 bytes that sketch servers know.
"""

import ipaddress
import json
import select
import socket
import struct
import sys

GROUPS = {socket.AF_INET: "224.0.0.251", socket.AF_INET6: "ff02::fb"}
PORT, PACKET_MAX, TTL_S = 5353, 1400, 120
A, PTR, TXT, AAAA, SRV, ANY = 1, 12, 16, 28, 33, 255
IN, UNIQUE = 1, 0x8001
SERVICE = (b"_arduino", b"_tcp", b"local")


def encode(labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(name, kind, data, rclass=UNIQUE):
    return encode(name) + struct.pack(">HHIH", kind, rclass, TTL_S, len(data)) + data


def read_name(packet, offset):
    """The labels of a name, and where it ends."""
    labels, end = [], None
    while packet[offset]:
        if packet[offset] >= 0xC0:
            end = end or offset + 2
            offset = struct.unpack_from(">H", packet, offset)[0] & 0x3FFF
            continue
        labels.append(packet[offset + 1:offset + 1 + packet[offset]])
        offset += 1 + packet[offset]
    return tuple(labels), end or offset + 1


def questions(packet):
    _, flags, count = struct.unpack_from(">HHH", packet)
    offset = 12
    for _ in range(0 if flags & 0x8000 else count):
        name, offset = read_name(packet, offset)
        kind, _ = struct.unpack_from(">HH", packet, offset)
        offset += 4
        yield tuple(label.lower() for label in name), kind


class Board:
    """The records of one board, made once."""

    def __init__(self, row):
        self.name = (row["instance"].encode("latin-1"), *SERVICE)
        self.host = (row["host"].encode("latin-1"), b"local")
        self.is_plain = row.get("plain")
        self.is_terse = row.get("terse") or row.get("silent")
        txt = [string.encode("latin-1") for string in row["txt"]]
        self.pointer = record(SERVICE, PTR, encode(self.name), IN)
        self.records = {} if row.get("silent") else {
            SRV: [record(self.name, SRV, struct.pack(">HHH", 0, 0, row["port"]) + encode(self.host))],
            TXT: [record(self.name, TXT, b"".join(bytes([len(s)]) + s for s in txt) or b"\0")],
            A: self._addresses(row, 4, A), AAAA: self._addresses(row, 6, AAAA)}

    def _addresses(self, row, version, kind):
        addresses = map(ipaddress.ip_address, row["addresses"])
        return [record(self.host, kind, address.packed) for address in addresses
                if address.version == version]

    def all(self):
        return [one for records in self.records.values() for one in records]

    def of(self, kind):
        """What is asked for first; the rest is worth telling, too."""
        asked = self.all() if kind == ANY else self.records.get(kind, [])
        return asked + [one for one in self.all() if one not in asked] if asked else []


class Responder:
    def __init__(self, boards):
        self.boards = boards
        self.by_name = {}
        for board in boards:
            for name in (board.name, board.host):
                self.by_name[tuple(label.lower() for label in name)] = board

    def plain(self, packet):
        """Whether it is what sketch servers compare with, but for its first two bytes."""
        return packet[2:] == struct.pack(">HHHHH", 0, 1, 0, 0, 0) + encode(SERVICE) + struct.pack(">HH", PTR, IN)

    def names(self):
        """A packet with the names of all, as after an earlier answer whose other records are too old."""
        return self._packet([board.pointer for board in self.boards])

    def answers(self, name, kind):
        if name == SERVICE and kind in (PTR, ANY):
            for board in self.boards:
                yield board.pointer
                if not board.is_terse:
                    yield from board.all()
        elif name in self.by_name:
            yield from self.by_name[name].of(kind)

    def packets(self, packet):
        """The answers to all questions of a packet, in packets that fit."""
        waiting = []
        for answer in (one for question in questions(packet) for one in self.answers(*question)):
            if waiting and sum(map(len, waiting)) + len(answer) > PACKET_MAX:
                yield self._packet(waiting)
                waiting = []
            waiting.append(answer)
        if waiting:
            yield self._packet(waiting)

    @staticmethod
    def _packet(records):
        return struct.pack(">HHHHHH", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records)


def open_socket(interface, family):
    index = socket.if_nametoindex(interface)
    listener = socket.socket(family, socket.SOCK_DGRAM)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    group = socket.inet_pton(family, GROUPS[family])
    if family == socket.AF_INET:
        member = group + struct.pack("=4si", b"\0" * 4, index)
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, member)
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
        listener.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        listener.bind((GROUPS[family], PORT))
    else:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + struct.pack("=i", index))
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        listener.bind((GROUPS[family], PORT, 0, index))
    return listener


def main():
    settings = json.loads(sys.stdin.readline())
    responder = Responder([Board(row) for row in settings["boards"]])
    listeners = {open_socket(interface, family): (interface, family)
                 for interface in settings["interfaces"] for family in GROUPS}
    is_plain = any(board.is_plain for board in responder.boards)
    for listener, (_, family) in listeners.items():
        if is_plain:
            listener.sendto(responder.names(), (GROUPS[family], PORT))
    print("ready", flush=True)
    while True:
        ready, _, _ = select.select(list(listeners), [], [])
        for listener in ready:
            interface, family = listeners[listener]
            question = listener.recv(9000)
            for packet in responder.packets(question) if not is_plain or responder.plain(question) else ():
                listener.sendto(packet, (GROUPS[family], PORT))
            if (SERVICE, PTR) in questions(question):
                print("asked", interface, family.name, flush=True)


if __name__ == "__main__":
    main()
