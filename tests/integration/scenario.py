"""What the scenarios have in common: the program as a user runs it, and a board to run it against.

A Case is one row of a table: how the board behaves, how esp-ota is called, and all that a user can
observe. Scenario.check() runs the rows of a table side by side; each has a board, an address and a
directory of its own, so rows cannot disturb each other. Nothing here sleeps: everything waits for
an event, with a deadline.
"""

import atexit
import concurrent.futures
import contextlib
import dataclasses
import faulthandler
import fcntl
import hashlib
import itertools
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unittest

from elsewhere import elsewhere
import firmware
import requirement

PROGRAM = os.environ["ESP_OTA"]
SIMULATOR = os.environ["ESP_OTA_SIM"]
IMAGES = os.environ.get("ESP_OTA_IMAGES", "/nonexistent")  # firmware of real builds, which is not in the repository
DEADLINE_S = 120  # whatever takes longer hangs
AT_ONCE = 8

faulthandler.dump_traceback_later(570)  # ctest ends whoever hangs after 600 s; this shows where that is
socket.setdefaulttimeout(3 * DEADLINE_S)  # a server may stay idle while its test does other things

image = firmware.noise
sketch = firmware.sketch
_numbers = itertools.count(1)
_folders = itertools.count(1)

# Under nohup, or in the background of a script, they are ignored, and children would inherit that.
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def address():
    """A loopback address that nobody else uses: each test process has a /24 or so of its own."""
    number, pid = next(_numbers), os.getpid()
    return f"127.{10 + pid % 240}.{1 + (pid // 240 + number // 250) % 250}.{1 + number % 250}"


def folder(within=None):
    """A new folder, for this user only. Random letters in its name might spell a password of a test, which looks for
    that in all that it sees, so the name has digits."""
    path = os.path.join(within or tempfile.gettempdir(), f"esp-ota-{os.getpid()}-{time.time_ns()}-{next(_folders)}")
    os.mkdir(path, 0o700)
    return path


def environment(**more):
    """What the program gets: nothing of the developer's, so no alias and no password."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH")}
    return {**kept, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "TERM": "xterm", **more}


_children = set()  # pids of processes that have been started, and have not been waited for


@atexit.register
def _end_children():
    """Nothing that a failed test has started outlives this process."""
    for pid in _children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def cpu_wait_s():
    """Seconds, summed up over the processors, in which some process waited for one of them. 0 where
    the kernel does not tell: time limits are for an idle machine there."""
    try:
        with open("/proc/pressure/cpu", encoding="ascii") as file:
            waited_us = int(re.search(r"some .*total=(\d+)", file.read()).group(1))
    except OSError:
        return 0.0
    return waited_us * os.cpu_count() / 1e6


class Stopwatch:
    """The time since it was made: all of it, and what remains of it without what a busy machine may
    have added. Upper limits are about the latter, so that no test fails because of load."""

    def __init__(self):
        self.started = time.monotonic()
        self._waited = cpu_wait_s()

    def seconds(self):
        return time.monotonic() - self.started

    def undelayed(self):
        return self.seconds() - (cpu_wait_s() - self._waited)


@dataclasses.dataclass
class Result:
    """What a user sees of one run. On a terminal, err is all that appeared there."""

    arguments: tuple
    status: int
    out: str
    err: str
    seconds: float    # for lower limits
    undelayed: float  # for upper ones: see Stopwatch

    def __str__(self):
        return (f"esp-ota {' '.join(self.arguments)}\nstatus {self.status} after "
                f"{self.seconds:.1f} s\n-- stdout\n{self.out}\n-- stderr\n{self.err}")


def readable(streams, wait_s=None):
    """Those that can be read, after this time at most, if one is given. Unlike select(), for any number of open files."""
    poll = select.poll()
    for stream in streams:
        poll.register(stream, select.POLLIN)
    numbers = {number for number, _ in poll.poll(None if wait_s is None else 1000 * wait_s)}
    return [stream for stream in streams if stream.fileno() in numbers]


def received(connection, size):
    """So many bytes that come from a socket."""
    got = b""
    while len(got) < size:
        chunk = connection.recv(size - len(got))
        assert chunk, f"the connection ended after {len(got)} of {size} bytes"
        got += chunk
    return got


def read_all(stream, size=65536):
    """What still comes from a pipe up to its end, so many bytes at a time."""
    data = b""
    while True:
        assert readable([stream], DEADLINE_S), f"neither more nor an end comes after {data[-300:]!r}"
        chunk = os.read(stream.fileno(), size)
        if not chunk:
            return data
        data += chunk


def write_all(stream, data):
    """Writes to a pipe, and closes it. Whoever has ended before has not read it all."""
    os.set_blocking(stream.fileno(), False)
    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    with contextlib.suppress(BrokenPipeError):
        while data:
            assert poll.poll(1000 * DEADLINE_S), f"nobody reads the last {len(data)} bytes"
            data = data[os.write(stream.fileno(), data):]
    stream.close()


def join(thread):
    """Waits for the end of a thread, which may itself wait for a program that hangs."""
    thread.join(3 * DEADLINE_S)
    assert not thread.is_alive(), f"it hangs: {thread}"


def ends(process):
    """Whether it ends in time, as whoever has closed its output should do soon."""
    try:
        process.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def read_slowly(*arguments, **env):
    """Runs the program with a small non-blocking pipe as its standard output. The status, and what it wrote."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writer, False)
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=writer, stderr=err, cwd="/",
                                   env=environment(**env))
        _children.add(process.pid)
        os.close(writer)
        with open(reader, "rb", buffering=0) as pipe:
            out = read_all(pipe, 1000)
        status = process.wait(DEADLINE_S)
        _children.discard(process.pid)
        err.seek(0)
        return status, out.decode(), err.read().decode()


class Program:
    """A running esp-ota whose output is gathered while it runs.

    before is a command that starts it, such as a shell; popen, more arguments of subprocess.Popen.
    """

    def __init__(self, *arguments, cwd=None, stdin=b"", before=(), popen=None, **env):
        self.arguments = arguments
        self._watch = Stopwatch()
        # Above the root folder there is no .esp-ota of the developer's.
        self._process = subprocess.Popen([*before, PROGRAM, *arguments], cwd=cwd or "/",
                                         env=environment(**env), stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         **(popen or {"start_new_session": True}))
        _children.add(self._process.pid)
        self._text = {self._process.stdout: b"", self._process.stderr: b""}
        write_all(self._process.stdin, stdin)

    @property
    def pid(self):
        return self._process.pid

    def stdout_fileno(self):
        return self._process.stdout.fileno()

    def send_signal(self, number):
        self._process.send_signal(number)

    def _read(self, until, deadline, *only):
        """False if nothing is left to read at the deadline, or the program writes without end."""
        streams, last = set(only or self._text), max(deadline, time.monotonic() + DEADLINE_S)
        while streams and not until():
            ready = readable(streams, max(0, deadline - time.monotonic()))
            if not ready or time.monotonic() > last:
                return False
            for stream in ready:
                chunk = os.read(stream.fileno(), 65536)
                self._text[stream] += chunk
                if not chunk:
                    streams.discard(stream)
        return True

    def wait_for(self, pattern, deadline_s=DEADLINE_S):
        """Returns once stdout or stderr contains pattern."""
        def seen():
            return any(re.search(pattern, text.decode(errors="replace"))
                       for text in self._text.values())
        self._read(seen, time.monotonic() + deadline_s)
        assert seen(), f"no \"{pattern}\" in {self._text.values()}"

    def wait_for_error(self, pattern, deadline_s=DEADLINE_S):
        """The same for stderr, while nobody reads stdout."""
        def seen():
            return re.search(pattern, self._text[self._process.stderr].decode(errors="replace"))
        self._read(seen, time.monotonic() + deadline_s, self._process.stderr)
        assert seen(), f"no \"{pattern}\" in {self._text[self._process.stderr]}"

    def has_ended(self):
        return self._process.poll() is not None

    def result(self, deadline_s=DEADLINE_S):
        in_time = self._read(lambda: False, self._watch.started + deadline_s) and ends(self._process)
        if not in_time:
            self._process.kill()
            self._process.wait()
        _children.discard(self._process.pid)
        texts = [self._text[stream].decode(errors="surrogateescape")
                 for stream in (self._process.stdout, self._process.stderr)]
        self._process.stdout.close()
        self._process.stderr.close()
        result = Result(self.arguments, self._process.returncode, *texts,
                        self._watch.seconds(), self._watch.undelayed())
        assert in_time, f"it hangs: {result}"
        return result


def run(*arguments, **more):
    return Program(*arguments, **more).result()


def shown(text):
    """What a terminal still shows of it: without the lines that were erased."""
    return re.sub(r"[^\r\n]*\r\x1b\[K", "", text)


class Terminal:
    """esp-ota in the foreground of a pseudo-terminal. before is a command that starts it, such as a
    shell, with an absolute path."""

    def __init__(self, *arguments, columns=80, cwd=None, stdout=None, before=(), **env):
        self.arguments = arguments
        self.seen = ""
        self._watch = Stopwatch()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
                if stdout:
                    os.dup2(os.open(stdout, os.O_WRONLY | os.O_CREAT, 0o600), 1)
                os.chdir(cwd or "/")
                command = [*before, PROGRAM, *arguments]
                os.execve(command[0], command, environment(**env))
            finally:
                os._exit(127)
        _children.add(self.pid)

    def _wait(self):
        """The exit status. Whoever has left the terminal ends soon."""
        with open(os.pidfd_open(self.pid), "rb", buffering=0) as process:
            in_time = readable([process], DEADLINE_S)
        if not in_time:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        _children.discard(self.pid)
        assert in_time, f"it hangs without its terminal: {self.seen!r}"
        return os.waitstatus_to_exitcode(status)

    def resize(self, columns):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def has_echo(self):
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def type(self, text):
        os.write(self._master, text.encode())

    def send_signal(self, number):
        os.kill(self.pid, number)

    def _read_some(self, deadline):
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError(f"it hangs; so far: {self.seen!r}")
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # what Linux says when the last process has left the terminal
            chunk = b""
        self.seen += chunk.decode(errors="surrogateescape")
        return bool(chunk)

    def wait_for(self, pattern, deadline_s=DEADLINE_S):
        deadline = time.monotonic() + deadline_s
        while not re.search(pattern, self.seen):
            if not self._read_some(deadline):
                raise AssertionError(f"it ended without \"{pattern}\": {self.seen!r}")

    def wait_for_prompt(self, pattern="Password of [^\r\n]*: ", count=1, deadline_s=DEADLINE_S):
        """Returns once the terminal shows that many prompts."""
        deadline = time.monotonic() + deadline_s
        while len(re.findall(pattern, shown(self.seen))) < count:
            if not self._read_some(deadline):
                raise AssertionError(f"it ended without {count} of \"{pattern}\": {self.seen!r}")

    def hang_up(self):
        """Closes the terminal; returns the exit status."""
        os.close(self._master)
        return self._wait()

    def result(self, deadline_s=DEADLINE_S):
        while self._read_some(self._watch.started + deadline_s):
            pass
        status = self._wait()
        self.echo_at_end = self.has_echo()
        os.close(self._master)
        return Result(self.arguments, status, "", self.seen,
                      self._watch.seconds(), self._watch.undelayed())


def simulated_mac(where):
    """That a simulated board at this address tells a server from which it fetches."""
    digits = "5CCF7F" + hashlib.md5(where.encode()).hexdigest()[:6].upper()
    return ":".join(digits[i:i + 2] for i in range(0, 12, 2))


class Board:
    """A simulated board at an address of its own. events are its lines so far: all that it has printed before
    they are looked at. It prints what it does before it does it, so what esp-ota has heard of is among them."""

    def __init__(self, *options, family="esp8266", directory=None, where=None, fast=True):
        self.address = where or address()
        self.output = os.path.join(directory, "received.bin") if directory else None
        arguments = [SIMULATOR, "--family", family, "--address", self.address]
        arguments += ["--fast"] if fast else []
        # Of this address, others may have the usual port.
        arguments += ["--port", "0"] if self.address == "127.0.0.1" else []
        arguments += ["--output", self.output] if self.output else []
        with elsewhere():
            self._process = subprocess.Popen([*arguments, *options], stdin=subprocess.DEVNULL,
                                             stdout=subprocess.PIPE)
        _children.add(self._process.pid)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._events, self._rest, self._has_ended, self._is_held = [], b"", False, False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self.wait_for(" ready ").split()[0].rpartition(":")[2])

    def hold(self):
        """Lets it do nothing until go_on()."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def _read(self):
        """Ends with the board, though something else may hold its output open."""
        while not self._has_ended:
            if not readable([self._process.stdout], DEADLINE_S) and self._process.poll() is not None:
                self._is_held = True
                self._end()
            self._take()

    def _take(self):
        """Takes what the board has printed by now; after its end an empty event follows."""
        with self._changed:
            while not self._has_ended:
                try:
                    chunk = os.read(self._process.stdout.fileno(), 65536)
                except BlockingIOError:
                    return
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                self._events += [line.decode(errors="replace") for line in lines]
                if not chunk:
                    self._end()
                self._changed.notify_all()

    def _end(self):
        with self._changed:
            self._has_ended = True
            self._events.append("")
            self._changed.notify_all()

    @property
    def mac(self):
        """Of several, the first one's."""
        return simulated_mac(self.address)

    @property
    def events(self):
        self._take()
        return list(self._events)

    def wait_for(self, pattern, deadline_s=DEADLINE_S):
        """The first event that contains pattern, as soon as there is one."""
        def look():
            """One look: what came between two looks would be missed, and nobody would wake this thread again."""
            events = self.events
            seen = next((event for event in events if re.search(pattern, event)), None)
            return (seen,) if seen or "" in events else None
        with self._changed:
            ended = self._changed.wait_for(look, deadline_s)
        found = ended and ended[0]
        assert found, f"the board: no \"{pattern}\" in {self.events}"
        return found

    def wait_for_count(self, pattern, count, deadline_s=DEADLINE_S):
        """Returns when count events contain pattern."""
        with self._changed:
            came = self._changed.wait_for(lambda: self.count(pattern) >= count, deadline_s)
        assert came, f"the board: not {count} times \"{pattern}\" in {self.events}"

    def count(self, pattern):
        return sum(1 for event in self.events if re.search(pattern, event))

    def received(self):
        """The image that was installed last; None when none was."""
        if not self.count(" upload result=ok"):
            return None
        with open(self.output, "rb") as file:
            return file.read()

    def close(self):
        """Ends the board, once it has served what has come by now; afterwards all of its events are there."""
        if self._process.poll() is None:
            self._process.terminate()
        self._reader.join(DEADLINE_S)
        in_time = self._process.poll() is not None if self._reader.is_alive() else ends(self._process)
        if not in_time:
            self._process.kill()
            self._process.wait()
        _children.discard(self._process.pid)
        join(self._reader)
        self._process.stdout.close()
        assert in_time, f"the board hangs: {self._events}"
        assert not self._is_held, f"the board has ended, but something holds its output open: {self._events}"


@dataclasses.dataclass
class Case:
    """One row: what happens, and all that a user can observe of it."""

    name: str
    board: tuple = ()       # options of esp-ota-sim; None: there is no board
    args: tuple = ()        # options of esp-ota besides -i and -f
    status: int = 0
    says: tuple = ()        # regular expressions that stderr contains
    never: tuple = ()       # and such that it does not contain
    out: str = ""           # stdout, whole, or a pattern of it; None: not looked at here
    family: str = "esp8266"
    image: bytes = 20000    # or the size of a sketch for the family
    fast: bool = True
    events: tuple = ()      # regular expressions that the board's events contain
    installed: bool = None  # whether the board has the image in the end; unless given, on status 0
    seconds: float = DEADLINE_S
    uploads: bool = True    # else there is no -f, and the board's log is all that is wanted
    stdin: bytes = b""
    env: dict = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        if isinstance(self.image, int):
            self.image = sketch(self.family, self.image)


class AtOnce(unittest.TestSuite):
    """Tests that mostly wait, side by side. Each has a folder, addresses and programs of its own."""

    def run(self, result, debug=False):
        def run_one(test):
            own = unittest.TestResult()
            test.run(own)
            return own
        tests = list(self)
        with concurrent.futures.ThreadPoolExecutor(2 * AT_ONCE) as pool:
            for own in pool.map(run_one, tests):
                result.testsRun += own.testsRun
                for name in ("failures", "errors", "skipped", "expectedFailures", "unexpectedSuccesses"):
                    getattr(result, name).extend(getattr(own, name))
        return result


def at_once(loader, tests, _pattern):
    """For a module whose tests mostly wait: load_tests = at_once."""
    return AtOnce(test for suite in tests for test in suite)


def secrets(password):
    """What must not be seen of a password: itself, and what is as good as it to a board."""
    text = password.encode()
    return [password, hashlib.md5(text).hexdigest(), hashlib.sha256(text).hexdigest()]


class Scenario(unittest.TestCase):
    """Base of the scenario tests: a directory, and the check of rows."""

    def setUp(self):
        self.directory = folder()
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def file(self, name, content):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def board(self, *options, **more):
        board = Board(*options, directory=folder(self.directory), **more)
        self.addCleanup(board.close)
        return board

    def two_addresses(self, name):
        return self.addresses_of(name, 2)

    def addresses_of(self, name, count):
        """Addresses of a name, and a command that runs a program where the name has them."""
        requirement.need_root(self, "a name with several addresses needs a hosts file of its own")
        addresses = tuple(address() for _ in range(count))
        hosts = self.file("hosts", "".join(f"{one} {name}\n" for one in addresses).encode())
        return addresses, ("unshare", "--mount", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh")

    def assert_no_secret(self, result, *passwords):
        """A PIN may occur in a port's number."""
        for password in passwords:
            for secret in secrets(password):
                pattern = rf"(?<!\d){secret}(?!\d)" if secret.isdigit() else re.escape(secret)
                self.assertNotRegex(result.out + result.err, pattern)

    def _observe(self, case):
        """Runs one row; returns what differs from it."""
        directory = folder(self.directory)
        path = os.path.join(directory, "firmware.bin")
        with open(path, "wb") as file:
            file.write(case.image)
        board = None
        where = address()
        if case.board is not None:
            board = Board(*case.board, family=case.family, directory=directory, where=where,
                          fast=case.fast)
        try:
            arguments = [argument.format(address=where, directory=directory)
                         for argument in case.args]
            port = ("-p", str(board.port)) if board else ()
            upload = (*port, "-f", path) if case.uploads else ()
            result = run("-i", where, *upload, *arguments, cwd=directory, stdin=case.stdin,
                         **case.env)
            return list(self._differences(case, board, result)), result
        finally:
            if board:
                board.close()

    def _differences(self, case, board, result):
        if result.status != case.status:
            yield f"status {result.status}, not {case.status}"
        if isinstance(case.out, str) and result.out != case.out:
            yield f"stdout is not {case.out!r}"
        if isinstance(case.out, re.Pattern) and not case.out.fullmatch(result.out):
            yield f"stdout does not fit {case.out.pattern!r}"
        for pattern in case.says:
            if not re.search(pattern, result.err):
                yield f"stderr lacks \"{pattern}\""
        for pattern in case.never:
            if re.search(pattern, result.err):
                yield f"stderr has \"{pattern}\""
        if result.undelayed > case.seconds:
            yield f"it took {result.undelayed:.1f} s, more than {case.seconds} s"
        for options, password_option in ((case.board or (), "-P"), (case.args, "-a")):
            for index, argument in enumerate(options):
                if argument == password_option:
                    for secret in secrets(options[index + 1]):
                        if secret in result.out + result.err:
                            yield f"the secret {secret} is shown"
        if not board:
            return
        board.close()
        for pattern in case.events:
            if not board.count(pattern):
                yield f"the board never said \"{pattern}\": {board.events}"
        installed = case.uploads and case.status == 0 if case.installed is None else case.installed
        if installed and board.received() != case.image:
            yield f"the board has not got the image: {board.events}"
        if not installed and board.received() is not None:
            yield f"the board has installed something: {board.events}"

    def check(self, cases):
        """Every row of a table, several at once; all that differ are reported. A table has rows."""
        cases = list(cases)  # a generator's rows come only once
        self.assertTrue(cases)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            futures = [pool.submit(self._observe, case) for case in cases]
            for case, future in zip(cases, futures):
                with self.subTest(case.name):
                    differences, result = future.result()
                    if differences:
                        self.fail("\n".join([case.name, *differences, str(result)]))
