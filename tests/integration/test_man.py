#!/usr/bin/env python3
"""The manual page and README.md say what the program does: options, exit statuses, JSON, aliases."""

import json
import os
import re
import unittest

from scenario import Scenario, image, run

SOURCE = os.environ["ESP_OTA_SOURCE"]


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def man_page():
    """Its text, with \\- as a plain hyphen."""
    return read("man", "esp-ota.1").replace("\\-", "-")


def section(text, title):
    return re.search(rf"^\.SH {title}\n(.*?)(?=^\.SH )", text, re.M | re.S)[1]


def errors():
    """Code and exit status of each row of the table in error.c."""
    rows = re.findall(r'\[OTA_(?:OK|E_\w+)\] =\s*\{\s*"([a-z-]+)",\s*(\d+),', read("src", "error.c"))
    return {(name, status if name != "interrupted" else "128+n") for name, status in rows}


class Documentation(Scenario):

    def test_options(self):
        described = set(re.findall(r"--[a-z0-9][a-z0-9_-]+|(?<=[\s\"])-[a-zA-Z](?=,)",
                                   section(man_page(), "OPTIONS")))
        shown = set(re.findall(r"(?:^ +|, )(--?[a-zA-Z][a-z0-9_-]*)", run("--help").out, re.M))
        self.assertGreater(len(shown), 30)
        self.assertEqual(shown - described, set(), "in --help only")
        spelt_otherwise = {"--filesystem", "--host_ip", "--host_port", "--auth="}
        self.assertEqual(described - shown - spelt_otherwise, set(), "in the manual page only")

    def test_exit_statuses(self):
        page = section(man_page(), "EXIT STATUS").replace("\\fI", "").replace("\\fR", "")
        documented = {(name, status) for status, name in
                      re.findall(r"^(\d+|128\+n)\t([a-z-]+)\t", page, re.M)}
        self.assertEqual(len(errors()), 20)
        self.assertEqual(documented, errors())
        readme = re.search(r"## Exit status\n(.*?)\n## ", read("README.md"), re.S)[1]
        self.assertEqual(set(re.findall(r"^\| (\d+\S*) \|", readme, re.M)),
                         {status for _, status in errors()})

    def test_json(self):
        page = section(man_page(), "JSON OUTPUT")
        common = {"event", "time", "board"}
        documented = {}
        for name, text in re.findall(r"^\.TP\n\.B (\w+)\n(.*?)(?=^\.TP|\Z|^\.PP)", page, re.M | re.S):
            documented[name] = set(re.findall(r"^\.BR? (\w+)(?= |$)", text, re.M))
        board = self.board("-P", "kwert", "--fault", "drop-invitation", family="esp32")
        path = self.file("fw.bin", image())
        result = run("--json", "-i", board.address, "-p", str(board.port), "-a", "kwert", "-f", path)
        self.assertEqual(result.status, 0, result)
        emitted = {}
        for line in result.out.splitlines():
            event = json.loads(line)
            emitted.setdefault(event["event"], set()).update(event.keys() - common)
        self.assertEqual(documented, emitted)

    def test_alias(self):
        """The line in the manual page works, with another address and file."""
        line = re.search(r"^esp-ota alias --kitchen .*$", man_page(), re.M)[0]
        board = self.board("-P", "kwert")
        password = self.file("password", b"kwert\n")
        home = os.path.dirname(password)
        line = line.replace("kitchen.local", board.address)
        line = line.replace("/home/me/.config/ota-password", password)
        self.file(".popt", line.encode() + b"\n")
        result = run("--kitchen", "-f", self.file("fw.bin", image()), HOME=home)
        self.assertEqual((result.status, result.out), (0, ""), result)
        board.wait_for("upload result=ok")


if __name__ == "__main__":
    unittest.main()
