#!/usr/bin/env python3
"""Boards whose loop() takes seconds: a sample of what test-handshake_pace tries in virtual time.

What counts is the verdict, and that each answer was judged by the challenge that it was made for:
the board's events tell. When an upload starts within a turn of loop() is left to chance.
"""

import concurrent.futures
import dataclasses
import re
import unittest

from scenario import Board, Program, Scenario, sketch

RIGHT, WRONG = "kwert", "trewk"
MD5_HASH = ("-H", "md5")
PBKDF2 = ("--pbkdf2-ms", "1500")


@dataclasses.dataclass
class Cell:
    loop_ms: int
    family: str
    judged: str             # the board's verdicts on answers, in order
    board: tuple = ()
    password: str = RIGHT   # of the board; None: it has none
    given: str = RIGHT
    challenges: int = 1     # at most

    def __str__(self):
        return (f"{self.family} {' '.join(self.board)}, loop() {self.loop_ms} ms, "
                f"{'right' if self.given == RIGHT else 'wrong'} password")


CELLS = [
    Cell(2500, "esp32-sha256", "failed ok", (*MD5_HASH, *PBKDF2), challenges=2),
    Cell(2500, "esp32-sha256", "failed failed", PBKDF2, given=WRONG, challenges=2),
    Cell(3000, "esp32", "failed", given=WRONG),
    Cell(3700, "esp32", "ok"),
    Cell(3700, "esp32-sha256", "failed failed", given=WRONG, challenges=2),
    # The second invitation makes the first challenge void, and the third one gets another.
    Cell(5000, "esp32", "", password=None, challenges=0),
    Cell(5000, "esp32", "failed", given=WRONG, challenges=2),
    Cell(6000, "esp32", "ok", challenges=2),
    Cell(6000, "esp8266", "ok", challenges=2),
]


def upload(cell, directory):
    """The result, the board's verdicts, and how often it sent a challenge."""
    options = ["--loop-ms", str(cell.loop_ms), *cell.board]
    options += ["-P", cell.password] if cell.password else []
    options += [] if cell.family == "esp8266" else ["--one-per-loop"]
    board = Board(*options, family=cell.family, directory=directory)
    try:
        result = Program("-i", f"{board.address}:{board.port}", "-a", cell.given, "--retries", "0",
                         "-f", f"{directory}/{cell.family}.bin").result()
    finally:
        board.close()
    judged = re.findall(r" answer result=(\w+)", "\n".join(board.events))
    return result, " ".join(judged), board.count(" challenge ")


class SlowLoop(Scenario):

    def test_cells(self):
        for family in {cell.family for cell in CELLS}:
            self.file(f"{family}.bin", sketch(family, 20000))
        with concurrent.futures.ThreadPoolExecutor(len(CELLS)) as pool:
            for cell, (result, judged, challenges) in zip(
                    CELLS, pool.map(lambda cell: upload(cell, self.directory), CELLS)):
                with self.subTest(str(cell)):
                    self.assertEqual(result.status, 6 if cell.given == WRONG else 0, result)
                    self.assertEqual(judged, cell.judged, result)
                    self.assertLessEqual(challenges, cell.challenges, result)


if __name__ == "__main__":
    unittest.main()
