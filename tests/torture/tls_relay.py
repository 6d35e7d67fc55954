"""A relay that speaks TLS in front of a simulated board, which speaks plain HTTP. For torture.py."""

import re
import socket
import ssl

import peer

ADDRESS = "127.9.9.9"  # of all relays, so that one certificate fits them all
PATIENCE_S = 60


class TlsRelay(peer.Server):

    def __init__(self, board, certificate, key):
        self._board = (board.address, board.port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        super().__init__(self._relay, socket.create_server((ADDRESS, 0)))
        self.port = self.socket.getsockname()[1]

    def _relay(self, client):
        """One request and its reply: clients use a connection only once."""
        client.settimeout(PATIENCE_S)
        with self._context.wrap_socket(client, server_side=True) as secure:
            request = self._read_request(secure)
            with socket.create_connection(self._board, PATIENCE_S) as board:
                board.sendall(request)
                while chunk := board.recv(65536):
                    secure.sendall(chunk)
                secure.unwrap()

    @staticmethod
    def _read_request(secure):
        text, length = b"", None
        while length is None or len(text) < length:
            chunk = secure.recv(65536)
            if not chunk:
                raise ConnectionError
            text += chunk
            head, end, _ = text.partition(b"\r\n\r\n")
            if end and length is None:
                body = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                length = len(head) + len(end) + int(body[1] if body else 0)
        return text
