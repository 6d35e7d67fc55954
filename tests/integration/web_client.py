"""Requests to a board's web page, byte by byte, so that a test can break every rule of them."""

import base64
import contextlib
import dataclasses
import socket

DEADLINE_S = 20
BOUNDARY = "----boundary0123456789"


@dataclasses.dataclass
class Reply:
    """What came back: all bytes until the board closed, or until the reply was complete."""

    raw: bytes
    ended: str  # FIN, RST or open

    @property
    def status(self):
        return int(self.raw.split(b" ", 2)[1]) if self.raw else None

    @property
    def body(self):
        return self.raw.partition(b"\r\n\r\n")[2]

    def header(self, name):
        for line in self.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
            if line.lower().startswith(name.lower() + ":"):
                return line.partition(":")[2].strip()
        return None


@dataclasses.dataclass
class Form:
    """A form with one file, as browsers send it; tests change a detail."""

    image: bytes = b""
    field: str = "firmware"
    filename: str = "fw.bin"
    disposition: str = None        # all of it
    part_type: str = "application/octet-stream"
    part_header: str = None        # another one
    fields_first: tuple = ()       # (name, value)
    tail: bytes = b"\r\n"

    def body(self):
        parts = b""
        for name, value in self.fields_first:
            parts += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        disposition = self.disposition or f'form-data; name="{self.field}"; filename="{self.filename}"'
        headers = [f"Content-Disposition: {disposition}"]
        headers += [f"Content-Type: {self.part_type}"] if self.part_type else []
        headers += [self.part_header] if self.part_header else []
        parts += f"--{BOUNDARY}\r\n".encode() + "".join(f"{line}\r\n" for line in headers).encode() + b"\r\n"
        return parts + self.image + f"\r\n--{BOUNDARY}--".encode() + self.tail


def is_complete(said):
    """Whether this is a reply with as many bytes as it announces, or with its last chunk."""
    if b"\r\n\r\n" not in said:
        return False
    reply = Reply(said, "open")
    if reply.header("Transfer-Encoding") == "chunked":
        return said.endswith(b"\r\n0\r\n\r\n")
    length = reply.header("Content-Length")
    return length is not None and len(reply.body) >= int(length)


def basic(user, password):
    return "Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def chunked(body, size=8192):
    pieces = [body[at:at + size] for at in range(0, len(body), size)] + [b""]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


def head(method, path, *headers, version="1.1"):
    return "\r\n".join([f"{method} {path} HTTP/{version}", *headers, "", ""]).encode()


class Connection:
    """A connection to a board's page."""

    def __init__(self, board):
        self.board = board
        self.socket = socket.create_connection((board.address, board.port), DEADLINE_S)
        self.host = f"{board.address}:{board.port}"

    def close(self):
        self.socket.close()

    def send(self, data):
        """Sends all that the board takes: it may answer and close before the end."""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            self.socket.sendall(data)

    def read_all(self):
        """All until the board closes. One that restarts meanwhile is silent, and never does."""
        return self._read(lambda said: False)

    def read_reply(self):
        """One reply by its length, or until the board closes."""
        return self._read(is_complete)

    def read_until_length(self, length):
        """So many bytes, or, for none, until the board closes."""
        return self._read(lambda said: 0 < length <= len(said))

    def _read(self, is_enough):
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while not is_enough(said):
                chunk = self.socket.recv(65536)
                if not chunk:
                    return Reply(said, "FIN")
                said += chunk
            return Reply(said, "open")
        return Reply(said, "RST")

    def headers(self, *more, length=None, origin=None, content_type=f"multipart/form-data; boundary={BOUNDARY}"):
        """Those of an upload that keeps every rule, with what a test wants otherwise."""
        lines = [f"Host: {self.host}", "Connection: close", f"Origin: {origin or 'http://' + self.host}", *more]
        lines += [f"Content-Type: {content_type}"] if content_type else []
        return lines + ([f"Content-Length: {length}"] if length is not None else [])


def get(board, path, *headers):
    """A GET of its own connection."""
    connection = Connection(board)
    with contextlib.closing(connection):
        connection.send(head("GET", path, f"Host: {connection.host}", "Connection: close", *headers))
        return connection.read_reply()


def post(board, path, form, *headers, **more):
    """An upload by the rules, but for what is given."""
    connection = Connection(board)
    with contextlib.closing(connection):
        body = form.body()
        connection.send(head("POST", path, *connection.headers(*headers, length=len(body), **more)) + body)
        return connection.read_reply()
