"""A simulated board with a log service, for the scenarios of --monitor, --expect and --online.

tests/device/README.md describes the steps that a sketch takes and the three flavours.
"""

import re
import select
import socket
import time

from scenario import Board, DEADLINE_S

FLAVOURS = ("stream", "esptelnet", "remotedebug")


class TelnetBoard(Board):
    """A board whose sketch logs; say are its steps, say_after those of the sketch to be uploaded.

    more are Board's arguments: options as *options, family, directory, where, fast.
    """

    def __init__(self, *options, flavour="stream", say=(), say_after=(), leave="silent", port=0, **more):
        steps = [word for step in say for word in ("--say", step)]
        steps += [word for step in say_after for word in ("--say-after", step)]
        super().__init__("--telnet", str(port), "--telnet-flavour", flavour, "--telnet-leave", leave,
                         *steps, *options, **more)
        self.telnet_port = int(re.search(r"port=(\d+)", self.wait_for(" telnet port="))[1])

    def connect(self, source=None):
        """A client of the log service; source is the address that it comes from."""
        return Client(self.address, self.telnet_port, source)

    def commands(self):
        """What clients typed, as the board heard it: texts with C escapes."""
        return [match[1] for match in
                (re.search(r' telnet-command text="(.*)"$', event) for event in self.events) if match]

    def wait_for_boot(self, firmware="new", count=1):
        """Returns when the board has come to the air with this firmware for the count-th time."""
        self.wait_for_count(f" telnet port=.* firmware={firmware}$", count)


class Client:
    """A plain socket at the log service."""

    def __init__(self, host, port, source=None):
        self.socket = socket.create_connection((host, port), DEADLINE_S, (source, 0) if source else None)
        self.socket.settimeout(DEADLINE_S)
        self.connected = time.monotonic()
        self.got = b""

    def _receive(self, deadline):
        assert time.monotonic() < deadline, f"it does not end: {self.got[-500:]!r}"
        return self.socket.recv(65536)

    def read_until(self, text, deadline_s=DEADLINE_S):
        """All that was received up to and with text; the rest is kept for the next call."""
        deadline = time.monotonic() + deadline_s
        while text not in self.got:
            chunk = self._receive(deadline)
            assert chunk, f"the board closed before {text!r}: {self.got[-500:]!r}"
            self.got += chunk
        end = self.got.index(text) + len(text)
        read, self.got = self.got[:end], self.got[end:]
        return read

    def read_all(self, deadline_s=DEADLINE_S):
        """All up to the end of the connection, and whether it was orderly."""
        deadline = time.monotonic() + deadline_s
        try:
            while True:
                chunk = self._receive(deadline)
                if not chunk:
                    return self.got, True
                self.got += chunk
        except ConnectionResetError:
            return self.got, False

    def is_quiet(self, seconds):
        """Whether nothing comes for so long, not even an end."""
        return not select.select([self.socket], [], [], seconds)[0]

    def type(self, text, after=0.0):
        """Sends text; after seconds have passed since the connection, as a careful program does."""
        left = self.connected + after - time.monotonic()
        if left > 0:
            assert not select.select([], [], [], left)[0]
        self.socket.sendall(text)

    def close(self):
        self.socket.close()
