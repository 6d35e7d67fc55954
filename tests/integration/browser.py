"""Headless Chromium, told what to do through its DevTools protocol on a pair of pipes."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import time

import scenario


class Browser:
    """One page. Every answer is waited for, with a deadline."""

    def __init__(self, case):
        self.number, self.buffer = 0, b""
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        home = scenario.folder()
        # Chromium reads commands from descriptor 3 and writes answers to 4.
        line = ('exec 3<&"$1" 4>&"$2"; exec chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage '
                '--no-first-run --remote-debugging-pipe --user-data-dir="$3" about:blank')
        self.process = subprocess.Popen(["bash", "-c", line, "bash", str(commands), str(answers), home],
                                        pass_fds=(commands, answers), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        env=scenario.environment(HOME=home), start_new_session=True)
        os.close(commands)
        os.close(answers)
        case.addCleanup(shutil.rmtree, home, ignore_errors=True)
        case.addCleanup(self.stop)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.commands)
        os.close(self.answers)

    def _read_message(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            data = os.read(self.answers, 1 << 16)
            if not data:
                raise EOFError("the browser has ended")
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + scenario.DEADLINE_S
        while True:
            answer = self._read_message(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer["result"]

    def run(self, script):
        """The value of an expression, or of the promise that it is."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def look(self, width, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait_for(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def wait_for(self, condition):
        """Until the condition holds; it is looked at whenever the page changes."""
        deadline = time.monotonic() + scenario.DEADLINE_S
        while time.monotonic() < deadline:
            try:
                if self.run("new Promise(done => { const look = () => (" + condition + ") && done(true); look();"
                            "new MutationObserver(look).observe(document, {subtree: true, childList: true});"
                            "setTimeout(() => done(false), 1000); })"):
                    return
            except RuntimeError:  # the page went away for another
                pass
        raise TimeoutError(f"the page never came to {condition}: {self.run('document.body.innerText')}")

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot")["data"]))
