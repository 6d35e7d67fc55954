#!/usr/bin/env python3
"""What happens when anything fails: each call of a kind in turn, once and for good.

A case is a way to use the program, with fresh boards for each run. It runs once as it is; what it calls is
counted by failing.c, kind by kind. Then each of these calls fails in a run of its own, in two modes: this
one alone, and this one and all later ones of its kind. Whatever fails,

  the program neither crashes nor hangs, and leaks nothing (AddressSanitizer, LeakSanitizer)
  0 means that the boards have what they should have, and that the output is whole
  trouble of this computer is called just that: no other status than 1, or the one of the first run

scripts/torture runs this. A finding prints the command that repeats it.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import itertools
import json
import os
import queue
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import firmware  # noqa: E402
import mdns  # noqa: E402

if __name__ == "__main__" and "--help" not in sys.argv and "-h" not in sys.argv:
    mdns.enter()  # before anything is started
import scenario  # noqa: E402
from telnet_board import TelnetBoard  # noqa: E402

# The order of failing.c's enum kind.
KINDS = ("memory", "files", "reads", "writes", "sockets", "connections", "sends", "receives", "polls", "forks")
MODES = ("once", "for-good")
STACKS_MAX = 65536
STATE = struct.Struct(f"={4 + len(KINDS)}q{STACKS_MAX}Q")
SANITIZER_STATUS = 99
DEADLINE_S = 60  # the longest run of all takes 15 s
AT_ONCE = 8
PASSWORD = "pass word"
LIBRARY = os.environ.get("ESP_OTA_FAILING", "")
HERE = os.path.dirname(os.path.abspath(__file__))
# Of an input that cannot be read nobody knows whose fault it is: any status but 0 will do.
NOT_OURS = ("reads",)
# libdbus has only one word for all that goes wrong on its connection.
OF_DBUS = ("sockets", "connections", "sends", "receives", "polls")
# What it says when memory for one of its messages is missing cannot be told from a daemon that is not there.
DBUS_WITHOUT_MEMORY = "avahi-daemon is not on the D-Bus system bus"
# Once everything was sent: no verdict; no proof of boot; boards of a fleet that ended differently.
AFTERWARDS = (11, 12, 20)


class Wrong(Exception):
    """What a run has done wrong, for a person."""


@dataclasses.dataclass
class Scene:
    """One run's boards and arguments, and how its success is judged."""

    arguments: list
    boards: list = dataclasses.field(default_factory=list)  # of those that get the image
    others: list = dataclasses.field(default_factory=list)  # of those that get nothing
    content: bytes = b""
    output: str = ""      # a file that the program makes
    expected: bytes = None  # and what it should hold
    is_json: bool = False
    close: object = None

    def end(self):
        for board in self.boards + self.others:
            board.close()
        if self.close:
            self.close()


@dataclasses.dataclass
class Result:
    status: int
    out: str
    err: str
    counts: dict
    failed: int
    stacks: tuple  # who asked for memory, call by call


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
    return Scene(["-i", board.address, "-p", str(board.port), "-f", path, "-a", PASSWORD, "-t", "1", *options],
                 [board], content=content, is_json="--json" in options)


def upload_md5(directory):
    return upload(directory, "esp8266")


def upload_sha256(directory):
    return upload(directory, "esp32-sha256", "--json")


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
    return Scene(["--hosts", hosts, "-f", path, "--resume", report, "--json", "-t", "1"], boards[1:],
                 content=content, is_json=True)


def check_json(directory):
    key = write(directory, "key.pub", PUBLIC_KEY)
    path = write(directory, "fw.bin", firmware.sketch("esp32", 20000) + b"\0" * 512)
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
    scene = upload(directory, "esp8266")
    scene.arguments += ["--sign", write(directory, "key.pem", PRIVATE_KEY)]
    scene.content = None  # the board takes off what it does not verify
    return scene


def monitor_expect(directory):
    board = TelnetBoard("--reboot-ms", "500", say=("old",), say_after=("version 2", "END"), leave="reset",
                        directory=tempfile.mkdtemp(dir=directory))
    content = firmware.sketch("esp8266", 20000)
    path = write(directory, "fw.bin", content)
    return Scene(["-i", board.address, "-p", str(board.port), "-f", path, f"--monitor={board.telnet_port}",
                  "--expect", "^version 2$", "--expect-timeout", "4", "-t", "1"], [board], content=content)


class Names:
    """Boards that announce themselves to a real avahi-daemon; each run borrows one of their names."""

    def __init__(self):
        self._directory = tempfile.mkdtemp(prefix="esp-ota-torture-")
        boards = [mdns.Board(f"board-{i}", 8266, v4=f"10.77.0.{10 + i}") for i in range(AT_ONCE)]
        self._link = mdns.Link(self._directory, boards)
        self._free = queue.Queue()
        for board in boards:
            self._free.put(board)
        self._link.start_bus()
        self._link.start_daemon()
        self._link.boards.announce()

    def borrow(self):
        return self._free.get()

    def give_back(self, board):
        self._free.put(board)

    def simulate(self, board, got):
        return NamedBoard(self._link.boards.simulate(scenario.SIMULATOR, board.v4, board.port, "--output", got), got)

    def close(self):
        self._link.close()
        shutil.rmtree(self._directory)


class NamedBoard:
    """What Scene needs of a board that mdns.py has started."""

    def __init__(self, process, got):
        self._process, self._got = process, got

    def close(self):
        self._process.stop()

    def count(self, text):
        return self._process.output.count(text)

    def received(self):
        if not self.count(" upload result=ok"):
            return None
        with open(self._got, "rb") as file:
            return file.read()


NAMES = None


def resolve(directory):
    name = NAMES.borrow()
    board = NAMES.simulate(name, os.path.join(tempfile.mkdtemp(dir=directory), "got.bin"))
    content = firmware.sketch("esp8266", 20000)
    return Scene(["-i", name.host, "-f", write(directory, "fw.bin", content), "-t", "1"], [board], content=content,
                 close=lambda: NAMES.give_back(name))


def not_found(directory):
    """Neither multicast DNS nor the system resolver knows it."""
    return Scene(["-i", "nobody.example", "-f", write(directory, "fw.bin", firmware.noise()), "-t", "1"])


def list_boards(_directory):
    return Scene(["-l", "--json", "-t", "1"], is_json=True)


CASES = {case.__name__.replace("_", "-"): case for case in (
    upload_md5, upload_sha256, fleet_resume, check_json, check_text, sign, sign_upload, monitor_expect, resolve,
    not_found, list_boards)}
NEED_NAMES = ("resolve", "not-found", "list-boards")


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
    except (OSError, ValueError, struct.error):
        return False
    is_futex = words[0] in ("202", "98", "240")  # x86_64, aarch64, arm
    return is_futex and any(low <= word < high for word in stack for low, high in spans)


def run(scene, directory, kind, at, mode):
    state = write(directory, "state", STATE.pack(KINDS.index(kind), at, MODES.index(mode), 0, *[0] * (len(KINDS) + STACKS_MAX)))
    options = f"exitcode={SANITIZER_STATUS}:detect_leaks=1:allocator_may_return_null=1:verify_asan_link_order=0"
    environment = scenario.environment(
        LD_PRELOAD=LIBRARY, FAILING_STATE=state, ASAN_OPTIONS=options, UBSAN_OPTIONS="print_stacktrace=1",
        LSAN_OPTIONS=f"exitcode={SANITIZER_STATUS}:print_suppressions=0:suppressions={HERE}/lsan.supp")
    with subprocess.Popen([scenario.PROGRAM, *scene.arguments], cwd=directory, env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            out, err = process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            is_known = kind == "memory" and is_in_libcrypto(process.pid)
            process.kill()
            out, err = process.communicate()
            if is_known:
                return None
            raise Wrong("it hangs\n" + out.decode(errors="replace") + err.decode(errors="replace")) from None
    with open(state, "rb") as file:
        _, _, _, failed, *rest = STATE.unpack(file.read())
    counts, stacks = dict(zip(KINDS, rest)), rest[len(KINDS):]
    return Result(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"), counts, failed,
                  stacks[:counts["memory"]] if at == 0 else ())


def hide_accidents(text):
    """Without what differs from run to run: boards' addresses, directories, times."""
    for pattern in (r"/\S*/esp-ota-torture-\w+/", r"(?<![.\d])127(\.\d+){3}(:\d+)?", r"\d+\.\d+ s"):
        text = re.sub(pattern, "", text)
    return text


def outline(scene, out):
    """What of the output is the same in all runs that succeed."""
    if not scene.is_json:
        return hide_accidents(out)
    events = [json.loads(line) for line in out.splitlines()]
    kept = [{key: value for key, value in event.items() if key not in ("time", "seconds", "transfer_seconds")}
            for event in events if event["event"] not in ("progress", "invited", "note")]
    # A board whose details did not come is a row with nulls, as the manual says.
    text = [f"{event['board']} {sorted(event)}" if event["event"] == "board" else json.dumps(event, sort_keys=True)
            for event in kept]
    return sorted(hide_accidents(line) for line in text)


def differences(name, scene, kind, result, reference):
    """What is wrong with a run; reference is the outcome of the first one, if this is another."""
    if result.status < 0:
        yield f"killed by signal {-result.status}"
        return
    if result.status == SANITIZER_STATUS or re.search(r"Sanitizer|runtime error:", result.err):
        yield "the sanitizer has found something"
        return
    wanted = reference.status if reference else None
    is_of_dbus = kind in OF_DBUS or (kind == "memory" and DBUS_WITHOUT_MEMORY in result.err)
    is_ours = kind not in NOT_OURS and not (name in NEED_NAMES and is_of_dbus and result.status == 4)
    if reference and is_ours and result.status not in (wanted, 1, *AFTERWARDS):
        yield f"status {result.status}, though the trouble is this computer's"
    if result.status not in (0, wanted) and kind not in ("writes", "polls") and not result.err.strip():
        yield "it fails without a word"
    if "(null)" in result.err + result.out:
        yield "it shows a null pointer"
    if result.status == 0:
        yield from false_success(scene, result, reference)


def false_success(scene, result, reference):
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
        if reference and content != reference.content:
            yield "status 0, but the file is another one"
        result.content = content
    try:
        result.outline = outline(scene, result.out)
    except (ValueError, KeyError):
        yield "status 0, but the output is no JSON"
        return
    is_said = "not all boards have been heard" in result.err
    if reference and reference.status == 0 and result.outline != reference.outline and not is_said:
        yield f"status 0, but the output is incomplete; it should be\n{reference.outline}\nand is\n{result.outline}"


def leftovers(directory, before):
    return sorted(set(os.listdir(directory)) - before)


def attempt(name, kind="memory", at=0, mode="once", reference=None):
    """One run. Returns (result, what is wrong with it); the result is None where libcrypto hangs."""
    with tempfile.TemporaryDirectory(prefix="esp-ota-torture-") as directory:
        scene = CASES[name](directory)
        try:
            before = set(os.listdir(directory)) | {"state"}
            result = run(scene, directory, kind, at, mode)
            if not result:
                return None, ""
            found = list(differences(name, scene, kind, result, reference))
            left = set(leftovers(directory, before))
            if scene.output and result.status == 0:
                left.discard(os.path.basename(scene.output))
            if left:
                found.append(f"it leaves {', '.join(sorted(left))}")
            if not found:
                return result, ""
            events = [event for board in scene.boards for event in getattr(board, "events", [])]
            return result, "\n".join([*found, f"esp-ota {' '.join(scene.arguments)}", f"status {result.status}",
                                      "-- stdout", result.out, "-- stderr", result.err, "-- boards", *events])
        except Wrong as error:
            return None, f"{error}\nesp-ota {' '.join(scene.arguments)}"
        finally:
            scene.end()


# -- all runs ---------------------------------------------------------------------------------------------------------


def telling_calls(kind, reference):
    """The calls of a kind that differ. Of memory that is asked for again and again by the same functions, as
    libcrypto does in each of 10,000 rounds, the first two times and the last are as good as all."""
    calls = range(1, reference.counts[kind] + 1)
    if kind != "memory":
        return list(calls)
    places = collections.defaultdict(list)
    for call, stack in zip(calls, reference.stacks):
        places[stack or call].append(call)
    return sorted({call for same in places.values() for call in (*same[:2], same[-1])})


def points(name, reference, dice):
    """Every call of the case that can fail, in both modes: a list for each kind and mode."""
    for kind in KINDS:
        for mode in MODES:
            calls = telling_calls(kind, reference)
            if dice:
                dice.shuffle(calls)
            yield [(name, kind, at, mode) for at in calls]


def in_turns(lists):
    """One of each list, then the next of each."""
    return [point for turn in itertools.zip_longest(*lists) for point in turn if point]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(CASES)}")
    parser.add_argument("--sample", type=float, metavar="SECONDS", help="only as many runs as fit into this time, "
                        "spread over all cases, kinds and modes")
    parser.add_argument("--seed", type=int, default=1, help="which runs a sample chooses")
    parser.add_argument("--kind", choices=KINDS, action="append", help="only calls of this kind")
    parser.add_argument("--only", metavar="CASE:KIND:NUMBER:MODE", help="just this run, and show it")
    arguments = parser.parse_args()
    for name in arguments.cases:
        if name not in CASES:
            parser.error(f"no case is called {name}")
    cases = [arguments.only.split(":")[0]] if arguments.only else arguments.cases or list(CASES)
    make_keys()
    with names_for(cases):
        sys.exit(torture(cases, arguments))


def make_keys():
    """One key for all runs."""
    global PRIVATE_KEY, PUBLIC_KEY
    PRIVATE_KEY = openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    PUBLIC_KEY = openssl("pkey", "-pubout", stdin=PRIVATE_KEY)


def openssl(*arguments, stdin=b""):
    return subprocess.run(("openssl", *arguments), input=stdin, capture_output=True, check=True).stdout


@contextlib.contextmanager
def names_for(cases):
    global NAMES
    subprocess.run(("ip", "link", "set", "lo", "up"), check=True)
    NAMES = Names() if set(cases) & set(NEED_NAMES) else None
    try:
        yield
    finally:
        if NAMES:
            NAMES.close()


def torture(cases, arguments):
    started = time.monotonic()
    references = {}
    for name in cases:
        references[name], text = attempt(name)
        if text:
            print(f"{name}, where nothing fails:\n{text}")
            return 1
    if arguments.only:
        name, kind, at, mode = arguments.only.split(":")
        result, text = attempt(name, kind, int(at), mode, references[name])
        print(text or result)
        return 1 if text else 0

    dice = random.Random(arguments.seed) if arguments.sample else None
    lists = [calls for name in cases for calls in points(name, references[name], dice)
             if calls and (not arguments.kind or calls[0][1] in arguments.kind)]
    wanted = in_turns(lists)
    tally, wrong, skipped = collections.Counter(), 0, 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        def one(point):
            if arguments.sample and time.monotonic() - started > arguments.sample:
                return point, None, None
            name, kind, at, mode = point
            return point, *attempt(name, kind, at, mode, references[name])
        for point, result, text in pool.map(one, wanted):
            if text is None:
                continue
            tally[point[0]] += 1
            skipped += not result and not text
            if text:
                wrong += 1
                print(f"-- {':'.join(map(str, point))}\n{text}\n", flush=True)
    seconds = time.monotonic() - started
    chosen = f"of {len(wanted)}, chosen from seed {arguments.seed}, " if arguments.sample else ""
    print(f"{sum(tally.values())} runs {chosen}in {seconds:.0f} s, {wrong} wrong"
          + (f", {skipped} in which libcrypto waits for itself" if skipped else ""))
    for name in cases:
        print(f"  {name:<16}{tally[name]:6} runs; calls: "
              + ", ".join(f"{count} {kind}" for kind, count in references[name].counts.items() if count))
    return 1 if wrong or not tally else 0


if __name__ == "__main__":
    main()
