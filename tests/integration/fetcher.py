"""Boards of the Arduino cores that fetch when a test says so, and raw requests.

esp-ota-sim --fetch has the update libraries with their time-outs, restarts and faults. Here a test is between two requests
of a board, and can look at each answer, stop in the middle of it, or use TLS.
"""

import dataclasses
import gzip
import hashlib
import itertools
import socket
import ssl

TIMEOUT_S = 60
_numbers = itertools.count(1)


def md5(data):
    return hashlib.md5(data).hexdigest()


def new_mac():
    return "24:0A:C4:00:{:02X}:{:02X}".format(*divmod(next(_numbers), 256))


@dataclasses.dataclass
class Answer:
    status: int
    headers: list  # (name in lower case, value)
    body: bytes
    version: str  # of HTTP

    def header(self, name):
        return dict(self.headers).get(name.lower())


class BrokenAnswer(Exception):
    """The connection ended within the answer."""


class Connection:
    """A TCP connection to the server, from an address of its own if it is told one."""

    def __init__(self, server, source=None, context=None, timeout=TIMEOUT_S):
        self.socket = socket.create_connection(server, timeout=timeout, source_address=source and (source, 0))
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname=server[0])
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def _read_more(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLError) as error:
            raise BrokenAnswer from error
        if not data:
            raise BrokenAnswer
        self.buffer += data

    def read_head(self):
        while b"\r\n\r\n" not in self.buffer:
            self._read_more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = status_line.split(" ")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return Answer(int(status), headers, b"", version)

    def read_body(self, size):
        while len(self.buffer) < size:
            self._read_more()
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return body

    def read_answer(self, method="GET"):
        answer = self.read_head()
        length = answer.header("content-length")
        if length is not None and method == "GET" and answer.status != 304:
            answer.body = self.read_body(int(length))
        return answer

    def close(self):
        self.socket.close()


def request(server, text, source=None, context=None):
    """Sends these bytes, and reads one answer."""
    connection = Connection(server, source, context)
    try:
        connection.send(text.encode("latin-1") if isinstance(text, str) else text)
        method = "HEAD" if text[:4] in ("HEAD", b"HEAD") else "GET"
        return connection.read_answer(method)
    finally:
        connection.close()


def esp8266_request(board, path, host):
    version = f"x-ESP8266-version: {board.version}\r\n" if board.version else ""
    return (f"GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: ESP8266-http-Update\r\nConnection: close\r\n"
            f"x-ESP8266-Chip-ID: 15602487\r\nx-ESP8266-STA-MAC: {board.mac}\r\nx-ESP8266-AP-MAC: DE:{board.mac[3:]}\r\n"
            f"x-ESP8266-free-space: {board.free_space}\r\nx-ESP8266-sketch-size: {len(board.sketch)}\r\n"
            f"x-ESP8266-sketch-md5: {md5(board.sketch)}\r\nx-ESP8266-chip-size: 1048576\r\n"
            f"x-ESP8266-sdk-version: 2.2.2-dev(38a443e)\r\nx-ESP8266-mode: {board.mode}\r\n{version}"
            "Content-Length: 0\r\n\r\n")


def esp32_request(board, path, host):
    version = f"x-ESP32-version: {board.version}\r\n" if board.version else ""
    return (f"GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: ESP32-http-Update\r\nConnection: close\r\n"
            f"Cache-Control: no-cache\r\nx-ESP32-STA-MAC: {board.mac}\r\nx-ESP32-AP-MAC: {board.mac}\r\n"
            f"x-ESP32-free-space: {board.free_space}\r\nx-ESP32-sketch-size: {len(board.sketch)}\r\n"
            f"x-ESP32-sketch-md5: {md5(board.sketch)}\r\n"
            f"x-ESP32-sketch-sha256: {hashlib.sha256(board.sketch).hexdigest().upper()}\r\n"
            f"x-ESP32-chip-size: 4194304\r\nx-ESP32-sdk-version: v5.5.1\r\nx-ESP32-mode: {board.mode}\r\n{version}\r\n")


def pico_request(board, path, host):
    version = f"x-Pico-Version: {board.version}\r\n" if board.version else ""
    return (f"GET {path} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: Pico-HTTP-Update\r\nConnection: close\r\n"
            f"x-Pico-Chip-ID: E6614104\r\nx-Pico-STA-MAC: {board.mac}\r\nx-Pico-AP-MAC: {board.mac}\r\n"
            f"x-Pico-Mode: {board.mode}\r\n{version}\r\n")


@dataclasses.dataclass
class Board:
    """A board with one of the Arduino cores. fetch() asks once; what it says is the library's result."""

    server: tuple
    compose: object = esp8266_request
    sketch: bytes = b"\xe9old sketch"
    mac: str = dataclasses.field(default_factory=new_mac)
    version: str = ""
    mode: str = "sketch"
    free_space: int = 647168
    path: str = "/firmware.bin"
    source: str = None
    context: object = None
    keeps_old: bool = False  # the new sketch does not start, and it goes back
    answer: Answer = None

    @property
    def unpacks(self):
        return self.compose is not esp32_request

    def request(self):
        return self.compose(self, self.path, f"{self.server[0]}:{self.server[1]}")

    def fetch(self):
        """"update", "no update", or the number of the library's error."""
        try:
            self.answer = request(self.server, self.request(), self.source, self.context)
        except BrokenAnswer:
            return "broken"
        codes = {401: -108, 403: -103, 404: -102, 304: "no update"}
        if self.answer.status != 200:
            return codes.get(self.answer.status, -104)
        return self._install(self.answer)

    def _install(self, answer):
        if answer.header("content-length") is None or answer.header("transfer-encoding"):
            return -101
        if len(answer.body) > self.free_space:
            return -100
        if self.compose is not pico_request and answer.body[0] not in (b"\xe9\x1f" if self.unpacks else b"\xe9"):
            return -106
        for name, algorithm in (("x-md5", "md5"), ("x-sha256", "sha256"), ("x-sha512", "sha512")):
            expected = answer.header(name)
            if expected is not None and expected != hashlib.new(algorithm, answer.body).hexdigest():
                return 7
        body = gzip.decompress(answer.body) if answer.body[:2] == b"\x1f\x8b" else answer.body
        if not self.keeps_old:
            self.sketch = body
        return "update"

    def break_off(self, after):
        """Asks, and resets the connection after so many bytes of the image."""
        connection = Connection(self.server, self.source)
        try:
            # A board's window is small, so what is acknowledged is no more than it has read.
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.send(self.request().encode())
            connection.read_head()
            connection.read_body(after)
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        finally:
            connection.close()
