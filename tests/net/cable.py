"""This computer and a board in network namespaces of their own, joined by a cable (veth) with real ARP.

Both end with the processes that hold them, and so with this process.
"""

import subprocess
import tempfile

import firmware
import link

HOST, BOARD, PORT = "192.168.1.20", "192.168.1.7", 8266
HOST6, BOARD6 = "fd77::20", "fd77::7"
INTERFACE = "wlan0"
DEADLINE_S = 60


class Space:
    """A network namespace, as long as this lives."""

    def __init__(self):
        self._holder = link.Process("unshare", "--net", "sh", "-c",
                                    "ip link set lo up && echo ready && exec cat")
        self._holder.wait_for("ready")
        self.pid = self._holder.pid

    def command(self, *arguments):
        return ("nsenter", "--net", "--target", str(self.pid), "--", *arguments)

    def ip(self, line):
        subprocess.run(self.command("ip", *line.split()), check=True, stdin=subprocess.DEVNULL)

    def close(self):
        self._holder.wait()


class Cable(link.Processes):
    """The host is in a network with the board, which has HOST and BOARD, and the same for IPv6."""

    def __init__(self):
        super().__init__()
        self.host, self.board = Space(), Space()
        self.host.ip(f"link add {INTERFACE} type veth peer name far0 netns {self.board.pid}")
        for space, name, own, own6 in ((self.host, INTERFACE, HOST, HOST6), (self.board, "far0", BOARD, BOARD6)):
            space.ip(f"address add {own}/24 dev {name}")
            space.ip(f"address add {own6}/64 dev {name} nodad")
            space.ip(f"link set {name} up")
        self.image = tempfile.NamedTemporaryFile(suffix=".bin")
        self.image.write(firmware.sketch("esp8266", 20000))
        self.image.flush()

    def close(self):
        super().close()
        self.image.close()
        self.host.close()
        self.board.close()

    def simulate(self, program, *options, address=BOARD):
        """A simulated board at BOARD; ready when this returns."""
        board = self.start(*self.board.command(program, "--fast", "--address", address, "--port", str(PORT),
                                               *options))
        board.wait_for("ready")
        return board

    def run(self, *command):
        """The result of a command on the host."""
        return subprocess.run(self.host.command(*command), capture_output=True, text=True, timeout=DEADLINE_S,
                              check=False)

    def upload(self, program, board, *options, before=()):
        """The result of an upload to the address; before is a command that starts it."""
        return self.run(*before, program, "-i", board, "-p", str(PORT), "-f", self.image.name, *options)
