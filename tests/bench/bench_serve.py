#!/usr/bin/env python3
"""Serves a crowd: many boards poll while others download, and measures the server's memory, CPU and gaps.

    bench_serve.py ESP-OTA [--boards N] [--downloads N] [--size BYTES] [--nginx] [--rollout]

Each download reads at most --rate bytes/s, as a board does, so all of them run at once; 0: as fast as it can. With
--nginx, nginx serves the same file to the same clients, and its CPU time per MB is printed beside ours. A gap that
the clients see is theirs, too, as they are one process; --watch measures the server alone.
"""

import argparse
import email.utils
import hashlib
import os
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "integration"))
import firmware  # noqa: E402

PIECE = 16384
OLD_MD5 = 32 * "0"
MEMORY_KIB = 64 * 1024  # of the server, besides the image
DEADLINE_S = 300


def cpu_s(pid):
    """To the nanosecond; /proc/PID/stat counts clock ticks, of which slow downloads take few."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


def memory_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])


def request_of(number, md5, known=""):
    """known: a time; a server other than ours sends a file only if it is newer."""
    condition = f"If-Modified-Since: {known}\r\n" if known else ""
    return ("GET /firmware.bin HTTP/1.0\r\nHost: a\r\nUser-Agent: ESP8266-http-Update\r\nConnection: close\r\n"
            f"x-ESP8266-STA-MAC: 24:0A:C4:{number >> 16:02X}:{number >> 8 & 255:02X}:{number & 255:02X}\r\n"
            f"x-ESP8266-sketch-md5: {md5}\r\nx-ESP8266-mode: sketch\r\n{condition}\r\n").encode()


class Client:
    """One request, from an address of its own, read at the pace of a board."""

    def __init__(self, crowd, request, rate, number):
        self.crowd, self.rate, self.size, self.number = crowd, rate, 0, number
        self.digest, self.head = hashlib.md5(), b""
        self.started = self.seen = time.monotonic()
        self.worst_gap, self.allowed_at = 0.0, 0.0
        self.socket = socket.socket()
        if rate:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.socket.bind((f"127.7.{number >> 8}.{number & 255}", 0))
        self.socket.connect(crowd.server)
        self.socket.sendall(request)
        self.socket.setblocking(False)

    def read(self, now):
        """True at the end. A gap is a time in which the client would have read, and nothing was there."""
        data = self.socket.recv(PIECE)
        if self.head is not None and b"\r\n\r\n" not in self.head:
            self.head += data
            if b"\r\n\r\n" in self.head:
                data = self.head.partition(b"\r\n\r\n")[2]
            elif data:
                return False
        self.worst_gap = max(self.worst_gap, now - max(self.seen, self.allowed_at))
        self.seen = now
        self.digest.update(data)
        self.size += len(data)
        if self.rate:
            self.allowed_at = self.started + self.size / self.rate
        if not data:
            self.socket.close()
        return not data

    @property
    def status(self):
        return int(self.head.split(b" ")[1])


class Crowd:
    """All clients in one process; those that have to wait for their pace are not watched meanwhile."""

    def __init__(self, server):
        self.server, self.selector = server, selectors.DefaultSelector()
        self.resting, self.clients = [], []

    def add(self, request, rate=0, number=None):
        client = Client(self, request, rate, len(self.clients) if number is None else number)
        self.clients.append(client)
        self.selector.register(client.socket, selectors.EVENT_READ, client)
        return client

    def on_reply(self, client):
        """The whole reply has come."""

    def begin_due(self, now):
        """Adds those whose time has come. True while more will come."""
        return False

    def run(self):
        deadline = time.monotonic() + DEADLINE_S
        for client in self.clients:  # that they have all been connected took a while
            client.seen = time.monotonic()
        while self.begin_due(now := time.monotonic()) or self.selector.get_map() or self.resting:
            assert now < deadline, "it hangs"
            due = [client for client in self.resting if client.allowed_at <= now]
            self.resting = [client for client in self.resting if client.allowed_at > now]
            for client in due:
                self.selector.register(client.socket, selectors.EVENT_READ, client)
            if not self.selector.get_map():
                time.sleep(0.001)
                continue
            for key, _ in self.selector.select(0.005):
                self.serve(key.data)

    def serve(self, client):
        now = time.monotonic()
        fd = client.socket.fileno()
        is_over = client.read(now)
        if is_over or client.allowed_at > now:
            self.selector.unregister(fd)
        if is_over:
            self.on_reply(client)
        elif client.allowed_at > now:
            self.resting.append(client)


class Rollout(Crowd):
    """Boards that fetch the image, restart and come back. All ask at once; those that get 503 ask again after a second."""

    def __init__(self, server, md5, args):
        super().__init__(server)
        self.md5, self.rate, self.confirmed = md5, args.rate, 0
        self.later = [(0, number) for number in range(args.boards)]

    def begin_due(self, now):
        while self.later and self.later[0][0] <= now:
            number = self.later.pop(0)[1]
            self.add(request_of(number, OLD_MD5), self.rate, number)
        return self.later

    def on_reply(self, client):
        if client.status == 200:
            assert client.digest.hexdigest() == self.md5
            self.add(request_of(client.number, self.md5), 0, client.number)
        elif client.status == 503:
            self.later.append((time.monotonic() + 1, client.number))
        else:
            assert client.status == 304
            self.confirmed += 1


def measure(name, pid, server, path, image, args):
    """CPU and time of the downloads with polls in between. Both servers have the same work: those that poll get 304."""
    known = email.utils.formatdate(os.path.getmtime(path), usegmt=True)
    md5 = hashlib.md5(image).hexdigest()
    before, started = cpu_s(pid), time.monotonic()
    crowd = Crowd(server)
    downloads = [crowd.add(request_of(number, OLD_MD5), args.rate) for number in range(args.downloads)]
    polls = [crowd.add(request_of(args.downloads + number, md5, known)) for number in range(args.boards - args.downloads)]
    crowd.run()
    seconds, cpu = time.monotonic() - started, cpu_s(pid) - before
    for client in downloads:
        assert (client.status, client.digest.hexdigest()) == (200, md5), client.status
    assert {client.status for client in polls} <= {304}, "a board that runs the image was sent it"
    bytes_sent = sum(client.size for client in downloads)
    gap = max(client.worst_gap for client in downloads)
    print(f"{name}: {args.downloads} downloads and {len(polls)} polls in {seconds:.1f} s, CPU {cpu:.2f} s, "
          f"{cpu * 1e3 / (bytes_sent / 1e6):.2f} ms per MB, worst gap {gap * 1e3:.0f} ms, "
          f"memory {memory_kib(pid) / 1024:.1f} MiB", flush=True)


def roll_out(pid, server, image, args):
    before, started = cpu_s(pid), time.monotonic()
    crowd = Rollout(server, hashlib.md5(image).hexdigest(), args)
    crowd.run()
    assert crowd.confirmed == args.boards
    print(f"esp-ota: {args.boards} boards updated, {args.downloads} at a time, with {len(crowd.clients)} requests in "
          f"{time.monotonic() - started:.1f} s, CPU {cpu_s(pid) - before:.2f} s", flush=True)


def bench_ours(program, path, image, args):
    log = f"{path}.watch"
    watched = {"LD_PRELOAD": args.watch, "LOOP_WATCH": log, "LOOP_WATCH_CPU": "1"} if args.watch else {}
    process = subprocess.Popen([program, "--serve=127.0.0.1:0", "-f", path, "-j", str(args.downloads)],
                               stderr=subprocess.PIPE, env={**os.environ, **watched})
    # What is said of 1,000 boards must not block the server.
    port = int(re.search(rb":(\d+)/firmware", process.stderr.readline())[1])
    drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
    try:
        if args.rollout:
            roll_out(process.pid, ("127.0.0.1", port), image, args)
        else:
            measure("esp-ota", process.pid, ("127.0.0.1", port), path, image, args)
        assert memory_kib(process.pid) < MEMORY_KIB + len(image) // 1024, "memory grows with the boards"
    finally:
        process.terminate()
        process.wait()
        drain.wait()
    if args.watch:
        with open(log, encoding="ascii") as file:
            print(f"esp-ota: worst gap within the server {file.read().split()[0]} ms of its CPU time", flush=True)


NGINX = """daemon off; master_process off; pid {0}/pid; error_log {0}/log; events {{ worker_connections 4096; }}
http {{ access_log off; client_body_temp_path {0}/a; proxy_temp_path {0}/b; fastcgi_temp_path {0}/c;
uwsgi_temp_path {0}/d; scgi_temp_path {0}/e; server {{ listen 127.0.0.1:8097; root {0}; }} }}"""


def bench_nginx(folder, path, image, args):
    with open(os.path.join(folder, "conf"), "w", encoding="ascii") as file:
        file.write(NGINX.format(folder))
    process = subprocess.Popen(["nginx", "-c", os.path.join(folder, "conf")], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", 8097)) == 0:
                    break
            time.sleep(0.05)
        measure("nginx", process.pid, ("127.0.0.1", 8097), path, image, args)
    finally:
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--boards", type=int, default=1000)
    parser.add_argument("--downloads", type=int, default=200)
    parser.add_argument("--size", type=int, default=400000)
    parser.add_argument("--rate", type=float, default=80000, help="bytes/s of a board; 0: no limit [80000]")
    parser.add_argument("--nginx", action="store_true")
    parser.add_argument("--rollout", action="store_true", help="update all boards instead, as many at a time as download")
    parser.add_argument("--watch", metavar="LIBRARY", help="loop-watch, which measures the gaps within the server")
    args = parser.parse_args()
    image = firmware.esp8266(args.size)

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "firmware.bin")
        with open(path, "wb") as file:
            file.write(image)
        bench_ours(args.program, path, image, args)
        if args.nginx:
            bench_nginx(folder, path, image, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
