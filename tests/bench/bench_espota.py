"""esp-ota and espota.py upload the same sketch to the same simulated ESP32, taking turns.

README.md beside this file has figures. Nothing is judged here: the exit status is 1 only if something
could not be measured.
"""

import argparse
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
BOARD = ("--family", "esp32", "--window", "5744", "--mss", "1436", "--fast")


class Failure(Exception):
    """Why something could not be measured, in a sentence."""


def children_cpu_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def upload(net, board, command, image):
    """Seconds and CPU seconds of one upload, from exec to exit."""
    cpu_s, start = children_cpu_s(), time.monotonic()
    program = net.start(*net.host.command(*command, "-i", board.address, "-p", str(link.BOARD_PORT), "-f", image))
    status = program.wait(DEADLINE_S)
    seconds, cpu_s = time.monotonic() - start, children_cpu_s() - cpu_s
    if status != 0:
        raise Failure(f"{command[-1]}: exit status {status}: {program.output.strip()}")
    board.wait_for("upload result=ok")
    board.wait_for(" open")
    return seconds, cpu_s


def measure(options, commands, round_trip_ms, flash, image):
    """{name: [(seconds, CPU seconds), ...]} on one link; the programs take turns, so a busy machine slows both."""
    results = {name: [] for name in commands}
    with link.Link(options.ota_link, delay=round_trip_ms / 2) as net:
        board = net.simulate(options.esp_ota_sim, *BOARD, "--flash", flash)
        board.address = net.board.address
        for _ in range(options.runs):
            for name, command in commands.items():
                results[name].append(upload(net, board, command, image))
    return results


def bench(options, directory):
    image = os.path.join(directory, "firmware.bin")
    with open(image, "wb") as file:
        file.write(firmware.esp32_sketch(options.size))
    commands = {"esp-ota": (options.esp_ota, "-q"), "espota.py": (sys.executable, options.espota_py)}
    print(f"{time.strftime('%Y-%m-%d')}, {options.size} bytes, medians of {options.runs} runs,"
          f" Linux {os.uname().release}, load {os.getloadavg()[0]:.1f}\n")
    print(f"{'rtt':>5}  {'flash':<10}{'esp-ota':>9}{'espota.py':>11}{'ratio':>7}{'CPU':>9}{'CPU':>11}")
    for round_trip_ms in options.round_trip:
        for flash in ("none", "realistic"):
            results = measure(options, commands, round_trip_ms, flash, image)
            (ours_s, ours_cpu_s), (theirs_s, theirs_cpu_s) = (
                [statistics.median(values) for values in zip(*runs)] for runs in results.values())
            print(f"{round_trip_ms:>5}  {flash:<10}{ours_s:>9.2f}{theirs_s:>11.2f}{theirs_s / ours_s:>7.1f}"
                  f"{ours_cpu_s:>9.3f}{theirs_cpu_s:>11.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("esp_ota", metavar="ESP-OTA", help="the program")
    parser.add_argument("esp_ota_sim", metavar="ESP-OTA-SIM", help="the simulated board")
    parser.add_argument("ota_link", metavar="OTA-LINK", help="the link")
    parser.add_argument("espota_py", metavar="ESPOTA.PY", help="tools/espota.py of arduino-esp32")
    parser.add_argument("--size", type=int, default=400_000, help="bytes of the image [%(default)s]")
    parser.add_argument("--runs", type=int, default=5, help="uploads with each [%(default)s]")
    parser.add_argument("--round-trip", type=int, nargs="+", default=(2, 10, 50), metavar="MS")
    options = parser.parse_args()
    reason = link.missing()
    if reason:
        sys.exit(f"bench_espota.py: {reason}")
    if not os.path.isfile(options.espota_py):
        sys.exit(f"bench_espota.py: no such file: {options.espota_py}")
    try:
        with tempfile.TemporaryDirectory(prefix="esp-ota-bench-") as directory:
            bench(options, directory)
    except (Failure, AssertionError, OSError) as error:
        sys.exit(f"bench_espota.py: {error}")


if __name__ == "__main__":
    main()
