"""A relay that speaks TLS in front of a simulated board, which speaks plain HTTP. For torture.py."""

import contextlib
import re
import socket
import ssl
import threading

ADDRESS = "127.9.9.9"  # of all relays, so that one certificate fits them all
PATIENCE_S = 60


class TlsRelay:

    def __init__(self, board, certificate, key):
        self._board = (board.address, board.port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._server = socket.create_server((ADDRESS, 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client):
        """One request and its reply: clients use a connection only once."""
        client.settimeout(PATIENCE_S)
        with client, contextlib.suppress(OSError), self._context.wrap_socket(client, server_side=True) as secure:
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

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
