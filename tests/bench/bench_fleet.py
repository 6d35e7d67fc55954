"""How long a fleet takes, against one board and against a shell loop.

The boards are simulated, on loopback, with flash and TCP window of real ones, so that they are what
takes time. FLEET.md beside this file shows figures and says what limits them. Nothing is judged here:
the exit status is 1 only if something could not be measured.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
import firmware  # pylint: disable=wrong-import-position

SIZE = 300_000
MEGABYTE = 1_000_000
COUNTS = (1, 10, 100, 500, 1000, 5000)
SIMULATOR_MAX = 1000  # boards of one simulator
LOOP_MAX = 500  # boards for which xargs is run, too
BOARD = ("--flash", "realistic", "--window", "5744", "--mss", "1436")
FAMILIES = {"esp8266": ("--family", "esp8266"),
            "esp32": ("--family", "esp32"),
            "esp32, SHA-256 password": ("--family", "esp32-sha256", "--password", "kwert"),
            "esp8266, update page": ("--family", "esp8266", "--web", "esp8266")}
DEADLINE_S = 120


class Floor:
    """Simulated boards at consecutive addresses, each simulator in a network of its own of 127.0.0.0/8."""

    def __init__(self, simulator, count, options):
        self.scheme = "http://" if "--web" in options else ""
        self.targets = []
        self._processes = []
        while len(self.targets) < count:
            self._start(simulator, min(count - len(self.targets), SIMULATOR_MAX), options)

    def _start(self, simulator, count, options):
        address = f"127.{201 + len(self._processes) // 2}.0.1"
        process = subprocess.Popen([simulator, "--address", address, "--port", "0", "--count", str(count), *BOARD,
                                    *options], stdout=subprocess.PIPE, text=True)
        lines = (line.split() for line in process.stdout)
        self.targets += [self.scheme + next(fields for fields in lines if fields[1] == "ready")[0] for _ in range(count)]
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        self._processes += [process, drain]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes:
            if process.stdout:
                process.kill()
                process.stdout.close()
            process.wait()


def run(command, environment, stdin=None):
    """Seconds, and seconds of CPU time."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], **environment}, stdin=stdin,
                               stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench_fleet: exit status {process.returncode}: {shlex.join(command)[:200]}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def fleet(program, floor, image, watch, directory, clock):
    log = os.path.join(directory, "watch")
    targets = [argument for target in floor.targets for argument in ("-i", target)]
    figures = run([program, "-q", "-a", "kwert", "-f", image, "-j", str(len(floor.targets)), *targets],
                  {"LD_PRELOAD": watch, "LOOP_WATCH": log, **clock})
    with open(log, encoding="ascii") as file:
        gap_ms, memory_kb = map(float, file.read().split())
    return *figures, memory_kb * 1024 / MEGABYTE, gap_ms


def shell_loop(program, floor, image, directory):
    """What people write instead: as many processes at a time as there are boards."""
    with open(os.path.join(directory, "targets"), "w+", encoding="ascii") as targets:
        targets.write("\n".join(floor.targets))
        targets.seek(0)
        return run(["xargs", "-P", str(len(floor.targets)), "-I", "{}", program, "-q", "-a", "kwert",
                    "-f", image, "-i", "{}"], {}, targets)


def take_turns(arguments, options, image, directory, clock):
    """Two builds of the program, one after the other."""
    for count in (count for count in arguments.counts for _ in range(arguments.runs)):
        for program in (arguments.versus, arguments.program):
            with Floor(arguments.simulator, count, options) as floor:
                seconds, cpu, memory, gap = fleet(program, floor, image, arguments.watch, directory, clock)
            print(f"{count:>8}{seconds:>7.2f} s{'':8}{cpu / count * 1e3:>8.1f} ms{memory:>6.1f} MB{gap:>8.1f} ms"
                  f"  {program}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("program", "simulator", "watch"):
        parser.add_argument(name)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--versus", help="another build of the program: both take turns, and xargs is left out")
    parser.add_argument("--runs", type=int, default=1, help="of each count with --versus")
    parser.add_argument("--cpu-gap", action="store_true", help="measure the gap in CPU time of the program")
    arguments = parser.parse_args()
    clock = {"LOOP_WATCH_CPU": "1"} if arguments.cpu_gap else {}
    with tempfile.TemporaryDirectory() as directory:
        image = os.path.join(directory, "firmware.bin")
        print(f"an image of {SIZE} bytes; goals: 1.3 times one board's time at 500, gap 50 ms, 64 MB")
        for family, options in ((family, FAMILIES[family]) for family in arguments.families):
            with open(image, "wb") as file:
                file.write(firmware.sketch(family, SIZE))
            print(f"\n{family}\n{'boards':>8}{'time':>9}{'of one':>8}{'CPU/board':>11}{'memory':>9}"
                  f"{'worst gap':>11}{'xargs':>9}{'CPU/board':>11}")
            if arguments.versus:
                take_turns(arguments, options, image, directory, clock)
                continue
            alone = None
            for count in arguments.counts:
                with Floor(arguments.simulator, count, options) as floor:
                    seconds, cpu, memory, gap = fleet(arguments.program, floor, image, arguments.watch,
                                                      directory, clock)
                alone = alone or seconds
                line = (f"{count:>8}{seconds:>7.2f} s{seconds / alone:>8.2f}{cpu / count * 1e3:>8.1f} ms"
                        f"{memory:>6.1f} MB{gap:>8.1f} ms")
                if count <= LOOP_MAX:
                    with Floor(arguments.simulator, count, options) as floor:
                        seconds, cpu = shell_loop(arguments.program, floor, image, directory)
                    line += f"{seconds:>7.2f} s{cpu / count * 1e3:>8.1f} ms"
                print(line, flush=True)


if __name__ == "__main__":
    main()
