#!/usr/bin/python
"""Ansible's module esp_ota: see DOCUMENTATION."""

import json
import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: esp_ota
short_description: Put firmware onto Wi-Fi boards near this machine
description:
  - Runs esp-ota(1) on a machine in the boards' network.
  - A board that has confirmed the image in an earlier run is left out. The file C(report) remembers that, so
    a board that was flashed by other means since then is not noticed; delete the file to send the image again.
  - In check mode, finds the boards and the image for each (--dry-run), and sends nothing. Where the program is
    not installed yet, it is expected to be by then.
  - Fails if a board fails, after all others had their turn; C(boards) names them.
  - Passwords and keys are given as files, and never appear in a command line or in a result.
options:
  image:
    description: The firmware, a file on this machine. May be left out if each line of C(hosts) names one.
    type: path
  boards:
    description: Names, addresses or URLs of boards.
    type: list
    elements: str
    default: []
  hosts:
    description: A list of boards, a file on this machine; see esp-ota-hosts(5).
    type: path
  report:
    description: Where the confirmed boards are kept from one run to the next.
    type: path
    required: true
  auth_file:
    description: The boards' password, in the first line of a file on this machine.
    type: path
  encryption_key_file:
    description: The key for encrypted uploads to ESPHome, in the first line of a file on this machine.
    type: path
  filesystem:
    description: The image is a filesystem image.
    type: bool
    default: false
  jobs:
    description: How many boards to update at a time.
    type: int
  canary:
    description: Update this many boards of this machine first, and go on only if all of them confirm.
    type: int
  max_failures:
    description: Start no further board after this many failures.
    type: int
  deadline:
    description: Give up a board after this many seconds.
    type: int
  metrics:
    description: Note the results in this file, for Prometheus.
    type: path
  options:
    description: Further options of esp-ota, such as --online.
    type: list
    elements: str
    default: []
  executable:
    description: The program.
    type: path
    default: esp-ota
"""

EXAMPLES = r"""
- name: Update the lamps
  esp_ota:
    image: /var/lib/esp-ota/lamp.bin
    hosts: /var/lib/esp-ota/lamps
    auth_file: /var/lib/esp-ota/password
    report: /var/lib/esp-ota/lamps.jsonl
    canary: 1
"""

RETURN = r"""
boards:
  description:
    - One entry for each board, with its name, port, state, and the code and message of esp-ota-json(7).
    - "The state is updated, current (has the image already), failed, planned (check mode) or untried (the
      roll-out had stopped, or another entry is the same board)."
  type: list
  returned: always
exit_status:
  description: That of esp-ota(1).
  type: int
  returned: if it has run
"""

SKIP_STATES = {"confirmed": "current", "dry-run": "planned"}


def command(module, program):
    options = module.params
    line = [program, "--json", "--quiet"]
    for name in ("hosts", "auth_file", "encryption_key_file", "jobs", "canary", "max_failures", "deadline", "metrics"):
        if options[name] is not None:
            line += ["--" + name.replace("_", "-"), str(options[name])]
    if options["image"] is not None:
        line += ["--file", options["image"]]
    if options["filesystem"]:
        line.append("--filesystem")
    if module.check_mode:
        line.append("--dry-run")
    if os.path.exists(options["report"]):
        line += ["--resume", options["report"]]
    for board in options["boards"]:
        line += ["--ip", board]
    return line + options["options"]


def events(text):
    """The last line of a program that was killed may be cut short."""
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("board") is not None:
            yield event


def is_outcome(event):
    return event["event"] == "result" or (event["event"] == "skipped" and event["code"] == "confirmed")


def identity(event):
    return event["board"], event.get("port"), event.get("command")


def update_report(module, now):
    """Keeps the last word on each board: a run over some of them must not forget the others."""
    path = module.params["report"]
    outcomes = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            outcomes = {identity(event): event for event in events(file.read()) if is_outcome(event)}
    for event in filter(is_outcome, now):
        outcomes.pop(identity(event), None)  # the later one has to come behind all others
        outcomes[identity(event)] = event
    if not outcomes:
        return
    descriptor, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        for event in outcomes.values():
            # --resume recognizes a line that was cut short by its beginning.
            file.write(json.dumps({"event": event["event"], **event}, separators=(",", ":")) + "\n")
    module.atomic_move(temporary, path)


def state(event):
    if event["event"] == "skipped":
        return SKIP_STATES.get(event["code"], "untried")
    return "updated" if event["ok"] else "failed"


def describe(event):
    return {"name": event["board"], "port": event.get("port"), "state": state(event), "code": event["code"],
            "message": event["message"]}


def failure_text(boards, errors):
    """By cause, as the summary of esp-ota has it; without a failed board, what the program said."""
    failed = {}
    for board in boards:
        if board["state"] == "failed":
            failed.setdefault(board["code"], []).append(board["name"])
    if not failed:
        return errors.strip() or "esp-ota has failed"
    causes = "; ".join(f"{code}: {', '.join(names)}" for code, names in sorted(failed.items()))
    return f"{sum(map(len, failed.values()))} of {len(boards)} boards failed: {causes}"


def main():
    module = AnsibleModule(
        argument_spec={
            "image": {"type": "path"},
            "boards": {"type": "list", "elements": "str", "default": []},
            "hosts": {"type": "path"},
            "report": {"type": "path", "required": True},
            # The names of files, not what is in them.
            "auth_file": {"type": "path", "no_log": False},
            "encryption_key_file": {"type": "path", "no_log": False},
            "filesystem": {"type": "bool", "default": False},
            "jobs": {"type": "int"},
            "canary": {"type": "int"},
            "max_failures": {"type": "int"},
            "deadline": {"type": "int"},
            "metrics": {"type": "path"},
            "options": {"type": "list", "elements": "str", "default": []},
            "executable": {"type": "path", "default": "esp-ota"},
        },
        required_one_of=[["image", "hosts"], ["boards", "hosts"]],
        supports_check_mode=True)
    program = module.get_bin_path(module.params["executable"], required=not module.check_mode)
    if program is None:
        module.exit_json(changed=True, boards=[], msg="esp-ota is not installed yet, so no board was looked for")
    exit_status, output, errors = module.run_command(command(module, program))
    now = [event for event in events(output) if event["event"] in ("result", "skipped")]
    if not module.check_mode:
        update_report(module, now)
    boards = [describe(event) for event in now]
    result = {
        "changed": any(board["state"] in ("updated", "planned") for board in boards),
        "boards": boards,
        "exit_status": exit_status,
        "stderr": errors,
    }
    if exit_status != 0:
        module.fail_json(msg=failure_text(boards, errors), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
