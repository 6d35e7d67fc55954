#!/usr/bin/env python3
"""Where secrets are while the program runs: in its memory, in a core dump, in the processes that ask D-Bus and DNS.

Processes are stopped and all that they have is searched. A bus that accepts a connection and says nothing keeps
the asking process alive, and names it; so does a name server that gets a question and says nothing.
"""

import base64
import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import unittest

import firmware
import requirement
from scenario import Program, Scenario, Terminal, address, image, run, secrets

PASSWORD = "kwert-8231-zuiop"
PASSPHRASE = "open sesame 5177"
REGION_MAX = 256 << 20  # the shadow of a sanitizer is larger, and no copy of anything
ATTEMPTS = 10
OTHER_USER = 65534
CONNECT_S = 30


def openssl(*arguments, stdin=b""):
    return subprocess.run(["openssl", *arguments], input=stdin, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def regions(pid):
    """(flags, bytes) of all memory that the process can read."""
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as memory:
        first = end = 0
        for line in maps:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....)", line)
            if head:
                first, end, mode = int(head[1], 16), int(head[2], 16), head[3]
            elif line.startswith("VmFlags:") and mode[0] == "r" and end - first <= REGION_MAX:
                try:
                    memory.seek(first)
                    yield line.split()[1:], memory.read(end - first)
                except (OSError, ValueError):
                    continue  # what the kernel keeps there ([vvar], [vsyscall])


def search(pid, wanted):
    """{name: [flags of each region that has it]} of wanted, a dictionary of bytes."""
    found = {name: [] for name in wanted}
    for flags, content in regions(pid):
        for name, text in wanted.items():
            if text in content:
                found[name].append(flags)
    return found


def derived(password):
    """What a password becomes on the way to an answer, and is as good as it to a board."""
    digests = [hashlib.new(kind, password.encode()).digest() for kind in ("md5", "sha256")]
    return {name: text for digest in digests
            for name, text in ((f"{len(digest)} bytes", digest),
                               (f"{len(digest)} bytes in hex", digest.hex().encode()))}


class Bus:
    """A D-Bus that accepts and says nothing."""

    def __init__(self, path):
        self.env = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={path}"}
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen(16)
        self._socket.settimeout(CONNECT_S)
        self._connections = []

    def wait_for_child(self):
        """The process that connects."""
        connection, _ = self._socket.accept()
        self._connections.append(connection)
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return struct.unpack("3i", credentials)[0]

    def close(self):
        for connection in (self._socket, *self._connections):
            connection.close()


class NameServer:
    """It gets questions and says nothing. A mount namespace has it in resolv.conf."""

    def __init__(self, scenario_case):
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.settimeout(CONNECT_S)
        self._address = address()
        self._socket.bind((self._address, 53))
        resolv = scenario_case.file("resolv.conf", f"nameserver {self._address}\noptions timeout:20\n".encode())
        switch = scenario_case.file("nsswitch.conf", b"hosts: files dns\n")
        self.before = ("unshare", "--mount", "sh", "-c", f"mount --bind {resolv} /etc/resolv.conf && "
                       f'mount --bind {switch} /etc/nsswitch.conf && exec "$@"', "sh")

    def wait_for_child(self, parent):
        """The process that asks: the child of parent that has the socket."""
        _, (_, port) = self._socket.recvfrom(2048)
        with open("/proc/net/udp", encoding="ascii") as table:
            inodes = {f"socket:[{line.split()[9]}]" for line in table if f":{port:04X} " in line[:22]}
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    is_child = int(file.read().rpartition(")")[2].split()[1]) == parent
                sockets = {os.readlink(f"/proc/{name}/fd/{fd}") for fd in os.listdir(f"/proc/{name}/fd")} if is_child else ()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if inodes & set(sockets):
                return int(name)
        raise AssertionError(f"no child of {parent} has asked")

    def close(self):
        self._socket.close()


class Memory(Scenario):

    def setUp(self):
        super().setUp()
        self.firmware = self.file("fw.bin", image())

    def bus(self):
        bus = Bus(os.path.join(self.directory, f"bus{len(os.listdir(self.directory))}"))
        self.addCleanup(bus.close)
        return bus

    def end(self, program):
        """Whatever it was doing."""
        os.kill(program.pid, signal.SIGKILL)
        program.result()

    def catch(self, start, before_stop=lambda program: None):
        """Starts a program with a bus, and stops it while its child waits for that; returns both with the child's pid.

        The program ends a child that gets no answer for two seconds: a machine that is too busy gets another try.
        """
        for _ in range(ATTEMPTS):
            bus = self.bus()
            program = start(bus.env)
            before_stop(program)
            child = bus.wait_for_child()
            os.kill(program.pid, signal.SIGSTOP)
            with open(f"/proc/{child}/status", encoding="ascii") as file:
                if "State:\tZ" not in file.read() and os.path.exists(f"/proc/{child}/exe"):
                    return program, child
            self.end(program)
        self.fail(f"the child was gone each of {ATTEMPTS} times")

    def assert_only_protected(self, pid, name, text):
        """In locked pages that are left out of dumps and wiped in children, and there it is."""
        places = search(pid, {name: text})[name]
        self.assertTrue(places, f"{name} is nowhere: this test does not see what it should")
        for flags in places:
            self.assertLessEqual({"lo", "dd", "wf"}, set(flags), f"{name} is in other memory, too")

    def assert_nowhere(self, pid, wanted):
        self.assertEqual([name for name, places in search(pid, wanted).items() if places], [])

    def ways(self):
        """(name, arguments, more) for all ways to give a password without a terminal."""
        secret = self.file("password", PASSWORD.encode() + b"\n")
        hosts = self.file("hosts", f"kitchen.local auth-file={secret}\n".encode())
        os.chmod(secret, 0o600)
        named = ("-i", "kitchen.local")
        return (("-a", (*named, "-a", PASSWORD), {}),
                ("-a in the same word", (*named, f"-a{PASSWORD}"), {}),
                ("--auth=", (*named, f"--auth={PASSWORD}"), {}),
                ("-a twice", (*named, "-a", PASSWORD[::-1], "-a", PASSWORD), {}),
                ("a file", (*named, "--auth-file", secret), {}),
                ("standard input", (*named, "--auth-file", "-"), {"stdin": PASSWORD.encode() + b"\n"}),
                ("the environment", named, {"ESP_OTA_AUTH": PASSWORD}),
                ("a list", ("--hosts", hosts), {}))

    def test_child_gets_no_password(self):
        wanted = {name: secret.encode() for name, secret in zip(("itself", "MD5", "SHA-256"), secrets(PASSWORD))}
        for name, arguments, more in self.ways():
            with self.subTest(name):
                program, child = self.catch(
                    lambda env, a=arguments, m=more: Program(*a, "-f", self.firmware, **m, **env))
                try:
                    self.assert_nowhere(child, wanted)
                    self.assert_only_protected(program.pid, "the password", PASSWORD.encode())
                    if name == "-a twice":
                        self.assert_nowhere(program.pid, {"the former one": PASSWORD[::-1].encode()})
                finally:
                    self.end(program)

    def test_child_gets_nothing_that_was_read_with_a_neighbor(self):
        """Functions for strings read 32 bytes at a time: the end of the first argument, and the password behind it."""
        for length in range(32):
            with self.subTest(length):
                program, child = self.catch(lambda env, pad="x" * length: Program("--all", "-a", PASSWORD, "-f",
                                                                                  self.firmware, PAD=pad, **env))
                try:
                    self.assert_nowhere(child, {"the password": PASSWORD.encode()})
                    self.assert_only_protected(program.pid, "the password", PASSWORD.encode())
                finally:
                    self.end(program)

    def test_child_that_asks_dns_gets_no_password(self):
        server = NameServer(self)
        self.addCleanup(server.close)
        program = Program("-i", "kitchen.example", "-a", PASSWORD, "-f", self.firmware, before=server.before,
                          DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={self.directory}/none")
        try:
            child = server.wait_for_child(program.pid)
            os.kill(program.pid, signal.SIGSTOP)
            os.kill(child, signal.SIGSTOP)
            self.assertTrue(search(child, {"the name": b"kitchen.example"})["the name"],
                            "the name is nowhere: this test does not see what it should")
            self.assert_nowhere(child, {"the password": PASSWORD.encode(), **derived(PASSWORD)})
            self.assert_only_protected(program.pid, "the password", PASSWORD.encode())
        finally:
            self.end(program)

    def certificate(self):
        """The paths of a certificate and its key, and what of the key is looked for."""
        key, path = os.path.join(self.directory, "tls.key"), os.path.join(self.directory, "tls.crt")
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=esp-ota", "-keyout", key, "-out", path)
        os.chmod(key, 0o600)
        text = openssl("rsa", "-in", key, "-noout", "-text").decode()
        wanted = {}
        for name in ("privateExponent", "prime1", "prime2"):
            number = bytes.fromhex(re.sub(r"[:\s]", "", re.search(rf"{name}:((?:\n +[0-9a-f:]+)+)", text)[1])).lstrip(b"\0")
            wanted[name] = number[16:48]
            wanted[f"{name}, reversed"] = number[::-1][16:48]
        return path, key, wanted

    def test_child_gets_no_key_of_the_server(self):
        """GnuTLS has it on the heap while the names of a list are looked for."""
        server = NameServer(self)
        self.addCleanup(server.close)
        certificate, key, wanted = self.certificate()
        hosts = self.file("hosts", b"kitchen.example\n")
        program = Program(f"--serve={address()}:0", "--tls-cert", certificate, "--tls-key", key, "--hosts", hosts,
                          "-f", self.firmware, before=server.before,
                          DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={self.directory}/none")
        try:
            child = server.wait_for_child(program.pid)
            os.kill(program.pid, signal.SIGSTOP)
            os.kill(child, signal.SIGSTOP)
            self.assertTrue(search(child, {"the name": b"kitchen.example"})["the name"])
            self.assertTrue(any(search(program.pid, wanted).values()), "this test does not see what it should")
            self.assert_nowhere(child, wanted)
        finally:
            self.end(program)

    def test_child_gets_no_typed_password(self):
        """One board asks for it, then another one is looked for."""
        board = self.board("-P", PASSWORD)

        def start(env):
            return Terminal("-j", "1", "-i", board.address, "-p", str(board.port), "-i", "kitchen.local", "-f",
                            self.firmware, **env)

        def type_password(terminal):
            terminal.wait_for(r"Password of [^\r\n]*: $")
            terminal.type(f"{PASSWORD}\n")

        terminal, child = self.catch(start, type_password)
        try:
            self.assert_nowhere(child, {"the password": PASSWORD.encode()})
            self.assert_only_protected(terminal.pid, "the password", PASSWORD.encode())
        finally:
            self.end(terminal)

    def test_nobody_has_the_key(self):
        """Neither the process that has signed or verified, nor the child that starts afterwards; no part of it either."""
        kinds = {"RSA": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
                 "EC": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")}
        protection = ("-aes256", "-passout", f"pass:{PASSPHRASE}")
        for kind, arguments in kinds.items():
            plain = openssl("genpkey", *arguments)
            older = ("rsa", "-traditional") if kind == "RSA" else ("ec",)
            for form, key in (("plain", plain), ("protected", openssl("pkey", *protection, stdin=plain)),
                              ("older form", openssl(*older, *protection, stdin=plain))):
                for option in ("--sign",) if form != "plain" else ("--sign", "--verify-key"):
                    with self.subTest(kind=kind, form=form, option=option):
                        self.check_key(plain, key, option, form != "plain")

    def check_key(self, plain, key, option, is_protected):
        wanted = {"the password": PASSPHRASE.encode()} if is_protected else {}
        for i, line in enumerate(plain.split(b"\n")[1:-3]):
            wanted[f"line {i} of the file"] = line
        text = openssl("pkey", "-noout", "-text", stdin=plain).decode()
        for name in ("privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient", "priv"):
            for digits in re.findall(rf"{name}:((?:\n +[0-9a-f:]+)+)", text):
                number = bytes.fromhex(re.sub(r"[:\s]", "", digits)).lstrip(b"\0")
                for at in range(0, len(number) - 15, 16):
                    wanted[f"{name} at {at}"] = number[at:at + 16]
                    wanted[f"{name} at {at}, reversed"] = number[::-1][at:at + 16]
        path, signable = self.file("key.pem", key), self.file("esp32.bin", firmware.esp32())
        os.chmod(path, 0o600)
        if option == "--verify-key":
            unsigned, signable = signable, os.path.join(self.directory, "signed.bin")
            self.assertEqual(run("--sign", path, "-f", unsigned, "--output", signable).status, 0)

        def start(env):
            return Terminal(option, path, "-i", "kitchen.local", "-f", signable, **env)

        def type_password(terminal):
            if is_protected:
                terminal.wait_for("Password of the key")
                terminal.type(f"{PASSPHRASE}\n")

        terminal, child = self.catch(start, type_password)
        try:
            self.assert_nowhere(child, wanted)
            self.assert_nowhere(terminal.pid, wanted)
        finally:
            self.end(terminal)

    def test_answering_leaves_nothing(self):
        """What an answer was computed from."""
        for family in ("esp8266", "esp32-sha256"):
            with self.subTest(family):
                board = self.board("-P", PASSWORD, "--fault", "never-connect", family=family)
                program = Program("-i", board.address, "-p", str(board.port), "-a", PASSWORD, "-f", self.firmware,
                                  "--force")
                board.wait_for("answer result=ok")
                os.kill(program.pid, signal.SIGSTOP)
                try:
                    self.assert_only_protected(program.pid, "the password", PASSWORD.encode())
                    self.assert_nowhere(program.pid, derived(PASSWORD))
                finally:
                    self.end(program)

    def test_page_leaves_nothing(self):
        """Basic is the password in base64; libcurl has had it in each request."""
        server = socket.create_server((address(), 0))
        self.addCleanup(server.close)
        host, port = server.getsockname()
        pair = base64.b64encode(f"admin:{PASSWORD}".encode())
        form = b"<form action='/update'><input type='file' name='firmware'></form>" \
               b"<form action='/update'><input type='file' name='filesystem'></form>"
        head = b"Content-Length: %d\r\nConnection: close\r\n\r\n"
        program = Program("-i", f"http://{host}:{port}", "-f", self.firmware, "-a", PASSWORD)
        requests, length = [], 0
        try:
            while not requests or requests[-1][0] != b"POST":
                connection, _ = server.accept()
                self.addCleanup(connection.close)
                stream = connection.makefile("rb")
                lines = list(iter(stream.readline, b"\r\n"))
                requests.append((lines[0].split()[0], pair in b"".join(lines)))
                if not requests[-1][1]:
                    connection.sendall(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n" + head % 0)
                elif requests[-1][0] == b"GET":
                    connection.sendall(b"HTTP/1.1 200 OK\r\n" + head % len(form) + form)
                length = int(re.search(rb"(?i)content-length: (\d+)|$", b"".join(lines))[1] or 0)
            stream.read(length)  # and no reply
            os.kill(program.pid, signal.SIGSTOP)
            self.assertEqual(requests, [(b"GET", False), (b"GET", True), (b"POST", True)])
            self.assert_only_protected(program.pid, "the password", PASSWORD.encode())
            self.assert_only_protected(program.pid, "the answer", pair)
        finally:
            self.end(program)

    def test_boards_that_fetch_leave_nothing(self):
        """What they send for Basic, in connections that stay open and in those that ended, is overwritten."""
        for method, status in ((b"GET", b"200"), (b"POST", b"405")):
            pair = base64.b64encode(f"lamp:{PASSWORD}".encode())
            program = Program(f"--serve={address()}:0", "-f", self.firmware, "-a", PASSWORD)
            with self.subTest(method):
                try:
                    program.wait_for(r"fetch from http://\S+/firmware\.bin\n")
                    text = b"".join(program._text.values()).decode()
                    host, port = re.search(r"fetch from http://(\S+):(\d+)/firmware", text).groups()
                    open_ones = []
                    for _ in range(4):
                        connection = socket.create_connection((host, int(port)), CONNECT_S)
                        self.addCleanup(connection.close)
                        connection.sendall(method + b" / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic " + pair + b"\r\n\r\n")
                        self.assertIn(status, connection.makefile("rb").readline())
                        open_ones.append(connection)
                    open_ones[0].close()
                    open_ones[1].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                    os.kill(program.pid, signal.SIGSTOP)
                    self.assert_only_protected(program.pid, "the password", PASSWORD.encode())
                    self.assert_nowhere(program.pid, {"the password in base64": pair})
                finally:
                    self.end(program)

    def test_child_is_confined(self):
        program, child = self.catch(lambda env: Program("-i", "kitchen.local", "-f", self.firmware, **env))
        try:
            with open(f"/proc/{child}/status", encoding="ascii") as file:
                status = file.read()
        finally:
            self.end(program)
        self.assertRegex(status, "\nNoNewPrivs:\t1\n")
        self.assertRegex(status, "\nSeccomp:\t2\n")


class CoreDump(Scenario):
    """As root and as another user, as whom sudo or a service manager may start the program."""

    @staticmethod
    def become(uid):
        """Dumps also need the right to write in the current folder."""
        return ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "sh", "-c",
                'ulimit -c unlimited && exec "$@"', "sh")

    def attack(self, pid, number, uid):
        """Whether the process is dumped when it gets the signal, and what the same user is told who wants to read its
        memory before, as gcore does."""
        peek = subprocess.run(self.become(uid) + ("head", "-c", "1", f"/proc/{pid}/mem"), check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        os.kill(pid, number)
        status = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self.assertEqual(status.si_status, number)
        return status.si_code == os.CLD_DUMPED, peek.stderr

    def attack_upload(self, number, uid, *options, **env):
        board = self.board("-P", PASSWORD, "--fault", "never-connect")
        program = Program("-i", board.address, "-p", str(board.port), "-f", self.file("fw.bin", image()), *options,
                          cwd=self.directory, before=self.become(uid), **env)
        board.wait_for("fault order=never-connect")
        outcome = self.attack(program.pid, number, uid)
        program.result()
        return outcome

    def attack_shell(self, number, uid):
        with subprocess.Popen(self.become(uid) + ("sh", "-c", "echo ready; read line"), cwd=self.directory,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
            shell.stdout.readline()
            return self.attack(shell.pid, number, uid)

    def test_none_with_a_password(self):
        os.chmod(self.directory, 0o777)
        for uid in (0, OTHER_USER):
            for number in (signal.SIGABRT, signal.SIGSEGV):
                is_dumped, peek = self.attack_shell(number, uid)
                self.assertNotIn("Permission denied", peek)
                if not is_dumped:
                    self.skipTest("nothing is dumped here (kernel.core_pattern, RLIMIT_CORE)")
                for options, env in ((("-a", PASSWORD), {}), ((), {"ESP_OTA_AUTH": PASSWORD})):
                    with self.subTest(uid=uid, number=number, options=options):
                        is_dumped, peek = self.attack_upload(number, uid, *options, **env)
                        self.assertFalse(is_dumped)
                        if uid:  # root may read all memory
                            self.assertIn("Permission denied", peek)


if __name__ == "__main__":
    if os.geteuid() != 0:
        requirement.end("only root sees the memory of a process that hides it")
    unittest.main()
