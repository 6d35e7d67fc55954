"""What an upload by ESPHome's protocol costs, in the clear and encrypted: its share of what the link allows, and CPU time.

README.md beside this file has figures. Exit status 1: a goal was missed, or something could not be
measured.
"""

import argparse
import base64
import os
import resource
import statistics
import sys
import tempfile
import time

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, name) for name in ("net", "integration")]
import firmware  # pylint: disable=wrong-import-position
import link  # pylint: disable=wrong-import-position

DEADLINE_S = 120
WINDOW, MSS = 5744, 1436
FRAME, FRAME_COST = 1024, 3 + 16  # bytes of the image, and around them
SHARE_GOAL, CPU_GOAL_MS = 0.95, 10
MB, SMALL = 1_000_000, 250_000  # both together fit into the app partition
KEY = base64.b64encode(bytes(range(32))).decode()


class Failure(Exception):
    """Why something could not be measured, in a sentence."""


def children_cpu_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Mode:
    """In the clear, or encrypted: the board's settings, and the program's options."""

    def __init__(self, directory, is_encrypted):
        self.name = "encrypted" if is_encrypted else "clear"
        self.is_encrypted = is_encrypted
        self.board = ("--esphome", "--restart-ms", "200", *(("--esphome-set", f"key={KEY}") if is_encrypted else ()))
        self.options = ("--protocol", "esphome")
        if is_encrypted:
            path = os.path.join(directory, "key")
            with open(path, "w", encoding="ascii") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(KEY + "\n")
            self.options += ("--encryption-key-file", path)

    def wire_size(self, size):
        return size + -(-size // FRAME) * FRAME_COST if self.is_encrypted else size

    def upload(self, options, net, board, image):
        """Seconds and CPU seconds of one upload, from exec to exit."""
        cpu_s, start = children_cpu_s(), time.monotonic()
        program = net.upload(options.esp_ota, "-q", "--retries", "0", *self.options, "-f", image)
        status = program.wait(DEADLINE_S)
        seconds, cpu_s = time.monotonic() - start, children_cpu_s() - cpu_s
        if status != 0:
            raise Failure(f"{self.name}: exit status {status}: {program.output.strip()}")
        board.wait_for(" open")
        return seconds, cpu_s


def link_share(options, modes, round_trip_ms, images):
    """Prints a row for each mode; returns what missed the goal. Whatever else the machine does only ever adds."""
    misses = []
    for mode in modes:
        with link.Link(options.ota_link, delay=round_trip_ms / 2) as net:
            board = net.simulate(options.esp_ota_sim, "--fast", "--family", "esp32", "--window", str(WINDOW), "--mss", str(MSS),
                                 *mode.board)
            fixed_s = min(mode.upload(options, net, board, images["tiny"])[0] for _ in range(options.runs))
            seconds = min(mode.upload(options, net, board, images["link"])[0] for _ in range(options.runs))
            round_trip_s = min(statistics.median(net.round_trips(20, WINDOW // MSS, MSS)) for _ in range(options.runs))
        limit_s = fixed_s + mode.wire_size(options.size) * round_trip_s / WINDOW
        print(f"{round_trip_ms:>5}  {mode.name:<10}{seconds:>9.2f}{limit_s:>9.2f}{limit_s / seconds:>10.3f}", flush=True)
        if limit_s / seconds < SHARE_GOAL:
            misses.append(f"{mode.name}, {round_trip_ms} ms: {limit_s / seconds:.3f} of the limit")
    return misses


def cpu_per_mb(options, modes, images):
    """What another megabyte costs, least times. The modes take turns, so a busy machine slows both."""
    least = {(mode.name, name): float("inf") for mode in modes for name in ("small", "large")}
    for _ in range(options.runs):
        for mode in modes:
            with link.Link(options.ota_link) as net:
                board = net.simulate(options.esp_ota_sim, "--fast", "--family", "esp32", *mode.board)
                for name in ("small", "large"):
                    cpu_s = min(mode.upload(options, net, board, images[name])[1] for _ in range(options.runs))
                    least[mode.name, name] = min(least[mode.name, name], cpu_s)
    cost_ms = {mode.name: (least[mode.name, "large"] - least[mode.name, "small"]) * 1000 for mode in modes}
    more_ms = cost_ms["encrypted"] - cost_ms["clear"]
    print(f"\nCPU per MB: {cost_ms['clear']:.1f} ms in the clear, {cost_ms['encrypted']:.1f} ms encrypted, {more_ms:.1f} ms more")
    return [f"encryption costs {more_ms:.1f} ms of CPU time per MB"] if more_ms >= CPU_GOAL_MS else []


def write_images(directory, sizes):
    paths = {}
    for name, size in sizes.items():
        paths[name] = os.path.join(directory, f"{name}.bin")
        with open(paths[name], "wb") as file:
            file.write(firmware.esp32_sketch(size))
    return paths


def bench(options, directory):
    images = write_images(directory, {"tiny": 336, "link": options.size, "small": SMALL, "large": SMALL + MB})
    modes = [Mode(directory, is_encrypted) for is_encrypted in (False, True)]
    print(f"{time.strftime('%Y-%m-%d')}, {options.size} bytes, the least of {options.runs} runs, "
          f"Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}\n")
    print(f"{'rtt':>5}  {'':<10}{'seconds':>9}{'limit':>9}{'of limit':>10}")
    misses = []
    for round_trip_ms in options.round_trip:
        misses += link_share(options, modes, round_trip_ms, images)
    misses += cpu_per_mb(options, modes, images)
    for miss in misses:
        print(f"goal missed: {miss}")
    return bool(misses)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("esp_ota", metavar="ESP-OTA", help="the program")
    parser.add_argument("esp_ota_sim", metavar="ESP-OTA-SIM", help="the simulated board")
    parser.add_argument("ota_link", metavar="OTA-LINK", help="the link")
    parser.add_argument("--size", type=int, default=256 * 1024, help="bytes of the image on the link [%(default)s]")
    parser.add_argument("--runs", type=int, default=3, help="uploads of each kind [%(default)s]")
    parser.add_argument("--round-trip", type=int, nargs="+", default=(2, 10, 50), metavar="MS")
    options = parser.parse_args()
    reason = link.missing()
    if reason:
        sys.exit(f"bench_esphome.py: {reason}")
    try:
        with tempfile.TemporaryDirectory(prefix="esp-ota-bench-") as directory:
            sys.exit(bench(options, directory))
    except (Failure, AssertionError, OSError) as error:
        sys.exit(f"bench_esphome.py: {error}")


if __name__ == "__main__":
    main()
