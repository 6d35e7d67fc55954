#!/usr/bin/env python3
"""--online: a board that goes off the network and comes back, or does not, over a link that can be taken down; what
its update page tells then."""

import json
import os
import re
import signal
import tempfile
import time
import unittest

import cable
import firmware
import link

OTA_LINK = os.environ["OTA_LINK"]
ESP_OTA = os.environ["ESP_OTA"]
ESP_OTA_SIM = os.environ["ESP_OTA_SIM"]
AWAY_S = 2.5
BACK = r"it went off the network and was back (\d+\.\d) s later"
UNSEEN = "whether the board has restarted is unknown, as this computer could not watch it all the time"
CONFIRMED = "the board has confirmed the upload; waiting at most "


class Online(unittest.TestCase):
    """The link is down while the board is off the air, unless the case wants something else."""

    def setUp(self):
        file = tempfile.NamedTemporaryFile(suffix=".bin")
        self.addCleanup(file.close)
        file.write(firmware.noise())
        file.flush()
        self.image = file.name

    def upload(self, *options, goes=True, returns=True):
        """The exit status, and all that was said. A board that does not go restarts too fast to be seen."""
        reboot_ms = int(1000 * AWAY_S) if goes else 1
        with link.Link(OTA_LINK, delay=1) as net:
            board = net.simulate(ESP_OTA_SIM, "--fast", "--reboot-ms", str(reboot_ms), "--telnet", "23",
                                 "--telnet-leave", "reset", "--say", "old", "--say-after", "new")
            program = net.upload(ESP_OTA, "-f", self.image, *options)
            program.wait_for(CONFIRMED)
            board.wait_for("rebooting")
            if goes:
                net.tell("down")
                start = time.monotonic()
                board.wait_for(r"\bopen\b")
                self.away_s = time.monotonic() - start
            if goes and returns:
                net.tell("up")
            status = program.wait(60)
            return status, program.output

    def test_back(self):
        status, output = self.upload("--online=30")
        self.assertEqual(status, 0, output)
        found = re.search(rf"confirmed by the board; {BACK}\n", output)
        self.assertTrue(found, output)
        self.assertGreater(float(found[1]), self.away_s - 0.1, output)  # it is rounded
        self.assertNotIn("log connected", output)

    def test_never_gone(self):
        status, output = self.upload("--online=3", goes=False)
        self.assertEqual(status, 12, output)
        self.assertRegex(output, r"esp-ota: .*it answered all the time, for \d+\.\d s: it did not restart, "
                         r"or too fast to be seen")
        self.assertNotRegex(output, BACK)

    def test_not_back_in_time(self):
        status, output = self.upload("--online=5", returns=False)
        self.assertEqual(status, 12, output)
        self.assertRegex(output, r"esp-ota: .*it went off the network and was not back after 5 s\n")

    def upload_and_lose(self, lose, *options):
        """lose(net, program) is called while the restart of a board is waited for that was never away."""
        with link.Link(OTA_LINK, delay=1) as net:
            board = net.simulate(ESP_OTA_SIM, "--fast", "--reboot-ms", "1")
            program = net.upload(ESP_OTA, "-f", self.image, *options)
            program.wait_for(CONFIRMED)
            board.wait_for(r"rebooting(.*\n)*.*\bopen\b")
            lose(net, program)
            return program.wait(60), program.output

    def wait_longer_than_a_silence(self, net):
        """Until another one, beside the board, has asked an address that nobody has for 2 s."""
        other = net.start(*net.board.command(ESP_OTA, "-i", "10.99.0.3", "-f", self.image, "-t", "2", "--retries", "0"))
        self.assertEqual(other.wait(), 5, other.output)

    def test_own_link_down(self):
        """This computer's own link is no sign of the board's restart."""
        def lose(net, _program):
            net.host.run("ip", "link", "set", link.DEVICE, "down")
            self.wait_longer_than_a_silence(net)
            net.host.run("ip", "link", "set", link.DEVICE, "up")
            net.host.meet(net.board)

        status, output = self.upload_and_lose(lose, "--online=20")
        self.assertEqual(status, 12, output)
        self.assertIn(UNSEEN, output)

    def test_stopped(self):
        """Nor is the time in which this program is stopped (Ctrl-Z, fg)."""
        def lose(net, program):
            os.kill(program.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, program.pid, os.WSTOPPED | os.WNOWAIT)
            self.wait_longer_than_a_silence(net)
            os.kill(program.pid, signal.SIGCONT)

        status, output = self.upload_and_lose(lose, "--online=6")
        self.assertEqual(status, 12, output)
        self.assertIn(UNSEEN, output)

    def test_with_log(self):
        """Both proofs are wanted, and named."""
        status, output = self.upload("--online=30", "--monitor", "--expect", "^new$")
        self.assertEqual(status, 0, output)
        self.assertRegex(output, "(?m)^new$")
        self.assertRegex(output, BACK)
        self.assertIn("its log said what was expected", output)

    def test_back_but_without_the_line(self):
        status, output = self.upload("--online=30", "--expect", "other", "--expect-timeout", "12")
        self.assertEqual(status, 12, output)
        self.assertRegex(output, r'esp-ota: .*in 12 s the log did not say "other"; the last line was "new"')

    def test_line_but_never_gone(self):
        status, output = self.upload("--online=5", "--expect", "^new$", goes=False)
        self.assertEqual(status, 12, output)
        self.assertRegex(output, r"esp-ota: .*it answered all the time, for \d+\.\d s")


class Carrier(unittest.TestCase):
    """The cable is pulled at its far end: the carrier is lost, and the address and the route of this computer stay."""

    def start(self, net, *options, board):
        net.simulate(ESP_OTA_SIM, *board)
        return net.start(*net.host.command(ESP_OTA, "-i", cable.BOARD, "-p", str(cable.PORT), "-f", net.image.name,
                                           *options))

    def test_online(self):
        with cable.Cable() as net:
            program = self.start(net, "--online=20", board=("--reboot-ms", "1"))
            program.wait_for(CONFIRMED)
            net.board.ip("link set far0 down")
            other = net.upload(ESP_OTA, "192.168.1.9", "-t", "2", "--retries", "0")
            self.assertEqual(other.returncode, 5, other)  # longer than a silence takes
            net.board.ip("link set far0 up")
            status = program.wait(60)
        self.assertEqual(status, 12, program.output)
        self.assertNotRegex(program.output, BACK)
        self.assertIn(UNSEEN, program.output)

    def test_log(self):
        """A board that goes on with the old firmware, and whose verdict was lost."""
        with cable.Cable() as net:
            program = self.start(net, "--monitor", "--expect", "tick", "--expect-timeout", "20",
                                 board=("--fault", "ok-reset", "--restart-ms", "86400000", "--telnet", "23", "--say", "!tick 500"))
            program.wait_for("log connected")
            net.board.ip("link set far0 down")
            program.wait_for("log lost")
            net.board.ip("link set far0 up")
            status = program.wait(60)
        self.assertEqual(status, 12, program.output)
        self.assertIn(UNSEEN, program.output)


class Version(unittest.TestCase):
    """The version that an update page told before the upload, and tells once the board is back."""

    def upload(self, page, *settings, data=b"", options=()):
        file = tempfile.NamedTemporaryFile(suffix=".bin")
        self.addCleanup(file.close)
        file.write(firmware.esp8266() + data)
        file.flush()
        words = [word for setting in settings for word in ("--web-set", setting)]
        with link.Link(OTA_LINK, delay=1) as net:
            board = net.simulate(ESP_OTA_SIM, "--fast", "--web", page, "--reboot-ms", "2500", *words)
            program = net.upload(ESP_OTA, "--protocol", "web", "--force", "-f", file.name, "--online=30", *options)
            program.wait_for("for it to go off the network")
            board.wait_for("rebooting")
            net.tell("down")
            board.wait_for(r"\bopen\b")
            net.tell("up")
            return program.wait(60), program.output

    def upload_json(self, *arguments, **options):
        status, output = self.upload(*arguments, options=("--json",), **options)
        return status, json.loads([line for line in output.splitlines() if line.startswith("{")][-1])

    def test_new(self):
        status, output = self.upload("tasmota", "version=13.3.0", "version-after=13.4.0", data=b"12:00:00")
        self.assertEqual(status, 0, output)
        self.assertRegex(output, BACK + r"; it runs 13\.4\.0\(tasmota\) of 2026-11-02T12:00:00 now "
                         r"\(before: 13\.3\.0\(tasmota\) of 2026-11-01T12:00:00\)\n")
        status, result = self.upload_json("wled-old", "version-after=0.15.1", data=b"0.15.1")
        self.assertEqual((status, result["verified"], result["phase"]), (0, "readback", "proof of boot"), result)
        self.assertRegex(result["message"], r"; it runs 0\.15\.1 .* now \(before: 0\.15\.0 ")

    def test_espeasy(self):
        """/json is asked only for a version, and only where it tells one."""
        status, result = self.upload_json("esp8266", "version=20116", "version-after=20117", data=b"mega-20117")
        self.assertEqual((status, result["verified"]), (0, "readback"), result)
        self.assertRegex(result["message"], "; it runs 20117, .* now")
        status, result = self.upload_json("esp8266")
        self.assertEqual((status, result["verified"]), (0, "board"), result)
        self.assertRegex(result["message"], BACK + "$")

    def test_expected(self):
        """--expect-version: the same words, and 12 if the board that is back tells another."""
        for after, status, said in (("99.1", 0, BACK + r"; it runs 99\.1\(tasmota\) .*now \(before: "),
                                    ("14.0", 12, "the board has confirmed the upload, but after 2 s its version is 14\\.0")):
            with self.subTest(after):
                ended, output = self.upload("tasmota", f"version-after={after}", data=b"12:00:00",
                                            options=("--expect-version", "99.1", "--expect-timeout", "2"))
                self.assertEqual(ended, status, output)
                self.assertRegex(output, said)

    def test_another_one(self):
        """Neither the one before nor the image: a firmware that the board has fallen back to."""
        status, output = self.upload("wled-old", "version-after=0.13.1", data=b"0.15.1")
        self.assertEqual(status, 12, output)
        self.assertRegex(output, r"the board has confirmed the upload, but it runs 0\.13\.1 .* now, and the image is another "
                                 r"version\n")

    def test_old_one_again(self):
        """Status 12 if the image has no trace of the version; otherwise it may be the same one once more."""
        status, output = self.upload("tasmota", "rolls-back")
        self.assertEqual(status, 12, output)
        self.assertRegex(output, "the board has confirmed the upload, but it runs .* as before, and the image is another "
                                 "version\n")
        status, output = self.upload("esp8266", "version=20116", "rolls-back")
        self.assertEqual(status, 12, output)
        self.assertIn("it runs 20116, mega-20116 of 21:00:00 as before, and the image is another version\n", output)
        status, result = self.upload_json("wled-old", "rolls-back", data=b"0.15.0".ljust(16, b"\0"))
        self.assertEqual((status, result["verified"]), (0, "board"), result)
        self.assertRegex(result["message"], BACK + "; it runs .*, as before$")


if __name__ == "__main__":
    link.run_tests()
