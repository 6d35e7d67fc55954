"""What `cmake --install` installs, and that it works from there."""

import os
import subprocess
import unittest

import scenario

BUILD = os.path.dirname(scenario.PROGRAM)
FILES = {
    "bin/esp-ota",
    "include/esp-ota.mk",
    "share/bash-completion/completions/esp-ota",
    "share/doc/esp-ota/LICENSE",
    "share/doc/esp-ota/README.md",
    "share/fish/vendor_completions.d/esp-ota.fish",
    "share/man/man1/esp-ota.1",
    "share/man/man5/esp-ota-hosts.5",
    "share/man/man7/esp-ota-image.7",
    "share/man/man7/esp-ota-json.7",
    "share/man/man7/esp-ota-log.7",
    "share/man/man7/esp-ota-pages.7",
    "share/man/man7/esp-ota-protocol.7",
    "share/man/man7/esp-ota-security.7",
    "share/man/man7/esp-ota-serve.7",
    "share/zsh/site-functions/_esp-ota",
}


class Install(scenario.Scenario):
    def setUp(self):
        super().setUp()
        self.prefix = os.path.join(self.directory, "usr")
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr"], text=True,
                              env=scenario.environment(DESTDIR=self.directory),
                              capture_output=True, check=False, timeout=scenario.DEADLINE_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_files(self):
        found = {os.path.relpath(os.path.join(folder, name), self.directory)
                 for folder, _, names in os.walk(self.directory) for name in names}
        self.assertEqual(found, {f"usr/{name}" for name in FILES})

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
