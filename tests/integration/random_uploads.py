#!/usr/bin/env python3
"""No false success and no false failure: uploads to boards of every family, with faults at random.

Each upload has a seed of its own, from which its board, its image and its faults follow, and is
judged by what the simulated board says that it has got:

  status 0    if and only if the board has confirmed, and then it has exactly these bytes
  status 11   everything was sent and no verdict came; the board may have the image, once
  any other   the board has installed nothing
  always      no more attempts than allowed, in bounded time, and the report says what happened

A mismatch prints the seed and both command lines. In ctest a few hundred uploads run; by hand,
  ESP_OTA=... ESP_OTA_SIM=... random_uploads.py --count 5000 --seed 7
and one again, with what the board said: --seed 7 --only 4711.
"""

import argparse
import collections
import concurrent.futures
import json
import random
import re
import shlex
import sys
import tempfile
import time

import faults

AT_ONCE = 16
PASSWORD = "pass word"
FAMILIES = {
    "esp8266": "", "pico": "", "ch32h4": "", "esp32": "", "esp32-sha256": "",
    "esp32-sha256 -H md5": "-H md5",
}

# (weight, fault): {at} is a byte of the image, {ms} a pause, {times} how often. What makes esp-ota
# wait for its longest deadlines is rare, so that many uploads fit into a minute.
ANY_TIME = (
    (3, "drop-invitation"), (3, "drop-reply"), (3, "drop-ok"), (2, "duplicate-reply"),
    (2, "duplicate-invitation"), (2, "delay-reply:{ms}"), (1, "stale-auth"),
    (2, "garbage-reply:OKAY"), (1, "big-reply:60000"), (2, "forged-reply:127.0.0.77"),
    (1, "left-waiting"), (2, "closed:{ms}"), (1, "refuse:ERROR[8]: Flash config wrong"),
    (1, "connect-delay:{ms}"), (1, "stranger:127.0.0.78"),
    (8, "reset@{at}*{times}"), (8, "close@{at}*{times}"), (6, "pause:{ms}@{at}"),
    (6, "error:ERROR[1]: Flash Write Failed\\n@{at}*{times}"), (4, "crash@{at}*{times}"),
    (3, "garbage:1460 \\r\\n@{at}"), (5, "corrupt@{at}*{times}"), (4, "flood:20000@{at}"),
    (2, "error-end:ERROR[7]: MD5 verification failed\\n*{times}"), (4, "ok-split"),
    (4, "ok-joined"), (4, "no-numbers"), (5, "ok-missing"), (5, "ok-reset"),
    (1, "stall@{at}*{times}"),
)
WITH_PASSWORD = ((2, "stale-failed"), (3, "drop-auth"), (3, "drop-answer"), (1, "odd-challenge:31"))
RARE = ("ok-never", "never-connect", "trickle@{at}*1")
RARE_IN = 80
SMALLEST = {"esp32": 336, "pico": 264}  # of an image that it takes
ALONE = ("ok-early@{at}",)  # a board that lies: only that the image is not called complete is sure
NO_OK = ("ok-missing", "ok-reset", "ok-never")


def choose_fault(dice, size, has_password):
    if dice.randrange(RARE_IN) == 0:
        order = dice.choice(RARE)
    else:
        table = ANY_TIME + (WITH_PASSWORD if has_password else ())
        order = dice.choices([order for _, order in table], [weight for weight, _ in table])[0]
    return order.format(at=dice.choice((dice.randrange(size), size, min(size, 1460))),
                        ms=dice.randrange(1, 1500), times=dice.choice((1, 1, 2, 0)))


def invent(seed, index):
    """The upload that follows from its seed."""
    dice = random.Random(f"{seed}:{index}")
    family = dice.choice(list(FAMILIES))
    size = int(2 ** dice.uniform(4, 18.5))
    size = max([size, *(least for start, least in SMALLEST.items() if family.startswith(start))])
    has_password = dice.random() < 0.5
    if dice.randrange(25) == 0:
        orders = [dice.choice(ALONE).format(at=dice.randrange(size))]
    else:
        orders = [choose_fault(dice, size, has_password) for _ in range(dice.randint(1, 3))]
    board = [FAMILIES[family], *(["-P", shlex.quote(PASSWORD)] if has_password else []),
             *(f"--fault {shlex.quote(order)}" for order in orders)]
    options = ["--json", "--retries", str(dice.randint(0, 2)), "-t", str(dice.randint(1, 3)),
               *(["--lockstep"] if dice.random() < 0.25 else []),
               *(["-a", shlex.quote(PASSWORD)] if has_password else [])]
    upload = faults.Fault(f"--seed {seed} --only {index}", " ".join(board), " ".join(options),
                          None, "", 0, family=family.split()[0], size=size)
    return upload, orders


def board_differences(fault, orders, board, status, content):
    """What the board has got, against what the exit status says."""
    ends = [event for event in board.events if " upload result=" in event]
    installed = [event for event in ends if " result=ok " in event]
    attempts = 1 + int(re.search(r"--retries (\d)", fault.options).group(1))
    said_ok = bool(installed) and not any(
        f"fault order={order}" in event for event in board.events for order in NO_OK)
    lies = any(order.startswith("ok-early") for order in orders)
    if (status == 0) != said_ok and not lies:
        yield f"status {status}, but the board has {'' if said_ok else 'not '}confirmed"
    if status == 0 and board.received() != content and not lies:
        yield "status 0, but the board has other bytes"
    if status not in (0, 11) and installed and not lies:
        yield f"status {status}, but the board has installed the image"
    if len(installed) > 1:
        yield "the image was installed twice"
    if status == 11 and len(content) - int(re.search(r"bytes=(\d+)", ends[-1]).group(1)) > 32768:
        yield "status 11, but the board cannot have been sent everything"
    if len(ends) > attempts:
        yield f"{len(ends)} attempts, not {attempts}"


def report_differences(result, size):
    events = [json.loads(line) for line in result.out.splitlines()]
    last = events[-1] if events else {}
    if last.get("event") != "result" or last.get("exit_status") != result.status:
        yield "the report does not end with the result"
    elif result.status == 0 and last["bytes"] != size:
        yield "the report counts other bytes"


def bound_s(fault):
    """Three attempts of everything that an attempt can wait for, but not one second forever."""
    return 400 if "trickle" in fault.board or "stall" in fault.board else 200


def run(seed, index, verbose=False):
    """One upload: its exit status, and what is wrong, for a person."""
    fault, orders = invent(seed, index)
    with tempfile.TemporaryDirectory(prefix="esp-ota-random-") as directory:
        upload = faults.Upload(fault, directory)
        try:
            result = upload.run(bound_s(fault))
            upload.board.close()
            found = [*faults.output_differences(result), *report_differences(result, fault.size),
                     *board_differences(fault, orders, upload.board, result.status,
                                        upload.content)]
            status = result.status
        except AssertionError as error:
            found, result, status = [str(error)], "", None
        finally:
            upload.close()
        if not found and not verbose:
            return status, ""
        return status, "\n".join([
            fault.name, *found,
            f"esp-ota-sim -F {fault.family} {' '.join(faults.BOARD_TCP)} --fast {fault.board}",
            f"esp-ota {shlex.join(upload.arguments())} ({fault.size} bytes)", str(result),
            *upload.board.events])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="run just this one, and show it")
    arguments = parser.parse_args()
    if arguments.only is not None:
        status, text = run(arguments.seed, arguments.only, verbose=True)
        print(text)
        return
    started = time.monotonic()
    statuses, wrong = collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for status, text in pool.map(lambda index: run(arguments.seed, index),
                                     range(arguments.count)):
            statuses[status] += 1
            if text:
                wrong += 1
                print(text, end="\n\n", flush=True)
    seconds = time.monotonic() - started
    print(f"{arguments.count} uploads from seed {arguments.seed} in {seconds:.0f} s, {wrong} wrong")
    print("exit statuses:", dict(sorted(statuses.items(), key=str)))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
