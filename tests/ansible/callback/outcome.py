"""Ansible's callback plugin outcome: writes what test_sites.py asks about to the file $ESP_OTA_OUTCOME."""

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: outcome
type: notification
short_description: Write results as JSON
description: For the test of the role.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "outcome"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.results = {}

    def _keep(self, result):
        if result.task_name.endswith("Update the boards"):
            self.results[result._host.get_name()] = result._result

    def v2_runner_on_ok(self, result):
        self._keep(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._keep(result)

    def v2_playbook_on_stats(self, stats):
        outcome = {"results": self.results,
                   "recap": {host: stats.summarize(host) for host in stats.processed}}
        with open(os.environ["ESP_OTA_OUTCOME"], "w", encoding="utf-8") as file:
            json.dump(outcome, file)
