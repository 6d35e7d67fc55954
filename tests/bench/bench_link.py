"""How near an upload comes to what the board and the air allow, over links like Wi-Fi.

Each cell of the table has a link, and a board behind it, of its own. LINK.md beside this file says
what the columns mean and what the figures show. Exit status 1: a goal was missed, or a cell could
not be measured.
"""

import argparse
import concurrent.futures
import dataclasses
import itertools
import os
import statistics
import sys
import tempfile
import time

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
sys.path[:0] = [os.path.join(TESTS, name) for name in ("net", "integration")]
import firmware  # pylint: disable=wrong-import-position
import link  # pylint: disable=wrong-import-position

SECTOR = 4096
BLOCK = 16  # sectors
GOAL = 0.95
DEADLINE_S = 120
MODES = {"streaming": (), "lock-step": ("--lockstep",)}
PAGE_SMALL = 16 * 1024  # bytes: what an upload to a page costs besides its size
PAGE_SPACE = 1 << 20    # pages begin an update of all the space, whatever the image


@dataclasses.dataclass(frozen=True)
class Board:
    """A family, its TCP, and what its flash costs in seconds: as in tests/device/family.c."""

    family: str
    window: int
    mss: int
    sector_s: float  # erased for and written
    block_s: float   # where whole blocks are erased: a block
    write_s: float   # a sector of it
    read_size: int   # 0: to the end of the sector

    def flash_s(self, sector, sectors):
        if self.block_s and sector < sectors // BLOCK * BLOCK:
            return self.write_s + (self.block_s if sector % BLOCK == 0 else 0)
        return self.sector_s


BOARDS = (Board("esp8266", 2144, 536, 0.050, 0, 0, 0),
          Board("esp32", 5744, 1436, 0.039, 0.200, 0.004, 1460))


@dataclasses.dataclass(frozen=True)
class Cell:
    board: Board
    flash: str
    round_trip_ms: int
    loss: float


@dataclasses.dataclass
class Sample:
    """One link: both modes, an upload of next to nothing, and the round trip."""

    seconds: dict
    repeated: dict  # segments sent again
    fixed_s: float
    round_trip_s: float


class Failure(Exception):
    """Why a cell could not be measured, in a sentence."""


def write_images(directory, family, sizes):
    """The paths of sketches that boards of the family install."""
    paths = {}
    for name, size in sizes.items():
        paths[name] = os.path.join(directory, f"{family}-{size}.bin")
        with open(paths[name], "wb") as file:
            file.write(firmware.sketch(family, size))
    return paths


def upload_s(net, board, program, *options):
    start = time.monotonic()
    upload = net.upload(program, "-q", "--retries", "0", *options)
    status = upload.wait(DEADLINE_S)
    seconds = time.monotonic() - start
    if status != 0:
        raise Failure(f"exit status {status}: {upload.output.strip()}")
    board.wait_for(" open")
    return seconds


def measure_fixed(options, cell, images):
    """All that does not grow with the image, and the round trip; on a link that loses nothing."""
    with link.Link(options.ota_link, delay=cell.round_trip_ms / 2) as net:
        board = net.simulate(options.esp_ota_sim, "--fast", "--family", cell.board.family)
        fixed = [upload_s(net, board, options.esp_ota, "-f", images[cell.board.family]["tiny"]) for _ in range(3)]
        window = cell.board.window // cell.board.mss
        return (statistics.median(fixed),
                statistics.median(net.round_trips(20, window, cell.board.mss)))


def check_window(net, cell):
    window = net.counters()["board"]["window"]
    if window != cell.board.window:
        raise Failure(f"the board's window is {window} bytes, not {cell.board.window}")


def measure(options, cell, images, seed):
    fixed_s, round_trip_s = measure_fixed(options, cell, images)
    sample = Sample({}, {}, fixed_s, round_trip_s)
    for mode, switches in MODES.items():
        with link.Link(options.ota_link, delay=cell.round_trip_ms / 2, loss=cell.loss,
                       seed=seed) as net:
            board = net.simulate(options.esp_ota_sim, "--fast", "--family", cell.board.family,
                                 "--window", str(cell.board.window), "--mss", str(cell.board.mss),
                                 "--flash", cell.flash)
            sample.seconds[mode] = upload_s(net, board, options.esp_ota, "-f",
                                            images[cell.board.family]["image"], *switches)
            check_window(net, cell)
            sample.repeated[mode] = net.counters()["host"]["repeated"]
    return sample


def limit_s(cell, size, round_trip_s, space=0):
    """The limit that issue 3 names: the slower of window and flash, as if they never met. The board
    erases its flash for size bytes, or for as many as space."""
    window_s = size * round_trip_s / cell.board.window
    sectors = -(-size // SECTOR)
    planned = max(sectors, space // SECTOR)
    flash_s = sum(cell.board.flash_s(sector, planned) for sector in range(sectors))
    return max(window_s, flash_s if cell.flash != "none" else 0)


def ideal_s(cell, size, round_trip_s, space=0):
    """What a perfect sender would take: a segment arrives a round trip after there was room for it.
    The board reads as tests/device/channel.c does, and nothing while it writes.
    """
    board = cell.board
    sectors = -(-size // SECTOR)
    planned = max(sectors, space // SECTOR)
    received = flashed = 0
    now_s = 0.0
    arrivals_s = [0.0] * (board.window // board.mss)  # of segments
    while received < size:
        now_s = max(now_s, arrivals_s[received // board.mss])
        arrived = sum(1 for time_s in arrivals_s if time_s <= now_s) * board.mss
        most = board.read_size or SECTOR - received % SECTOR
        received = min(received + most, arrived, size)
        while (len(arrivals_s) + 1) * board.mss <= received + board.window:
            arrivals_s.append(now_s + round_trip_s)
        if cell.flash == "none":
            continue
        while received - flashed * SECTOR > SECTOR or (received == size and flashed < sectors):
            now_s += board.flash_s(flashed, planned)
            flashed += 1
    return now_s


HEAD = (f"{'rtt':>5}{'window':>8}  {'flash':<10}{'loss':>5}{'streaming':>11}{'lock-step':>11}"
        f"{'limit':>8}{'ideal':>8}{'of limit':>10}{'of ideal':>10}{'lock-step':>11}{'again':>7}")


def show(cell, size, samples):
    """Prints a row; returns what missed the goals."""
    # Whatever else the machine does only ever adds; loss is a matter of luck.
    typical = statistics.median if cell.loss else min
    seconds = {mode: typical([sample.seconds[mode] for sample in samples]) for mode in MODES}
    fixed_s = min(sample.fixed_s for sample in samples)
    round_trip_s = min(sample.round_trip_s for sample in samples)
    limit = fixed_s + limit_s(cell, size, round_trip_s)
    ideal = max(limit, fixed_s + ideal_s(cell, size, round_trip_s))
    streaming, lockstep = seconds.values()
    again = statistics.mean(sample.repeated["streaming"] for sample in samples)
    print(f"{cell.round_trip_ms:>5}{cell.board.window:>8}  {cell.flash:<10}{cell.loss:>5g}"
          f"{streaming:>11.2f}{lockstep:>11.2f}{limit:>8.2f}{ideal:>8.2f}"
          f"{limit / streaming:>10.3f}{ideal / streaming:>10.3f}{lockstep / streaming:>11.2f}"
          f"{again:>7.1f}", flush=True)
    name = f"{cell.round_trip_ms} ms, {cell.board.window} bytes, flash {cell.flash}, {cell.loss:g} %"
    if streaming > lockstep:
        yield f"{name}: slower than lock-step"
    if not cell.loss and ideal / streaming < GOAL:
        yield f"{name}: {ideal / streaming:.3f} of what can be reached"


def measure_page(options, cell, images):
    """Seconds of an upload to an update page, by image, and the round trip."""
    seconds = {}
    for name in ("small", "image"):
        with link.Link(options.ota_link, delay=cell.round_trip_ms / 2) as net:
            window = cell.board.window // cell.board.mss
            round_trip_s = statistics.median(net.round_trips(20, window, cell.board.mss))
            board = net.simulate(options.esp_ota_sim, "--fast", "--family", cell.board.family, "--web", cell.board.family,
                                 "--window", str(cell.board.window), "--mss", str(cell.board.mss), "--flash", cell.flash)
            seconds[name] = upload_s(net, board, options.esp_ota, "--protocol", "web", "-f",
                                     images[cell.board.family][name])
            if net.counters()["board"]["window"] > cell.board.window:  # less while a head waits to be read
                raise Failure("the board's window is larger than it should be")
    return seconds, round_trip_s


def bench_pages(options, directory):
    """The slope between two sizes, so that start-up, the search for the page and the verdict fall out."""
    sizes = {"small": PAGE_SMALL, "image": options.size}
    images = {board.family: write_images(directory, board.family, sizes) for board in BOARDS}
    print(f"{time.strftime('%Y-%m-%d')}, update pages, from {PAGE_SMALL} to {options.size} bytes, per cell the least of "
          f"{options.runs} runs, Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}\n\n"
          f"{'rtt':>5}{'window':>8}  {'flash':<10}{'transfer':>10}{'ideal':>8}{'of ideal':>10}{'besides':>9}")
    misses = 0
    for round_trip_ms, board, flash in itertools.product(options.round_trip, BOARDS, ("none", "realistic")):
        cell = Cell(board, flash, round_trip_ms, 0)
        samples = [measure_page(options, cell, images) for _ in range(options.runs)]
        round_trip_s = min(sample[1] for sample in samples)
        small, image = (min(sample[0][name] for sample in samples) for name in sizes)
        least = [max(function(cell, size, round_trip_s, PAGE_SPACE) for function in (limit_s, ideal_s))
                 for size in sizes.values()]
        ratio = (least[1] - least[0]) / (image - small)
        misses += ratio < GOAL
        print(f"{round_trip_ms:>5}{board.window:>8}  {flash:<10}{image - small:>10.3f}{least[1] - least[0]:>8.3f}"
              f"{ratio:>10.3f}{small - least[0]:>9.3f}", flush=True)
    print(f"goals missed: {misses}")
    return bool(misses)


def bench(options, directory):
    sizes = {"tiny": 336, "image": options.size}
    images = {board.family: write_images(directory, board.family, sizes) for board in BOARDS}
    print(f"{time.strftime('%Y-%m-%d')}, {options.size} bytes, per cell the least of"
          f" {options.runs} runs, or with loss the median of {options.seeds}, Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}\n\n{HEAD}")
    misses = []
    for loss, round_trip_ms, board, flash in itertools.product(
            options.loss, options.round_trip, BOARDS, ("none", "realistic")):
        cell = Cell(board, flash, round_trip_ms, loss)
        count, jobs = (options.seeds, options.jobs) if loss else (options.runs, 1)
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            samples = list(pool.map(lambda seed: measure(options, cell, images, seed + 1),
                                    range(count)))
        misses.extend(show(cell, options.size, samples))
    for miss in misses:
        print(f"goal missed: {miss}")
    return bool(misses)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("esp_ota", metavar="ESP-OTA", help="the program")
    parser.add_argument("esp_ota_sim", metavar="ESP-OTA-SIM", help="the simulated board")
    parser.add_argument("ota_link", metavar="OTA-LINK", help="the link")
    parser.add_argument("--pages", action="store_true", help="update pages instead of ArduinoOTA")
    parser.add_argument("--quick", action="store_true", help="64 KiB, fewer links: a few minutes")
    parser.add_argument("--size", type=int, default=128 * 1024, help="bytes of the image [%(default)s]")
    parser.add_argument("--seeds", type=int, default=9, help="links per lossy cell [%(default)s]")
    parser.add_argument("--runs", type=int, default=3, help="links per loss-free cell [%(default)s]")
    parser.add_argument("--jobs", type=int, default=4, help="lossy links at a time [%(default)s]")
    parser.add_argument("--loss", type=float, nargs="+", default=(0, 1), metavar="PERCENT")
    parser.add_argument("--round-trip", type=int, nargs="+", default=(2, 10, 50), metavar="MS")
    options = parser.parse_args()
    if options.quick:
        options.size, options.seeds, options.runs = 64 * 1024, 4, 2
    reason = link.missing()
    if reason:
        sys.exit(f"bench_link.py: {reason}")
    try:
        with tempfile.TemporaryDirectory(prefix="esp-ota-bench-") as directory:
            sys.exit((bench_pages if options.pages else bench)(options, directory))
    except (Failure, AssertionError, OSError) as error:
        sys.exit(f"bench_link.py: {error}")


if __name__ == "__main__":
    main()
