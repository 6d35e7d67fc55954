#!/usr/bin/env python3
"""The configuration: names for boards and groups, settings, which file counts, and what a hostile one can do."""

import base64
import json
import os
import re
import subprocess
import unittest

import firmware
import ide
import requirement
from scenario import DEADLINE_S, PROGRAM, Scenario, environment, run, sketch
from telnet_board import TelnetBoard


HIDDEN = "(its name is not shown: it may be the secret itself)"
AWAY = ("--reboot-ms", "3000")  # long enough for the log to see it, on a busy machine too


class Config(Scenario):
    """A home directory with a project in it, which is the top of a repository."""

    def setUp(self):
        super().setUp()
        self.home = os.path.join(self.directory, "home")
        self.project = os.path.join(self.home, "project")
        self.below = os.path.join(self.project, "src", "main")
        os.makedirs(self.below)
        os.makedirs(os.path.join(self.project, ".git"))
        os.makedirs(os.path.join(self.home, ".config", "esp-ota"))
        self.image = self.file("home/project/fw.bin", sketch("esp8266"))

    def user(self, text):
        return self.file("home/.config/esp-ota/config", text.encode())

    def beside(self, text):
        path = self.file("home/project/.esp-ota", text.encode())
        os.chmod(path, 0o644)
        return path

    def run(self, *arguments, cwd=None, **env):  # pylint: disable=arguments-differ
        if not arguments or not isinstance(arguments[0], str):
            return super().run(*arguments)  # unittest's
        return run(*arguments, cwd=cwd or self.project, **{"HOME": self.home, **env})

    def settings(self, *arguments, **more):
        """NAME: (VALUE, FILE) of what is in force in general."""
        result = self.run("--show-config", "--json", *arguments, **more)
        self.assertEqual((result.status, result.err), (0, ""), result)
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual({event["event"] for event in events}, {"setting"} if events else set())
        return {event["name"]: (event["value"], event["file"]) for event in events if event["section"] is None}

    def secret(self, name, text=b"kwert\n"):
        path = self.file(name, text)
        os.chmod(path, 0o600)
        return path


class Names(Config):

    def test_board(self):
        board = self.board("-P", "kwert")
        self.secret("home/.config/esp-ota/password")
        self.user(f"[board kitchen]\nhost = {board.address}\nport = {board.port}\nauth-file = password\n")
        for line in (("kitchen", "-f", "fw.bin"), ("-i", "Kitchen", "-f", "fw.bin")):
            with self.subTest(line):
                result = self.run(*line)
                self.assertEqual((result.status, result.out), (0, ""), result)
        board.wait_for_count("upload result=ok", 2)

    def test_board_like_a_subcommand(self):
        """Other tools have "upload" and "update"; here, they are boards if the configuration says so."""
        self.user("[board update]\nhost = 127.0.0.9\nport = 9\n")
        result = self.run("update", "fw.bin", "--dry-run")
        self.assertEqual(result.status, 0, result)
        self.assertIn("update: would get the sketch fw.bin", result.err)
        result = self.run("upload", "update", "fw.bin", "--dry-run")
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertEqual(result.err, "esp-ota: esp-ota has no subcommands; instead of 'upload' write esp-ota -i BOARD "
                                     "-f FILE (-i upload means a board of that name)\n")

    def test_group(self):
        boards = [self.board(), self.board("-P", "kwert")]
        password = self.secret("password")
        self.user(f"[board one]\nhost = {boards[0].address}:{boards[0].port}\n"
                  f"[board two]\nhost = {boards[1].address}:{boards[1].port}\nauth-file = {password}\n"
                  "[group lab]\nmembers = one,\nmembers = two\n")
        result = self.run("@lab", "-f", "fw.bin")
        self.assertEqual((result.status, result.out), (0, ""), result)
        for board in boards:
            board.wait_for("upload result=ok")
        result = self.run("-i", "@lab", "-i", boards[0].address + f":{boards[0].port}", "--dry-run", "-f", "fw.bin")
        self.assertIn("2 of 2 boards would be updated", result.err)
        result = self.run("@lap", "-f", "fw.bin")
        self.assertEqual((result.status, result.out, result.err),
                         (2, "", 'esp-ota: the configuration has no group "lap"; it has "lab"\n'))

    def test_messages_say_the_name(self):
        """Also those of several boards; programs, and --resume, know a board by its host as ever."""
        boards = [self.board(), self.board(), self.board("-P", "kwert")]
        self.user("".join(f"[board b{i}]\nhost = {board.address}:{board.port}\n" for i, board in enumerate(boards)) +
                  "[group lab]\nmembers = b0 b1 b2\n")
        result = self.run("B0", "-f", "fw.bin")
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn(f"b0 is {boards[0].address} (numeric address), port {boards[0].port} (", result.err)
        self.assertRegex(result.err, "(?m)^b0: sketch fw.bin, ")
        self.assertNotRegex(result.err, f"(?m)^(esp-ota: )?{boards[0].address}")

        result = self.run("b0", f"{boards[0].address}:{boards[0].port}", "@lab", "-f", "fw.bin", "--json", "--retries=0")
        self.assertEqual(result.status, 6, result)
        self.assertIn("\nesp-ota: b2: ", "\n" + result.err)
        self.assertRegex(result.err, r"\(b2\)|: b2\b")
        self.assertNotIn("127.", re.sub(r"b\d is 127\S+", "", result.err))
        events = [json.loads(line) for line in result.out.splitlines()]
        self.assertEqual({(event["board"], event.get("name")) for event in events if event["board"]},
                         {(board.address, f"b{i}") for i, board in enumerate(boards)})

        report = self.file("report", result.out.encode())
        result = self.run("@lab", "-f", "fw.bin", "--retries=0", "--resume", report, "-v", "-a", "kwert")
        for i in (0, 1):
            self.assertIn(f"b{i}: has confirmed this image in an earlier run", result.err)

    def test_near_misses(self):
        """Said with the failure, as multicast DNS could have found the name."""
        self.user("[board kitchen]\nhost = 127.0.0.9\n[board attic]\nhost = 127.0.0.8\n[group home]\nmembers = attic\n")
        for name, similar in (("kitchn", '"kitchen"'), ("Kitchne.local", '"kitchen"'), ("http://atic:80", '"attic"'),
                              ("home", '"@home"'), ("garage", None)):
            with self.subTest(name):
                result = self.run("-i", name, "-f", "fw.bin", "--retries=0", "-q")
                self.assertEqual((result.status, result.out), (4, ""), result)
                self.assertIn("not found: ", result.err)
                self.assertEqual(f"; the configuration has {similar}\n" in result.err, similar is not None, result.err)
                self.assertEqual("the configuration has" in result.err, similar is not None, result.err)
        result = self.run("kitchn")
        self.assertEqual((result.status, result.err), (
            2, "esp-ota: no firmware is named; add -f FILE (no file is called 'kitchn', so it is taken for a board; "
               "the configuration has \"kitchen\")\n"))
        for group, said in (("@hom", 'the configuration has no group "hom"; it has "home"'),
                            ("@kitchen", '"kitchen" is a board in the configuration, not a group; leave out the @')):
            result = self.run(group, "-f", "fw.bin")
            self.assertEqual((result.status, result.err),
                             (2, f"esp-ota: {said}\n"))

    def test_two_sections_for_one_board(self):
        board = self.board()
        named = f"host = {board.address}:{board.port}\n"
        self.user(f"[board one]\n{named}[board two]\n{named}protocol = web\n[board three]\nhost = localhost:9\npage = esp8266\n")
        result = self.run("one", "two", "-f", "fw.bin")
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("two is named twice, with the protocols espota and web; leave one of them out", result.err)
        result = self.run("three", "-f", "fw.bin")
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("three gets its image by espota, but page=", result.err)

    def test_board_without_host_is_its_own_name(self):
        self.user("[board localhost]\nport = 9\n")
        result = self.run("localhost", "-f", "fw.bin", "--dry-run")
        self.assertIn("localhost: would get", result.err)
        self.assertIn(", port 9 ", result.err)

    def test_typed_options_come_first(self):
        self.secret("wrong", b"wrong\n")
        board = self.board("-P", "kwert")
        other = self.file("home/project/other.bin", sketch("esp8266", 30000))
        self.user(f"[board kitchen]\nhost = {board.address}\nport = 9\nauth-file = {self.directory}/wrong\nfile = /none\n")
        result = self.run("kitchen", "-p", str(board.port), "-a", "kwert", "-f", other)
        self.assertEqual((result.status, result.out), (0, ""), result)
        with open(other, "rb") as file:
            self.assertEqual(board.received(), file.read())

    def test_log_alone_needs_no_image(self):
        """As without a configuration, --monitor without -f uploads nothing."""
        board = TelnetBoard(directory=self.directory, say=("alive",))
        self.addCleanup(board.close)
        self.user(f"[board kitchen]\nhost = {board.address}\nfile = /nonexistent\n")
        self.beside("file = fw.bin\nexpect = never\n")
        result = self.run("kitchen", f"--monitor={board.telnet_port}", "--expect", "alive")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(board.count("invitation"), 0)

    def test_expectation_of_a_board(self):
        requirement.need_root(self, "the log is at TCP port 23")
        boards = [TelnetBoard(*AWAY, directory=self.directory, say_after=(say,), leave="close", port=23)
                  for say in ("ready", "panic")]
        for board in boards:
            self.addCleanup(board.close)
        self.user("".join(f"[board b{i}]\nhost = {board.address}:{board.port}\nexpect = ready\n"
                          for i, board in enumerate(boards)) + "[group all]\nmembers = b0 b1\n")
        self.beside("file = fw.bin\nexpect-timeout = 12\n")
        result = self.run("b0")
        self.assertEqual(result.status, 0, result)
        self.assertIn("its log said what was expected", result.err)
        result = self.run("b1")
        self.assertEqual(result.status, 12, result)

    def test_expectation_at_another_port(self):
        """--monitor=PORT says where the log is; it replaces the expectation only without an image."""
        board = TelnetBoard(*AWAY, directory=self.directory, say=("ready",), say_after=("ready",), leave="close")
        self.addCleanup(board.close)
        self.user(f"[board k]\nhost = {board.address}:{board.port}\nexpect = ready\n")
        hosts = self.file("hosts", f"{board.address}:{board.port} expect=ready\n".encode())
        for line in (("k",), ("--hosts", hosts)):
            with self.subTest(line):
                result = self.run(*line, "-f", "fw.bin", f"--monitor={board.telnet_port}", "--expect-timeout", "20")
                self.assertEqual(result.status, 0, result)
                self.assertIn("its log said what was expected", result.err)
                self.assertIn("ready", result.out)
        result = self.run("--hosts", hosts, f"--monitor={board.telnet_port}")
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("has its own expect=", result.err)

    def test_groups_are_for_the_command_line(self):
        for text, message in (("@home\n", '"@home" is a group of the configuration, which a list cannot have'),
                              ("k.local\n@x port=9\n", 'line 2: "@x" is a group')):
            result = self.run("--hosts", self.file("hosts", text.encode()), "-f", "fw.bin", "--dry-run")
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn(message, result.err)

    def test_log_of_a_board_in_the_ide(self):
        """The section's port is that of its uploads."""
        board = TelnetBoard(directory=self.directory, say=("alive",))
        self.addCleanup(board.close)
        config = self.user(f"[board kitchen]\nhost = {board.address}:9\n")
        listener = ide.Listener()
        self.addCleanup(listener.close)
        tool = ide.Tool("--pluggable-monitor", f"--monitor={board.telnet_port}", "--config", config)
        self.addCleanup(tool.close)
        self.assertEqual(tool.ask(ide.HELLO[0]), ide.HELLO[1])
        self.assertEqual(tool.ask(f"OPEN {listener.address} Kitchen"), ide.done("open"))
        with listener.accept() as client, client.makefile() as log:
            self.assertEqual(log.readline().strip(), "alive")

    def test_words_and_lists_keep_their_meaning(self):
        """An address or a host name with a dot is never another board; --hosts does not look names up."""
        for name in ("127.0.0.1", "kitchen.local", "a b", "-x", "a/b", "@x"):
            self.user(f"[board {name}]\nhost = 127.0.0.9\n")
            result = self.run("127.0.0.1", "-f", "fw.bin", "--dry-run")
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn("config, line 1: the name of a board or group has letters, digits, - and _ only", result.err)
        self.user("[board localhost]\nport = 9\n")
        hosts = self.file("hosts", b"localhost port=11\n")
        self.assertIn(", port 11 ", self.run("--hosts", hosts, "-f", "fw.bin", "--dry-run").err)


class Places(Config):

    def test_precedence(self):
        self.user("timeout = 11\nretries = 1\nwait = 5\ncompress = yes\n")
        path = self.beside("timeout = 12\nretries = 2\ncompress = no\n")
        config = os.path.join(self.home, ".config/esp-ota/config")
        for cwd in (self.project, self.below):
            self.assertEqual(self.settings("-t", "13", cwd=cwd),
                             {"timeout": ("13", None), "retries": ("2", path), "wait": ("5", config),
                              "compress": ("no", path)})
        self.assertEqual(self.settings("--config", config), {"timeout": ("11", config), "retries": ("1", config),
                                                             "wait": ("5", config), "compress": ("yes", config)})
        self.assertEqual(self.settings("--config="), {})
        self.assertEqual(self.settings(cwd="/")["timeout"], ("11", config))

    def test_flags_are_taken_back(self):
        flags = ("compress", "insecure", "lockstep", "md5-target", "online", "progress", "timestamps", "verbose")
        path = self.user("".join(f"{name} = yes\n" for name in flags))
        for name in flags:
            value = "" if name in ("online", "timestamps") else "yes"
            self.assertEqual(self.settings()[name], (value, path))
            self.assertEqual(self.settings(f"--no-{name}")[name], ("no", None))
            self.assertEqual(self.settings(f"--{name}", f"--no-{name}")[name], ("no", None))
            self.assertEqual(self.settings(f"--no-{name}", f"--{name}")[name], (value, None))
        self.assertEqual(self.settings("--no-md5_target")["md5-target"], ("no", None))
        nearer = self.beside("compress = no\nonline = off\n")
        self.assertEqual(self.settings()["compress"], ("no", nearer))
        self.assertEqual(self.settings()["online"], ("no", nearer))
        self.beside("online = 5\n")
        self.assertEqual(self.settings()["online"], ("5", nearer))
        self.file("home/.popt", b"esp-ota alias --plain --no-compress\nesp-ota alias --small --compress\n")
        self.assertEqual(self.settings("--plain")["compress"], ("no", None))
        self.assertEqual(self.settings("--small", "--no-compress")["compress"], ("no", None))
        self.assertIn("compress = no  # command line\n", self.run("--show-config", "--no-compress").out)
        for option in ("--no-quiet", "--no-file", "--no-", "--no-compress=x", "--no-zip"):
            result = self.run("--show-config", option)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn(f"unknown option '{option.split('=')[0]}'", result.err)

    def test_flag_that_is_taken_back_does_nothing(self):
        board = self.board()
        self.user("compress = yes\nonline = 5\nretries = 0\n")
        result = self.run("-i", f"{board.address}:{board.port}", "-f", "fw.bin", "--no-compress", "--no-online")
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertNotIn("compressed", result.err)
        self.beside("compress = no\nonline = no\n")
        result = self.run("-i", f"{board.address}:{board.port}", "-f", "fw.bin")
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertNotIn("compressed", result.err)
        with open(self.image, "rb") as file:
            self.assertEqual(board.received(), file.read())

    def test_section_counts_as_a_whole(self):
        """The project's kitchen has not the password of the user's."""
        board = self.board("-P", "kwert")
        self.secret("home/.config/esp-ota/password")
        self.user("[board kitchen]\nhost = 127.0.0.9\nauth-file = password\n")
        self.beside(f"[board kitchen]\nhost = {board.address}:{board.port}\n")
        result = self.run("kitchen", "-f", "fw.bin")
        self.assertEqual((result.status, result.out), (6, ""), result)
        self.assertIn("warning: board kitchen is that of ", result.err)
        self.assertEqual(board.count("answer result=(?!malformed)"), 0, board.events)

    def test_search_ends_at_the_repository_and_at_home(self):
        self.user("timeout = 11\n")
        self.file("home/.esp-ota", b"timeout = 14\n")
        self.file(".esp-ota", b"timeout = 15\n")
        self.assertEqual(self.settings()["timeout"][0], "11")  # .git is in the project
        self.assertEqual(self.settings(cwd=os.path.join(self.home, ".config"))["timeout"][0], "14")
        os.unlink(os.path.join(self.home, ".esp-ota"))
        self.assertEqual(self.settings(cwd=self.home)["timeout"][0], "11")

    def test_xdg_config_home(self):
        os.makedirs(os.path.join(self.directory, "xdg", "esp-ota"))
        self.user("timeout = 11\n")
        self.file("xdg/esp-ota/config", b"timeout = 16\n")
        self.assertEqual(self.settings(XDG_CONFIG_HOME=os.path.join(self.directory, "xdg"))["timeout"][0], "16")
        self.assertEqual(self.settings(XDG_CONFIG_HOME="xdg", cwd=self.directory)["timeout"][0], "11")
        self.assertEqual(self.settings(XDG_CONFIG_HOME="/nonexistent"), {})

    def test_system(self):
        requirement.need_root(self, "a file is put in the place of /etc/esp-ota.conf")
        etc = self.file("etc.conf", b"timeout = 17\nretries = 7\n")
        self.user("retries = 1\n")

        def show(owner):
            script = f'mount -t tmpfs none /etc && cp "$0" /etc/esp-ota.conf && chown {owner} /etc/esp-ota.conf && cd / && exec "$@"'
            return subprocess.run(["unshare", "--mount", "sh", "-c", script, etc, PROGRAM, "--show-config"], check=False,
                                  env=environment(HOME=self.home), capture_output=True, text=True, timeout=DEADLINE_S)
        done = show(0)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("timeout = 17  # /etc/esp-ota.conf, line 1\n", done.stdout)
        self.assertIn("retries = 1  # ", done.stdout)
        done = show(65534)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (
            2, "", "esp-ota: cannot read the configuration /etc/esp-ota.conf: it belongs to another user (ID 65534); give it to "
            "root, or look at what it says and then read it with --config FILE\n"))

    def test_shown_text_is_a_configuration(self):
        self.user("timeout = 11\nexpect = a  \n[board kitchen]\nhost = k.local\n[group lab]\nmembers = kitchen\n")
        shown = self.run("--show-config", "--verbose")
        self.assertEqual(shown.status, 0, shown)
        again = self.run("--show-config", "--config", self.file("again", shown.out.encode()))
        self.assertEqual((again.status, again.err), (0, ""), again)

        def values(text):
            return [line.split("  #")[0] for line in text.splitlines() if not line.startswith("#")]
        self.assertEqual(values(again.out), values(shown.out))

    def test_values_are_checked_when_shown(self):
        for line, reason in (("port = 70000", "port '70000' is not a port number from 1 to 65535"),
                             ("timeout = 3s", "timeout '3s' is not a number of seconds from 0.001 to 3600; write 3"),
                             ("retries =", "retries '' is not a number from 0 to 1000"),
                             ("reject = (", '--reject "(": missing closing parenthesis')):
            with self.subTest(line):
                path = self.user(f"wait = 2\n{line}\n")
                result = self.run("--show-config")
                self.assertEqual((result.status, result.err), (2, f"esp-ota: {path}, line 2: {reason}\n"))
                self.assertIn(f"wait = 2  # {path}, line 1\n", result.out)

    def test_files_of_boards_are_shown_as_they_are_read(self):
        folder = os.path.join(self.home, ".config/esp-ota")
        self.secret("home/.config/esp-ota/pass")
        self.user("[board k]\nauth-file = pass\nfile = ~/fw.bin\nencryption-key-file = /key\nfield = pass\n")
        shown = self.run("--show-config").out
        for line in (f"auth-file = {folder}/pass  #", f"\nfile = {self.home}/fw.bin  #", "encryption-key-file = /key  #",
                     "field = pass  #"):
            self.assertIn(line, shown)

    def test_a_secret_in_the_place_of_its_file_is_not_shown(self):
        """Behind the folder of the configuration, it looks like a path."""
        key = base64.b64encode(b"k" * 32).decode()
        for name, secret in (("auth-file", "hunter2"), ("encryption-key-file", key)):
            for section, board in (("", "esphome://127.0.0.1:9"), ("[board k]\nhost = esphome://127.0.0.1:9\n", "k")):
                self.user(f"{section}{name} = {secret}\n")
                for line in (("--show-config",), ("-i", board, "-f", "fw.bin", "--force", "-t", "0.1", "--retries", "0")):
                    for more in ((), ("--json",)):
                        with self.subTest(section + name, line=line + more):
                            result = self.run(*line, *more)
                            self.assertIn(HIDDEN, result.out + result.err)
                            self.assertNotIn(secret, result.out + result.err)
            self.user(f"[board k]\n{name} = other.txt\n{name} = {secret}\n")
            result = self.run("-i", "k", "-f", "fw.bin")
            self.assertIn(f'line 3: "{name} = {HIDDEN}" ', result.err)
        self.user("auth-file = hunter2\n")
        path = self.secret("home/.config/esp-ota/hunter2")
        self.assertIn(f"auth-file = {path}  #", self.run("--show-config").out)  # this is a file

    def test_secrets_are_not_shown(self):
        result = self.run("--show-config", "-a", "kwert")
        self.assertIn("auth = (not shown)  # command line\n", result.out)
        self.assert_no_secret(result, "kwert")
        result = self.run("--show-config", ESP_OTA_AUTH="kwert")
        self.assertIn("auth = (not shown)  # ESP_OTA_AUTH\n", result.out)
        self.assert_no_secret(result, "kwert")

        self.user("ip = http://me:kwert@10.0.0.7/\nuser = me:kwert\nfile = me:kwert@lamp\nport = me:kwert@lamp\n")
        for arguments in (("--show-config",), ("--show-config", "--json")):
            result = self.run(*arguments)
            self.assertIn("http://me:...@10.0.0.7/", result.out)
            self.assertEqual(result.out.count("me:...@lamp"), 2)
            self.assert_no_secret(result, "kwert")

    def test_help_needs_no_configuration(self):
        self.user("nonsense\n")
        for option in ("--help", "--version", "--usage"):
            self.assertEqual(self.run(option).status, 0)


class Defaults(Config):

    def test_project_names_board_and_image(self):
        board = self.board()
        self.beside(f"file = fw.bin\nip = {board.address}:{board.port}\n")
        result = self.run("--retries", "0", cwd=self.below)
        self.assertEqual((result.status, result.out), (0, ""), result)
        board.wait_for("upload result=ok")

    def test_settings_fail_no_rule_about_typed_options(self):
        """None of these is typed, so none of them contradicts what is."""
        board = self.board()
        self.user("auth-file = /nonexistent\nport = 9\nverbose = yes\nprogress = yes\nexpect-timeout = 5\ntimestamps = wall\n"
                  "online = 9\nexpect = x\nreject = y\nsign-hash = sha384\nmax-failures = 2\ncompress = yes\n"
                  f"file = {self.image}\nip = 127.0.0.9\n")
        named = f"{board.address}:{board.port}"
        for line, status in ((("-i", named, "-f", "fw.bin", "-a", "x", "-q", "--dry-run"), 0),
                             (("-l", "-t", "0.1", "--json"), None), (("--check", "-f", "fw.bin"), 0),
                             (("-i", named, "--monitor=9", "--monitor-for", "0.1", "-a", "x"), 12),
                             (("-z", "-f", "fw.bin", "--output", os.path.join(self.directory, "out")), 0)):
            with self.subTest(line):
                result = self.run(*line)
                self.assertNotEqual(result.status, 2, result)
                if status is not None:
                    self.assertEqual(result.status, status, result)
                self.assertNotIn("ignores", result.err)

    def test_environment_comes_before_a_setting(self):
        board = self.board("-P", "kwert")
        wrong = self.secret("wrong", b"wrong\n")
        self.user(f"auth-file = {wrong}\n")
        line = ("-i", f"{board.address}:{board.port}", "-f", "fw.bin", "--retries", "0")
        self.assertEqual(self.run(*line).status, 6)
        self.assertEqual(self.run(*line, ESP_OTA_AUTH="kwert").status, 0)

    def test_aliases_go_on_working(self):
        board = self.board()
        self.file("home/.popt", "esp-ota alias --kitchen -i attic\nesp-ota alias --plain --config=\n".encode())
        self.user(f"[board attic]\nhost = {board.address}:{board.port}\n")
        self.assertEqual(self.run("--kitchen", "-f", "fw.bin").status, 0)
        self.assertEqual(self.settings("--plain"), {})


class Mistakes(Config):

    def check_text(self, text, message, status=2):
        path = self.user(text)
        result = self.run("-i", "127.0.0.1", "-f", "fw.bin", "--dry-run")
        self.assertEqual((result.status, result.out), (status, ""), result)
        self.assertEqual(result.err.count("\n"), 1, result)
        self.assertIn(message.replace("FILE", path), result.err)
        return result

    def test_files_of_boards(self):
        """The board is named whose file is at fault, as several have files of the same kind."""
        for setting, message in (("auth-file = none", "cannot open the password file "),
                                 ("encryption-key-file = none", "cannot open the encryption key file "),
                                 ("file = none.bin", "cannot open ")):
            with self.subTest(setting):
                protocol = "protocol = esphome\n" if "key" in setting else ""
                self.user(f"[board attic]\nhost = 127.0.0.2\n{protocol}[board kitchen]\nhost = 127.0.0.1\n"
                          f"{protocol}{setting}\n[group all]\nmembers = attic kitchen\n")
                line = ("-i", "kitchen") if "none.bin" in setting else ("-i", "@all", "-f", "fw.bin")
                result = self.run(*line, "--dry-run")
                self.assertIn(f"esp-ota: board kitchen: {message}", result.err)
                self.assertIn(result.status, (2, 3))

    def test_lines(self):
        for text, message in (
                ("frobnicate = 1\n", "FILE, line 1: unknown setting 'frobnicate'\n"),
                ("retrys = 1\n", "FILE, line 1: unknown setting 'retrys'; did you mean 'retries'?"),
                ("\n# x\njson = yes\n", "FILE, line 3: json is for the command line only"),
                ("timeout = soon\n", "FILE, line 1: timeout 'soon' is not a number of seconds"),
                ("compress = perhaps\n", 'FILE, line 1: "compress = perhaps" is neither yes nor no'),
                ("timeout = 1\ntimeout = 2\n", "FILE, line 2: timeout is there twice"),
                ("timeout\n", "FILE, line 1: it is neither [SECTION] nor NAME = VALUE"),
                ("wait = 1\n timeout\n", "FILE, line 2: it is neither"),
                ("[kitchen]\n", "FILE, line 1: the section [kitchen] is not known; there is [board NAME]"),
                ("[board kitchen\n", "FILE, line 1: a section ends with a ]"),
                ("[board k]\n[board K]\n", "FILE, line 2: the section is there already, in line 1"),
                ("[board k]\nport = 0\n", 'FILE, line 2: "port = 0" is not a port from 1 to 65535'),
                ("[board k]\nport = 1\nport = 2\n", 'FILE, line 3: "port = 2" is a second port'),
                ("[board k]\nhost = a\nhost = b\n", 'FILE, line 3: "host = b" is a second one'),
                ("[board k]\nhost = @x\n", 'FILE, line 2: "host = @x" is a group, but a section is one board\n'),
                ("[board k]\nhost = ftp://x\n", 'FILE, line 2: "ftp://x" is a URL with another scheme'),
                ("[board k]\nprotocol = ftp\n", 'FILE, line 2: "protocol = ftp" is not known; there is '),
                ("[board k]\nexpect = (\n", 'FILE, line 2: "expect = (" cannot be used: '),
                ("[board k]\nfile = -\n", 'FILE, line 2: "file = -" is possible on the command line only'),
                ("[board k]\ntimeout = 5\n", "FILE, line 2: timeout is a general setting; move it above the first section\n"),
                ("[group g]\n", "FILE, line 1: the group has no boards"),
                ("[group g]\n" + "members = a\n" * 10001, "FILE, line 10002: all groups together have more than 10000 members\n"),
                ("".join(f"[group g{g}]\n" + "members = a\n" * 101 for g in range(100)),
                 "FILE, line 10101: all groups together have more than 10000 members\n"),
                ("".join(f"[board b{i}]\n" for i in range(10001)), "FILE, line 10001: there are more than 10000 sections\n"),
                ("[group g]\nmembers = @g\n", 'FILE, line 2: "members = @g" has a group in it'),
                ("[board k]\nip = x\n", "FILE, line 2: unknown setting 'ip'; did you mean 'host'?"),
                ("[board k]\nhots = x\n", "FILE, line 2: unknown setting 'hots'; did you mean 'host'?"),
                ("[board k]\nexpct = x\n", "FILE, line 2: unknown setting 'expct'; did you mean 'expect'?"),
                ("[board k]\nmetrcs = x\n", "FILE, line 2: unknown setting 'metrcs'\n"),
                ("[group g]\nhost = x\n", "FILE, line 2: unknown setting 'host'; a group has only members, and "
                                         "general settings stand above the first section\n"),
                ("[group g]\nboards = x\n", "FILE, line 2: unknown setting 'boards'; a group has only members, and "
                                         "general settings stand above the first section\n"),
                ("[group g]\nretrys = 1\n", "FILE, line 2: unknown setting 'retrys'; a group has only members, and "
                                           "general settings stand above the first section\n"),
                ("[group g]\nretries = 1\n", "FILE, line 2: retries is a general setting; move it above the first section\n"),
                ("sign =\n", 'FILE, line 1: "sign = " names no file'),
                ("expect = (\n", "FILE, line 1: "),
                ("\x1b = 1\n", "FILE, line 1: it has a NUL or another control character"),
                ("wait = 1\na\0b\n", "FILE, line 2: it has a NUL or another control character"),
                ("file = " + "x" * 300 + "\n", "FILE, line 1: the line is too long"),
                ("[board " + "x" * 60 + "]\n", "FILE, line 1: the name of the section is too long"),
                ("\n" * (1 << 20) + "\n", "FILE is longer than 1 MiB, too long for a configuration")):
            with self.subTest(text[:40]):
                self.check_text(text, message)

    def test_passwords(self):
        for section in ("", "[board k]\n"):
            for name in ("auth", "password", "encryption-key", "PASSWORD"):
                result = self.check_text(f"{section}{name} = kwert\n",
                                         f"FILE, line {2 if section else 1}: passwords and keys are not kept in a configuration")
                self.assert_no_secret(result, "kwert")
        for text in ("kwert\n", "pasword = kwert\n", "[board k]\npw=kwert\n"):
            self.assert_no_secret(self.check_text(text, "FILE, line "), "kwert")

    def test_files(self):
        """No hang, one sentence."""
        config = self.user("")
        os.unlink(config)
        os.mkfifo(config)
        line = ("-i", "127.0.0.1", "-f", "fw.bin", "--dry-run")
        for prepare, reason in ((lambda: None, "it is not a regular file"),
                                (lambda: (os.unlink(config), os.mkdir(config)), "it is not a regular file"),
                                (lambda: (os.rmdir(config), os.symlink("/dev/zero", config)), "it is a device, not a file"),
                                (lambda: (os.unlink(config), os.symlink("nowhere", config)), "No such file or directory")):
            prepare()
            result = self.run(*line)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertRegex(result.err, f"^esp-ota: cannot (open|read) the configuration {config}: {reason}\n$")
        os.unlink(config)
        with open(config, "wb") as file:
            file.truncate(1 << 30)
        result = self.run(*line)
        self.assertEqual((result.status, result.err), (2, f"esp-ota: {config} is longer than 1 MiB, too long for a configuration\n"))
        os.unlink(config)
        os.symlink(self.file("dotfiles", b"timeout = 3\n"), config)  # the user's own may be one
        self.assertEqual(self.settings()["timeout"], ("3", config))

    def test_named_file(self):
        for path, reason in (("/nonexistent", "cannot open the configuration /nonexistent: No such file"),
                             (self.directory, "Is a directory"), ("-", "--config takes a file, not standard input")):
            result = self.run("--show-config", "--config", path)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn(reason, result.err)

    def test_unreadable(self):
        requirement.need_root(self, "another user cannot read a file")
        config = self.user("timeout = 3\n")
        os.chmod(config, 0)
        for path in (self.directory, self.home, os.path.join(self.home, ".config"), os.path.join(self.home, ".config/esp-ota")):
            os.chmod(path, 0o755)
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        result = run("--show-config", before=nobody, HOME=self.home)
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn(f"cannot open the configuration {config}: Permission denied", result.err)
        os.chmod(os.path.join(self.home, ".config"), 0o700)  # whose file cannot even be seen
        result = run("--show-config", before=nobody, HOME=self.home)
        self.assertEqual((result.status, result.err), (0, ""), result)


class Hostile(Config):
    """A project file that came with somebody else's project."""

    def board_with_password(self):
        board = self.board("-P", "kwert")
        self.beside(f"[board kitchen]\nhost = {board.address}:{board.port}\n"
                    f"[group lab]\nmembers = {board.address}:{board.port}\n")
        return board

    def test_untrusted_files_are_not_read(self):
        path = self.beside("timeout = 12\n")
        for prepare, why in ((lambda: os.chmod(path, 0o646), "other users can write it"),
                             (lambda: (os.unlink(path), os.symlink("/etc/passwd", path)), "it is a symbolic link"),
                             (lambda: (os.unlink(path), os.mkfifo(path)), "it is not a regular file"),
                             (lambda: (os.unlink(path), os.mkdir(path)), "it is not a regular file")):
            prepare()
            result = self.run("--show-config")
            self.assertEqual((result.status, result.out), (0, "# no configuration file\n"), result)
            self.assertIn(f"warning: {path} is not read: {why}", result.err)
            self.assertEqual("; --config reads it nevertheless\n" in result.err, "not a regular" not in why)

    def test_file_of_another_user(self):
        requirement.need_root(self, "a file is given to another user")
        path = self.beside("timeout = 12\n")
        os.chown(path, 65534, 65534)
        result = self.run("--show-config")
        self.assertEqual((result.status, result.out), (0, "# no configuration file\n"), result)
        self.assertIn(f"warning: {path} is not read: it belongs to another user (ID 65534); look at what it says and then read "
                      "it with --config FILE\n", result.err)
        self.assertEqual(self.settings("--config", path)["timeout"], ("12", path))

    def test_own_file_of_others(self):
        """It could lead the user's files to any board."""
        path = self.user("timeout = 12\n")
        rows = [(lambda: os.chmod(path, 0o646), "other users can write it (chmod go-w makes it yours alone); --config reads it nevertheless")]
        if os.geteuid() == 0:
            rows.append((lambda: (os.chmod(path, 0o644), os.chown(path, 65534, 65534)),
                         "it belongs to another user (ID 65534); set HOME to your own folder, or look at what it says and then "
                         "read it with --config FILE"))
        for prepare, why in rows:
            prepare()
            for line in (("--show-config",), ("-i", "127.0.0.1", "-f", "fw.bin", "--dry-run")):
                result = self.run(*line)
                self.assertEqual((result.status, result.out, result.err),
                                 (2, "", f"esp-ota: cannot read the configuration {path}: {why}\n"))
            self.assertEqual(self.settings("--config", path)["timeout"], ("12", path))
            self.assertEqual(self.settings("--config="), {})

    def test_group_that_can_write(self):
        """The user's private one may, which has the user's number: with a umask of 002, files belong to it."""
        requirement.need_root(self, "a file is given to another group")
        entries = ((1, 6), (2, 6, 65534), (4, 6), (16, 6), (32, 4))
        for write, status in ((self.user, 2), (self.beside, 0)):
            path = write("timeout = 12\n")
            os.chmod(path, 0o664)
            self.assertEqual(self.settings()["timeout"], ("12", path))
            for prepare in (lambda: os.chown(path, -1, 65534), lambda: os.chown(path, -1, 0) or requirement.need_acl(self, path, *entries)):
                prepare()
                result = self.run("--show-config")
                self.assertEqual(status, result.status, result)
                self.assertRegex(result.err, f"{path}(:| is not read:) other users can write it")
            os.unlink(path)

    def test_own_file_of_who_called_sudo(self):
        """sudo may keep HOME, and then finds the configuration of the user who called it."""
        requirement.need_root(self, "a file is given to another user")
        path = self.user("timeout = 12\n")
        os.chown(path, 65534, 65534)
        result = self.run("--show-config", SUDO_UID="65534")
        self.assertEqual((result.status, result.out, result.err),
                         (2, "", f"esp-ota: cannot read the configuration {path}: it belongs to another user (ID 65534, who called "
                                 "sudo); sudo -H reads root's, or look at what it says and then read it with --config FILE\n"))
        result = self.run("--show-config", SUDO_UID="1000")
        self.assertIn("it belongs to another user (ID 65534); set HOME to your own folder, or look", result.err)

    def test_own_file_by_the_choice_of_others(self):
        """A link to a file of root may lead to one in /proc, whose bytes are those of another user."""
        requirement.need_root(self, "links and folders are given to another user")
        path, config = self.user("timeout = 12\n"), os.path.join(self.home, ".config")
        root = os.path.join(self.directory, "root")

        def link(name):
            os.rename(name, root)
            os.symlink(root, name)
            os.chown(name, 65534, -1, follow_symlinks=False)

        for prepare, why in ((lambda: link(path), "the symbolic link config belongs to another user"),
                             (lambda: link(os.path.dirname(path)), "the symbolic link esp-ota belongs to another user"),
                             (lambda: link(config), "the symbolic link .config belongs to another user"),
                             (lambda: os.chown(config, 65534, -1), "the folder .config belongs to another user"),
                             (lambda: os.chown(self.home, 65534, -1), f"the folder {self.home} belongs to another user"),
                             (lambda: os.chmod(os.path.dirname(path), 0o777), "other users can write the folder esp-ota")):
            with self.subTest(why):
                prepare()
                for line in (("--show-config",), ("-i", "127.0.0.1", "-f", "fw.bin", "--dry-run")):
                    result = self.run(*line)
                    self.assertEqual((result.status, result.out, result.err), (
                        2, "", f"esp-ota: cannot read the configuration {path}: {why}; --config reads it nevertheless\n"))
                self.assertEqual(self.settings("--config", path)["timeout"], ("12", path))
                for name in (path, os.path.dirname(path), config):
                    if os.path.islink(name):
                        os.chown(name, 0, -1, follow_symlinks=False)
                        self.assertEqual(self.settings()["timeout"], ("12", path))
                        os.unlink(name)
                        os.rename(root, name)
                os.chown(config, 0, -1)
                os.chown(self.home, 0, -1)
                os.chmod(os.path.dirname(path), 0o755)
                self.assertEqual(self.settings()["timeout"], ("12", path))
        folder = os.path.dirname(path)
        for rights, status in ((7, 2), (5, 0)):
            requirement.need_acl(self, folder, (1, 7), (2, rights, 65534), (4, 7), (16, 7), (32, 5))
            result = self.run("--show-config")
            self.assertEqual((result.status, "other users can write the folder esp-ota" in result.err), (status, status == 2), result)
        os.removexattr(folder, "system.posix_acl_access")
        away = os.path.join(self.directory, "away")
        os.rename(os.path.dirname(path), os.path.join(self.directory, "esp-ota"))
        os.chown(self.directory, 65534, -1)
        self.assertIn("; --config reads", self.run("--show-config", XDG_CONFIG_HOME=self.directory).err)
        os.symlink(self.directory, away)
        self.assertIn(f"the folder {away} belongs", self.run("--show-config", XDG_CONFIG_HOME=away).err)

    def test_owner_unknown(self):
        """A user namespace shows all users whom it does not know as the same one, and perhaps this process as well."""
        before = requirement.need_user_namespace(self)
        path, beside = self.user("timeout = 12\n"), self.beside("timeout = 13\n")
        os.chmod(self.directory, 0o755)
        commands = (before, ("unshare", "--user"))
        why = "it belongs to a user whom this user namespace does not know (ID 65534); {}look at what it says and then read it with"
        self.assertEqual(self.settings(before=before)["timeout"], ("13", beside))
        os.chown(beside, 1001, 1001)
        result = self.run("--show-config", before=before)
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"warning: {beside} is not read: {why.format('')}", result.err)
        os.chown(path, 1001, 1001)
        for command in commands:
            result = self.run("--show-config", before=command)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn(f"cannot read the configuration {path}: {why.format('set HOME to your own folder, or ')}", result.err)
        os.unlink(path)
        result = self.run("--show-config", before=commands[1])
        self.assertEqual((result.status, result.out), (0, "# no configuration file\n"), result)
        self.assertIn(f"warning: {beside} is not read: {why.format('')}", result.err)

    def test_passwords_from_elsewhere(self):
        """They do not go to a board that the project names, unless they are typed beside its name."""
        board = self.board_with_password()
        password = self.secret("password")
        for name in ("kitchen", "@lab"):
            line = (name, "-f", "fw.bin", "--retries", "0")
            result = self.run(*line, ESP_OTA_AUTH="kwert")
            self.assertEqual((result.status, result.out), (6, ""), result)
            shown = "kitchen" if name == "kitchen" else board.address
            self.assertIn(f"warning: {shown} is named by a project file, .esp-ota, so your password is not for it",
                          result.err)
            result = self.run(*line, "-q", ESP_OTA_AUTH="kwert")
            self.assertEqual((result.status, result.out), (6, ""), result)
            self.assertRegex(result.err, f"^esp-ota: {shown}: authentication: [^\n]*; yours is not for a board that a "
                             r"project file, \.esp-ota, names\n  Give it on the command line beside the board's name ")
            result = self.run(*line)
            self.assertIn("  Give it on the command line beside the board's name ", result.err)
            self.assertNotIn("yours is not", result.err)
            self.user(f"auth-file = {password}\n")
            self.assertEqual(self.run(*line).status, 6)
            self.assertEqual(board.count("answer result=(?!malformed)"), 0, board.events)
            os.unlink(self.user(""))
        for name in ("kitchen", "@lab"):
            result = self.run(name, "-f", "fw.bin", "--auth-file", password)
            self.assertEqual(result.status, 0)
            self.assertIn(f"warning: a project file, .esp-ota, leads to {board.address}:{board.port}, and that gets your "
                          "password", result.err)
        result = self.run("kitchen", "-f", "fw.bin", "--config", ".esp-ota", ESP_OTA_AUTH="kwert")
        self.assertEqual(result.status, 0, result)

    def test_key_from_elsewhere(self):
        key = base64.b64encode(bytes(range(32))).decode()
        board = self.board("--esphome", "-p", "0", "--esphome-set", f"key={key}", "--esphome-set", "encrypted", family="esp8266")
        self.beside(f"[board kitchen]\nhost = esphome://{board.address}:{board.port}\n")
        result = self.run("kitchen", "-f", "fw.bin", "--retries=0", "-q", ESP_OTA_ENCRYPTION_KEY=key)
        self.assertEqual((result.status, result.out), (6, ""), result)
        self.assertIn("; yours is not for a board that a project file, .esp-ota, names\n", result.err)
        self.assertIn("(encryption-key-file = FILE, in that folder)", result.err)
        self.assert_no_secret(result, key)

    def test_password_of_a_board_that_is_told_to_fetch(self):
        board = self.board("--web", "tasmota", "-p", "0", "-P", "kwert")
        self.beside(f"[board kitchen]\nhost = http://{board.address}:{board.port}\n")
        result = self.run("--serve=127.0.0.1:0", "-i", "kitchen", "-f", "fw.bin", "-q", ESP_OTA_AUTH="kwert")
        self.assertEqual((result.status, result.out), (6, ""), result)
        self.assertIn("; yours is not for a board that a project file, .esp-ota, names\n", result.err)
        self.assert_no_secret(result, "kwert")

    def test_page_of_a_board_that_is_told_to_fetch(self):
        """It is there for uploads. --serve says that it has no use for it."""
        said = "--serve ignores page and field of {} in the configuration: of all pages, only Tasmota's can tell"
        self.user("[board kitchen]\nhost = http://127.0.0.1:9\npage = form\nfield = f\n"
                  "[board attic]\nhost = http://127.0.0.1:9\npage = form\nfield = f\n[board cellar]\nhost = http://127.0.0.1:9\n")
        for arguments, who in ((("-i", "kitchen"), "kitchen"), (("-i", "kitchen", "-i", "attic"), "kitchen and other boards"),
                               (("-i", "cellar"), None), (("-i", "kitchen", "-q"), None)):
            result = self.run("--serve=127.0.0.1:0", *arguments, "-f", "fw.bin")
            self.assertEqual((result.status, result.out), (5, ""), result)
            self.assertEqual(re.findall("--serve ignores .* can tell", result.err), [said.format(who)] if who else [], result)

    def test_scheme_of_a_board(self):
        """A project can ask for more than the user does, and not for less."""
        board = self.board("-P", "kwert")
        for user, project, status in (("sha256", "md5", 6), ("md5", "sha256", 6), ("md5", "md5", 0)):
            with self.subTest(user=user, project=project):
                self.user(f"min-auth = {user}\n")
                self.beside(f"[board kitchen]\nhost = {board.address}:{board.port}\nmin-auth = {project}\n")
                result = self.run("kitchen", "-f", "fw.bin", "-a", "kwert", "--retries", "0")
                self.assertEqual(result.status, status, result)
        result = self.run("kitchen", "-f", "fw.bin", "-a", "kwert", "--min-auth=sha256", "--retries", "0")
        self.assertEqual(result.status, 6, result)

    def test_password_with_a_default_board(self):
        """It was typed, but the board was not."""
        board = self.board("-P", "kwert")
        self.beside(f"ip = {board.address}:{board.port}\n")
        result = self.run("-f", "fw.bin", "-a", "kwert", "--retries", "0")
        self.assertEqual(result.status, 6, result)
        self.assertIn("to give it that, name the board on the command line, too", result.err)
        self.assert_no_secret(result, "kwert")

    def test_files_outside(self):
        secret = self.secret("secret", b"the first line\n")
        os.symlink(secret, os.path.join(self.project, "link"))
        os.symlink(self.directory, os.path.join(self.project, "dir"))
        os.symlink(secret, self.image + ".signed")
        for path in (secret, "../../secret", "link", "dir/secret", "~/.ssh/id_rsa", "src/../../../secret", "fw.bin"):
            for name in ("file", "auth-file", "encryption-key-file", "sign"):
                for section in ("", "[board kitchen]\n"):
                    if section and name == "sign":
                        continue
                    config = self.beside(f"{section}{name} = {path}\n")
                    result = self.run("-i", "kitchen", "-f" if name != "file" else "--retries",
                                      "fw.bin" if name != "file" else "0", "--dry-run")
                    self.assertEqual((result.status, result.out), (2, ""), result)
                    value = HIDDEN if path == "link" and name not in ("file", "sign") else path
                    self.assertIn(f'{config}, line {2 if section else 1}: "{name} = {value}" is not in the folder', result.err)
                    self.assertNotIn("the first line", result.err)

    def test_own_image_for_a_board_of_the_project(self):
        """It goes there only if it was typed."""
        board = self.board()
        named = f"{board.address}:{board.port}"
        own = self.file("home/private.bin", sketch("esp8266", 30000))
        for project, line, shown in ((f"ip = {named}\n", (), board.address),
                                     (f"[board kitchen]\nhost = {named}\n", ("kitchen",), "kitchen"),
                                     (f"[group lab]\nmembers = {named}\n", ("@lab",), board.address),
                                     (f"[board kitchen]\nhost = {named}\n[group lab]\nmembers = kitchen\n", ("@lab",), "kitchen")):
            with self.subTest(project=project):
                config = self.user("file = ~/private.bin\n[board kitchen]\nhost = 127.0.0.9\n")
                self.beside(project)
                before = board.count("invitation")
                for more in ((), ("-q",), ("--dry-run",)):
                    result = self.run("--retries=0", *line, *more)
                    self.assertEqual((result.status, result.out), (2, ""), result)
                    self.assertTrue(result.err.endswith(
                        f'esp-ota: {config}, line 1: "file = ~/private.bin" is not for {shown}, which a project file, .esp-ota, '
                        "names; to send it there nevertheless, add -f FILE\n"), result)
                self.assertEqual(board.count("invitation"), before, board.events)
                result = self.run("--retries=0", *line, "-f", own)
                self.assertEqual((result.status, result.out), (0, ""), result)

    def test_own_image_and_boards(self):
        """Boards of the user's get it, also those that a project file names by their names; others may have their own."""
        board = self.board()
        self.file("home/private.bin", sketch("esp8266", 30000))
        self.user(f"file = ~/private.bin\n[board kitchen]\nhost = {board.address}:{board.port}\n")
        for project, line in (("ip = kitchen\n", ()), ("[group lab]\nmembers = kitchen\n", ("@lab",)),
                              ("", (f"{board.address}:{board.port}",)),
                              (f"[board porch]\nhost = {board.address}:{board.port}\nfile = fw.bin\n", ("porch",))):
            with self.subTest(project=project):
                self.beside(project)
                result = self.run("--retries=0", *line)
                self.assertEqual((result.status, result.out), (0, ""), result)

    def test_own_key_for_an_image_of_the_project(self):
        """It signs the image only if one of them was typed."""
        key = self.secret("home/sign.pem", subprocess.run(
            ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], check=True, capture_output=True).stdout)
        board = self.board()
        named = f"{board.address}:{board.port}"
        config = self.user("sign = ~/sign.pem\n")
        refusal = f'esp-ota: {config}, line 1: "sign = ~/sign.pem" is not for an image that a project file, .esp-ota, names; ' \
                  "to sign it nevertheless, add --sign FILE, or name the image with -f\n"
        self.file("home/project/fw.bin", firmware.esp8266(5000))
        for project, line in ((f"file = fw.bin\nip = {named}\n", ()), ("file = fw.bin\n", ("-i", named)),
                              ("file = fw.bin\n", ("--check",)),
                              (f"[board kitchen]\nhost = {named}\nfile = fw.bin\n", ("kitchen",))):
            with self.subTest(project=project, line=line):
                self.beside(project)
                before = board.count("invitation")
                for more in ((), ("-q",)):
                    result = self.run("--no-compress", *line, *more)
                    self.assertEqual((result.status, result.out, result.err), (2, "", refusal), result)
                self.assertEqual(board.count("invitation"), before, board.events)
                self.assertEqual(self.run("--show-config", *line).status, 0)
                for more in (("--sign", key), ("-f", "fw.bin")):
                    result = self.run(*line, *more)
                    self.assertEqual(result.status, 0, result)
                    if "--check" not in line:
                        self.assertIn("fw.bin is signed", result.err)
        with open(key, "rb") as file:
            self.secret("home/project/sign.pem", file.read())
        self.beside(f"file = fw.bin\nip = {named}\nsign = sign.pem\n")
        result = self.run("--retries", "0")
        self.assertEqual((result.status, result.out), (0, ""), result)
        self.assertIn("fw.bin is signed", result.err)

    def test_settings_that_weaken(self):
        for name in ("cacert", "host-ip", "host-port", "insecure", "md5-target", "min-auth", "peer", "protocol", "user",
                     "verify-key"):
            config = self.beside(f"{name} = yes\n")
            result = self.run("--show-config")
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn(f"{config}, line 1: {name} is not for a project file", result.err)

    def test_names_are_escaped(self):
        self.beside("[board \u202ekitchen]\n")
        result = self.run("--show-config")
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertNotIn("\u202e", result.err)


class Pages(unittest.TestCase):

    def test_manual_page_names_the_settings(self):
        """Those of the table, and those that a project file may not have."""
        source = os.environ["ESP_OTA_SOURCE"]
        with open(os.path.join(source, "src/cli/config_options.c"), encoding="utf-8") as file:
            rows = re.findall(r"^    \[OPTION_(\w+)\] = (OWN|PROJECT)\b", file.read(), re.M)
        with open(os.path.join(source, "man/esp-ota-config.5"), encoding="utf-8") as file:
            page = file.read().replace("\\-", "-")

        def names(text):
            return {line.split()[1] for line in text.splitlines() if line.startswith((".B ", ".BR "))}

        def option(row):
            return row[0].lower().replace("_", "-")
        self.assertEqual(names(page.split("by its long name")[1].split(".PP")[0]), {option(row) for row in rows})
        self.assertEqual(names(page.split("It cannot set")[1].split("in general")[0]),
                         {option(row) for row in rows if row[1] == "OWN"})


if __name__ == "__main__":
    unittest.main()
