"""What bash, zsh and fish offer, in the shells themselves, against what --help lists."""

import os
import pty
import re
import select
import signal
import subprocess
import time
import unittest

import scenario

DIRECTORY = os.path.join(os.environ["ESP_OTA_SOURCE"], "scripts", "completions")
OPTION = r"(?<![\w-])--[a-z][a-z0-9-]*"

# What esp-ota -l prints; only the first has a name fit for a command line, and takes uploads.
ANNOUNCED = r"""#!/bin/sh
if test "$*" = --show-config; then
    cat <<'END'
port = 9  # /x, line 1

[board attic]
host = attic.local  # /x, line 3

[board $(touch${IFS}pwned)]

[group home]
members = attic  # /x, line 5
END
    exit
fi
test "$*" = "--list --timeout=2" || exit 2
cat <<'END'
kitchen	kitchen.local	10.0.0.1	3232	x	no	espota
evil	$(touch${IFS}pwned).local	10.0.0.2	3232	x	no	espota
evil	--evil	10.0.0.3	3232	x	no	espota
gone	-	-	-	-	?	-
sketch	sketch.local	10.0.0.4	65280	x	no	sketch
END
""".replace(r"\t", "\t")


def options_of_help():
    """All long options that --help names, without those of its examples."""
    return set(re.findall(OPTION, scenario.run("--help").out.split("\nExamples:")[0]))


def values_of(option, *others):
    """The names that the program takes as the value of an option. It lists them when it gets another one."""
    message = scenario.run(option, "no-such-name", *others, "-i", "127.0.0.1", "-f", "x").err
    names = re.split(r"there (?:is|are) |is neither |is not one of ", message)[1]
    return re.split(r", | and | nor ", names.rstrip("\n"))


class Shell:
    """An interactive shell on a pseudo-terminal that is wide and high enough to list everything."""

    def __init__(self, command, cwd, setup, **env):
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(cwd)
                os.execvpe(command[0], command, scenario.environment(
                    HOME=cwd, COLUMNS="200", LINES="200", **{**env, "TERM": "dumb"}))
            finally:
                os._exit(127)
        self._type(f"{setup}; PS1='ready''> '; echo en''d\n")

    def after(self, keys):
        """What appears on the keys, up to the output of the next command."""
        return self._type(f"{keys}\x15echo en''d\n")

    def _type(self, keys):
        """Types, and waits for the prompt: earlier, Tab and Ctrl-U would not reach the shell."""
        os.write(self._master, keys.encode())
        seen, deadline = b"", time.monotonic() + scenario.DEADLINE_S
        while not re.search(rb"(?s)(^|\n)end\r.*ready> ", seen):
            ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"the shell hangs: {seen}"
            seen += os.read(self._master, 65536)
        return seen.decode(errors="replace")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._master)


class Completions(scenario.Scenario):
    def setUp(self):
        super().setUp()
        self.file("firm ware.bin", b"x")
        bin_directory = os.path.join(self.directory, "bin")
        os.mkdir(bin_directory)
        os.chmod(self.file("bin/esp-ota", ANNOUNCED.encode()), 0o755)
        self.env = {"PATH": f"{bin_directory}:{os.environ['PATH']}"}

    def shell(self, command, setup):
        shell = Shell(command, self.directory, setup, **self.env)
        self.addCleanup(shell.close)
        return shell

    def bash_function(self, *words):
        """COMPREPLY of the function for the words; the last one is being completed."""
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _esp_ota 2>/dev/null; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "--norc", "--noprofile", "-c", script,
                               os.path.join(DIRECTORY, "esp-ota.bash"), "esp-ota", *words],
                              cwd=self.directory, env=scenario.environment(**self.env), text=True,
                              capture_output=True, check=True, timeout=scenario.DEADLINE_S)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def fish(self, line):
        script = "source $argv[1]; complete -C $argv[2]"
        done = subprocess.run(["fish", "--no-config", "-c", script,
                               os.path.join(DIRECTORY, "esp-ota.fish"), line],
                              cwd=self.directory, text=True, capture_output=True, check=True,
                              env=scenario.environment(**{**self.env, "HOME": self.directory}),
                              timeout=scenario.DEADLINE_S)
        self.assertEqual(done.stderr, "")
        return [entry.split("\t")[0] for entry in done.stdout.splitlines()]

    def test_options(self):
        zsh = self.zsh()
        offered = {
            "bash": set(self.bash_function("--")),
            "fish": set(self.fish("esp-ota --")),
            "zsh": set(re.findall(OPTION, zsh.after("esp-ota --\t\t"))),
        }
        expected = options_of_help()
        self.assertGreater(len(expected), 20)
        for shell, options in offered.items():
            with self.subTest(shell):
                self.assertEqual(options, expected)

    def test_values_with_names(self):
        for option, *others in (("--page",), ("--protocol",), ("--min-auth",), ("--sign-hash", "--sign", "k")):
            expected = sorted(values_of(option, *others))
            self.assertGreater(len(expected), 1)
            with self.subTest(option, shell="bash"):
                self.assertEqual(sorted(self.bash_function(option, "")), expected)
            with self.subTest(option, shell="fish"):
                self.assertEqual(sorted(self.fish(f"esp-ota {option} ")), expected)
            with self.subTest(option, shell="zsh"):
                shown = self.zsh().after(f"esp-ota {option} \t\t").split(f"{option} ", 1)[1]
                self.assertEqual(sorted(set(re.findall(r"[a-z][\w-]+", shown)) & set(expected)), expected)

    def test_bash_values(self):
        for words, expected in ((("-a", ""), []), (("--auth", "=", ""), []), (("-i", ""), ["attic", "@home", "kitchen.local"]),
                                (("--ip", "=", "k"), ["kitchen.local"]), (("--ip", "="), ["attic", "@home", "kitchen.local"]), (("-i", "@"), ["@home"]), (("@", "h"), ["@home"]), (("a",), ["attic"]),
                                (("-p", "8"), ["8266"]), (("-I", "l"), ["lo"]), (("--host-ip", "=", "l"), ["lo"]), (("-f", ""), []), (("",), ["attic", "@home"]),
                                (("--monitor", "="), ["23"]), (("--timestamps", "=", "w"), ["wall"]),
                                (("--monitor", "--ra"), ["--raw"]), (("--online", "=", ""), [])):
            with self.subTest(words):
                self.assertEqual(self.bash_function(*words), expected)

    def test_bash_files(self):
        shell = self.shell(["bash", "--norc", "--noprofile", "-i"],
                           f"source {DIRECTORY}/esp-ota.bash; bind 'set bell-style none'")
        for before in ("-f ", "--auth-file ", "--file="):
            self.assertIn("firm\\ ware.bin", shell.after(f"esp-ota {before}fir\t"), before)
        self.assertNotIn("ware", shell.after("esp-ota -a fir\t\t"))
        for typed, completed in (("att", "attic "), ("@", "@home "), ("@ho", "@home "), ("-i @ho", "-i @home "),
                                 ("fir", "firm\\ ware.bin")):
            self.assertIn(f"esp-ota {completed}", shell.after(f"esp-ota {typed}\t"), typed)

    def zsh(self):
        return self.shell(["zsh", "-f", "-i"],
                          f"fpath=({DIRECTORY} $fpath); autoload -U compinit; compinit -D -u; "
                          "unsetopt beep; bindkey -e; LISTMAX=1000; stty rows 200 columns 200")

    def test_zsh_values(self):
        shell = self.zsh()
        for before in ("-f ", "--auth-file ", "--file="):
            self.assertIn("firm\\ ware.bin", shell.after(f"esp-ota {before}fir\t"), before)
        self.assertNotIn("ware", shell.after("esp-ota -a fir\t\t"))
        self.assertIn("kitchen.local", shell.after("esp-ota -i kit\t"))
        for typed, completed in (("att", "attic "), ("@h", "@home "), ("-i @h", "-i @home "), ("fir", "firm\\ ware.bin")):
            self.assertIn(f"esp-ota {completed}", shell.after(f"esp-ota {typed}\t"), typed)
        self.assertNotRegex(shell.after("esp-ota -i \t\t"), "evil|touch")
        self.assertRegex(shell.after("esp-ota -I l\t"), r"-I lo\b")

    def test_fish_values(self):
        for before in ("-f ", "--auth-file ", "--file="):
            self.assertTrue(any("firm ware.bin" in entry or "firm\\ ware.bin" in entry
                                for entry in self.fish(f"esp-ota {before}fir")), before)
        self.assertEqual(self.fish("esp-ota -a fir"), [])
        self.assertEqual(sorted(self.fish("esp-ota -i ")), ["@home", "attic", "kitchen.local"])
        self.assertEqual(self.fish("esp-ota at"), ["attic"])
        self.assertEqual(self.fish("esp-ota @"), ["@home"])
        self.assertEqual(self.fish("esp-ota -p 8"), ["8266"])
        self.assertIn("lo", self.fish("esp-ota -I "))


if __name__ == "__main__":
    unittest.main()
