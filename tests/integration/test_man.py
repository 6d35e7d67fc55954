#!/usr/bin/env python3
"""The manual pages and README.md say what the program does: options, exit statuses, JSON, aliases."""

import json
import os
import re
import signal
import subprocess
import unittest

import firmware
from scenario import DEADLINE_S, SIMULATOR, Program, Scenario, address, image, run, sketch
from telnet_board import TelnetBoard

SOURCE = os.environ["ESP_OTA_SOURCE"]
COMMON = {"event", "time", "board"}  # of every line of JSON


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


PAGES = sorted(os.listdir(os.path.join(SOURCE, "man")))


def man_page(name="esp-ota.1"):
    """Its text, with \\- as a plain hyphen."""
    return read("man", name).replace("\\-", "-")


def section(text, title):
    return re.search(rf"^\.SH {title}\n(.*?)(?=^\.SH )", text, re.M | re.S)[1]


def titles(text):
    return re.findall(r"^\.SH (.*)$", text, re.M)


def shown_options():
    """The options that --help prints."""
    return set(re.findall(r"(?:^ +|, | and )(--?[a-zA-Z][a-z0-9_-]*)", run("--help").out, re.M))


def simulator_options():
    """The options of the simulated board."""
    shown = subprocess.run([SIMULATOR, "--help"], text=True, capture_output=True, check=True, timeout=DEADLINE_S).stdout
    return set(re.findall(r"^  (?:-\w, |    )(--[a-z0-9-]+)", shown, re.M)) | {"--help", "--fault"}


def commands(text):
    """The command lines of esp-ota in a text: lines of their own, and those in back quotes."""
    text = re.sub(r"\\e?\n", "", text)
    return re.findall(r"^(?:\$ )?(?:\w+=\S+ )?esp-ota .*$|`esp-ota [^`]*`", text, re.M)


def errors():
    """Code and exit status of each row of the table in error.c."""
    rows = re.findall(r'\[OTA_(?:OK|E_\w+)\] =\s*\{\s*\.name = "([a-z-]+)",\s*(?:\.exit_status = (\d+),)?',
                      read("src", "base", "error.c"))
    return {(name, status or "0") if name != "interrupted" else (name, "128+n") for name, status in rows}


def documented_keys():
    """Those of each event besides the common ones."""
    events = re.findall(r"^\.TP\n\.B (\w+)\n(.*?)(?=^\.TP|\Z|^\.PP)", section(man_page("esp-ota-json.7"), "EVENTS"),
                        re.M | re.S)
    return {name: set(re.findall(r"^\.BR? (\w+)(?= |$)", text, re.M)) for name, text in events}


class Documentation(Scenario):

    def test_options(self):
        described = set(re.findall(r"--[a-z0-9][a-z0-9_-]+|(?<=[\s\"])-[a-zA-Z](?=,)",
                                   section(man_page(), "OPTIONS")))
        shown = shown_options()
        self.assertGreater(len(shown), 30)
        self.assertEqual(shown - described, set(), "in --help only")
        spelt_otherwise = {"--filesystem", "--host_ip", "--host_port", "--auth="}
        self.assertEqual(described - shown - spelt_otherwise, set(), "in the manual page only")

    def test_options_of_other_pages(self):
        """They mention only options that exist."""
        others = {"--upload-field", "--upload-property",  # of arduino-cli
                  "--no-"} | simulator_options()
        for name in PAGES:
            if name != "esp-ota.1":
                with self.subTest(name):
                    mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", man_page(name)))
                    self.assertEqual(mentioned - shown_options() - others, set())

    def test_defaults(self):
        """The manual page has every default that --help shows as a number."""
        shown = re.findall(r"(--[a-z-]+)(?:(?!\n +-)[\s\S])*?\[(\d+M?)\]", run("--help").out)
        self.assertGreater(len(shown), 6)
        options = re.split(r"^\.TP\n", section(man_page(), "OPTIONS"), flags=re.M)
        for option, default in shown:
            (text,) = [text for text in options if re.search(rf"{option}\b(?!-)", text.split("\n")[0])]
            self.assertRegex(" ".join(text.split()), rf"\bdefault,? {default}\b|from {default}, the default", option)

    def test_environment(self):
        """Every variable that the program reads is described, and no other one but popt's."""
        read_names = set()
        for folder, _, names in os.walk(os.path.join(SOURCE, "src")):
            for name in names:
                read_names |= set(re.findall(r'(?:getenv\(|\bNAME\[\] = )"(\w+)"', read(folder, name)))
        described = set(re.findall(r"^\.TP\n\.B (\w+)$", section(man_page(), "ENVIRONMENT"), re.M))
        self.assertEqual(described, read_names | {"HOME"})

    def test_readme_options(self):
        """README.md, CHANGELOG.md and SECURITY.md mention only options that exist."""
        others = {"--build", "--export-binaries", "--install", "--network", "--output-dir", "--preset",
                  "--no-"} | simulator_options()  # of cmake, arduino-cli and docker
        for name in ("README.md", "CHANGELOG.md", "SECURITY.md"):
            with self.subTest(name):
                mentioned = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", read(name)))
                self.assertGreater(len(mentioned), 2)
                self.assertEqual(mentioned - shown_options() - others - {"--kitchen"}, set())

    def test_simulated_board(self):
        """esp-ota-sim(1) has the options of its --help."""
        options = simulator_options()
        page = read("tests", "device", "esp-ota-sim.1").replace("\\-", "-")
        documented = set(re.findall(r"^\.BI? \"?(?:-\w, )?(--[a-z0-9-]+)", page, re.M))
        self.assertGreater(len(options), 30)
        self.assertEqual(documented, options)

    def test_version_of_the_simulated_board(self):
        version = re.search(r"^project\(esp-ota VERSION (\S+)", read("CMakeLists.txt"), re.M)[1]
        for option in ("--version", "-V"):
            result = subprocess.run([SIMULATOR, option], capture_output=True, text=True, check=True, timeout=DEADLINE_S)
            self.assertEqual((result.stdout, result.stderr), (f"esp-ota-sim {version}\n", ""))

    def test_sections(self):
        """Readers find examples before the reference, and where to report a bug at the end."""
        found = titles(man_page())
        self.assertEqual(found[:5], ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "OPTIONS"])
        self.assertEqual(found[-2:], ["SEE ALSO", "REPORTING BUGS"])
        for title in ("EXIT STATUS", "ENVIRONMENT", "FILES", "TROUBLESHOOTING"):
            self.assertIn(title, found)
        for name in PAGES:
            with self.subTest(name):
                found = titles(man_page(name))
                self.assertEqual(found[0], "NAME")
                self.assertIn("DESCRIPTION", found[1:3])
                self.assertEqual(len(found), len(set(found)))
                if name != "esp-ota.1":
                    self.assertEqual(found[-1], "SEE ALSO")

    def test_heads(self):
        """The first line of a page has its name and its section; the version is that of --version alone."""
        for name in PAGES:
            with self.subTest(name):
                title, number, program = re.match(r"(?:'.*\n)?\.TH (\S+) (\d) \S+ \"(.*?)\"", man_page(name)).groups()
                self.assertEqual((f"{title.lower()}.{number}", program), (name, "esp-ota"))
                self.assertTrue(section(man_page(name), "NAME").startswith(name.split(".")[0] + " "))

    def test_references(self):
        """Every page that a page names exists, and esp-ota(1) and the others name each other."""
        named = {}
        for name in PAGES:
            pages = re.findall(r"^\.BR (esp-ota[a-z-]*) \((\d)", man_page(name), re.M)
            named[name] = {f"{page}.{number}" for page, number in pages}
            self.assertLessEqual(named[name], {*PAGES, "esp-ota-sim.1"}, name)
        for name in PAGES:
            if name != "esp-ota.1":
                self.assertIn("esp-ota.1", named[name], name)
                self.assertIn(name, named["esp-ota.1"])

    def test_nothing_is_said_twice(self):
        """No long line of text stands in two places."""
        lines = [line for name in PAGES for line in re.findall(r"^[A-Z].{50,}$", read("man", name), re.M)]
        self.assertEqual([line for line in set(lines) if lines.count(line) > 1], [])

    def test_commands(self):
        """The commands that people copy have only options that exist."""
        shown = shown_options()
        alias = {"--kitchen"}
        for name, text in (("esp-ota.1", section(man_page(), "EXAMPLES")), ("README.md", read("README.md"))):
            lines = commands(text)
            self.assertGreater(len(lines), 8, name)
            for line in lines:
                options = set(re.findall(r"(?<=\s)(--?[a-zA-Z][a-z0-9_-]*)", line.split(" | ")[0]))
                self.assertEqual(options - shown - alias, set(), f"{name}: {line}")

    def test_first_commands(self):
        """The README's first commands need nothing but what the demo has made."""
        section_text = re.search(r"## Try it\n(.*?)\n## ", read("README.md"), re.S)[1]
        lines = re.findall(r"^\$ build/release/(.*)$", section_text, re.M)
        self.assertEqual(lines[0], "tests/device/esp-ota-sim -F esp32 &")
        board = self.board(family="esp32")
        path = self.file("demo.bin", firmware.esp32_sketch(400000))
        for line in lines[1:]:
            words = line.replace("build/release/demo.bin", path).replace("127.0.0.1", board.address).split()
            result = run(*words[1:])
            self.assertEqual((words[0], result.status), ("esp-ota", 0), result)
            self.assertNotIn("warning", result.err)
        board.wait_for("upload result=ok")

    def test_exit_statuses(self):
        page = section(man_page(), "EXIT STATUS").replace("\\fI", "").replace("\\fR", "")
        documented = {(name, status) for status, name in
                      re.findall(r"^(\d+|128\+n)\t([a-z-]+)\t", page, re.M)}
        self.assertEqual(len(errors()), len(re.findall(r"\[OTA_(?:OK|E_\w+)\] =", read("src", "base", "error.c"))))
        self.assertEqual(documented, errors())
        readme = re.search(r"## Exit status\n(.*?)\n## ", read("README.md"), re.S)[1]
        self.assertEqual(set(re.findall(r"^\| (\d+\S*) \|", readme, re.M)),
                         {status for _, status in errors()})

    def json_events(self, *arguments, status):
        """The events of one run."""
        result = run("--json", *arguments)
        self.assertEqual(result.status, status, result)
        return [json.loads(line) for line in result.out.splitlines()]

    def log_events(self):
        """Those of a board whose log is only followed, but for the start, which has fewer keys."""
        board = TelnetBoard(directory=self.directory, say=("alive",))
        self.addCleanup(board.close)
        start, *events = self.json_events("-i", board.address, f"--monitor={board.telnet_port}",
                                          "--expect", "alive", status=0)
        self.assertEqual((start["event"], start.keys() - COMMON), ("start", {"version", "file"}))
        self.assertEqual([events[-1][key] for key in ("event", "port", "command", "sha256", "original_size")],
                         ["result", board.telnet_port, None, None, None])
        self.assertIn("log", {event["event"] for event in events})
        for port, status, message in (("9", 12, "its log was never reached: nothing listens on the board's TCP port 9"),
                                      (board.telnet_port, 0, "nothing was sent; the log was followed")):
            *_, result = self.json_events("-i", board.address, f"--monitor={port}", "--monitor-for", "0.5",
                                          status=status)
            self.assertEqual((result["event"], result["board"], result["exit_status"], result["message"]),
                             ("result", board.address, status, message))
        return events

    def serve_events(self, path):
        """The events until the server that nobody asks is interrupted."""
        program = Program(f"--serve={address()}:0", "-f", path, "--json")
        program.wait_for('"event": ?"serving"')
        program.send_signal(signal.SIGINT)
        return [json.loads(line) for line in program.result().out.splitlines()]

    def test_json(self):
        documented = documented_keys()
        board = self.board("-P", "kwert", "--fault", "drop-invitation", family="esp32")
        path = self.file("fw.bin", sketch("esp32"))
        common = ("-i", board.address, "-p", str(board.port), "-f", path)
        success = self.json_events(*common, "-a", "kwert", status=0)
        fleet = self.json_events("-i", address(), *common, "--max-failures", "1", "-j", "1", "-t", "0.1",
                                 "--retries", "0", status=5)
        check = self.json_events("--check", "-f", path, status=0)
        written = self.json_events("-z", "--output", path + ".gz", "-f", self.file("8266.bin", sketch("esp8266")), status=0)
        settings = self.json_events("--show-config", "-t", "5", status=0)
        emitted = {event["event"]: event.keys() - COMMON
                   for event in fleet + self.serve_events(path) + check + written + settings + success + self.log_events()}
        documented.pop("board")  # test_list.py
        self.assertEqual(documented, emitted)
        failure = self.json_events(*common, "-a", "wrong", "--retries", "0", status=6)
        self.assertEqual({event["event"] for event in failure},
                         {"start", "resolved", "invited", "note", "result"})
        for event in failure:
            self.assertEqual(event.keys() - COMMON, documented[event["event"]], event)

    def test_json_without_board(self):
        """What fails before a board is asked: only the keys that come without one, board null."""
        keys = {"ok", "exit_status", "code", "message"}
        self.assertLess(keys, documented_keys()["result"])
        for status, arguments in ((2, ("--frobnicate",)),
                                  (3, ("-i", address(), "-f", "/nonexistent/fw.bin")),
                                  (1, ("-i", address(), "--monitor", "--log", "/nonexistent/log"))):
            with self.subTest(status):
                (event,) = self.json_events(*arguments, status=status)
                self.assertEqual(event.keys(), COMMON | keys)
                self.assertIsNone(event["board"])

    def test_json_examples(self):
        """There is one of each kind, and it has the keys that are described."""
        text = section(man_page("esp-ota-json.7"), "EXAMPLES")
        lines = re.search(r"^\.nf\n\.RS\n(.*?)^\.RE$", text, re.M | re.S)[1]
        examples = [json.loads(line) for line in lines.replace("\n  ", "").splitlines()]
        self.assertEqual({event["event"]: event.keys() - COMMON for event in examples},
                         documented_keys())
        (note,) = (event for event in examples if event["event"] == "note")
        nobody = address()
        notes = [event["message"] for event in self.json_events("-i", f"{nobody}:3232", "-t", "1", "-f", self.file(
            "fw.bin", sketch("esp32")), status=5) if event["event"] == "note"]
        self.assertIn(note["message"].replace("127.77.0.22", nobody), notes)

    def test_alias(self):
        """The line in the manual page works, with another address and file."""
        line = re.search(r"^esp-ota alias --kitchen .*$", man_page(), re.M)[0]
        board = self.board("-P", "kwert")
        password = self.file("password", b"kwert\n")
        home = os.path.dirname(password)
        line = line.replace("kitchen.local", board.address)
        line = line.replace("/home/me/ota-pass", password)
        self.file(".popt", line.encode() + b"\n")
        result = run("--kitchen", "-f", self.file("fw.bin", image()), HOME=home)
        self.assertEqual((result.status, result.out), (0, ""), result)
        board.wait_for("upload result=ok")


if __name__ == "__main__":
    unittest.main()
