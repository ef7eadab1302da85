"""Drives headless Chromium by the DevTools protocol, over a pair of pipes."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

WAIT = 30


class Browser:
    """A browser with a fresh profile; use it in a `with` statement."""

    def __enter__(self):
        program = shutil.which("chromium")
        if program is None:
            raise SystemExit("chromium is not installed; run Scripts/install-dependencies page")
        self.folder = tempfile.mkdtemp(prefix="verypoll-browser-")
        own_in, own_out = os.pipe(), os.pipe()

        def prepare():
            # Chromium expects the commands at descriptor 3, and answers at descriptor 4.
            reading, writing = os.dup(own_in[0]), os.dup(own_out[1])
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        # The parent must not own 3 and 4, which the child replaces.
        command = [
            program, "--headless=new", "--remote-debugging-pipe", "--no-first-run",
            "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--force-color-profile=srgb", f"--user-data-dir={self.folder}", "about:blank",
        ]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        self.process = subprocess.Popen(
            command, preexec_fn=prepare, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(own_in[0])
        os.close(own_out[1])
        self.writing, self.reading = own_in[1], own_out[0]
        self.rest, self.number, self.events = b"", 0, []
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
        except (OSError, RuntimeError):
            self.process.kill()
        self.process.wait()
        os.close(self.writing)
        os.close(self.reading)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, session=None, **parameters):
        """Calls a method, and returns its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.writing, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + WAIT
        while True:
            answer = self.receive(deadline)
            if answer is None:
                raise RuntimeError(f"{method}: no answer within {WAIT} s")
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def receive(self, deadline):
        """Returns the next message, or None if none arrives in time."""
        while b"\0" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.reading], [], [], left)[0]:
                return None
            piece = os.read(self.reading, 1 << 16)
            if not piece:
                raise RuntimeError("the browser has ended")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def page(self, url, **options):
        """Opens a page in a tab of its own."""
        return Page(self, url, **options)


class Page:
    """A tab."""

    def __init__(self, browser, url, width=1600, height=1000, dark=False, scripts=True,
                 before=""):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call(
            "Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.target = target
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.color(dark)
        if not scripts:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        if before:
            self.call("Page.addScriptToEvaluateOnNewDocument", source=before)
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def call(self, method, **parameters):
        """Calls a method of the tab."""
        return self.browser.call(method, self.session, **parameters)

    def resize(self, width, height):
        """Sets the size of the view."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)

    def color(self, dark):
        """Sets the preferred color scheme."""
        value = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": value},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def run(self, script):
        """Evaluates an expression, and returns its value."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait(self, condition):
        """Waits until an expression is true."""
        deadline = time.monotonic() + WAIT
        while not self.run(condition):
            if time.monotonic() > deadline:
                raise RuntimeError(f"not within {WAIT} s: {condition}")
            self.pause(0.1)

    def pause(self, seconds):
        """Collects events for some time."""
        deadline = time.monotonic() + seconds
        while (event := self.browser.receive(deadline)) is not None:
            self.browser.events.append(event)

    def complaints(self):
        """Returns all messages of the console and all uncaught errors so far."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            parameters = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                found.append(parameters["exceptionDetails"].get("text", "exception"))
            elif event["method"] == "Runtime.consoleAPICalled":
                found.append(str(parameters["args"]))
            elif event["method"] == "Log.entryAdded":
                found.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        return found

    def requests(self):
        """Returns the addresses of all requests so far."""
        return [
            event["params"]["request"]["url"] for event in self.browser.events
            if event.get("sessionId") == self.session
            and event["method"] == "Network.requestWillBeSent"
        ]

    def picture(self, path, whole=False):
        """Saves a picture of the view, or of the whole page."""
        options = {"format": "png"}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            options |= {"captureBeyondViewport": True, "clip": {
                "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        data = self.call("Page.captureScreenshot", **options)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def close(self):
        """Closes the tab."""
        self.browser.call("Target.closeTarget", targetId=self.target)
