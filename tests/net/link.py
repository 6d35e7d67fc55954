"""A host and a board in network namespaces of their own, and a link like Wi-Fi between them.

Only sockets and devices in these namespaces are touched. They end with the processes that hold them,
which end with their standard input, and so with this process, however it ends.
"""

import ctypes
import os
import re
import shutil
import socket
import subprocess
import time
import unittest

from child import Child, DEADLINE_S
from elsewhere import elsewhere
import requirement

HOST_ADDRESS = "10.99.0.1"
BOARD_ADDRESS = "10.99.0.2"
BOARD_PORT = 8266
DEVICE = "air0"
MAC = {HOST_ADDRESS: "02:00:00:00:00:01", BOARD_ADDRESS: "02:00:00:00:00:02"}
CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
LIBC = ctypes.CDLL(None, use_errno=True)


def missing():
    """Says what this machine lacks, or None."""
    tools = [tool for tool in ("ip", "nsenter", "unshare") if not shutil.which(tool)]
    if tools:
        return "not installed: " + ", ".join(tools)
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "no /dev/net/tun"
    return None


def run_tests():
    """Runs the tests of the main module, unless this machine lacks something."""
    reason = missing()
    if reason:
        requirement.end(reason)
    unittest.main()


class Process(Child):
    """A child that ends with its standard input."""

    def wait(self, timeout_s=DEADLINE_S):
        """Closes its standard input, and returns the exit status; output is complete then."""
        if not self._process.stdin.closed:
            self._process.stdin.close()
        deadline = time.monotonic() + timeout_s
        # Until end of file: Popen.wait() with a time-out looks only every 50 ms.
        while not self._process.stdout.closed and self._read(max(deadline - time.monotonic(), 0)):
            pass
        if time.monotonic() >= deadline:
            self._process.kill()
        status = self._process.wait()
        self._process.stdout.close()
        return status

    def kill(self):
        self._process.kill()
        self.wait()


class Side:
    """One end: a namespace with an address."""

    def __init__(self, address):
        self.address = address
        self.mac = MAC[address]
        self._holder = Process("unshare", "--net", "sh", "-c",
                               "ip link set lo up && echo ready && exec cat")
        self._holder.wait_for("ready")
        self.pid = self._holder.pid

    def command(self, *arguments):
        return ("nsenter", "--net", "--target", str(self.pid), "--", *arguments)

    def run(self, *arguments):
        subprocess.run(self.command(*arguments), check=True, stdin=subprocess.DEVNULL)

    def set(self, name, value):
        """Sets a sysctl of this namespace."""
        self.run("sh", "-c", f"echo {value} >/proc/sys/{name.replace('.', '/')}")

    def configure(self, other):
        """No IPv6 and no ARP: every frame on the air belongs to the test."""
        self.run("ip", "link", "set", DEVICE, "address", self.mac, "addrgenmode", "none")
        self.run("ip", "address", "add", self.address + "/24", "dev", DEVICE)
        self.run("ip", "link", "set", DEVICE, "up")
        self.meet(other)

    def meet(self, other):
        self.run("ip", "neighbor", "replace", other.address, "lladdr", other.mac, "dev", DEVICE)

    def change_address(self, address, other):
        """What DHCP may do at any time: address takes the place of the one it had."""
        self.run("ip", "address", "delete", self.address + "/24", "dev", DEVICE)
        self.run("ip", "address", "add", address + "/24", "dev", DEVICE)
        self.address = address
        self.meet(other)  # forgotten with the last address
        other.meet(self)

    def udp_socket(self):
        """A socket of this process that lives in the namespace."""
        with open("/proc/thread-self/ns/net", "rb") as home, \
                open(f"/proc/{self.pid}/ns/net", "rb") as there:
            self._enter(there)
            try:
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                udp.bind((self.address, 0))
            finally:
                self._enter(home)
        udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)  # only the link may lose
        udp.settimeout(DEADLINE_S)
        return udp

    @staticmethod
    def _enter(namespace):
        if LIBC.setns(namespace.fileno(), CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), "cannot change the network namespace")

    def close(self):
        self._holder.wait()


class Processes:
    """What runs in a link or on a cable, and ends with it, whatever a test does meanwhile."""

    def __init__(self):
        self._processes = []

    def start(self, *command):
        process = Process(*command)
        self._processes.append(process)
        return process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in self._processes:
            process.kill()


class Link(Processes):
    """Options are those of ota-link: delay=1, cut_after=20 ..."""

    def __init__(self, program, **options):
        super().__init__()
        self.host = Side(HOST_ADDRESS)
        self.board = Side(BOARD_ADDRESS)
        arguments = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        with elsewhere():
            self.relay = Process(program, *arguments, "--device", DEVICE, str(self.host.pid), str(self.board.pid))
        self.relay.wait_for("ready")
        self.host.configure(self.board)
        self.board.configure(self.host)
        # What boards do not use: lwIP leaves both out by default.
        self.board.set("net.ipv4.tcp_timestamps", 0)
        self.board.set("net.ipv4.tcp_sack", 0)
        self.host.set("net.ipv4.tcp_no_metrics_save", 1)  # every upload is the first

    def close(self):
        super().close()
        self.relay.wait()
        self.host.close()
        self.board.close()

    def wait_for_cut(self):
        """Until the link is down because cut_after says so."""
        self.relay.wait_for(r"(?m)^down$")

    def tell(self, command):
        """"down" or "up"; done when this returns."""
        self.relay.send(f"{command}\n")
        self.relay.wait_for(rf"(?m)^{command}$")

    def counters(self):
        """{"host": {name: number}, "board": ...}, by who sends."""
        self.relay.send("count\n")
        text = self.relay.wait_for(r"(?ms)^host (.*?)\nboard (.*?)\ncount$")
        return {side: {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}
                for side, line in zip(("host", "board"), text.groups())}

    def round_trips(self, count, window=1, size=1):
        """Seconds that datagrams of size bytes take to the board, and short answers back; window of
        them leave at once, as segments do. This process's part is included."""
        times = []
        with self.host.udp_socket() as near, self.board.udp_socket() as far:
            for _ in range(count):
                starts = []
                for _ in range(window):
                    starts.append(time.monotonic())
                    near.sendto(bytes(size), far.getsockname())
                for _ in range(window):
                    _, peer = far.recvfrom(size)
                    far.sendto(b"answer", peer)
                for start in starts:
                    near.recv(100)
                    times.append(time.monotonic() - start)
        return times

    def simulate(self, program, *options):
        """A simulated board; ready when this returns."""
        board = self.start(*self.board.command(program, "--address", self.board.address, "--port",
                                               str(BOARD_PORT), *options))
        board.wait_for("ready")
        return board

    def upload(self, program, *options):
        """Starts esp-ota towards the board."""
        return self.start(*self.host.command(program, "-i", f"{self.board.address}:{BOARD_PORT}",
                                             *options))
