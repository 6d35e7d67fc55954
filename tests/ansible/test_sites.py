#!/usr/bin/env python3
"""The role of contrib/ansible over three sites with 20 simulated boards each, one site out of reach and one
board bad: which boards get the image, what Ansible says, and that a second run changes nothing. And a machine
without esp-ota, where the role installs it.

A site is a network namespace of this computer, and its machine Ansible's local connection with a Python in
that namespace. Run by scripts/test-ansible, which sets ESP_OTA and ESP_OTA_SIM."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SITES = ("hamburg", "lyon", "oslo")
COUNT = 20
PASSWORD = "sesame-4711"
BAD = 7  # the board of lyon that has no room
RESULT_IS_THERE = "esp_ota_result.boards | length == esp_ota_boards | length"


class Site:
    """A network namespace with boards, which lives as long as the process that holds it."""

    NAMESPACES = ("--net",)
    PREPARE = "ip link set lo up && echo up && exec cat"
    PYTHON = sys.executable

    def __init__(self, name, folder):
        self.name = name
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.holder = subprocess.Popen(["unshare", *self.NAMESPACES, "sh", "-euc", self.PREPARE, "sh", folder],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.holder.stdout.readline() != b"up\n":
            raise RuntimeError("no namespace")
        self.inside = ["nsenter", f"--target={self.holder.pid}", "--net"]
        self.inside_root = ["nsenter", f"--target={self.holder.pid}", *self.NAMESPACES, "--root", f"--wd={self.folder}"]
        self.boards = []
        self.python = self._script("python", f'exec {" ".join(self.inside_root)} {self.PYTHON} "$@"')
        self.program = self._script("esp-ota", f'echo "$@" >>{self.folder}/commands\nexec {os.environ["ESP_OTA"]} "$@"')
        with open(self.path("board-password"), "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")

    def _script(self, name, text):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(path, 0o755)
        return path

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, first, count, *options):
        board = subprocess.Popen([*self.inside, os.environ["ESP_OTA_SIM"], "--fast", "--address", f"127.1.0.{first}",
                                  "--count", str(count), "--password-file", self.path("board-password"),
                                  "--output", self.path("%a.bin"), *options], stdout=subprocess.PIPE, text=True)
        self.boards.append(board)
        for _ in range(count):
            if " ready " not in board.stdout.readline():
                raise RuntimeError("the simulated boards do not start")

    def stop(self):
        for board in self.boards:
            board.terminate()
            board.wait()
            board.stdout.close()
        self.boards = []

    def close(self):
        self.stop()
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()

    def received(self):
        """The last byte of each address, and the digest of what it got."""
        found = {}
        for number in range(1, COUNT + 1):
            path = self.path(f"127.1.0.{number}.bin")
            if os.path.exists(path):
                with open(path, "rb") as file:
                    found[number] = hashlib.sha256(file.read()).hexdigest()
        return found

    def forget_received(self):
        for number in self.received():
            os.remove(self.path(f"127.1.0.{number}.bin"))

    def inventory(self, is_reachable):
        """Nothing listens at port 1."""
        way = {"ansible_connection": "local", "ansible_python_interpreter": self.python} if is_reachable else {
            "ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
        return {"hosts": {f"gateway-{self.name}": way},
                "vars": {"esp_ota_boards": [f"127.1.0.{number}" for number in range(1, COUNT + 1)],
                         "esp_ota_directory": self.path("state"), "esp_ota_executable": self.program,
                         "esp_ota_metrics": self.path("esp-ota.prom")}}


class Machine(Site):
    """A site whose machine has a root of its own: this computer's, with all that is written kept in memory. What is
    installed there is gone with it. Ansible's files are in the folder of the test."""

    NAMESPACES = ("--net", "--mount")
    PREPARE = """
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
        for folder in /proc /sys /dev "$1"; do
            mount --rbind "$folder" "/mnt/root$folder"
        done
        exec chroot /mnt/root sh -c "$0" """.replace("$0", Site.PREPARE)
    PYTHON = "/usr/bin/python3"  # python3-apt is there only for Debian's own

    def run(self, *command):
        return subprocess.run([*self.inside_root, *command], stdout=subprocess.PIPE, text=True, check=False).stdout

    def installed(self):
        """The version of the package."""
        return self.run("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", "esp-ota")


def build_package(folder, version):
    """A Debian package of the program as it was built; that of debian/ takes minutes, and a new chroot."""
    name = f"esp-ota_{version}_all.deb"
    root = os.path.join(folder, f"package-{version}")
    subprocess.run(["cmake", "--install", os.path.dirname(os.environ["ESP_OTA"]), "--prefix", "/usr"], check=True,
                   env={**os.environ, "DESTDIR": root}, stdout=subprocess.DEVNULL)
    os.mkdir(os.path.join(root, "DEBIAN"))
    with open(os.path.join(root, "DEBIAN/control"), "w", encoding="utf-8") as file:
        file.write(f"Package: esp-ota\nVersion: {version}\nArchitecture: all\nMaintainer: nobody <n@esp-ota.invalid>\n"
                   "Description: for tests\n")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", root, os.path.join(folder, name)],
                   check=True, stdout=subprocess.DEVNULL)
    return name


def write_image(folder, seed):
    """firmware.bin; returns its digest."""
    image = b"\xe9" + bytes(seed * number % 251 for number in range(20000))
    with open(os.path.join(folder, "firmware.bin"), "wb") as file:
        file.write(image)
    return hashlib.sha256(image).hexdigest()


class Run:
    """One ansible-playbook: its status, and of each site the recap and the module's result."""

    def __init__(self, folder, *options):
        outcome = os.path.join(folder, "outcome.json")
        environment = {**os.environ, "ANSIBLE_HOME": folder, "ANSIBLE_LOCAL_TEMP": folder, "ANSIBLE_REMOTE_TMP": folder,
                       "ANSIBLE_CALLBACK_PLUGINS": os.path.join(SOURCE, "tests/ansible/callback"),
                       "ANSIBLE_CALLBACKS_ENABLED": "outcome", "ESP_OTA_OUTCOME": outcome,
                       "ANSIBLE_SSH_ARGS": "-F none", "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            ["ansible-playbook", "-vvv", "--inventory", os.path.join(folder, "inventory.json"), *options,
             os.path.join(folder, "play.yml")], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            cwd=folder, text=True, timeout=600, check=False)
        self.status = done.returncode
        self.text = done.stdout
        if not os.path.exists(outcome):
            raise RuntimeError(self.text)
        with open(outcome, encoding="utf-8") as file:
            found = json.load(file)
        os.remove(outcome)
        self.recap = self._by_site(found["recap"])
        self.results = self._by_site(found["results"])

    @staticmethod
    def _by_site(by_host):
        return {host.partition("-")[2]: value for host, value in by_host.items()}

    def states(self, site):
        """How many boards are in which state."""
        states = [board["state"] for board in self.results[site]["boards"]]
        return {state: states.count(state) for state in set(states)}


class Sites(unittest.TestCase):

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="esp-ota-ansible-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.sites = {}
        for name in SITES:
            self.sites[name] = Site(name, self.folder)
            self.addCleanup(self.sites[name].close)
        for name in ("hamburg", "oslo"):
            self.sites[name].start(1, COUNT)
        self.start_lyon("--fault", "refuse:No room*0")
        with open(os.path.join(self.folder, "play.yml"), "w", encoding="utf-8") as file:
            json.dump([{"hosts": "sites", "gather_facts": False,
                        "roles": [os.path.join(SOURCE, "contrib/ansible/roles/esp_ota")],
                        "post_tasks": [{"assert": {"that": RESULT_IS_THERE}}]}], file)

    def start_lyon(self, *bad):
        lyon = self.sites["lyon"]
        lyon.start(1, BAD - 1)
        lyon.start(BAD, 1, *bad)
        lyon.start(BAD + 1, COUNT - BAD)

    def use(self, reachable, seed):
        """An image, and the sites that Ansible reaches."""
        self.digest = write_image(self.folder, seed)
        with open(os.path.join(self.folder, "inventory.json"), "w", encoding="utf-8") as file:
            json.dump({"sites": {
                "vars": {"esp_ota_image": os.path.join(self.folder, "firmware.bin"), "esp_ota_install": False,
                         "esp_ota_password": PASSWORD, "esp_ota_options": ["--force", "--retries", "0"]},
                "children": {name: self.sites[name].inventory(name in reachable) for name in SITES}}}, file)

    def run_playbook(self, *options):
        run = Run(self.folder, *options)
        self.assertNotIn(PASSWORD, run.text)
        for site in self.sites.values():
            if os.path.exists(site.path("commands")):
                with open(site.path("commands"), encoding="utf-8") as file:
                    self.assertNotIn(PASSWORD, file.read())
        return run

    def assert_received(self, site, numbers):
        self.assertEqual(self.sites[site].received(), dict.fromkeys(numbers, self.digest), site)

    def test_roll_out(self):
        everybody = set(range(1, COUNT + 1))
        self.use(("hamburg", "lyon"), seed=3)

        planned = self.run_playbook("--check")
        self.assertEqual(planned.states("hamburg"), {"planned": COUNT}, planned.text)
        self.assertTrue(planned.results["hamburg"]["changed"])
        for site in SITES:
            self.assert_received(site, ())

        first = self.run_playbook()
        self.assertNotEqual(first.status, 0, first.text)
        self.assertEqual(first.states("hamburg"), {"updated": COUNT}, first.text)
        self.assertEqual(first.states("lyon"), {"updated": COUNT - 1, "failed": 1}, first.text)
        self.assertEqual(first.results["lyon"]["msg"], f"1 of {COUNT} boards failed: refused: 127.1.0.{BAD}")
        self.assertEqual((first.recap["oslo"]["unreachable"], first.recap["hamburg"]["failures"]), (1, 0))
        self.assert_received("hamburg", everybody)
        self.assert_received("lyon", everybody - {BAD})
        self.assert_received("oslo", ())
        for site in self.sites.values():
            site.forget_received()

        second = self.run_playbook()
        self.assertEqual(second.states("hamburg"), {"current": COUNT}, second.text)
        self.assertEqual(second.states("lyon"), {"current": COUNT - 1, "failed": 1}, second.text)
        for site in ("hamburg", "lyon"):
            self.assertEqual(second.recap[site]["changed"], 0, second.text)
            self.assert_received(site, ())

        # The bad board is mended and the site is back: only these get the image.
        self.sites["lyon"].stop()
        self.start_lyon()
        self.use(SITES, seed=3)
        third = self.run_playbook()
        self.assertEqual(third.status, 0, third.text)
        self.assertEqual(third.states("lyon"), {"current": COUNT - 1, "updated": 1}, third.text)
        self.assert_received("hamburg", ())
        self.assert_received("lyon", {BAD})
        self.assert_received("oslo", everybody)
        with open(self.sites["lyon"].path("esp-ota.prom"), encoding="utf-8") as file:
            self.assertEqual(len(re.findall(r"^esp_ota_board_last_upload_exit_status\{.*\} 0$", file.read(), re.M)),
                             COUNT)

        # A new image is for all, and a run over one board does not forget the others.
        self.use(SITES, seed=5)
        fourth = self.run_playbook("--limit", "hamburg", "--extra-vars", '{"esp_ota_boards": ["127.1.0.1"]}')
        self.assertEqual(fourth.states("hamburg"), {"updated": 1}, fourth.text)
        self.use(SITES, seed=3)
        fifth = self.run_playbook("--limit", "hamburg", "--check")
        self.assertEqual(fifth.states("hamburg"), {"planned": 1, "current": COUNT - 1}, fifth.text)


class Install(unittest.TestCase):
    """A machine without esp-ota."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="esp-ota-ansible-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.machine = Machine("hamburg", self.folder)
        self.addCleanup(self.machine.close)
        self.machine.start(1, 1)
        write_image(self.folder, seed=3)
        with open(os.path.join(self.folder, "play.yml"), "w", encoding="utf-8") as file:
            json.dump([{"hosts": "gateway-hamburg", "gather_facts": False,
                        "roles": [os.path.join(SOURCE, "contrib/ansible/roles/esp_ota")]}], file)

    def run_playbook(self, package, *options):
        host = {"ansible_connection": "local", "ansible_python_interpreter": self.machine.python,
                "esp_ota_boards": ["127.1.0.1"], "esp_ota_image": os.path.join(self.folder, "firmware.bin"),
                "esp_ota_password": PASSWORD, "esp_ota_options": ["--force"]}
        if package:
            host["esp_ota_package"] = os.path.join(self.folder, package)
        with open(os.path.join(self.folder, "inventory.json"), "w", encoding="utf-8") as file:
            json.dump({"all": {"hosts": {"gateway-hamburg": host}}}, file)
        return Run(self.folder, *options)

    def assert_run(self, run, states, version):
        self.assertEqual(run.status, 0, run.text)
        self.assertEqual(run.states("hamburg"), states, run.text)
        self.assertEqual(self.machine.installed(), version, run.text)

    def test_install(self):
        package = build_package(self.folder, "1.0-1")

        planned = self.run_playbook(package, "--check")
        self.assert_run(planned, {}, "")
        self.assertEqual(planned.results["hamburg"]["msg"], "esp-ota is not installed yet, so no board was looked for")
        self.assertEqual(self.machine.received(), {})

        first = self.run_playbook(package)
        self.assert_run(first, {"updated": 1}, "installed 1.0-1")
        self.assertIn("esp-ota ", self.machine.run("/usr/bin/esp-ota", "--version"))
        self.assertEqual(list(self.machine.received()), [1])

        self.machine.run("apt-get", "clean")
        second = self.run_playbook(package)
        self.assert_run(second, {"current": 1}, "installed 1.0-1")
        self.assertEqual(second.recap["hamburg"]["changed"], 0, second.text)

        newer = self.run_playbook(build_package(self.folder, "1.1-1"))
        self.assert_run(newer, {"current": 1}, "installed 1.1-1")

        # That of the distribution is there.
        last = self.run_playbook(None)
        self.assert_run(last, {"current": 1}, "installed 1.1-1")
        self.assertEqual(last.recap["hamburg"]["changed"], 0, last.text)


if __name__ == "__main__":
    unittest.main()
