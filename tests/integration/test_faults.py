#!/usr/bin/env python3
"""The fault matrix: every state of an upload times every way to fail.

A row says what goes wrong, with which options of esp-ota, the exit status, the key phrase of the
message and the seconds within which it is over. Of every row must also hold what faults.py says of
all uploads: status 0 if and only if the board has confirmed, and then it has these very bytes.
Rows run side by side, each with a board and an address of its own.
"""

import concurrent.futures
import itertools
import json
import os
import signal
import socket
import tempfile
import time
import unittest

import faults
import requirement
import scenario
from faults import (SIGNALS_CAUGHT, SILENT_RESOLVER, Fault, board_says, go_on, passing, send, shell, stop, when)

AT_ONCE = 24  # nearly all the time every row waits
NONE = ""     # no fault of the board, no option
NEVER_AGAIN = "attempt 2"  # what must not be said where another attempt cannot help
PASSWORD = "kw3rt"
ASKS = f"-P {PASSWORD} "
GIVES = f"-a {PASSWORD} "
BLOCKS = 28 * 1460  # a board that gives up in lock-step does so between two blocks
REASON = "ERROR[1]: Flash Write Failed"


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def one_result(status):
    """Standard output is JSON lines, of which exactly the last is the result, with this status."""
    def judge(text):
        events = json_lines(text)
        results = [event for event in events if event["event"] == "result"]
        return results == events[-1:] and results[0]["exit_status"] == status
    return judge


RESOLVE = [
    Fault("the name is nobody's", None, "", 4, "not found: ", 12,
          target="nobody.invalid", never=NEVER_AGAIN),
    Fault("the name server never answers", None, "", 4, "the system resolver ", 14,
          target="kitchen.example", before=SILENT_RESOLVER, never=NEVER_AGAIN),
    Fault("no network, and a name", None, "", 4, "not found: ", 12,
          target="kitchen.example", before=("unshare", "--net"), never=NEVER_AGAIN),
    Fault("no network, and a .local name", None, "", 4, "multicast DNS cannot be asked", 14,
          target="kitchen.local", before=("unshare", "--net"), never=NEVER_AGAIN),
    Fault("no descriptors for the process that resolves", None, "", 1, "resolution: cannot be looked up: ", 14,
          target="nobody.invalid", before=shell('ulimit -n 8; exec "$@"'), never=NEVER_AGAIN),
    Fault("no processes to be had", None, "", 1,
          r"resolution: cannot be looked up: .*\n  End other programs of this user, or raise its "
          r'limit of processes \("ulimit -u"', 14, target="nobody.invalid",
          before=("setpriv", "--reuid", "60123", "--clear-groups", "prlimit", "--nproc=0"),
          never=NEVER_AGAIN, needs_plain_build=True),
]

def alone_and(*steps):
    """In a network of its own, after these steps."""
    steps = "; ".join(("ip link set lo up", *steps))
    return ("unshare", "--net", *shell(f'{steps}; exec "$@"'))


NETWORK = ("ip link add lan type veth peer name board", "ip link set board up",
           "ip address add 192.0.2.1/24 broadcast + dev lan", "ip address add fd77::1/64 dev lan nodad",
           "ip link set lan up")
ONE_NETWORK = alone_and(*NETWORK)
FIREWALL = "nft 'table inet t {{ chain c {{ type filter hook output priority 0; udp dport 1-65535 {}; }}; }}'"

INVITE = [
    Fault("the invitation is lost", "--fault drop-invitation", "", 0, "inviting it again", 8),
    Fault("the OK is lost", "--fault drop-ok", "", 0, "confirmed", 8),
    Fault("every invitation is lost", "--fault drop-invitation*0", "-t 1 --retries 0", 5,
          "no answer from .* to 1 invitation in 1 s", 4),
    Fault("the board is silent through all attempts", "--fault silent", "-t 1", 5,
          r"(?s)attempt 2 of 3 in 1 s.*attempt 3 of 3 in 2 s.*no answer from", 10),
    Fault("the board is silent, and wakes for the second attempt", "--fault drop-invitation*1",
          "-t 1", 0, "attempt 2 of 3 in 1 s", 6),
    Fault("the reply is late", "--fault delay-reply:5000", "", 0, "confirmed", 14),
    Fault("the reply comes twice", "--fault duplicate-reply", "", 0, "confirmed", 4),
    Fault("the invitation arrives twice", "--fault duplicate-invitation", "", 0, "confirmed", 8),
    Fault("garbage comes first", "--fault 'garbage-reply:HTTP/1.1 400\\e[2J\\0'", "", 0,
          "confirmed", 4),
    Fault("a datagram of 60,000 bytes comes first", "--fault big-reply:60000", "", 0,
          "confirmed", 4),
    Fault("a refusal is forged", "--fault forged-reply:127.0.0.77", "", 0, "confirmed", 4),
    Fault("a rejection comes first, and no challenge", "--fault stale-failed", "", 6,
          "now says OK without one", 8),
    Fault("the board restarts, and listens soon", "--fault closed:2500", "", 0,
          "in case the board is rebooting", 8),
    Fault("nothing listens there", "--fault closed:999999", "-t 1 --retries 1", 5,
          r"(?s)is the port \(-p\) right\?.*nothing listens at .* \(the given port\)", 8,
          never=NEVER_AGAIN),
    Fault("this computer's firewall forbids it", None, "", 1,
          r"cannot send to 127.0.0.9:[0-9]+: this computer's firewall forbids it.*\n  Let this",
          4, target="127.0.0.9", never=NEVER_AGAIN,
          before=alone_and(FIREWALL.format("drop"))),
    *(Fault(f"this computer's firewall rejects it: {way}, {target}", None, "", 1,
            r"cannot send to .*: this computer's firewall forbids it.*\n  Let this", 4, target=target,
            never=NEVER_AGAIN + "|cannot be reached|nothing listens",
            before=alone_and(*NETWORK, FIREWALL.format(way)))
      for way in ("reject", "reject with icmpx type admin-prohibited")
      for target in ("192.0.2.7", "fd77::7", "127.0.0.9")),
    Fault("-I leads to this computer only", None, "-I 127.0.0.1", 1,
          r"the address of -I does not lead there.*\n  Leave out -I", 4, target="192.0.2.7",
          never=NEVER_AGAIN, before=ONE_NETWORK),
    *(Fault(f"a route that keeps everything in: {kind}, {scheme}", None, "", status,
            rf"; a route of this computer {says}\n  Remove the route", 4, target=scheme + "203.0.113.7",
            never=NEVER_AGAIN, before=alone_and(f"ip route add {kind} 203.0.113.0/24"))
      for kind, says, status in (("blackhole", "discards it", 1), ("prohibit", "prohibits it", 1),
                                 ("unreachable", "makes it unreachable", 5))
      for scheme in ("", "http://", "esphome://", "sketch://")),
    Fault("a route that keeps IPv6 in", None, "", 5, "; a route of this computer makes it unreachable\n  Remove", 4,
          target="2001:db8::1", never=NEVER_AGAIN, before=alone_and("ip route add unreachable 2001:db8::/32")),
    Fault("-I is a broadcast address", None, "-I 192.0.2.255", 2, "is neither an IP address of this computer", 4,
          target="192.0.2.7", never=NEVER_AGAIN, before=ONE_NETWORK),
    Fault("this computer's own address, where nothing listens", None, "-t 1", 5,
          r"(?s)is rebooting; that is an address of this computer itself\n.*nothing listens at .*; that is an address "
          r"of this computer itself\n  Give the address of the board", 8, target="192.0.2.1",
          never=NEVER_AGAIN + "|ArduinoOTA", before=ONE_NETWORK),
    *(Fault(f"a broadcast address, {scheme}", None, "", 1,
            r"; that is the broadcast address of a network\n  Give the address", 4,
            target=scheme + "192.0.2.255", never=NEVER_AGAIN, before=ONE_NETWORK)
      for scheme in ("", "http://", "esphome://", "sketch://")),
    Fault("the image does not fit", "--capacity 50000", "", 7,
          r"(?s)refused: ERROR\[4\]: Not Enough Space.*compressed \(-z\)", 4, never=NEVER_AGAIN),
    Fault("the board was flashed by cable and not reset",
          "--fault 'refuse:ERROR[11]: Invalid bootstrapping state, reset ESP8266 before updating'",
          "", 7, "reset button", 4, never=NEVER_AGAIN),
    Fault("it refuses without a word", "--fault refuse:", "", 7, "it gave no reason", 4,
          never=NEVER_AGAIN),
    Fault("it refuses in terminal escapes", "--fault 'refuse:\\e]0;owned\\a\\e[2J'", "", 7,
          r"refused: \\x1b]0;owned", 4, never=NEVER_AGAIN),
    Fault("no filesystem partition", "--fs-capacity 0", "-s --force", 7,
          "(?s)refused: No Filesystem.*is built with room for a filesystem", 4, family="pico",
          never=NEVER_AGAIN),
    Fault("the filesystem image does not fit", "--fs-capacity 50000", "-s", 7,
          "(?s)refused: .*Not Enough Space.*flash layout of the running sketch", 4,
          never=NEVER_AGAIN),
    Fault("no network, and an address", None, "", 5,
          r"(?s)invitation: .* cannot be reached: .*unreachable\n  Connect this computer", 4,
          target="192.0.2.1", never=NEVER_AGAIN, before=("unshare", "--net")),
    Fault("no network for now", None, "--wait 2", 5,
          r"(?s)waiting for the board, 2 s at most.*unreachable; the 2 s of --wait are over", 6,
          target="192.0.2.1", never=NEVER_AGAIN, before=("unshare", "--net")),
    Fault("no network, and a page", None, "", 5,
          r"(?s)no connection to .*unreachable\n  Connect this computer", 4,
          target="http://192.0.2.1", never=NEVER_AGAIN, before=("unshare", "--net")),
    Fault("no network, and ESPHome", None, "", 5,
          r"(?s)no connection to .*unreachable\n  Connect this computer", 4,
          target="esphome://192.0.2.1", never=NEVER_AGAIN, before=("unshare", "--net")),
    Fault("no route for IPv6", None, "", 5,
          r"cannot be reached: this computer has no IPv6 address\n  Connect this", 4, target="2001:db8::1",
          never=NEVER_AGAIN, before=("unshare", "--net")),
]

AUTHENTICATE = [
    Fault("the password is wrong", ASKS, "-a wrong", 6, "rejected the password", 4,
          never=NEVER_AGAIN),
    Fault("the password is wrong, SHA-256", ASKS, "-a wrong", 6,
          "its SHA-256 and its MD5 hash were tried", 8, family="esp32-sha256", never=NEVER_AGAIN),
    Fault("no password is given, and nobody can be asked", ASKS, "", 6,
          "asks for a password, and none was given", 4, never=NEVER_AGAIN),
    Fault("the board keeps an MD5 hash", ASKS + "-H md5", GIVES, 0, "confirmed", 8,
          family="esp32-sha256"),
    Fault("the challenge is lost", ASKS + "--fault drop-auth", GIVES, 0, "confirmed", 12),
    Fault("the answer is lost", ASKS + "--fault drop-answer", GIVES, 0, "confirmed", 8),
    Fault("the OK to the answer is lost", ASKS + "--fault drop-ok", GIVES, 0, "confirmed", 8),
    Fault("every answer is lost", ASKS + "--fault drop-answer*0", GIVES + "--retries 0", 5,
          "neither accepted nor rejected the answer", 60),
    Fault("an earlier caller left the board waiting", ASKS + "--fault left-waiting", GIVES, 0,
          "confirmed", 12),
    Fault("an old challenge comes first", ASKS + "--fault stale-auth", GIVES, 0, "confirmed", 20),
    Fault("an old rejection comes first", ASKS + "--fault stale-failed", GIVES, 0, "confirmed", 12),
    Fault("the challenge comes twice", ASKS + "--fault duplicate-reply", GIVES, 0, "confirmed", 12),
    Fault("a challenge of 31 digits", ASKS + "--fault odd-challenge:31*0", GIVES +
          "-t 1 --retries 0", 5, "something that is not ArduinoOTA", 5),
    Fault("a challenge of 900 digits", ASKS + "--fault odd-challenge:900*0", GIVES +
          "-t 1 --retries 0", 5, "something that is not ArduinoOTA", 5),
    Fault("each answer gets another challenge", ASKS + "--fault endless-challenge", GIVES, 6,
          "kept sending new challenges", 10, never=NEVER_AGAIN),
    Fault("no answer is ever right", ASKS + "--fault always-fail-auth", GIVES, 6,
          "rejected the password", 5, never=NEVER_AGAIN),
    Fault("the board takes 2.5 s to check the answer", ASKS + "--pbkdf2-ms 2500", GIVES, 0,
          "confirmed", 12, family="esp32-sha256"),
    Fault("the password is right, and the image too large", ASKS + "--capacity 50000", GIVES, 7,
          "Not Enough Space", 4, never=NEVER_AGAIN),
]

ACCEPT = [
    Fault("the board never connects", "--fault never-connect", "-t 2", 8,
          r"(?s)a firewall drops its packets, or they were lost; trying again in 1 s.*"
          "accepted 100000 bytes, but did not connect to 127.0.0.1, TCP port", 27,
          never="(?s)trying again.*trying again"),
    Fault("the board connects the second time", "--fault never-connect*1", "", 0, "trying again in 1 s", 16),
    Fault("the board never connects, and --retries 0", "--fault never-connect", "--retries 0", 8,
          "did not connect", 14, never="trying again"),
    Fault("a firewall drops what comes back", "--fault wrong-port", "", 8, "firewall", 27,
          family="esp32"),
    Fault("the image does not fit, and an ESP32 says nothing", "--capacity 50000", "", 8,
          "an ESP32 refuses a larger one", 27, family="esp32"),
    Fault("no filesystem partition, and an ESP32 says nothing", "--fs-capacity 0", "-s --force --retries 0", 8,
          "has a partition for the filesystem, no smaller than the image", 14, family="esp32"),
    Fault("the board connects from another address", "--fault connect-from:127.0.0.9", "", 8,
          r"(?s)rejected a connection from 127.0.0.9:.*--peer.*attempt 2", 27,
          never="(?s)rejected a connection.*rejected a connection"),
    Fault("from another address, which --peer names", "--fault connect-from:127.0.0.9",
          "--peer 127.0.0.9", 0, "confirmed", 5),
    Fault("a stranger connects first", "--fault stranger:127.0.0.9", "", 0,
          "rejected a connection from 127.0.0.9", 8),
    Fault("the connection takes 6 s", "--fault connect-delay:6000", "-t 1", 0, "confirmed", 12),
    Fault("the connection comes and is reset at once", "--fault reset@0*1", "", 0,
          "attempt 2 of 3, in lock-step", 6),
    Fault("no descriptor for the connection, for a while", "", "-d", 0,
          "confirmed", 12, held=True, act=when("sent from", faults.without_descriptors)),
    Fault("no descriptor for the connection, for good", "", "-d", 1,
          "could not be accepted: Too many open files\n.*ulimit -n", 14, never=NEVER_AGAIN,
          held=True, act=when("sent from", faults.without_descriptors_from_now_on),
          env={"ASAN_OPTIONS": "detect_leaks=0"}),  # its leak checker needs one
]

TRANSFER = [
    Fault("a reset", "--fault reset@40000*1", "", 0,
          "reset the connection after .*; attempt 2 of 3, in lock-step, in 1 s", 6),
    Fault("a close", "--fault close@40000*1", "", 0, "attempt 2 of 3, in lock-step", 6),
    Fault("a reset each time", "--fault reset@40000", "", 9,
          r"(?s)attempt 2 of 3.*attempt 3 of 3.*transfer: the board reset the connection after", 9),
    Fault("a reset, and --retries 0", "--fault reset@40000", "--retries 0", 9,
          "the board reset the connection after", 3, never=NEVER_AGAIN),
    Fault("a reset twice, and --retries 1", "--fault reset@40000*2", "--retries 1", 9,
          "attempt 2 of 2", 5, never="attempt 3"),
    Fault("the board says why it gives up", f"--fault 'error:{REASON}\\n@{BLOCKS}'", "--lockstep",
          10, r"transfer: the board says: ERROR\[1\]: Flash Write Failed", 4, never=NEVER_AGAIN),
    Fault("its reason is lost in a reset, and lock-step yields it",
          f"--window 2144 --mss 536 --fault 'error:{REASON}\\n@{BLOCKS}'", "", 10,
          "the board says: ERROR", 9, never="attempt 3"),
    Fault("ESP32 says why", f"--fault 'error:Flash Erase Failed\\r\\n@{BLOCKS}'", "--lockstep", 10,
          "the board says: Flash Erase Failed\n", 5, family="esp32"),
    Fault("a reason without an end", "--fault 'garbage:Half a sent@99000' --fault stall@99500",
          "--retries 0", 10, "the board says: Half a sent", 8),
    Fault("a reason of escapes and NULs",
          f"--fault 'error:\\e[31m\\0\\xff\\xc2\\x9b2J\\n@{BLOCKS}'",
          "--lockstep", 10, r"the board says: \\x1b\[31m\\x00\\xff", 5),
    Fault("the board stalls", "--fault stall@40000", "--retries 0", 9, "stopped taking data", 22),
    Fault("the board stalls once", "--fault stall@40000*1", "", 0,
          "stopped taking data after .*; attempt 2 of 3, in lock-step", 24),
    Fault("the board stalls near the end, and wakes too late",
          "--fault pause:18000@80000", "--retries 0", 9,
          "stopped taking data", 22, settles="upload result="),
    Fault("the board is busy for 8 s", "--fault pause:8000@40000", "", 0, "confirmed", 14),
    Fault("nothing but a digit a second", "--fault trickle@40000", "--retries 0", 9,
          "stopped taking data", 72),
    Fault("a byte arrives wrong", "--fault corrupt@40000", "", 10,
          r"ERROR\[7\]: MD5 verification failed", 5, never=NEVER_AGAIN),
    Fault("a byte arrives wrong, ESP32", "--fault corrupt@40000", "", 10, "MD5 Check Failed", 5,
          family="esp32", never=NEVER_AGAIN),
    Fault("the board loses power, and is back", "--fault crash@40000*1", "", 0, "attempt 2 of 3",
          12, family="esp32"),
    Fault("OK before the end", "--window 2144 --mss 536 --fault ok-early@20000", "", 9,
          "said OK when it had only", 5, never=NEVER_AGAIN),
    Fault("a megabyte of digits", "--fault flood:1000000@40000", "", 0, "confirmed", 8),
    Fault("no numbers at all", "--fault no-numbers", "", 0, "confirmed", 5),
]

RESTARTED = "verdict did not come: the board left the network and has restarted"
LOGS = "--reboot-ms 3000 --telnet {log} --say old --say-after new"

RESULT = [
    Fault("the board rejects the whole", "--fault 'error-end:ERROR[10]: Magic byte is not 0xE9\\n'",
          "", 10, "Magic byte is not 0xE9", 5, never=NEVER_AGAIN),
    Fault("the wrong chip", "--fault 'error-end:Could Not Activate The Firmware\\r\\n'", "", 10,
          "result: the board says: Could Not Activate", 5, family="esp32", never=NEVER_AGAIN),
    *(Fault(f"remedy: {words}", f"--fault 'error-end:{words}\\n'", options, 10, remedy, 5, family=family,
            never=NEVER_AGAIN)
      for words, options, family, remedy in (
          ("ERROR[9]: new Flash config wrong, real size: 1048576", "", "esp8266", "this one is for a larger chip"),
          ("ERROR[12]: Signature verification failed", "", "esp8266", "--sign KEY"),
          ("ERROR[13]: No data supplied", "", "esp8266", "nothing of the image arrived"),
          ("ERROR[4]: Not Enough Space", "", "esp8266", r"compressed \(-z\)"),
          ("Not Enough Space\\r", "", "esp32", "larger app partitions"),
          ("Not Enough Space\\r", "-s --force", "esp32", "partition table on the board"),
          ("Could Not Activate The Firmware\\r", "", "esp32", "was built for this chip"),
          ("Ouch", "", "esp8266", "Fix the cause that the board names"))),
    Fault("O and K come apart", "--fault ok-split", "", 0, "confirmed", 5),
    Fault("the last number and OK come joined", "--fault ok-joined", "", 0, "confirmed", 5),
    Fault("FIN instead of a verdict", "--fault ok-missing", "", 11,
          "verdict did not come: the board closed the connection", 5, never=NEVER_AGAIN),
    Fault("a reset instead of a verdict", "--fault ok-reset", "", 11,
          "verdict did not come: the board reset the connection", 5, never=NEVER_AGAIN),
    Fault("silence instead of a verdict", "--fault ok-never", "", 11,
          "verdict did not come: the board said nothing more for 60 s", 66, never=NEVER_AGAIN),
    Fault("a reset instead of a verdict, ESP32", "--fault ok-reset", "", 11, "Check what the board runs", 5,
          family="esp32", never=NEVER_AGAIN),
    Fault("off the network instead of a verdict", None, "", 11,
          r"verdict did not come: the board has not answered for 1\d s", 25, target="127.0.0.1",
          before=faults.alone("127.0.0.1", board="--fault ok-never",
                              during='wait_for "fault order=ok-never"; ip link set lo down'),
          never=NEVER_AGAIN),
    Fault("a restart instead of a verdict", "--fault drop-verdict --reboot-ms 3000", "", 11,
          RESTARTED, 12, never=NEVER_AGAIN),
    Fault("a restart instead of a verdict, ESP32", "--fault drop-verdict --reboot-ms 3000", "", 11,
          RESTARTED, 12, family="esp32", never=NEVER_AGAIN),
    Fault("no way back instead of a verdict", "--fault drop-verdict --reboot-ms 60000", "", 11,
          r"verdict did not come: the board has not answered for 1\d s", 25, family="esp32"),
    Fault("the log proves what the verdict would have", f"--fault drop-verdict {LOGS}",
          "--monitor={log} --expect new", 0,
          "its verdict was lost, but its log said what was expected", 30, family="esp32",
          never="confirmed by the board"),
    Fault("the log does not", f"--fault drop-verdict {LOGS}",
          "--monitor={log} --expect other --expect-timeout 8", 12,
          "its verdict was lost, and in 8 s the log did not say", 30, installed=True),
    Fault("a log without a rejected line proves nothing", f"--fault drop-verdict {LOGS}",
          "--monitor={log} --reject panic --expect-timeout 8", 11, RESTARTED, 12, family="esp32",
          never="verdict was lost"),
    Fault("that an ESP32 has restarted proves it", "--fault drop-verdict --reboot-ms 3000",
          "--online", 0, "its verdict was lost, but it was off the network and has restarted", 20,
          family="esp32", never="confirmed by the board"),
    Fault("that an ESP8266 has does not", "--fault drop-verdict --reboot-ms 3000", "--online", 11,
          RESTARTED, 12, never="verdict was lost"),
    Fault("busy for longer than probes take", "--fault pause:16000@100000", "", 0, "confirmed", 25),
]

# The states as a signal finds them: what keeps an upload there, and what tells that it is there.
REACHED = "--json"
STATES = {
    "resolve": dict(board=None, options=REACHED, target="kitchen.example", before=SILENT_RESOLVER,
                    there='"event":"start"'),
    "invite": dict(board="--fault silent", options="", there="board: fault order=silent"),
    "authenticate": dict(board=ASKS + "--fault drop-answer*0", options=GIVES,
                         there="board: fault order=drop-answer"),
    "accept": dict(board="--fault never-connect", options="", there="board: reply text=OK"),
    "transfer": dict(board="--fault stall@40000", options="",
                     there="board: fault order=stall"),
    "result": dict(board="--fault ok-never", options="", there="board: fault order=ok-never"),
    "pause": dict(board="--fault reset@40000", options="", there="attempt 2 of 3"),
}


def in_state(state, action, status, says, seconds, **more):
    row = {**STATES[state], **more}
    act = when(row.pop("there"), *action)
    return Fault(state, row.pop("board"), row.pop("options"), status, says, seconds, act=act, **row)


SIGNALS = [
    in_state(state, [send(number)], 128 + number, f"interrupted by {number.name}"
             f"{'; the whole image had been sent' if state == 'result' else ''}", 20,
             never=r"Traceback|confirmed")
    for state, number in itertools.product(STATES, SIGNALS_CAUGHT)
] + [
    in_state("transfer", [send(signal.SIGHUP), send(signal.SIGQUIT)], 0, "confirmed", 20,
             board="--fault pause:1000@40000", there="board: fault order=pause",
             before=shell('trap "" HUP QUIT; exec "$@"')),
    # Ctrl-Z, and what has happened meanwhile counts when it goes on.
    in_state("resolve", [stop, passing(1), go_on], 4, "the system resolver ", 20, group=True),
    in_state("invite", [stop, passing(4), go_on], 0, "confirmed", 20, group=True,
             board="--fault delay-reply:3000", there="board: invitation"),
    in_state("authenticate", [stop, board_says("reply text=OK"), go_on], 0, "confirmed", 20,
             board=ASKS + "--pbkdf2-ms 3000", there="board: answer result", family="esp32-sha256",
             group=True),
    in_state("accept", [stop, board_says("connect "), go_on], 0, "confirmed", 20,
             board="--fault connect-delay:3000", group=True),
    in_state("transfer", [stop, passing(17), go_on], 0, "confirmed", 30, group=True,
             board="--fault pause:5000@40000", there="board: fault order=pause"),
    in_state("result", [stop, passing(2), go_on], 0, "confirmed", 20, group=True, board="",
             fast=False, there=r"100% \("),
    # The OK comes in time, and the deadline passes before esp-ota can read it.
    in_state("result", [stop, board_says("upload result=ok"), passing(30), go_on], 0, "confirmed", 60,
             group=True, board="", options="--deadline 30", fast=False, there=r"100% \(",
             never="--deadline"),
    in_state("pause", [stop, passing(2), go_on], 0, "confirmed", 20,
             board="--fault reset@40000*1", group=True),
]

def late(state, status=9, says="the upload did not end in the 2 s of --deadline", **more):
    """--deadline finds an upload in this state."""
    row = {**STATES[state], **more}
    row.pop("there")
    board, options = row.pop("board"), row.pop("options")
    return Fault(state, board, f"{options} --deadline 2", status, says, 15, **row)


DEADLINE = [
    late("resolve"),
    late("invite"),
    late("authenticate"),
    late("authenticate", board=ASKS, options="", columns=80),  # somebody is asked for it
    late("accept"),
    late("transfer"),
    late("transfer", options="--lockstep"),
    late("result", 11, r"verdict did not come in the 2 s of --deadline"),
    late("pause", options="--retries 9"),
    Fault("slow", "--window 2144 --mss 536 --write-ms 800", "--deadline 2", 9,
          r"transfer: .* 2 s of --deadline; \d+% of 97\.7 KiB were sent; the board does not start a "
          "sketch that was cut short", 9),
    Fault("proof", LOGS, "--monitor={log} --expect other --deadline 3", 12,
          "has confirmed the upload, but the 3 s of --deadline were over before the proof came(?s:.*)Give --deadline more seconds: after", 12,
          installed=True),
    Fault("in time", NONE, "--deadline 60", 0, "confirmed", 5),
]

# How long to look at what waiting costs, by state. Resolving takes 10 s at most, a pause 5 s.
WAITS = {
    "resolve": ("resolve", 9, {}),
    "invite": ("invite", 10, {}),
    "authenticate": ("authenticate", 10, {}),
    "a password to be typed": ("authenticate", 10, dict(
        board=ASKS, options="", columns=80, there="Password of")),
    "accept": ("accept", 10, dict(options="-t 30")),
    "a descriptor to be had": ("accept", 10, dict(
        board="--fault connect-delay:500", options="-t 20",
        before_wait=faults.without_descriptors_from_now_on,
        env={"ASAN_OPTIONS": "detect_leaks=0"})),  # its leak checker needs one
    "transfer": ("transfer", 10, {}),
    "result": ("result", 10, {}),
    "pause": ("pause", 4, dict(options="--retries 4", there="attempt 5 of 5.* in 5 s")),
}
CPU_S = 0.05

BUSY_PORT = socket.create_server(("0.0.0.0", 0))
PORT = BUSY_PORT.getsockname()[1]

HOST = [
    Fault("the port is taken", NONE, f"-P {PORT}", 1,
          f"cannot listen on TCP port {PORT} of any address: Address already in use", 3),
    Fault("the range of ports is used up", NONE, f"-P {PORT}-{PORT}", 1, "cannot listen", 3),
    Fault("-I is an address of another computer", NONE, "-I 192.0.2.1", 2,
          r"'192\.0\.2\.1' is neither an IP address of this computer nor one of its interfaces", 3),
    Fault("the disk is full for the report", NONE, "--json", 1,
          "confirmed, but the report of --json could not be written to standard output", 5,
          before=shell('exec "$@" >/dev/full'), installed=True),
    Fault("the disk is full, and the board fails, too", "--fault reset@40000",
          "--json --retries 0", 9, "reset the connection", 5,
          before=shell('exec "$@" >/dev/full')),
    Fault("the report may not become that large", NONE, "--json", 1,
          "confirmed, but the report of --json could not be written", 5, installed=True,
          before=shell('ulimit -f 0; exec "$@" >report')),
    Fault("the reader of the report has gone", NONE, "--json", 1, "report of --json could not be written", 5,
          before=shell('mkfifo gone-report; exec 3<>gone-report >gone-report 3<&-; exec "$@"'), installed=True),
    Fault("the reader of the report has stopped", "--write-ms 80",
          "--json", 0, "confirmed", 30, family="esp32", size=700_000, never=NEVER_AGAIN,
          act=lambda upload: (faults.stop_reading(upload),
                              upload.board.wait_for("upload result=")), out=one_result(0)),
    Fault("standard output is closed", NONE, "", 0, "confirmed", 5,
          before=shell('exec "$@" >&-')),
    Fault("standard output is closed, and a report is wanted", NONE, "--json", 1,
          "report of --json could not be written", 5, before=shell('exec "$@" >&-'), installed=True),
    Fault("the same without /dev/null", NONE, "--json", 1, "it is closed", 5, never="has stopped", installed=True,
          before=("unshare", "--mount", *shell('mount -t tmpfs none /dev; exec "$@" >&-'))),
    Fault("standard error is closed", NONE, "-d", 0, "^$", 5, before=shell('exec "$@" 2>&-')),
    Fault("standard error is closed, and there is a report", NONE, "--json", 0, "^$", 5,
          before=shell('exec "$@" 2>&-'), out=one_result(0)),
    Fault("the reader of standard error has gone", NONE, "-d", 0, "^$", 5,
          before=shell('mkfifo gone-errors; exec 3<>gone-errors 2>gone-errors 3<&-; exec "$@"')),
    Fault("standard error is full", NONE, "-d", 0, "^$", 5, before=shell('exec "$@" 2>/dev/full')),
    Fault("all three are closed", NONE, "-d", 0, "^$", 5,
          before=shell('exec "$@" <&- >&- 2>&-')),
    Fault("the file is replaced meanwhile", "--fault pause:500@40000", "", 0, "confirmed", 8,
          act=when("board: fault order=pause", faults.replace_image)),
    Fault("the file is overwritten meanwhile", "--fault pause:500@40000", "", 0, "confirmed", 8,
          act=when("board: fault order=pause", faults.overwrite_image)),
    Fault("the file is truncated meanwhile", "--fault pause:500@40000", "", 0, "confirmed", 8,
          act=when("board: fault order=pause", faults.truncate_image)),
    Fault("the file is removed before the second attempt", "--fault reset@40000*1", "", 0,
          "confirmed", 8, act=when("attempt 2", faults.remove_image)),
    Fault("the image is a directory", NONE, "-f {directory}", 3, "is a directory", 3),
    Fault("the image is not there", NONE, "-f {directory}/none.bin", 3, "No such file", 3),
    Fault("the image never ends", NONE, "-f /dev/zero", 3, "is a device, not a firmware image", 3),
    Fault("the options make no sense", NONE, "--retries -1", 2, "'-1' is not a number", 3),
    Fault("memory for the program, not for the image", NONE,
          "--max-size 900M -f {directory}/large.bin", 1, "out of memory", 9,
          before=shell('truncate -s 800M large.bin; ulimit -v 400000; exec "$@"'),
          needs_plain_build=True),
    Fault("memory for the program, not for libcurl", NONE, "", 1, r'raise its limit \("ulimit -v"\)', 9,
          never="Install the library", target="http://127.0.0.1/",
          before=shell('ulimit -v 20000; exec "$@"'), needs_plain_build=True),
    Fault("the wall clock is set forwards again and again", "--fault pause:2000@40000", "", 0,
          "confirmed", 8, env={"CLOCK_JUMP_S": "86400"}, before=faults.SHIFTED),
    Fault("the wall clock is set backwards again and again", "--fault drop-invitation", "", 0,
          "inviting it again", 9, env={"CLOCK_JUMP_S": "-86400"}, before=faults.SHIFTED),
    Fault("the wall clock jumps, and the board is silent", "--fault silent", "-t 2 --retries 1", 5,
          "no answer", 9, env={"CLOCK_JUMP_S": "86400"}, before=faults.SHIFTED),
    Fault("the terminal is made narrower", "--fault pause:900@40000", "", 0, "confirmed", 8,
          columns=120, act=when("board: fault order=pause", faults.resize(24))),
    Fault("the terminal has one column", "--fault pause:900@40000", "", 0, "confirmed", 8,
          columns=1),
    Fault("the terminal is held with Ctrl-S", "--write-ms 80",
          "", 0, "confirmed", 20, columns=80, family="esp32", never=NEVER_AGAIN,
          act=when("board: connect ", faults.type_in("\x13"), board_says("upload result="),
                   faults.type_in("\x11"))),
    Fault("the network goes down", None, "--retries 0", 9, "after .* of 100000 bytes", 30,
          target="127.0.0.1", before=faults.network_down()),
    Fault("the network goes down, and is back at once", None, "", 0, "confirmed", 30,
          target="127.0.0.1", before=faults.network_down("sleep 1", "ip link set lo up")),
    Fault("the network goes down, and is back for the second attempt", None, "", 0,
          "attempt 2 of 3", 60, target="127.0.0.1",
          before=faults.network_down("sleep 20", "ip link set lo up")),
    Fault("a host without IPv4", None, "", 0, "confirmed", 9, target="::1",
          before=faults.V6_ONLY),
    Fault("a host without IPv6", None, "", 0, "confirmed", 9, target="127.0.0.1",
          before=faults.V4_ONLY),
]

# Enough descriptors for nothing, for the first sockets, for all but the connection, ...
SCARCE = [
    Fault(f"only {count} descriptors", NONE, "--retries 0 -t 1", None, "", 14,
          before=shell(f'ulimit -n {count}; exec "$@"'))
    for count in range(4, 14)
]

TABLES = {
    "resolve": RESOLVE, "invite": INVITE, "authenticate": AUTHENTICATE, "accept": ACCEPT,
    "transfer": TRANSFER, "result": RESULT, "signal": SIGNALS, "deadline": DEADLINE, "host": HOST, "scarce": SCARCE,
}


def cpu_while_waiting(wait):
    """Seconds of CPU time that esp-ota uses while it waits in a state."""
    state, seconds, changes = wait
    changes = dict(changes)
    used = []

    def measure(upload):
        before = faults.cpu_seconds(upload.program.pid)
        time.sleep(seconds)
        used.append(faults.cpu_seconds(upload.program.pid) - before)

    action = [changes.pop("before_wait", lambda upload: None), measure, send(signal.SIGTERM)]
    row = in_state(state, action, 128 + signal.SIGTERM, "interrupted by SIGTERM", 60, **changes)
    wrong = faults.observe(row)
    assert not wrong, wrong
    return used[0]


class FaultMatrix(unittest.TestCase):

    def test_every_row(self):
        rows = [(f"{table}: {fault.name}", fault) for table, faults_ in TABLES.items()
                for fault in faults_]
        wanted = os.environ.get("ESP_OTA_FAULT", "")
        rows = [(name, fault) for name, fault in rows if wanted in name]
        for (name, fault), found in faults.observe_all(rows, AT_ONCE):
            with self.subTest(name):
                self.assertFalse(found, f"{name}\n{found}")

    def test_waiting_costs_nothing(self):
        """No state is a busy loop."""
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            for name, used_s in zip(WAITS, pool.map(cpu_while_waiting, WAITS.values())):
                with self.subTest(name):
                    self.assertLess(used_s, CPU_S)

    def test_lack_of_descriptors(self):
        """Wherever they run out, no board is blamed. Without -p, two ports are tried for this image."""
        commands = {"upload": ("-i", scenario.address(), "--retries", "0", "-t", "1"),
                    "server": ("--serve=127.0.0.1:0", "--serve-for", "0.1")}
        with tempfile.NamedTemporaryFile(suffix=".bin") as image:
            image.write(scenario.image())
            image.flush()
            for (name, arguments), count in itertools.product(commands.items(), range(4, 20)):
                run = scenario.run(*arguments, "-f", image.name, before=shell(f'ulimit -n {count}; exec "$@"'),
                                   ASAN_OPTIONS="detect_leaks=0")  # its leak checker needs one
                with self.subTest(name, descriptors=count):
                    self.assertIn(run.status, (0, 1, 5), run)
                    self.assertEqual(run.status == 1, "Too many open files" in run.err, run)
                    self.assertEqual(run.status == 1, "ulimit -n" in run.err, run)

    def test_size(self):
        self.assertGreaterEqual(sum(map(len, TABLES.values())), 60)


if __name__ == "__main__":
    if os.geteuid() != 0:
        requirement.end("namespaces and limits need root")
    unittest.main()
