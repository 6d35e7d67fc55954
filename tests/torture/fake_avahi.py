"""A D-Bus system bus with an avahi-daemon on it, both of which are this file: for torture.py.

A real daemon answers when the network does, in as many messages as it then takes, so that no two runs
would call the same functions. This one answers each call at once, with all that it knows, in one piece:
as avahi-daemon does for boards that are in its cache. It speaks as much of the protocol as libdbus and
libavahi-client 0.8 use: the methods in Connection.METHODS, the types in the signatures there.
"""

import os
import socket
import struct

import peer

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE = 1, 2, 3, 4, 5, 6, 7, 8
FIELD_TYPES = {PATH: "o", SIGNATURE: "g", REPLY_SERIAL: "u"}
BUS, AVAHI = "org.freedesktop.DBus", "org.freedesktop.Avahi"
NO_REPLY_EXPECTED = 1  # in the flags of a call
RUNNING = 2  # AVAHI_SERVER_RUNNING
API_VERSION = 0x201
ON_LOOPBACK, IPV4 = 1, 0
MULTICAST = 4  # AVAHI_LOOKUP_RESULT_MULTICAST
RECORD_A, RECORD_SRV = 1, 33
SIZES = {"y": 1, "b": 4, "n": 2, "q": 2, "i": 4, "u": 4}
FORMATS = {"y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I"}


class Packer:
    """Values as D-Bus has them on the wire, little-endian."""

    def __init__(self):
        self.data = bytearray()

    def align(self, size):
        self.data += bytes(-len(self.data) % size)

    def put(self, signature, *values):
        for kind, value in zip(split(signature), values, strict=True):
            self._put_one(kind, value)
        return self

    def _put_one(self, kind, value):
        if kind in FORMATS:
            self.align(SIZES[kind])
            self.data += struct.pack("<" + FORMATS[kind], value)
        elif kind in "so":
            self.put("u", len(value.encode()))
            self.data += value.encode() + b"\0"
        elif kind == "g":
            self.data += bytes((len(value),)) + value.encode() + b"\0"
        elif kind == "ay":
            self.put("u", len(value))
            self.data += value
        else:  # an array of arrays
            assert kind == "aay", kind
            inner = Packer()
            for item in value:
                inner.put("ay", item)
            self.put("u", len(inner.data))
            self.data += inner.data


def split(signature):
    """The single complete types, of those that occur here."""
    types, start = [], 0
    for end, letter in enumerate(signature, 1):
        if letter != "a":
            types.append(signature[start:end])
            start = end
    return types


class Unpacker:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def get(self, signature):
        return [self._get_one(kind) for kind in split(signature)]

    def _get_one(self, kind):
        if kind in FORMATS:
            self.at += -self.at % SIZES[kind]
            self.at += SIZES[kind]
            return struct.unpack_from("<" + FORMATS[kind], self.data, self.at - SIZES[kind])[0]
        length = self._get_one("y" if kind == "g" else "u")
        self.at += length + 1
        return self.data[self.at - length - 1:self.at - 1].decode()

    def fields(self):
        """Those of a header, by number."""
        end = self._get_one("u") + self.at
        found = {}
        while self.at < end:
            self.at += -self.at % 8
            number = self._get_one("y")
            found[number] = self._get_one(self._get_one("g"))
        return found


def message(kind, serial, fields, signature="", values=()):
    body = Packer().put(signature, *values).data
    header = Packer().put("yyyyuu", ord("l"), kind, 0, 1, len(body), serial)
    array = Packer()
    for number, value in (*fields.items(), *([(SIGNATURE, signature)] if signature else [])):
        array.align(8)
        array.put("y", number)
        array.put("g", FIELD_TYPES.get(number, "s"))
        array.put(FIELD_TYPES.get(number, "s"), value)
    # An array's length is in front of the padding of its first element, which here is none.
    header.put("u", len(array.data))
    header.data += array.data
    header.align(8)
    return bytes(header.data + body)


class Connection:
    """One client. Each of its calls is answered before the next one is read."""

    def __init__(self, stream, boards):
        self._stream, self._boards = stream, boards
        self._object_count = 0
        self._serial = 0

    def serve(self):
        try:
            self._authenticate()
            while True:
                self._answer(*self._read_message())
        except (EOFError, OSError):
            pass  # it has ended, or was killed

    def _read_exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self._stream.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def _read_line(self):
        line = b""
        while not line.endswith(b"\r\n"):
            line += self._read_exactly(1)
        return line.strip(b"\0\r\n").split(b" ")[0]

    def _authenticate(self):
        answers = {b"AUTH": b"OK 0123456789abcdef0123456789abcdef\r\n", b"NEGOTIATE_UNIX_FD": b"AGREE_UNIX_FD\r\n"}
        while (command := self._read_line()) != b"BEGIN":
            self._stream.sendall(answers[command])

    def _read_message(self):
        start = self._read_exactly(16)
        body_size, serial, fields_size = struct.unpack_from("<III", start, 4)
        rest = self._read_exactly(fields_size + -fields_size % 8 + body_size)
        fields = Unpacker(start + rest, 12).fields()
        body = Unpacker(rest[fields_size + -fields_size % 8:])
        is_answered = not start[2] & NO_REPLY_EXPECTED
        return is_answered and serial, fields, body.get(fields.get(SIGNATURE, ""))

    def _answer(self, serial, fields, arguments):
        method = self.METHODS.get(fields[MEMBER], Connection._refuse)
        kind, signature, values, signals = method(self, fields, arguments)
        sender = BUS if fields.get(DESTINATION) == BUS else ":1.1"
        reply = {REPLY_SERIAL: serial, SENDER: sender, DESTINATION: ":1.2"}
        if kind == ERROR:
            reply[ERROR_NAME] = BUS + ".Error.UnknownMethod"
        sent = self._make(kind, reply, signature, values) if serial else b""
        for path, interface, member, *body in signals:
            header = {PATH: path, INTERFACE: interface, MEMBER: member, SENDER: ":1.1"}
            sent += self._make(SIGNAL, header, *body)
        self._stream.sendall(sent)

    def _make(self, kind, fields, signature="", values=()):
        self._serial += 1
        return message(kind, self._serial, fields, signature, values)

    # -- methods: what kind of answer, its signature and values, signals that follow it --

    def _refuse(self, fields, _arguments):
        return ERROR, "s", (f"no method {fields[MEMBER]} here",), ()

    def _nothing(self, _fields, _arguments):
        return RETURN, "", (), ()

    def _hello(self, _fields, _arguments):
        return RETURN, "s", (":1.2",), ()

    def _get_version(self, _fields, _arguments):
        return RETURN, "u", (API_VERSION,), ()

    def _get_state(self, _fields, _arguments):
        return RETURN, "i", (RUNNING,), ()

    def _add_object(self, kind, signals):
        self._object_count += 1
        path = f"/Client1/{kind}{self._object_count}"
        return RETURN, "o", (path,), [(path, f"{AVAHI}.{kind}", member, *body) for member, *body in signals]

    def _browse_services(self, _fields, arguments):
        _interface, _protocol, kind, domain, _flags = arguments
        found = [("ItemNew", "iisssu", (ON_LOOPBACK, IPV4, board.instance, kind, domain, MULTICAST))
                 for board in self._boards]
        return self._add_object("ServiceBrowser", [*found, ("CacheExhausted",), ("AllForNow",)])

    def _resolve_service(self, _fields, arguments):
        _interface, _protocol, instance, kind, domain, family, _flags = arguments
        found = [("Found", "iissssisqaayu", (ON_LOOPBACK, IPV4, board.instance, kind, domain, board.host, IPV4,
                                              board.address, board.port, board.txt, MULTICAST))
                 for board in self._boards if board.instance == instance and family <= IPV4]
        return self._add_object("ServiceResolver", found or [("Failure", "s", (AVAHI + ".TimeoutError",))])

    def _browse_records(self, _fields, arguments):
        _interface, _protocol, name, group, kind, _flags = arguments
        found = [("ItemNew", "iisqqayu", (ON_LOOPBACK, IPV4, name, group, kind, board.records[kind], MULTICAST))
                 for board in self._boards
                 if kind in board.records and name == (board.service if kind == RECORD_SRV else board.host)]
        return self._add_object("RecordBrowser", [*found, ("CacheExhausted",), ("AllForNow",)])

    METHODS = {
        "Hello": _hello, "AddMatch": _nothing, "RemoveMatch": _nothing, "Ping": _nothing,
        "GetAPIVersion": _get_version, "GetState": _get_state, "ServiceBrowserNew": _browse_services,
        "ServiceResolverNew": _resolve_service, "RecordBrowserNew": _browse_records, "Free": _nothing,
    }


class Announced:
    """A board as it announces itself: at an address of the loopback interface."""

    def __init__(self, instance, address, port):
        self.instance, self.address, self.port = instance, address, port
        self.host = instance + ".local"
        self.service = instance + "._arduino._tcp.local"
        self.txt = (b"tcp_check=no", b"ssh_upload=no", b"board=nodemcuv2", b"auth_upload=no")
        labels = b"".join(bytes((len(label),)) + label for label in self.host.encode().split(b"."))
        self.records = {RECORD_A: socket.inet_aton(address),
                        RECORD_SRV: struct.pack(">HHH", 0, 0, port) + labels + b"\0"}


class Bus(peer.Server):
    """Listens in a directory; the program finds it by DBUS_SYSTEM_BUS_ADDRESS."""

    def __init__(self, directory, boards):
        path = os.path.join(directory, "bus")
        self.address = "unix:path=" + path
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        super().__init__(lambda stream: Connection(stream, boards).serve(), listener)
