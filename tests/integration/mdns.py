"""A link with boards on it, for tests: two hosts in namespaces of their own, joined by a cable.

The host's side is the test process itself (enter() moves it into fresh network, mount and PID
namespaces): it gets a private D-Bus and a real avahi-daemon. The boards' side is a second pair of
namespaces with an avahi-daemon of its own, which announces the boards as their cores do, and in
which simulated boards listen. Nothing touches the machine's own network, bus or files, and when the
test process ends, however it ends, the kernel ends everything that it started.
"""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import xml.sax.saxutils

from child import Child
from elsewhere import elsewhere
import requirement

TOOLS = ("unshare", "nsenter", "mount", "ip", "dbus-daemon", "avahi-daemon")
ENTERED = "ESP_OTA_TEST_NAMESPACES"
BUS_SOCKET = "/run/dbus/system_bus_socket"
# So that an interface can be used as soon as it is up: nobody else has its addresses.
ACCEPT_DAD = "/proc/sys/net/ipv6/conf/default/accept_dad"
# So that an interface keeps its other addresses when it loses the first one.
PROMOTE_SECONDARIES = "/proc/sys/net/ipv4/conf/all/promote_secondaries"


def missing():
    """Says what this machine lacks, or None."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    tools = [tool for tool in TOOLS if not shutil.which(tool, path=path)]
    if tools:
        return "not installed: " + ", ".join(tools)
    if os.geteuid() != 0:
        return "namespaces, D-Bus and avahi-daemon need root"
    return None


def end_at_once(number, _frame):
    """The kernel ignores a signal to the first process of a PID namespace that it does not handle. timeout(1) ends the
    whole process group: the test would go on without its daemons, and fail for that."""
    os.write(sys.stderr.fileno(), f"\nended by {signal.Signals(number).name}\n".encode())
    os._exit(128 + number)


def enter():
    """Runs the calling program again in namespaces of its own, once. Ends it if that cannot be done."""
    if os.environ.get(ENTERED):
        signal.signal(signal.SIGTERM, end_at_once)
        return
    reason = missing()
    if reason:
        requirement.end(reason)
    os.environ[ENTERED] = "1"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    sys.stdout.flush()
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", "--pid",
                          "--fork", "--kill-child", "--mount-proc",
                          sys.executable, *sys.argv])


class Process(Child):
    """A child elsewhere."""

    def __init__(self, *command, env=None):
        with elsewhere():
            super().__init__(*command, env=env)

    def kill(self, number):
        self._process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Ends it for certain and returns its exit status; output is complete then."""
        if self._process.poll() is None:
            self._process.send_signal(number)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
        status = self._process.wait()
        if not self._process.stdout.closed:
            while self._read(0):
                pass
            self._process.stdin.close()
            self._process.stdout.close()
        return status


# What today's cores announce of a common board, by their port: the ESP8266's its id in boards.txt, the others the
# variant.
CORES = {8266: "nodemcuv2", 3232: "lolin32", 2040: "rpipicow"}


@dataclasses.dataclass(frozen=True)
class Board:
    """What a board announces. A host name without .local; addresses may be missing."""

    host: str
    port: int
    instance: str = ""  # the host name, unless given
    v4: str = ""
    v6: str = ""
    stale: str = ""  # an address that is announced, and nobody's
    txt: tuple = None  # what the core whose port it is announces, unless given
    type: str = "_arduino._tcp"

    @property
    def name(self):
        return self.instance or self.host

    @property
    def local(self):
        return self.host + ".local"

    def addresses(self):
        return [address for address in (self.v4, self.v6) if address]

    def records(self):
        announced = CORES.get(self.port, "new-board")
        whole = ("tcp_check=no", "ssh_upload=no", f"board={announced}", "auth_upload=no")
        return whole if self.txt is None else self.txt

    def service(self):
        """The announcement as a static service of avahi-daemon."""
        quote = xml.sax.saxutils.escape
        records = "".join(f"<txt-record>{quote(record)}</txt-record>" for record in self.records())
        return (f"<service-group><name>{quote(self.name)}</name><service>"
                f"<type>{self.type}</type><host-name>{quote(self.local)}</host-name>"
                f"<port>{self.port}</port>{records}</service></service-group>")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def run(*arguments):
    subprocess.run(arguments, check=True, stdin=subprocess.DEVNULL)


AVAHI_CONFIGURATION = """[server]
host-name={name}
use-ipv4=yes
use-ipv6={ipv6}
allow-interfaces={interface}
enable-dbus={dbus}
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
publish-addresses={addresses}
"""


def avahi_daemon(prefix, directory, **settings):
    """Starts one and waits until it has its host name; prefix runs it elsewhere."""
    path = os.path.join(directory, settings["name"] + ".conf")
    write(path, AVAHI_CONFIGURATION.format(**settings))
    daemon = Process(*prefix, "avahi-daemon", "--no-drop-root", "--no-chroot", "--no-rlimits",
                     "--file", path)
    daemon.wait_for("Server startup complete")
    return daemon


class BoardSide:
    """The other end of the cable: a network namespace with boards that announce themselves."""

    INTERFACE = "air0"

    def __init__(self, directory, boards):
        self.directory = os.path.join(directory, "boards")
        self.boards = boards
        self.daemon = None
        os.mkdir(self.directory)
        # The holder keeps the namespaces alive until its standard input is closed.
        self.holder = Process("unshare", "--net", "--mount", "--propagation", "private",
                              "sh", "-c", "mount -t tmpfs tmpfs /run && "
                              f"mount --bind {self.directory} /etc/avahi && echo 0 >{ACCEPT_DAD} && "
                              f"echo 1 >{PROMOTE_SECONDARIES} && "
                              "ip link set lo up && echo ready; exec cat")
        self.holder.wait_for("ready")
        self.prefix = ("nsenter", "--net", "--mount", "--target", str(self.holder.pid))

    def configure(self):
        """Gives the interface, once it is there, every board's addresses."""
        for address in sorted({address for board in self.boards for address in board.addresses()}):
            self.change_address("add", address)
        self._run("ip", "link", "set", self.INTERFACE, "up")

    def change_address(self, verb, address):
        length, nodad = ("64", ["nodad"]) if ":" in address else ("24", [])
        self._run("ip", "address", verb, f"{address}/{length}", "dev", self.INTERFACE, *nodad)

    def _run(self, *arguments):
        run(*self.prefix, *arguments)

    def announce(self):
        """Starts the boards' avahi-daemon; returns when every service is established."""
        services = os.path.join(self.directory, "services")
        os.makedirs(services, exist_ok=True)
        for board in self.boards:
            write(os.path.join(services, board.host + board.type + ".service"), board.service())
        write(os.path.join(self.directory, "hosts"),
              "".join(sorted({f"{address} {board.local}\n" for board in self.boards
                              for address in (*board.addresses(), board.stale) if address})))
        # Boards' responders listen on IPv4 only, and answer with AAAA records there as well. The
        # addresses belong to the boards alone.
        self.daemon = avahi_daemon(self.prefix, self.directory, name="boards", ipv6="no",
                                   interface=self.INTERFACE, dbus="no", addresses="no")
        # Their order is the daemon's: read until all are there.
        waiting = [board.name for board in self.boards]
        while waiting:
            name = self.daemon.wait_for(r'Service "(.*)" \(.*established').group(1)
            if name in waiting:
                waiting.remove(name)

    def move(self, host, v4):
        """The board has restarted, and got another address. Returns what it announces then."""
        old = next(board for board in self.boards if board.host == host)
        new = dataclasses.replace(old, v4=v4)
        self.boards = tuple(new if board is old else board for board in self.boards)
        self.vanish()
        self.change_address("delete", old.v4)
        self.change_address("add", new.v4)
        self.announce()
        return new

    def mute(self, v4, is_mute):
        """Whether what comes from this address is lost, as if the board were off the network."""
        self._run("ip", "rule", "add" if is_mute else "del", "from", v4, "blackhole")

    def announce_instead(self, host, txt):
        """The board has restarted with another firmware."""
        self.boards = tuple(dataclasses.replace(board, txt=txt) if board.host == host else board
                            for board in self.boards)
        self.vanish()
        self.announce()

    def vanish(self):
        """Power failure: the announcements stay in the caches of others."""
        if self.daemon:
            self.daemon.stop(signal.SIGKILL)
            self.daemon = None

    def simulate(self, program, address, port, *options):
        """A simulated board; ready when this returns."""
        if address.startswith("fe80:"):
            address += "%" + self.INTERFACE
        process = Process(*self.prefix, program, "--address", address, "--port", str(port),
                          "--fast", *options)
        process.wait_for("ready")
        return process

    def close(self):
        self.vanish()
        self.holder.stop()


class Link:
    """The host's side, and the boards at the other end of the cable."""

    INTERFACE = "lan0"
    V4 = "10.77.0.1"
    V6 = "fd77::1"

    def __init__(self, directory, boards):
        if not os.environ.get(ENTERED):
            raise RuntimeError("this would change the machine's own /run and /etc: enter() first")
        self.directory = directory
        self.bus = None
        self.daemon = None
        self._isolate()
        write(ACCEPT_DAD, "0")
        self.boards = BoardSide(directory, boards)
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", self.INTERFACE, "type", "veth", "peer", "name",
            BoardSide.INTERFACE, "netns", str(self.boards.holder.pid))
        run("ip", "address", "add", self.V4 + "/24", "dev", self.INTERFACE)
        run("ip", "address", "add", self.V6 + "/64", "dev", self.INTERFACE, "nodad")
        run("ip", "link", "set", self.INTERFACE, "up")
        self.boards.configure()

    def _isolate(self):
        """Private /run (sockets, pid files) and name service; DNS that is refused at once."""
        run("mount", "-t", "tmpfs", "tmpfs", "/run")
        os.mkdir("/run/dbus")
        for name, text in (("nsswitch.conf", ""), ("hosts", "127.0.0.1 localhost\n"),
                           ("resolv.conf", "nameserver 127.0.0.1\noptions attempts:1\n")):
            path = os.path.join(self.directory, name)
            write(path, text)
            run("mount", "--bind", path, os.path.realpath("/etc/" + name))
        self.use_nss_mdns(True)

    def use_nss_mdns(self, use):
        """Whether the C library asks multicast DNS, as after "apt-get install libnss-mdns"."""
        module = "mdns4_minimal [NOTFOUND=return] " if use else ""
        write(os.path.join(self.directory, "nsswitch.conf"), f"hosts: files {module}dns\n")

    def write_hosts(self, *lines):
        """What /etc/hosts says besides the usual."""
        write(os.path.join(self.directory, "hosts"), "\n".join(("127.0.0.1 localhost", *lines, "")))

    def start_bus(self, deny_avahi=False):
        path = os.path.join(self.directory, "bus.conf")
        denial = '<deny send_destination="org.freedesktop.Avahi"/>' if deny_avahi else ""
        write(path, "<busconfig><type>system</type>"
              f"<listen>unix:path={BUS_SOCKET}</listen><auth>EXTERNAL</auth>"
              '<policy context="default"><allow user="*"/><allow own="*"/>'
              f'<allow send_destination="*"/><allow receive_sender="*"/>{denial}</policy>'
              "</busconfig>")
        self.bus = Process("dbus-daemon", "--nofork", "--nopidfile", "--print-address",
                           "--config-file", path)
        self.bus.wait_for("unix:path=")

    def add_cable(self, interface, far_end):
        """A second link to the boards' side; start_daemon(interfaces=...) uses it."""
        run("ip", "link", "add", interface, "type", "veth", "peer", "name", far_end,
            "netns", str(self.boards.holder.pid))
        run("ip", "link", "set", interface, "up")
        run(*self.boards.prefix, "ip", "link", "set", far_end, "up")

    def start_daemon(self, dbus="yes", interfaces=INTERFACE):
        self.daemon = avahi_daemon((), self.directory, name="workstation", ipv6="yes",
                                   interface=interfaces, dbus=dbus, addresses="yes")

    def stop_daemon(self):
        if self.daemon:
            self.daemon.stop()
            self.daemon = None

    def stop_bus(self):
        if self.bus:
            self.bus.stop()
            self.bus = None
        if os.path.exists(BUS_SOCKET):
            os.unlink(BUS_SOCKET)

    def close(self):
        self.stop_daemon()
        self.stop_bus()
        self.boards.close()
