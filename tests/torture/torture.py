#!/usr/bin/env python3
"""What happens when anything fails: each call of a kind in turn, once and for good.

A case is a way to use the program, with fresh boards for each run. It runs once as it is; what it calls is
counted by failing.c, process by process and kind by kind. Then each of these calls fails in a run of its own, in
two modes: this one alone, and this one and all later ones of its kind. Whatever fails,

  the program neither crashes nor hangs, and leaks nothing (AddressSanitizer, LeakSanitizer)
  0 means that the boards have what they should have, and that the output is whole
  trouble of this computer is called just that: no other status than 1, or the one of the first run

scripts/torture runs this. A finding prints the command that repeats it: nothing here depends on the network,
on an avahi-daemon (fake_avahi.py is one) or on chance.
"""

import argparse
import array
import collections
import concurrent.futures
import dataclasses
import hashlib
import itertools
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import firmware  # noqa: E402
import mdns  # noqa: E402

if __name__ == "__main__" and "--help" not in sys.argv and "-h" not in sys.argv:
    mdns.enter()  # before anything is started
import scenario  # noqa: E402
from clients import DiscoveringIde, Fetching, MonitoringIde, Talk  # noqa: E402
from fake_avahi import Announced, Bus  # noqa: E402
from telnet_board import TelnetBoard  # noqa: E402
from tls_relay import ADDRESS as TLS_ADDRESS, TlsRelay  # noqa: E402

# The order of failing.c's enum kind.
KINDS = ("memory", "files", "reads", "writes", "sockets", "connections", "sends", "receives", "polls", "forks")
PROCESSES = ("main", "child-1", "child-2", "child-3")  # in the order of their forks
MODES = ("once", "for-good")
STACKS_MAX = 65536
STACK_SIZE = 16
# failing.c's struct state: what fails, how much did and how many children there were; counts; stacks, of two hashes.
ORDER, COUNTS = struct.Struct("=6q"), struct.Struct(f"={len(KINDS)}q")
STACKS_AT = ORDER.size + len(PROCESSES) * COUNTS.size
STATE_SIZE = STACKS_AT + len(PROCESSES) * STACKS_MAX * STACK_SIZE
SANITIZER_STATUS = 99
DEADLINE_S = 120  # the longest run of all takes 25 s
PATIENCE = ("-t", "10")  # seconds that a busy machine does not exceed, and that few runs wait for
AT_ONCE = 16  # most of them wait
PASSWORD = "pass word"
LIBRARY = os.environ.get("ESP_OTA_FAILING", "")
HERE = os.path.dirname(os.path.abspath(__file__))
# Of an input that cannot be read nobody knows whose fault it is: any status but 0 will do.
NOT_OURS = ("reads",)
# Without these nobody knows whether standard error takes a word.
UNSEEN = ("writes", "polls")
# libdbus, in a child, waits within its calls for what it takes to be a passing lack, or forgets to go on when it
# has passed (libavahi-client knows nothing of DBUS_DISPATCH_NEED_MEMORY). The parent cannot tell that from a daemon
# that does not answer: it gives up when the time is over, and says so.
WAITS_IN_LIBDBUS = re.compile(r"the D-Bus system bus (does not answer|has not answered in)|not all boards have been heard|"
                              r"multicast DNS (gave no answer in|was asked for) \d+\.\d s")
# --serve looks up a name again after 30 s, when a run is over; so nobody asks for the image.
LOOKED_UP_LATER = "cannot be recognized by its name yet"
# On standard error, of a message from D-Bus that it has no memory for.
SAID_BY_LIBAVAHI = re.compile(r"^WARNING: Unhandled message: interface=.*$", re.M)
# Events that come more or less often.
IGNORED = ("progress", "invited", "note")
# libdbus 1.14 uses its memory pool after a block could not be allocated for it, and writes beyond the old one. That
# ends the child; what the parent makes of it is judged. The parent may end it before its stack is printed.
BREAKS_IN_LIBDBUS = re.compile(r"AddressSanitizer: heap-buffer-overflow .*\nWRITE of size 24 at ")
BROKEN_BY = re.compile(r"^ +#1 (.*)$", re.M)  # without a name: the library was loaded after the symbols
# Once everything was sent: no verdict; no proof of boot; boards of a fleet that ended differently.
AFTERWARDS = (11, 12, 20)


@dataclasses.dataclass(frozen=True)
class Point:
    """Which call fails: none, unless given."""

    case: str
    process: str = PROCESSES[0]
    kind: str = KINDS[0]
    at: int = 0  # from 1
    mode: str = MODES[0]

    def __str__(self):
        return f"{self.case}:{self.process}:{self.kind}:{self.at}:{self.mode}"

    def order(self):
        """The beginning of failing.c's struct state."""
        return ORDER.pack(KINDS.index(self.kind), PROCESSES.index(self.process), self.at, MODES.index(self.mode), 0, 0)


class Wrong(Exception):
    """What a run has done wrong, for a person."""


@dataclasses.dataclass
class Scene:
    """One run's boards and arguments, and how its success is judged."""

    arguments: list
    boards: list = dataclasses.field(default_factory=list)  # those that get the image
    others: list = dataclasses.field(default_factory=list)
    content: bytes = b""
    output: str = ""      # a file that the program makes
    is_metrics: bool = False  # so is its output
    is_json: bool = False
    status: int = 0       # when nothing fails
    bus: Bus = None       # with an avahi-daemon on it
    client: object = None  # of clients.py: talks to the program while it runs
    ignored: tuple = ()   # events that come more or less often
    excused: tuple = ()   # statuses for lasting trouble of this computer that the program is not told of

    def end(self):
        for board in (*self.boards, *self.others):
            board.close()
        if self.bus:
            self.bus.close()


@dataclasses.dataclass
class Result:
    status: int
    out: str
    err: str
    counts: dict   # process -> kind -> how many calls
    failed: int
    stacks: dict = dataclasses.field(repr=False)  # process -> who asked for memory, call by call

    def breaks_in_libdbus(self):
        caller = BROKEN_BY.search(self.err)
        return (self.status != SANITIZER_STATUS and bool(BREAKS_IN_LIBDBUS.search(self.err))
                and (not caller or "_dbus_mem_pool_alloc" in caller[1] or "libdbus-1.so" in caller[1]))


# -- the cases ----------------------------------------------------------------------------------------------------


def write(directory, name, content):
    path = os.path.join(directory, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def make_board(directory, *options, **more):
    return scenario.Board(*options, directory=tempfile.mkdtemp(dir=directory), **more)


def upload(directory, family, *options):
    board = make_board(directory, "-P", PASSWORD, family=family)
    content = firmware.sketch(family, 20000)
    path = write(directory, "fw.bin", content)
    return Scene(["-i", board.address, "-p", str(board.port), "-f", path, "-a", PASSWORD, *PATIENCE, *options],
                 [board], content=content, is_json="--json" in options)


def upload_md5(directory):
    return upload(directory, "esp8266")


def upload_sha256(directory):
    return upload(directory, "esp32-sha256", "--json")


def web(directory, *options, scheme="basic"):
    board = make_board(directory, "--web", "esp8266", "-p", "8080", "-P", PASSWORD, "--web-set", f"auth={scheme}")
    content = firmware.sketch("esp8266", 20000)
    path = write(directory, "fw.bin", content)
    return Scene(["-i", f"http://{board.address}:{board.port}", "-f", path, "-a", PASSWORD, *PATIENCE, *options],
                 [board], content=content, is_json="--json" in options)


def web_basic(directory):
    return web(directory)


def web_digest(directory):
    return web(directory, scheme="only-digest")


def web_tasmota(directory):
    """Its chip is asked for before the upload."""
    board = make_board(directory, "--web", "tasmota", "-p", "8080", "-P", PASSWORD)
    content = firmware.sketch("esp8266", 20000)
    return Scene(["-i", f"http://{board.address}:{board.port}", "-f", write(directory, "fw.bin", content), "-a", PASSWORD,
                  *PATIENCE], [board], content=content)


def web_https(directory):
    """With a certificate that an authority has signed."""
    scene = web(directory)
    relay = TlsRelay(scene.boards[0], *TLS_FILES[1:])
    scene.others.append(relay)
    scene.arguments[1] = f"https://{TLS_ADDRESS}:{relay.port}"
    scene.arguments += ["--cacert", TLS_FILES[0]]
    return scene


def esphome(directory, *options, sets=()):
    board = make_board(directory, "--esphome", "-p", "8266", "-P", PASSWORD,
                       *(part for name in sets for part in ("--esphome-set", name)))
    content = firmware.sketch("esp8266", 20000)
    path = write(directory, "fw.bin", content)
    return Scene(["-i", f"esphome://{board.address}:{board.port}", "-f", path, "-a", PASSWORD, *PATIENCE, *options],
                 [board], content=content)


def esphome_password(directory):
    return esphome(directory)


def esphome_encrypted(directory):
    key = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8="
    return esphome(directory, "--encryption-key-file", write(directory, "key", key.encode()),
                   sets=(f"key={key}", "encrypted"))


def sketch_server(directory):
    board = make_board(directory, "--web", "sketch", "-p", "8080", "-P", PASSWORD)
    content = firmware.sketch("esp8266", 20000)
    return Scene(["-i", f"sketch://{board.address}:{board.port}", "-f", write(directory, "fw.bin", content), "-a",
                  PASSWORD, *PATIENCE], [board], content=content)


def served(arguments, content, **more):
    """libmicrohttpd tells nobody what its calls lack: then no board asks (4), or a download breaks off (9)."""
    return Scene([*arguments, "--json"], content=content, is_json=True, ignored=("start", "connected"), excused=(4, 9),
                 **more)


def serve(directory):
    """A board fetches its firmware, and is back with it; a browser looks at the pages."""
    server = (scenario.address(), 8080)
    content = firmware.esp8266(20000)
    path = write(directory, "fw.bin", content)
    return served([f"--serve={server[0]}:{server[1]}", "-f", path, "-z", "--until-confirmed", "1", "--serve-for", "12"],
                  content, client=Fetching(server))


def serve_name(directory):
    """Only to a board that is listed by its name."""
    server = (scenario.address(), 8080)
    content = firmware.esp8266(20000)
    write(directory, "fw.bin", content)
    hosts = write(directory, "hosts", b"kitchen.local file=fw.bin\n")
    return served([f"--serve={server[0]}:{server[1]}", "--hosts", hosts, "--until-confirmed", "1", "--serve-for", "12"],
                  content, client=Fetching(server),
                  bus=Bus(directory, [Announced("kitchen", "127.0.0.1", 8266)]))


def serve_tasmota(directory):
    """A board is told to fetch, and gets its setting back."""
    board = make_board(directory, "--web", "tasmota", "-p", "8080", "--reboot-ms", "100", "--web-set", "hasty",
                       "--web-set", "ota-url=http://ota.example/tasmota.bin", "-P", PASSWORD)
    content = firmware.esp8266(20000) + b"12:00:00"  # the time of build that the board tells
    return served([f"--serve={scenario.address()}:8080", "-i", f"http://{board.address}:{board.port}", "-f",
                   write(directory, "fw.bin", content), "-a", PASSWORD, "--expect-timeout", "10", *PATIENCE], content,
                  boards=[board])


def configured(directory):
    """Boards, settings and files that a configuration names, with metrics of the uploads."""
    boards = [make_board(directory, "-P", PASSWORD, family="esp32") for _ in range(2)]
    write(directory, "fw.bin", SIGNED)
    write(directory, "key.pub", PUBLIC_KEY)
    os.chmod(write(directory, "password", PASSWORD.encode() + b"\n"), 0o600)
    sections = [f"[board {name}]\nhost = {board.address}\nport = {board.port}\nauth-file = password\n"
                for name, board in zip(("kitchen", "hall"), boards)]
    config = write(directory, "config", ("file = fw.bin\nverify-key = key.pub\ntimeout = 5\n" + "".join(sections)
                                         + "[group home]\nmembers = kitchen hall\n").encode())
    metrics = os.path.join(directory, "esp-ota.prom")
    return Scene(["--config", config, "-i", "@home", "--metrics", metrics], boards, content=SIGNED, output=metrics,
                 is_metrics=True)


def show_config(directory):
    config = write(directory, "config", b"retries = 5\n[board kitchen]\nhost = kitchen.local\nauth-file = password\n"
                                        b"[group home]\nmembers = kitchen hall.local\n")
    return Scene(["--config", config, "--show-config"])


def show_help(directory):
    return Scene(["--help"])


def show_version(directory):
    return Scene(["--version"])


def pluggable_discovery(directory):
    boards = [Announced(f"board-{i}", f"127.0.0.{2 + i}", 8266) for i in range(2)]
    return Scene(["--pluggable-discovery", *PATIENCE], is_json=True, ignored=("list",),
                 bus=Bus(directory, boards), client=DiscoveringIde(len(boards)))


def pluggable_monitor(directory):
    board = TelnetBoard(say=("hello",), directory=tempfile.mkdtemp(dir=directory))
    bus = Bus(directory, [Announced("kitchen", board.address, board.port)])
    return Scene(["--pluggable-monitor"], others=[board], is_json=True, bus=bus,
                 client=MonitoringIde(board, "kitchen.local", b"hello\r\n"))


def fleet_resume(directory):
    """Three boards of a hosts file, one of which an earlier run has updated."""
    boards = [make_board(directory) for _ in range(3)]
    content = firmware.sketch("esp8266", 20000)
    path = write(directory, "fw.bin", content)
    hosts = write(directory, "hosts", "".join(f"{board.address}:{board.port}\n" for board in boards).encode())
    earlier = scenario.run("-i", boards[0].address, "-p", str(boards[0].port), "-f", path, "--json")
    assert earlier.status == 0, earlier
    boards[0].close()
    report = write(directory, "report.json", earlier.out.encode())
    return Scene(["--hosts", hosts, "-f", path, "--resume", report, "--json", *PATIENCE], boards[1:],
                 content=content, is_json=True)


def check_json(directory):
    """Of an image with a signature that is verified."""
    path, key = write(directory, "fw.bin", SIGNED), write(directory, "key.pub", PUBLIC_KEY)
    return Scene(["--check", "--json", "-f", path, "--verify-key", key], is_json=True)


def check_text(directory):
    return Scene(["--check", "-f", write(directory, "fw.bin", firmware.littlefs())])


def sign(directory):
    """Compresses and signs into a file."""
    content = firmware.esp8266(20000)
    path, key = write(directory, "fw.bin", content), write(directory, "key.pem", PRIVATE_KEY)
    output = os.path.join(directory, "fw.signed")
    return Scene(["-f", path, "--sign", key, "-z", "--output", output], output=output)


def sign_upload(directory):
    board = make_board(directory, "--verify-key", write(directory, "key.pub", PUBLIC_KEY))
    path, key = write(directory, "fw.bin", firmware.esp8266(20000)), write(directory, "key.pem", PRIVATE_KEY)
    return Scene(["-i", board.address, "-p", str(board.port), "-f", path, "--sign", key, *PATIENCE], [board],
                 content=None)  # it has a signature that the board has verified


def monitor_expect(directory):
    board = TelnetBoard("--reboot-ms", "300", say=("old",), say_after=("version 2", "END"), leave="reset",
                        directory=tempfile.mkdtemp(dir=directory))
    content = firmware.sketch("esp8266", 20000)
    path = write(directory, "fw.bin", content)
    return Scene(["-i", board.address, "-p", str(board.port), "-f", path, f"--monitor={board.telnet_port}",
                  "--expect", "^version 2$", "--expect-timeout", "8", *PATIENCE], [board], content=content)


def resolve(directory):
    """A name, which avahi-daemon knows."""
    board = make_board(directory)
    bus = Bus(directory, [Announced("kitchen", board.address, board.port)])
    content = firmware.sketch("esp8266", 20000)
    return Scene(["-i", "kitchen.local", "-f", write(directory, "fw.bin", content), *PATIENCE], [board],
                 content=content, bus=bus)


def not_found(directory):
    """Neither multicast DNS nor the system resolver knows it."""
    bus = Bus(directory, [Announced("kitchen", "127.0.0.2", 8266)])
    return Scene(["-i", "nobody.example", "-f", write(directory, "fw.bin", firmware.noise()), *PATIENCE], bus=bus,
                 status=4)


def list_boards(directory):
    bus = Bus(directory, [Announced(f"board-{i}", f"127.0.0.{2 + i}", 8266) for i in range(3)])
    return Scene(["-l", "--json", *PATIENCE], is_json=True, bus=bus)


def match_quiet(directory):
    """Boards that are found; of what is missing nothing but the status and JSON speaks."""
    boards = [make_board(directory) for _ in range(2)]
    content = firmware.sketch("esp8266", 20000)
    bus = Bus(directory, [Announced(f"board-{i}", board.address, board.port) for i, board in enumerate(boards)])
    return Scene(["--match", "board-*", "-f", write(directory, "fw.bin", content), "-q", "--json", *PATIENCE], boards,
                 content=content, is_json=True, bus=bus)


CASES = {case.__name__.replace("_", "-"): case for case in (
    upload_md5, upload_sha256, web_basic, web_digest, web_tasmota, web_https, esphome_password, esphome_encrypted,
    sketch_server, fleet_resume, check_json, check_text, sign, sign_upload, monitor_expect, resolve, not_found, list_boards,
    match_quiet, serve, serve_name, serve_tasmota, configured, show_config, show_help, show_version, pluggable_discovery,
    pluggable_monitor)}


# -- one run --------------------------------------------------------------------------------------------------------


def is_in_libcrypto(pid):
    """Whether a process waits for a lock within libcrypto: it is the only one that has locks, and when its first
    allocations fail, it waits in pthread_once() for what it is itself about to do."""
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            words = file.read().split()
        with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
            spans = [[int(end, 16) for end in line.split()[0].split("-")] for line in file if "libcrypto" in line]
        with open(f"/proc/{pid}/mem", "rb") as file:
            file.seek(int(words[-2], 16))
            stack = struct.unpack("=512Q", file.read(4096))
    except (OSError, ValueError, IndexError, struct.error):
        return False
    is_futex = words[0] in ("202", "98", "240")  # x86_64, aarch64, arm
    return is_futex and any(low <= word < high for word in stack for low, high in spans)


def communicate(process, kind, client):
    """What it prints. None: libcrypto waits for itself, which is known."""
    talk = Talk(process)
    beside = threading.Thread(target=client, args=(talk,)) if client else None
    if beside:
        beside.start()
    deadline = time.monotonic() + DEADLINE_S
    is_known = False
    while not talk.wait_for_end(2) and time.monotonic() < deadline and not is_known:
        is_known = kind == "memory" and is_in_libcrypto(process.pid)
    hangs = not talk.wait_for_end(0)
    if hangs:
        process.kill()
    process.wait()
    talk.join()
    if beside:
        scenario.join(beside)
    if hangs and not is_known:
        raise Wrong(f"it hangs\n{talk.out}{talk.err}")
    return None if is_known else (talk.out, talk.err)


class Starter:
    """The program in front of its main(), which runs in a fork of it (failing.c)."""

    _threads = threading.local()

    def __init__(self):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        options = f"exitcode={SANITIZER_STATUS}:detect_leaks=1:allocator_may_return_null=1:verify_asan_link_order=0"
        environment = scenario.environment(
            LD_PRELOAD=LIBRARY, FAILING_SERVER=str(theirs.fileno()), ASAN_OPTIONS=options,
            UBSAN_OPTIONS="print_stacktrace=1",
            LSAN_OPTIONS=f"exitcode={SANITIZER_STATUS}:print_suppressions=0:suppressions={HERE}/lsan.supp")
        theirs.setblocking(True)  # scenario.py gives every socket a time limit, which makes it non-blocking
        with theirs:
            subprocess.Popen([scenario.PROGRAM], env=environment, stdin=subprocess.DEVNULL,  # pylint: disable=R1732
                             stdout=subprocess.DEVNULL, pass_fds=(theirs.fileno(),))

    @classmethod
    def of_this_thread(cls):
        if not hasattr(cls._threads, "starter"):
            cls._threads.starter = cls()
        return cls._threads.starter

    def start(self, scene, directory, state, bus):
        stdin, to_stdin = os.pipe() if scene.client else (os.open(os.devnull, os.O_RDONLY), None)
        from_stdout, stdout = os.pipe()
        from_stderr, stderr = os.pipe()
        state = os.open(state, os.O_RDWR)
        words = (directory, "DBUS_SYSTEM_BUS_ADDRESS=" + bus, scenario.PROGRAM, *scene.arguments)
        request = "".join(word + "\0" for word in words).encode()
        theirs = (stdin, stdout, stderr, state)
        socket.send_fds(self.socket, [request], theirs)
        for descriptor in theirs:
            os.close(descriptor)
        return Running(self.socket, to_stdin, from_stdout, from_stderr)


class Running:
    """A program that a Starter has started."""

    def __init__(self, server, stdin, stdout, stderr):
        self._server = server
        self.stdin = os.fdopen(stdin, "wb", buffering=0) if stdin is not None else None
        self.stdout, self.stderr = (os.fdopen(descriptor, "rb", buffering=0) for descriptor in (stdout, stderr))
        self.pid = self._receive()
        self.status = None

    def _receive(self):
        return struct.unpack("=q", self._server.recv(8))[0]

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def wait(self):
        self.status = os.waitstatus_to_exitcode(self._receive())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                stream.close()


def run(scene, directory, point):
    state = os.path.join(directory, "state")
    with open(state, "wb") as file:
        file.write(point.order())
        file.truncate(STATE_SIZE)
    bus = scene.bus.address if scene.bus else f"unix:path={directory}/no-bus"
    with Starter.of_this_thread().start(scene, directory, state, bus) as process:
        said = communicate(process, point.kind, scene.client)
    return said and Result(process.status, *said, *read_state(state, point.at == 0))


def read_state(path, with_stacks):
    """counts, failed and stacks of Result."""
    with open(path, "rb") as file:
        failed = ORDER.unpack(file.read(ORDER.size))[4]
        counts = {process: dict(zip(KINDS, COUNTS.unpack(file.read(COUNTS.size)))) for process in PROCESSES}
        stacks = {}
        for number, process in enumerate(PROCESSES if with_stacks else ()):
            file.seek(STACKS_AT + number * STACKS_MAX * STACK_SIZE)
            hashes = array.array("Q", file.read(STACK_SIZE * min(counts[process]["memory"], STACKS_MAX)))
            stacks[process] = list(zip(hashes[::2], hashes[1::2]))
    return counts, failed, stacks


def hide_accidents(text):
    """Without what differs from run to run: boards' addresses, directories, times."""
    for pattern in (r"/\S*/esp-ota-torture-\w+/", r"(?<![.\d])127(\.\d+){3}(:\d+)?", r"\d+(\.\d+)? s"):
        text = re.sub(pattern, "", text)
    return text


def outline(scene, out):
    """What of the output is the same in all runs that succeed."""
    if not scene.is_json:
        return hide_accidents(out)
    events = [json.loads(line) for line in out.splitlines()]
    ignored = (*IGNORED, *scene.ignored)
    kept = [{key: value for key, value in event.items() if key not in ("time", "seconds", "transfer_seconds")}
            for event in events if event.get("event", event.get("eventType")) not in ignored]
    text = [json.dumps(event, sort_keys=True) for event in kept]
    return sorted(hide_accidents(line) for line in text)


def is_told(scene, result):
    """Whether an IDE was told that something fails; the tool goes on, and its status is about the conversation."""
    return scene.client and scene.client.is_told(result.out, result.err)


def waits_in_libdbus(scene, point, result):
    """Whether its parent has heard nothing from a child, and cannot tell why. What fails for good in the parent fails in
    children that are forked later, too."""
    if point.process == PROCESSES[0] and point.mode == MODES[0]:
        return False
    return bool(WAITS_IN_LIBDBUS.search(result.err)) or bool(scene.client and scene.client.has_heard_nothing())


def differences(scene, point, result, reference):
    """What is wrong with a run; reference is the outcome of the first one, if this is another."""
    if result.status < 0:
        yield f"killed by signal {-result.status}"
        return
    is_found = result.status == SANITIZER_STATUS or re.search(r"Sanitizer|runtime error:", result.err)
    if is_found and not (point.kind == "memory" and result.breaks_in_libdbus()):
        yield "the sanitizer has found something"
        return
    if not reference and result.status != scene.status:
        yield f"status {result.status}, though nothing fails"
    is_waiting = waits_in_libdbus(scene, point, result)
    is_later = is_waiting or LOOKED_UP_LATER in result.err
    is_ours = point.kind not in NOT_OURS and not (is_later and result.status == 4)
    excused = scene.excused if point.mode == MODES[1] else ()
    if reference and is_ours and result.status not in (scene.status, 1, *AFTERWARDS, *excused):
        yield f"status {result.status}, though the trouble is this computer's"
    if result.status not in (0, scene.status) and point.kind not in UNSEEN and not result.err.strip():
        yield "it fails without a word"
    if scene.client:
        yield from scene.client.complaints
    if "(null)" in SAID_BY_LIBAVAHI.sub("", result.err) + result.out:
        yield "it shows a null pointer"
    if result.status == 0:
        yield from false_success(scene, result, reference, is_waiting)


def false_success(scene, result, reference, is_waiting):
    for board in scene.boards:
        board.close()  # afterwards its events are there
        if board.count(" upload result=ok") != 1:
            yield "status 0, but a board has not said OK"
        elif scene.content is not None and board.received() != scene.content:
            yield "status 0, but a board has other bytes"
    if scene.output and (not os.path.exists(scene.output) or os.path.getsize(scene.output) == 0):
        yield "status 0, but there is no file"
    elif scene.output:
        with open(scene.output, "rb") as file:
            content = file.read()
        if scene.is_metrics:
            content = [hide_accidents(line.rpartition(" ")[0]) for line in content.decode().splitlines()]
        if reference and content != reference.content:
            yield "status 0, but the file is another one"
        result.content = content
    try:
        result.outline = outline(scene, result.out)
    except ValueError:
        yield "status 0, but the output is no JSON"
        return
    if is_waiting or is_told(scene, result):
        return
    if scene.client:
        yield from scene.client.lacks(scene.content)
    if reference and result.outline != reference.outline:
        yield ("status 0, but the output is incomplete; it should be\n" + "\n".join(reference.outline)
               + "\nand is\n" + "\n".join(result.outline))


def leftovers(directory, before):
    return sorted(set(os.listdir(directory)) - before)


def attempt(point, reference=None):
    """One run. Returns (result, what is wrong with it); the result is None where libcrypto hangs."""
    with tempfile.TemporaryDirectory(prefix="esp-ota-torture-") as directory:
        scene = CASES[point.case](directory)
        try:
            before = set(os.listdir(directory)) | {"state"}
            result = run(scene, directory, point)
            if not result:
                return None, ""
            found = list(differences(scene, point, result, reference))
            left = set(leftovers(directory, before))
            if scene.output and (result.status == 0 or scene.is_metrics):
                left.discard(os.path.basename(scene.output))
            if left:
                found.append(f"it leaves {', '.join(sorted(left))}")
            if not found:
                return result, ""
            events = [event for board in scene.boards for event in board.events]
            return result, "\n".join([*found, f"esp-ota {' '.join(scene.arguments)}", f"status {result.status}",
                                      "-- stdout", result.out, "-- stderr", result.err, "-- boards", *events])
        except Wrong as error:
            return None, f"{error}\nesp-ota {' '.join(scene.arguments)}"
        finally:
            scene.end()


# -- all runs ---------------------------------------------------------------------------------------------------------


class Ways:
    """Chooses the allocations to fail. A library asks for memory along the same ways in all cases, and in 10,000 rounds
    of a hash: a way through it, up to the program's function that called it, fails in LIBRARY_MAX of all runs without
    a failure before it. A way through the program to a library, or to an allocation of its own, fails the first
    PROGRAM_MAX times and the last time of each case."""

    LIBRARY_MAX, PROGRAM_MAX = 3, 2

    def __init__(self):
        self._library = collections.Counter()

    def choose(self, stacks, count):
        """Numbers of calls, from 1; those without a stack are all chosen."""
        chosen, last, program = set(range(len(stacks) + 1, count + 1)), {}, collections.Counter()
        for call, (in_library, in_program) in enumerate(stacks, 1):
            last[in_program] = call
            if self._library[in_library] < self.LIBRARY_MAX or program[in_program] < self.PROGRAM_MAX:
                self._library[in_library] += 1
                program[in_program] += 1
                chosen.add(call)
        return sorted(chosen.union(last.values()))


def list_points(case, reference, kinds, ways):
    """Every call of the case that can fail, in both modes: a list for each process, kind and mode."""
    for process, kind in itertools.product(PROCESSES, kinds):
        count = reference.counts[process][kind]
        calls = range(1, count + 1) if kind != "memory" else ways.choose(reference.stacks[process], count)
        for mode in MODES:
            if calls:
                yield [Point(case, process, kind, at, mode) for at in calls]


def spread(points):
    """In an order that looks random, and is the same in each run: a call more or less moves nothing else."""
    return sorted(points, key=lambda point: hashlib.sha256(str(point).encode()).digest())


def in_turns(lists):
    """One of each list, then the next of each."""
    return [point for turn in itertools.zip_longest(*lists) for point in turn if point]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(CASES)}")
    parser.add_argument("--sample", type=int, metavar="RUNS", help="only so many runs, always the same ones, spread "
                        "over all cases, processes, kinds and modes")
    parser.add_argument("--record", metavar="FILE", help="write down the runs that were right, and leave out those that "
                        "FILE has already: goes on where an earlier one stopped, and repeats what was wrong")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only calls of this kind")
    parser.add_argument("--only", metavar="CASE:PROCESS:KIND:NUMBER:MODE", help="just this run, and show it")
    arguments = parser.parse_args()
    for name in arguments.cases:
        if name not in CASES:
            parser.error(f"no case is called {name}")
    with tempfile.TemporaryDirectory(prefix="esp-ota-torture-") as directory:
        isolate(directory)
        make_keys(directory)
        make_certificates(directory)
        sys.exit(repeat(arguments.only) if arguments.only else torture(arguments))


def isolate(directory):
    """Names are the fake avahi-daemon's alone; DNS is refused at once."""
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    for name, text in (("nsswitch.conf", "hosts: files dns\n"), ("hosts", "127.0.0.1 localhost\n"),
                       ("resolv.conf", "nameserver 127.0.0.1\noptions attempts:1\n")):
        subprocess.run(("mount", "--bind", write(directory, name, text.encode()), os.path.realpath("/etc/" + name)),
                       check=True)


def make_keys(directory):
    """One key for all runs, and an image that it has signed: no two signatures are alike."""
    global PRIVATE_KEY, PUBLIC_KEY, SIGNED
    PRIVATE_KEY = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    PUBLIC_KEY = openssl("pkey", "-pubout", stdin=PRIVATE_KEY)
    path, key = write(directory, "fw.bin", firmware.sketch("esp32", 20000)), write(directory, "key.pem", PRIVATE_KEY)
    result = scenario.run("-f", path, "--sign", key, "--output", path + ".signed")
    assert result.status == 0, result
    with open(path + ".signed", "rb") as file:
        SIGNED = file.read()


def make_certificates(directory):
    """The authority's certificate, and one that it has signed for the relay, with its key."""
    global TLS_FILES
    authority, authority_key, certificate, key = (os.path.join(directory, name) for name in (
        "authority.pem", "authority-key.pem", "relay.pem", "relay-key.pem"))
    ec = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9")
    openssl(*ec, "-subj", "/CN=authority", "-out", authority, "-keyout", authority_key)
    openssl(*ec, "-subj", "/CN=relay", "-out", certificate, "-keyout", key, "-CA", authority, "-CAkey", authority_key,
            "-addext", f"subjectAltName=IP:{TLS_ADDRESS}", "-addext", "basicConstraints=critical,CA:FALSE")
    TLS_FILES = (authority, certificate, key)


def openssl(*arguments, stdin=b""):
    return subprocess.run(("openssl", *arguments), input=stdin, capture_output=True, check=True).stdout


def run_as_it_is(cases):
    """The outcome of each case when nothing fails."""
    references = {}
    for case in cases:
        references[case], text = attempt(Point(case))
        if text:
            sys.exit(f"{case}, where nothing fails:\n{text}")
    return references


def repeat(only):
    case, process, kind, at, mode = only.split(":")
    result, text = attempt(Point(case, process, kind, int(at), mode), run_as_it_is([case])[case])
    print(text or result)
    return 1 if text else 0


class Record:
    """The runs that were right, in a file: one that is taken up again leaves them out."""

    def __init__(self, path):
        self._file = open(path, "a+", encoding="ascii") if path else None  # pylint: disable=R1732
        self.earlier = set()
        if self._file:
            self._file.seek(0)
            self.earlier.update(self._file.read().split())

    def add(self, point):
        if self._file:
            print(point, file=self._file, flush=True)


class Tally:
    """What has become of the runs."""

    def __init__(self):
        self.runs = collections.Counter()  # by case
        self.never = self.skipped = self.broken = 0
        self.wrong = []
        self.late = []  # wrong beside others, but not alone

    def count(self, point, result, text):
        self.runs[point.case] += 1
        self.skipped += not result and not text
        self.never += bool(result and not result.failed)
        self.broken += bool(result and result.breaks_in_libdbus())
        if text:
            self.wrong.append(point)
            print(f"-- {point}\n{text}\n", flush=True)

    def __str__(self):
        return (f"{len(self.wrong)} wrong; in {self.never} the call did not come, in {self.skipped} libcrypto waits "
                f"for itself, in {self.broken} libdbus breaks, {len(self.late)} were right when repeated alone")


def is_proof(text):
    """Whether what is wrong cannot be due to a busy machine."""
    return bool(re.match(r"killed by signal|the sanitizer has found", text))


def run_all(points, references, record, tally):
    """Side by side; what is wrong then, but might not be on an idle machine, is repeated alone."""
    again, ended = [], itertools.count(1)
    lock = threading.Lock()

    def run_one(point):
        result, text = attempt(point, references[point.case])
        with lock:
            if text and not is_proof(text):
                again.append(point)
            else:
                tally.count(point, result, text)
            if not text:
                record.add(point)
            if (count := next(ended)) % 1000 == 0:
                print(f"{count} of {len(points)} runs, {len(tally.wrong)} wrong, {len(again)} to be repeated",
                      file=sys.stderr, flush=True)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(run_one, points):
            pass  # it raises what went wrong here
    for point in again:
        result, text = attempt(point, references[point.case])
        tally.count(point, result, text)
        if not text:
            tally.late.append(point)
            record.add(point)


def torture(arguments):
    started = time.monotonic()
    references = run_as_it_is(arguments.cases or CASES)
    ways = Ways()
    lists = [spread(points) for case, reference in references.items()
             for points in list_points(case, reference, arguments.kind or KINDS, ways)]
    record, tally = Record(arguments.record), Tally()
    points = in_turns(lists)[:arguments.sample]
    wanted = [point for point in points if str(point) not in record.earlier]
    run_all(wanted, references, record, tally)
    print(f"{len(wanted)} runs of {sum(map(len, lists))} in {time.monotonic() - started:.0f} s, {tally}")
    for case, reference in references.items():
        print(f"  {case:<16}{tally.runs[case]:6} runs; calls: "
              + "; ".join(f"{process}: " + ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
                          for process, counts in reference.counts.items() if any(counts.values())))
    return 1 if tally.wrong or not points else 0


if __name__ == "__main__":
    main()
