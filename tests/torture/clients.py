"""Those who talk to the program while it runs: boards that fetch from --serve, and the Arduino IDE of a tool.

For torture.py. A client goes on after a failure as its original does: a board asks again, an IDE goes to its next
command. It never waits for long for what may not come, and ends when the program does.
"""

import json
import os
import re
import threading
import time

import fetcher
import ide
import scenario

PATIENCE_S = 15  # the program gives up earlier, or says on standard error that it goes on without
FETCHES_MAX = 30
PAUSE_S = 0.2  # before the next one


class Talk:
    """A running program whose output is gathered; a client waits for it, and types."""

    def __init__(self, process):
        self._process = process
        self._changed = threading.Condition()
        self._text = {process.stdout: b"", process.stderr: b""}
        self._open = set(self._text)
        self._readers = [threading.Thread(target=self._read, args=(stream,)) for stream in self._text]
        for reader in self._readers:
            reader.start()

    def _read(self, stream):
        while True:
            chunk = os.read(stream.fileno(), 65536)
            with self._changed:
                self._text[stream] += chunk
                if not chunk:
                    self._open.discard(stream)
                self._changed.notify_all()
            if not chunk:
                return

    @property
    def out(self):
        return self._text[self._process.stdout].decode(errors="replace")

    @property
    def err(self):
        return self._text[self._process.stderr].decode(errors="replace")

    def wait_for(self, is_so, patience_s=PATIENCE_S):
        """Whether it is so, of itself; not when the output has ended, or patience is over."""
        with self._changed:
            self._changed.wait_for(lambda: is_so(self) or not self._open, patience_s)
            return is_so(self)

    def wait_for_end(self, patience_s):
        """Whether standard output and standard error have ended, of all of its processes."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, patience_s)

    def join(self):
        for reader in self._readers:
            scenario.join(reader)

    def type(self, text):
        try:
            self._process.stdin.write(text.encode() + b"\n")
        except OSError:
            pass  # it has ended


def is_whole_json(answer):
    try:
        return isinstance(json.loads(answer.body), dict)
    except ValueError:
        return False


class Fetching:
    """A board with ESP8266httpUpdate, after which a browser looks at the page."""

    PAGES = (("/", lambda answer: answer.body.rstrip().endswith(b"</html>")),
             ("/status.json", is_whole_json), ("/manifest.json", is_whole_json),
             ("/firmware.bin.md5", lambda answer: re.fullmatch(rb"[0-9a-f]{32}\n", answer.body)))

    def __init__(self, server):
        self.server = server
        self.board = fetcher.Board(server, mac="24:0A:C4:00:00:01")
        self.complaints = []

    def __call__(self, talk):
        if not talk.wait_for(lambda talk: "fetch from" in talk.err or '"serving"' in talk.out):
            return
        for path, is_whole in self.PAGES:
            self._look_at(path, is_whole)
        for _ in range(FETCHES_MAX):
            outcome = self._ask(self.board.fetch)
            if outcome == "update":  # starting takes a board longer than the server takes to count the download
                talk.wait_for(lambda talk: "took it" in talk.err, PAUSE_S)
            if outcome == "no update" or (outcome != "update" and talk.wait_for_end(PAUSE_S)):
                return

    def _ask(self, function, *arguments):
        """None: there was no answer."""
        try:
            return function(*arguments)
        except (OSError, fetcher.BrokenAnswer):
            return None

    def _look_at(self, path, is_whole):
        head = f"GET {path} HTTP/1.1\r\nHost: {self.server[0]}\r\nConnection: close\r\n\r\n"
        answer = self._ask(fetcher.request, self.server, head)
        if answer and answer.status == 200 and not is_whole(answer):
            self.complaints.append(f"{path} is incomplete: {answer.body[-200:]!r}")

    @staticmethod
    def is_told(_out, _err):
        return False

    @staticmethod
    def has_heard_nothing():
        return False

    def lacks(self, content):
        """What is missing though the program has ended with 0."""
        return [] if self.board.sketch == content else ["the board has other bytes"]


class Ide:
    """Asks one command after the other."""

    def __init__(self):
        self.complaints = []

    @staticmethod
    def ask(talk, command):
        """Whether it was answered without an error."""
        before = talk.out.count("\n")
        talk.type(command)
        is_answered = talk.wait_for(lambda talk: talk.out.count("\n") > before)
        return is_answered and '"error"' not in "".join(talk.out.splitlines()[before:])

    def has_heard_nothing(self):
        return False

    @staticmethod
    def is_told(out, err):
        return '"error"' in out or '"port_closed"' in out or err.strip()


class DiscoveringIde(Ide):
    """Watches the boards come, then asks for a list of them."""

    def __init__(self, count):
        super().__init__()
        self._count, self._found = count, None

    def __call__(self, talk):
        self.ask(talk, ide.HELLO[0])
        if self.ask(talk, "START_SYNC"):
            talk.wait_for(lambda talk: talk.out.count('"add"') >= self._count or talk.err)
            self.ask(talk, "STOP")
        if self.ask(talk, "START"):
            self._list(talk)
        self.ask(talk, "QUIT")

    def _list(self, talk):
        """The search is in progress, so it asks until all are there."""
        deadline = time.monotonic() + PATIENCE_S
        while self.ask(talk, "LIST") and not talk.err and time.monotonic() < deadline:
            self._found = len(json.loads(talk.out.splitlines()[-1]).get("ports", ()))
            if self._found >= self._count:
                break
            talk.wait_for(lambda talk: talk.err, 0.5)

    def has_heard_nothing(self):
        """As when there are no boards."""
        return self._found == 0

    def lacks(self, _content):
        return [] if self._found == self._count else ["the list is incomplete"]


class MonitoringIde(Ide):
    """Opens a board's log, reads from it and types into it."""

    COMMAND = b"status\r\n"

    def __init__(self, board, name, said):
        super().__init__()
        self._board, self._name, self._said = board, name, said
        self._listener = ide.Listener()
        self.has_read = False

    def __call__(self, talk):
        for command in (ide.HELLO[0], "DESCRIBE", f"CONFIGURE port {self._board.telnet_port}"):
            self.ask(talk, command)
        if self.ask(talk, f"OPEN {self._listener.address} {self._name}"):
            self._converse(talk)
        self.ask(talk, "QUIT")
        self._listener.close()

    def _converse(self, talk):
        with self._listener.accept() as client:
            try:
                ide.read_until(client, self._said)
                self.has_read = True
                client.sendall(self.COMMAND)
            except (AssertionError, OSError):
                pass  # the tool says "port_closed"
            deadline = time.monotonic() + PATIENCE_S
            while self.has_read and not self.has_typed() and time.monotonic() < deadline:
                if talk.wait_for(lambda talk: "port_closed" in talk.out, 0.05):
                    break
            self.ask(talk, "CLOSE")

    def lacks(self, _content):
        return [text for text, is_there in (("the IDE has no log", self.has_read),
                                            ("the board has not heard the IDE", self.has_typed())) if not is_there]

    def has_typed(self):
        return bool(self._board.count('telnet-command text="status"'))
