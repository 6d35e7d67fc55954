"""What `cmake --install` installs, and that it works from there."""

import ctypes
import json
import os
import re
import subprocess
import sys
import unittest

import scenario

BUILD = os.path.dirname(scenario.PROGRAM)
FILES = {
    "bin/esp-ota",
    "include/esp-ota.mk",
    "share/bash-completion/completions/esp-ota",
    "share/doc/esp-ota/CHANGELOG.md",
    "share/doc/esp-ota/CONTRIBUTING.md",
    "share/doc/esp-ota/LICENSE",
    "share/doc/esp-ota/docs/ci/Dockerfile",
    "share/doc/esp-ota/docs/ci/github-actions.yml",
    "share/doc/esp-ota/docs/ci/gitlab-ci.yml",
    "share/doc/esp-ota/docs/ci/platform.local.txt",
    "share/doc/esp-ota/docs/ci/vscode-tasks.json",
    "share/doc/esp-ota/README.md",
    "share/doc/esp-ota/SECURITY.md",
    "share/doc/esp-ota/docs/serve.png",
    "share/doc/esp-ota/docs/sites.md",
    "share/doc/esp-ota/docs/terminal.svg",
    "share/doc/esp-ota/contrib/ansible/README.md",
    "share/doc/esp-ota/contrib/ansible/inventory.example.yml",
    "share/doc/esp-ota/contrib/ansible/roles/esp_ota/defaults/main.yml",
    "share/doc/esp-ota/contrib/ansible/roles/esp_ota/library/esp_ota.py",
    "share/doc/esp-ota/contrib/ansible/roles/esp_ota/tasks/install.yml",
    "share/doc/esp-ota/contrib/ansible/roles/esp_ota/tasks/main.yml",
    "share/doc/esp-ota/contrib/ansible/site.yml",
    "share/doc/esp-ota/contrib/systemd/esp-ota-nightly.service",
    "share/doc/esp-ota/contrib/systemd/esp-ota-nightly.timer",
    "share/doc/esp-ota/contrib/systemd/esp-ota-serve.service",
    "share/doc/esp-ota/tests/bench/FLEET.md",
    "share/doc/esp-ota/tests/bench/LINK.md",
    "share/doc/esp-ota/tests/bench/README.md",
    "share/doc/esp-ota/tests/device/README.md",
    "share/esp-ota/arduinoOTA",
    "share/esp-ota/espota.py",
    "share/fish/vendor_completions.d/esp-ota.fish",
    "share/man/man1/esp-ota.1",
    "share/man/man5/esp-ota-config.5",
    "share/man/man5/esp-ota-hosts.5",
    "share/man/man7/esp-ota-callers.7",
    "share/man/man7/esp-ota-image.7",
    "share/man/man7/esp-ota-json.7",
    "share/man/man7/esp-ota-log.7",
    "share/man/man7/esp-ota-pages.7",
    "share/man/man7/esp-ota-protocol.7",
    "share/man/man7/esp-ota-security.7",
    "share/man/man7/esp-ota-serve.7",
    "share/zsh/site-functions/_esp-ota",
}


def notes(program, folder):
    """What the program says in its section .note.dlopen about libraries that it loads (JSON)."""
    section = os.path.join(folder, "notes")
    subprocess.run(["objcopy", f"--dump-section=.note.dlopen={section}", program, os.devnull], check=True)
    with open(section, "rb") as file:
        rest = file.read()
    found = []
    while rest:
        owner_size, size, kind = (int.from_bytes(rest[at:at + 4], sys.byteorder) for at in (0, 4, 8))
        owner, rest = rest[12:12 + owner_size], rest[12 + (owner_size + 3) // 4 * 4:]
        if (owner, kind) == (b"FDO\0", 0x407c0c0a):
            found += json.loads(rest[:size].rstrip(b"\0"))
        rest = rest[(size + 3) // 4 * 4:]
    return found


class Notes(scenario.Scenario):
    """What packagers read in the program."""

    def test_all_that_is_loaded_is_noted(self):
        found = notes(scenario.PROGRAM, self.directory)
        self.assertEqual({note["feature"]: note["soname"] for note in found},
                         {"mdns": ["libavahi-client.so.3"], "serve": ["libmicrohttpd.so.12"],
                          "update-pages": ["libcurl.so.4"]})
        for note in found:
            self.assertEqual(note["priority"], "recommended")
            self.assertTrue(note["description"])
            ctypes.CDLL(note["soname"][0])  # exists where the tests run

    def test_nothing_of_it_is_linked(self):
        shown = subprocess.run(["readelf", "--dynamic", scenario.PROGRAM], text=True, capture_output=True,
                               check=True).stdout
        self.assertIn("NEEDED", shown)
        self.assertIsNone(re.search(r"NEEDED.*(avahi|curl|microhttpd)", shown))


class Version(scenario.Scenario):
    """CMakeLists.txt has the version; files that others read repeat it."""

    PLACES = (("CHANGELOG.md", r"^## (\S+) \("),
              ("debian/changelog", r"^esp-ota \((\S+)-1\) "),
              ("packaging/esp-ota.spec", r"^Version: +(\S+)$"),
              ("packaging/esp-ota.spec", r"^\* .*> - (\S+)-1$"),
              ("contrib/ansible/inventory.example.yml", r"\besp-ota_(\S+)-1_amd64\.deb$"),
              ("contrib/ansible/roles/esp_ota/defaults/main.yml", r"\besp-ota_(\S+)-1_amd64\.deb$"))

    def test_agrees_everywhere(self):
        shown = scenario.run("--version").out
        version = re.match(r"esp-ota (\S+)", shown)[1]
        for path, pattern in self.PLACES:
            with self.subTest(path):
                with open(os.path.join(os.environ["ESP_OTA_SOURCE"], path), encoding="utf-8") as file:
                    found = re.search(pattern, file.read(), re.MULTILINE)  # the newest entry comes first
                self.assertIsNotNone(found, pattern)
                self.assertEqual(found[1], version)


class Install(scenario.Scenario):
    def setUp(self):
        super().setUp()
        self.prefix = os.path.join(self.directory, "usr")
        self.install()

    def install(self, *options):
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr", *options], text=True,
                              env=scenario.environment(DESTDIR=self.directory),
                              capture_output=True, check=False, timeout=scenario.DEADLINE_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def installed(self):
        return {os.path.relpath(os.path.join(folder, name), self.prefix)
                for folder, _, names in os.walk(self.prefix) for name in names}

    def test_files(self):
        self.assertEqual(self.installed(), FILES)

    def test_links(self):
        """Installed pages link to what is installed."""
        done = subprocess.run([os.path.join(os.environ["ESP_OTA_SOURCE"], "scripts", "links"),
                               os.path.join(self.prefix, "share", "doc", "esp-ota")], text=True, capture_output=True,
                              check=False, timeout=scenario.DEADLINE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_paths_in_manual_pages(self):
        """What they name below share/ is installed."""
        named = set()
        for folder, _, names in os.walk(os.path.join(self.prefix, "share", "man")):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    named.update(re.findall(r"\bshare/(?:doc/)?esp-ota/[\w./-]*\w", file.read().replace("\\-", "-")))
        self.assertIn("share/doc/esp-ota/contrib", named)
        self.assertEqual({path for path in named if not os.path.exists(os.path.join(self.prefix, path))}, set())

    def test_simulated_board(self):
        self.install("--component", "sim")
        self.assertEqual(self.installed() - FILES, {"bin/esp-ota-sim", "share/doc/esp-ota-sim/README.md",
                                                    "share/man/man1/esp-ota-sim.1"})

    def test_program_runs(self):
        program = os.path.join(self.prefix, "bin", "esp-ota")
        done = subprocess.run([program, "--version"], env=scenario.environment(), text=True,
                              capture_output=True, check=False, timeout=scenario.DEADLINE_S)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("esp-ota", done.stdout)

    def test_make_finds_the_fragment_and_the_program(self):
        board = self.board()
        image = scenario.image()
        self.file("firmware.bin", image)
        self.file("Makefile", f"ESP_OTA_HOST = {board.address}:{board.port}\n"
                              "ESP_OTA_FILE = firmware.bin\ninclude esp-ota.mk\n".encode())
        path = f"{self.prefix}/bin:{os.environ['PATH']}"
        done = subprocess.run(["make", "-I", f"{self.prefix}/include", "upload"],
                              cwd=self.directory, env=scenario.environment(PATH=path), text=True,
                              capture_output=True, check=False, timeout=scenario.DEADLINE_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(board.received(), image)


if __name__ == "__main__":
    unittest.main()
