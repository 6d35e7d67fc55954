"""A child process whose output a test waits for, in place of sleeping."""

import os
import re
import select
import subprocess
import time

DEADLINE_S = 60


class Child:
    """Its output has standard error in it, too."""

    def __init__(self, *command, env=None):
        self.command = command
        self.output = ""
        self._seen = 0
        self._process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT)

    @property
    def pid(self):
        return self._process.pid

    def send(self, text):
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def wait_for(self, pattern, timeout_s=DEADLINE_S):
        """The first match of pattern in what was printed since the last match."""
        deadline = time.monotonic() + timeout_s
        while True:
            match = re.compile(pattern).search(self.output, self._seen)
            if match:
                self._seen = match.end()
                return match
            if not self._read(max(deadline - time.monotonic(), 0)):
                raise AssertionError(f"{' '.join(self.command)}: no \"{pattern}\" in:\n{self.output}")

    def _read(self, timeout_s):
        """Returns False if nothing comes, or nothing will."""
        ready, _, _ = select.select([self._process.stdout], [], [], timeout_s)
        chunk = os.read(self._process.stdout.fileno(), 65536) if ready else b""
        self.output += chunk.decode(errors="replace")
        return bool(chunk)
