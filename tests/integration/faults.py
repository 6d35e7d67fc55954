"""What the tests of faults share: one upload to one simulated board while something goes wrong, on
the board or on this computer, and what must hold of every upload, whatever went wrong.

The board's faults are options of esp-ota-sim. Those of this computer are a command that starts
esp-ota (a shell with a limit, a closed descriptor, a namespace without a network) or an action, a
function that is called with the running upload: it waits for an event and then does its worst.
"""

import concurrent.futures
import contextlib
import dataclasses
import fcntl
import os
import re
import resource
import shlex
import signal
import sys
import tempfile
import time

import scenario

# A board's window is small: what a stalled one has not read is still here.
BOARD_TCP = ("--window", "5744", "--mss", "1436")
LOG_PORT = 2323
# Whatever ends on no signal and in no status but these has failed in a way that nobody foresaw.
SIGNALS_CAUGHT = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
STATUSES = {*range(13), *(128 + number for number in SIGNALS_CAUGHT)}
with open(scenario.PROGRAM, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()
SHIFTING_CLOCK = os.environ.get("ESP_OTA_SHIFTING_CLOCK", "")

# A name server that never answers, in a network with nothing else.
SILENT_RESOLVER = ("unshare", "--net", "--mount", sys.executable, "-c", """
import os, socket, subprocess, sys, tempfile
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with tempfile.NamedTemporaryFile("w") as file:
    print("nameserver 127.0.0.1", file=file, flush=True)
    subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
server.set_inheritable(True)
os.execvp(sys.argv[1], sys.argv[1:])
""")

def shell(script):
    """Starts esp-ota from a shell, as "$@"."""
    return ("bash", "-c", script, "bash")


# A wall clock that jumps by CLOCK_JUMP_S between any two readings.
SHIFTED = ("env", f"LD_PRELOAD={SHIFTING_CLOCK}", "ASAN_OPTIONS=verify_asan_link_order=0")


def alone(address, *before, board="", during="", pace="--fast"):
    """In a network of its own, with a board at address; during runs beside esp-ota, and may
    wait_for an event of the board."""
    return shell(f"""exec unshare --net bash -c '
        wait_for() {{ until grep -q "$1" events; do sleep 0.02; done; }}
        ip link set lo up; {"; ".join(before)}
        {scenario.SIMULATOR} {pace} {" ".join(BOARD_TCP)} --address {address} {board} > events &
        board=$!
        wait_for ready
        ( {during or ":"} ) & helper=$!
        "$@"; status=$?
        kill $board $helper; exit $status' bash "$@" 2> >(grep -v "No such process" >&2)""")


def network_down(*then):
    """The network goes down in the middle of a transfer; then what else happens. A fast board would
    restart before its TCP has repeated what was lost."""
    return alone("127.0.0.1", board="--fault pause:1000@40000*1", pace="", during="; ".join([
        'wait_for "fault order=pause"', "ip link set lo down", *then]))


V6_ONLY = alone("::1", "ip -4 address flush dev lo")
V4_ONLY = alone("127.0.0.1", "sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
                "ip -6 address flush dev lo")


@dataclasses.dataclass
class Fault:
    """One row of a table of faults; the first six columns are what every row says."""

    name: str
    board: str      # options of esp-ota-sim, as a shell reads them; None: there is no board
    options: str    # options of esp-ota besides -i and -f
    status: int     # exit status; None: any that is true
    says: str       # regular expression: the key phrase, on standard error
    seconds: float  # it ends within these
    never: str = r"(?!)"        # what standard error must not contain
    family: str = "esp8266"
    size: int = 100_000         # of the image
    target: str = None          # instead of the board's address
    before: tuple = ()          # what starts esp-ota
    held: bool = False          # the board does nothing until act lets it go on
    act: callable = None        # what happens while it runs: act(upload)
    env: dict = dataclasses.field(default_factory=dict)
    out: callable = None        # judges standard output
    installed: bool = None      # whether the board has the image; None: what the status promises
    group: bool = False         # in this session, so that SIGTSTP can stop it
    fast: bool = True
    settles: str = ""           # what the board does later, which must have happened, too
    columns: int = 0            # on a terminal of that width, where err is all that appears
    needs_plain_build: bool = False  # without sanitizers, which need address space and libraries


class Upload:
    """The world of one row: a directory, an image, perhaps a board, and esp-ota running."""

    def __init__(self, fault, directory):
        self.fault = fault
        self.directory = directory
        self.content = scenario.sketch(fault.family, fault.size)
        self.image = os.path.join(directory, "firmware.bin")
        with open(self.image, "wb") as file:
            file.write(self.content)
        self.board = None
        self.address = scenario.address()
        if fault.board is not None:
            options = [*BOARD_TCP, *shlex.split(self.fill_in(fault.board))]
            self.board = scenario.Board(*options, family=fault.family, directory=directory,
                                        where=self.address, fast=fault.fast)
        self.program = None

    def fill_in(self, options):
        """What depends on the row: {log} is a TCP port."""
        return options.format(address=self.address, directory=self.directory, log=LOG_PORT)

    def arguments(self):
        port = ("-p", str(self.board.port)) if self.board and not self.fault.target else ()
        file = () if re.search(r"(^| )-f", self.fault.options) else ("-f", self.image)
        options = shlex.split(self.fill_in(self.fault.options))
        return ("-i", self.fault.target or self.address, *port, *file, *options)

    def run(self, deadline_s=scenario.DEADLINE_S):
        fault = self.fault
        if fault.held:
            self.board.hold()
        if fault.columns:
            self.program = scenario.Terminal(*self.arguments(), columns=fault.columns,
                                             cwd=self.directory, **fault.env)
        else:
            popen = {"process_group": 0} if fault.group else None
            self.program = scenario.Program(*self.arguments(), cwd=self.directory, popen=popen,
                                            before=fault.before, **fault.env)
        if self.fault.act:
            try:
                self.fault.act(self)
            except AssertionError as error:
                self.program.send_signal(signal.SIGKILL)
                raise AssertionError(f"{error}\n{self.program.result()}") from error
        result = self.program.result(deadline_s)
        if self.fault.settles:
            self.board.wait_for(self.fault.settles)
        return result

    def close(self):
        if self.board:
            self.board.close()


def status_in_shell(status):
    """Some rows run the program in a shell, which shows the death by a signal n as 128 + n."""
    return 128 - status if status < 0 else status


def verdict_differences(status, board, content):
    """No false success and no false failure: what must hold of every upload.

    Status 0 promises that the board has confirmed exactly this image; 11, that it may have it; any
    other, that it has not confirmed.
    """
    installed = board.received()
    if status == 0 and installed != content:
        yield f"status 0, but the board has not got the image: {board.events}"
    if status not in (0, 11, *(128 + number for number in SIGNALS_CAUGHT)) \
            and installed is not None:
        yield f"status {status}, but the board has installed something: {board.events}"


# What the bar needs of a terminal: the start of the line, and to erase it.
TERMINAL_SEQUENCES = re.compile(r"\r|\x1b\[K")


def output_differences(result):
    if status_in_shell(result.status) not in STATUSES:
        yield f"status {result.status} means nothing"
    if "Sanitizer" in result.err or "runtime error" in result.err:
        yield "a sanitizer complains"
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f\udc80-\udcff]", TERMINAL_SEQUENCES.sub("", result.err)):
        yield "control characters on standard error"


def differences(fault, upload, result):
    yield from output_differences(result)
    if fault.status is not None and status_in_shell(result.status) != fault.status:
        yield f"status {result.status}, not {fault.status}"
    if not re.search(fault.says, result.err):
        yield f"stderr lacks \"{fault.says}\""
    if re.search(fault.never, result.err):
        yield f"stderr has \"{fault.never}\""
    if result.undelayed > fault.seconds:
        yield f"it took {result.undelayed:.1f} s, more than {fault.seconds} s"
    if fault.out and not fault.out(result.out):
        yield "standard output is not what it should be"
    if not upload.board:
        return
    upload.board.close()
    if fault.installed is None:
        yield from verdict_differences(status_in_shell(result.status), upload.board, upload.content)
    elif fault.installed != (upload.board.received() == upload.content):
        yield f"the board has {'not ' if fault.installed else ''}got the image"


def observe(fault):
    """Runs one row; returns what differs from it, for a person."""
    if fault.needs_plain_build and SANITIZED:
        print(f"not with a sanitizer: {fault.name}", file=sys.stderr)
        return ""
    with tempfile.TemporaryDirectory(prefix="esp-ota-faults-") as directory:
        os.chmod(directory, 0o755)  # some rows run as nobody
        upload = Upload(fault, directory)
        try:
            result = upload.run()
            found = list(differences(fault, upload, result))
        except (AssertionError, OSError) as error:
            found, result = [f"{type(error).__name__}: {error}"], ""
        finally:
            upload.close()
        if not found:
            return ""
        events = upload.board.events if upload.board else "no board"
        return "\n".join([fault.name, *found, str(result), f"board: {fault.board}: {events}"])


def observe_all(rows, at_once):
    """Observes (name, fault) rows side by side; the slowest begin first."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        futures = {id(row): pool.submit(observe, row[1])
                   for row in sorted(rows, key=lambda row: -row[1].seconds)}
        for row in rows:
            yield row, futures[id(row)].result()


# -- actions --

def when(event, *steps):
    """An action: each step in turn, once the board ("board: ...") or esp-ota has said event."""
    def act(upload):
        if event.startswith("board: "):
            upload.board.wait_for(event.removeprefix("board: "))
        else:
            upload.program.wait_for(event)
        for step in steps:
            step(upload)
    return act


def without_descriptors(upload):
    """No more descriptors for it, until it has noticed."""
    pid, limit = upload.program.pid, resource.RLIMIT_NOFILE
    soft, hard = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (3, hard))
    upload.board.go_on()
    upload.program.wait_for("accepting a connection: Too many open files")
    resource.prlimit(pid, limit, (soft, hard))


def without_descriptors_from_now_on(upload):
    _, hard = resource.prlimit(upload.program.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(upload.program.pid, resource.RLIMIT_NOFILE, (3, hard))
    upload.board.go_on()
    upload.board.wait_for("connect ")


def replace_image(upload):
    """What a build does while the image is being sent: another file of that name."""
    with open(upload.image + ".new", "wb") as file:
        file.write(b"\xe9" + bytes(len(upload.content) - 1))
    os.rename(upload.image + ".new", upload.image)


def truncate_image(upload):
    os.truncate(upload.image, 0)


def overwrite_image(upload):
    with open(upload.image, "r+b") as file:
        file.write(bytes(len(upload.content)))


def remove_image(upload):
    os.remove(upload.image)


def resize(columns):
    return lambda upload: upload.program.resize(columns)


def type_in(text):
    return lambda upload: upload.program.type(text)


def stop_reading(upload):
    """The reader of the report has stopped, and the pipe holds two pages."""
    fcntl.fcntl(upload.program.stdout_fileno(), fcntl.F_SETPIPE_SZ, 8192)


def send(number):
    return lambda upload: upload.program.send_signal(number)


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()[0]


def cpu_seconds(pid):
    """CPU time that a process has used, in the kernel and out of it."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def stop(upload):
    """Ctrl-Z; returns when esp-ota has stopped."""
    upload.program.send_signal(signal.SIGTSTP)
    with contextlib.suppress(FileNotFoundError):  # on a busy machine it may have ended before
        wait_until(lambda: state_of(upload.program.pid) in "TZ")


def go_on(upload):
    upload.program.send_signal(signal.SIGCONT)


def passing(seconds):
    """Time that passes while esp-ota does not notice."""
    return lambda upload: time.sleep(seconds)


def board_says(event):
    return lambda upload: upload.board.wait_for(event)


def wait_until(is_so, deadline_s=scenario.DEADLINE_S):
    end = time.monotonic() + deadline_s
    while not is_so():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)
