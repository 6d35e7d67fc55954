"""The side of an Arduino IDE in its conversation with a pluggable discovery or monitor."""

import json
import os
import select
import socket
import subprocess
import time

import scenario

PATIENCE_S = 15  # longer than a tool waits for an IDE that does not read
OK = {"message": "OK"}
HELLO = ('HELLO 1 "arduino-cli 1.2.2"', {"eventType": "hello", "protocolVersion": 1, **OK})


def done(event):
    return {"eventType": event, **OK}


def unknown(command):
    return {"eventType": "command_error", "error": True, "message": f"Unknown command {command}"}


class Tool:
    """A running tool, to which one can talk."""

    def __init__(self, *arguments, before=()):
        self.process = subprocess.Popen([*before, scenario.PROGRAM, *arguments], env=scenario.environment(), bufsize=0,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.rest = b""

    def send(self, text):
        self.process.stdin.write(text if isinstance(text, bytes) else text.encode() + b"\n")

    def message(self, deadline_s=scenario.DEADLINE_S):
        """The next message; None at the end of the output."""
        deadline = time.monotonic() + deadline_s
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            assert ready, "no message comes"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                assert not self.rest, self.rest
                return None
            self.rest += chunk
        line, _, self.rest = self.rest.partition(b"\n")
        return json.loads(line)

    def ask(self, command):
        self.send(command)
        return self.message()

    def end(self, deadline_s=scenario.DEADLINE_S):
        """Ends the input; returns status, the messages that were left, and standard error."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        messages = list(iter(self.message, None)) if not self.process.stdout.closed else []
        status = self.process.wait(deadline_s)
        error = scenario.read_all(self.process.stderr).decode()
        self.close()
        return status, messages, error

    def close(self):
        """Ends it as an IDE does, and by force only if that does not help."""
        self.process.stdin.close()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if not stream.closed:
                stream.close()


class Listener:
    """Where the IDE waits for the log."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(scenario.DEADLINE_S)
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]

    def accept(self):
        client, _ = self.server.accept()
        client.settimeout(scenario.DEADLINE_S)
        return client

    def close(self):
        self.server.close()


def read_until(client, text):
    got = b""
    while text not in got:
        chunk = client.recv(65536)
        assert chunk, f"the connection ends after {got[-300:]!r}"
        got += chunk
    return got
