"""What esp-ota itself costs: start-up, and time, CPU, memory and system calls per megabyte.

The board is the simulated one, on loopback and without a brake, so that what is left is the program.
README.md beside this file says how each figure comes about and what to make of it. Nothing is judged
here: the exit status is 1 only if something could not be measured.
"""

import argparse
import hashlib
import itertools
import os
import platform
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

MEGABYTE = 1_000_000
PIECE = 50_000
SIZES_MB = (1, 4, 16)
SPAN_MB = SIZES_MB[-1] - SIZES_MB[0]
ROOM = 32 * 1024 * 1024  # the board's; esp-ota's own limit is 16 MiB unless told
DEADLINE_S = 60  # whatever takes longer hangs
MODES = {"streaming": [], "lock-step": ["--lockstep"]}
GOALS = {"start": "a few ms", "cpu": "5 ms", "memory": "a few MB"}


class Failure(Exception):
    """Why something could not be measured, in a sentence."""


class Board:
    """The simulated board. It is ready for the next upload whenever a caller sees it."""

    def __init__(self, simulator):
        command = [simulator, "--fast", "--port", "0", "--capacity", str(ROOM)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.target = self._wait_for("ready").split()[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def wait_until_restarted(self):
        self._wait_for("open")

    def _wait_for(self, event):
        for line in self._process.stdout:
            if line.split()[1] == event:
                return line
            if "result=failed" in line:
                raise Failure(f"the simulated board says: {line.strip()}")
        raise Failure("the simulated board has ended")


class Run:
    """One run of a program from exec to exit, and what it took."""

    def __init__(self, command):
        start = time.perf_counter()
        _, status, usage = os.wait4(spawn(command), 0)
        self.wall_ms = (time.perf_counter() - start) * 1e3
        self.cpu_ms = (usage.ru_utime + usage.ru_stime) * 1e3
        self.memory_mb = usage.ru_maxrss * 1024 / MEGABYTE
        self.sleeps = usage.ru_nvcsw
        code = os.waitstatus_to_exitcode(status)
        if code != 0:
            raise Failure(f"exit status {code}: {' '.join(command)}")


def spawn(command):
    """Starts a program without anything of the developer's: no alias, no password, no terminal."""
    variables = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C"}
    silent = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1)]
    return os.posix_spawnp(command[0], command, variables, file_actions=silent)


def upload(program, board, mode, image):
    return [program, "-q", "-i", board.target, "--max-size", str(ROOM), "-f", image, *MODES[mode]]


def write_images(directory):
    """A file per size of what passes for a sketch; in pieces, see show_memory()."""
    images = {}
    for size in SIZES_MB:
        images[size] = os.path.join(directory, f"{size}-MB.bin")
        with open(images[size], "wb") as file:
            file.write(b"\xe9")
            for _ in range(size * MEGABYTE // PIECE):
                file.write(os.urandom(PIECE))
            file.truncate(size * MEGABYTE)
    return images


def measure_start(command, runs):
    return [Run(command).wall_ms for _ in range(runs)]


def measure_invitation(program, image, runs):
    """From exec until the first invitation is here; the program is killed over its next steps."""
    times = []
    for _ in range(runs):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf_board:
            deaf_board.bind(("127.0.0.1", 0))
            target = f"127.0.0.1:{deaf_board.getsockname()[1]}"
            start = time.perf_counter()
            pid = spawn([program, "-q", "-i", target, "-f", image])
            deaf_board.recv(1024)
            times.append((time.perf_counter() - start) * 1e3)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return times


def measure_uploads(program, board, images, runs):
    """{(mode, size): [Run, ...]}; the modes take turns, so that a busy machine hurts both alike."""
    measured = {key: [] for key in itertools.product(MODES, SIZES_MB)}
    for _ in range(runs):
        for (mode, size), results in measured.items():
            signal.alarm(DEADLINE_S)
            results.append(Run(upload(program, board, mode, images[size])))
            board.wait_until_restarted()
    return measured


def count_calls(command, directory):
    """{system call: how often}, by strace."""
    log = os.path.join(directory, "strace.log")
    Run(["strace", "-f", "-c", "-o", log, *command])
    counts = {}
    with open(log, encoding="ascii") as table:
        for line in table:
            fields = line.split()  # % time, seconds, usecs/call, calls, [errors,] system call
            if len(fields) in (5, 6) and fields[3].isdecimal() and fields[-1] != "total":
                counts[fields[-1]] = int(fields[3])
    if not counts:
        raise Failure("strace has counted nothing")
    return counts


def measure_calls(program, board, images, directory):
    """{mode: {system call: how often per megabyte}}"""
    result = {}
    for mode in MODES:
        counts = []
        for size in (SIZES_MB[0], SIZES_MB[-1]):
            signal.alarm(DEADLINE_S)
            counts.append(count_calls(upload(program, board, mode, images[size]), directory))
            board.wait_until_restarted()
        small, large = counts
        result[mode] = {call: (large[call] - small.get(call, 0)) / SPAN_MB for call in large}
    return result


def measure_md5(runs):
    """Milliseconds per megabyte: the part of the CPU time that nobody can save."""
    piece = bytes(PIECE)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        digest = hashlib.md5(usedforsecurity=False)
        for _ in range(MEGABYTE // PIECE):
            digest.update(piece)
        times.append((time.perf_counter() - start) * 1e3)
    return times


def row(title, *cells):
    print(f"{title:<34}" + "".join(f"{cell:>11}" for cell in cells).rstrip())


def show_start(title, times, goal=""):
    row(title, f"{statistics.median(times):.2f} ms", f"{min(times):.2f} ms", goal)


def per_megabyte(by_size, choose):
    return (choose(by_size[SIZES_MB[-1]]) - choose(by_size[SIZES_MB[0]])) / SPAN_MB


def show_uploads(measured, attribute, title, unit, goal=""):
    """A line per mode, and the ratio of the last two columns."""
    slopes = []
    for mode in MODES:
        by_size = {size: [getattr(run, attribute) for run in measured[mode, size]] for size in SIZES_MB}
        medians = [f"{statistics.median(by_size[size]):.1f}" for size in SIZES_MB]
        slope = per_megabyte(by_size, statistics.median)
        slopes.append((slope, per_megabyte(by_size, min)))
        row(f"{title}, {mode}", *medians, f"{slope:.2f} {unit}".rstrip(), f"{slopes[-1][1]:.2f}",
            goal if not MODES[mode] else "")
    (median, least), (reference_median, reference_least) = slopes
    row("  ratio", *[""] * len(SIZES_MB), f"{median / reference_median:.3f}",
        f"{least / reference_least:.3f}")


def show_memory(measured):
    """The kernel counts the memory of the process that called exec, too: ours must be less."""
    size = SIZES_MB[-1]
    own_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MEGABYTE
    for mode in MODES:
        peak_mb = max(run.memory_mb for run in measured[mode, size])
        if peak_mb <= own_mb:
            raise Failure(f"a peak of {peak_mb:.1f} MB may be that of this script")
        row(f"peak at {size} MB, {mode}", f"{peak_mb:.1f} MB", f"+{peak_mb - size:.1f} MB",
            GOALS["memory"])


def show_calls(calls):
    names = sorted(set().union(*calls.values()), key=lambda name: -calls["lock-step"].get(name, 0))
    for name in names:
        counts = [calls[mode].get(name, 0) for mode in MODES]
        if any(count >= 0.05 for count in counts):
            row(f"  {name}", *[f"{count:.1f}" for count in counts])
    row("  all", *[f"{sum(calls[mode].values()):.1f}" for mode in MODES])


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def bench(options, directory):
    images = write_images(directory)
    program = options.esp_ota
    print(f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} CPUs, Linux"
          f" {platform.release()}, load {os.getloadavg()[0]:.1f}\n")

    row("start-up", "median", "least", "goal")
    signal.alarm(DEADLINE_S)
    show_start("exec to exit, --version", measure_start([program, "--version"], options.starts))
    show_start("exec to the first invitation",
               measure_invitation(program, images[SIZES_MB[0]], options.starts), GOALS["start"])
    show_start("exec to exit, true(1)", measure_start(["true"], options.starts))

    with Board(options.esp_ota_sim) as board:
        measured = measure_uploads(program, board, images, options.runs)
        calls = None
        if shutil.which("strace"):
            calls = measure_calls(program, board, images, directory)

    print()
    sizes = [f"{size} MB" for size in SIZES_MB]
    row(f"uploads, median of {options.runs}", *sizes, "per MB", "least", "goal")
    show_uploads(measured, "wall_ms", "wall ms", "ms")
    show_uploads(measured, "cpu_ms", "CPU ms", "ms", GOALS["cpu"])
    show_uploads(measured, "sleeps", "times asleep", "")
    show_start("MD5 of 1 MB, for comparison", measure_md5(options.starts))

    print()
    row("memory", "peak", "above image", "goal")
    show_memory(measured)

    print()
    row("system calls per MB, strace", *MODES)
    if calls:
        show_calls(calls)
    else:
        row("  not counted: no strace here")


def give_up(*_):
    raise Failure(f"nothing has happened for {DEADLINE_S} s")


def main():
    parser = argparse.ArgumentParser(description="Measures what esp-ota itself costs.")
    parser.add_argument("esp_ota", metavar="ESP-OTA", help="the program")
    parser.add_argument("esp_ota_sim", metavar="ESP-OTA-SIM", help="the simulated board")
    parser.add_argument("--runs", type=int, default=15, help="uploads per size and mode [15]")
    parser.add_argument("--starts", type=int, default=200, help="starts per figure [200]")
    options = parser.parse_args()
    if options.runs < 1 or options.starts < 1:
        parser.error("one run is the least")
    signal.signal(signal.SIGALRM, give_up)
    try:
        with tempfile.TemporaryDirectory(prefix="esp-ota-bench-") as directory:
            bench(options, directory)
    except (Failure, OSError) as error:
        sys.exit(f"bench.py: {error}")


if __name__ == "__main__":
    main()
