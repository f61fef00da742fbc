"""Chromium, driven by its DevTools protocol: what a page loads, logs and shows, and what comes of clicks and keys."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)
SECONDS = 30.0
_KEYS = {
    "Tab": (9, ""),
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "ArrowDown": (40, ""),
    "ArrowRight": (39, ""),
}


class Page:
    """A page: `requests` are the addresses that it asked for, `errors` what stood in its console."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket, self._numbers = socket, count(1)
        self._events: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.errors: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **given: Any) -> dict[str, Any]:
        """Give a command of the protocol; returns its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            told = self._receive()
            if told.get("id") == number:
                assert "error" not in told, told
                return told["result"]

    def go(self, address: str) -> None:
        """Open an address, and wait until it is loaded."""
        self._events.clear()
        self.send("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def wait_for(self, event: str) -> None:
        """Wait for an event since the last action."""
        until = time.monotonic() + SECONDS
        while not any(each.get("method") == event for each in self._events):
            assert time.monotonic() < until, f"{event} did not come; errors: {self.errors}"
            self._receive()

    def run(self, script: str) -> Any:
        """What an expression in JavaScript comes to."""
        told = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + SECONDS
        while not self.run(script):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.05)

    def click(self, selector: str, *, loads: bool = True) -> None:
        """Click into the middle of an element, as a mouse does; a link loads the next page."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); const b = e.getClientRects()[0]; "
            "return [b.x + Math.min(b.width / 2, 30), b.y + b.height / 2]; })()"
        )
        self._events.clear()
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        if loads:
            self.wait_for("Page.loadEventFired")

    def press(self, key: str) -> None:
        """Press a key."""
        code, text = _KEYS.get(key) or (ord(key.upper()), key)
        self._events.clear()
        for kind in ("keyDown", "keyUp"):
            its = {"text": text} if kind == "keyDown" and text else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **its)

    def write(self, text: str) -> None:
        """Type a text where the focus is."""
        self.send("Input.insertText", text=text)

    def resize(self, width: int, height: int = 900) -> None:
        """Make the window so wide and high."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, **features: str) -> None:
        """What the reader prefers: `color_scheme="dark"`, `reduced_motion="reduce"`."""
        told = [{"name": f"prefers-{name.replace('_', '-')}", "value": value} for name, value in features.items()]
        self.send("Emulation.setEmulatedMedia", features=told)

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Take a picture of the page, all of it or what the window shows."""
        clip = {"clip": self._all()} if whole else {}
        told = self.send("Page.captureScreenshot", captureBeyondViewport=whole, **clip)
        file.write_bytes(base64.b64decode(told["data"]))

    def _all(self) -> dict[str, float]:
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 8000), "scale": 1}

    def _receive(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._socket.recv(timeout=SECONDS))
        given = told.get("params", {})
        match told.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(given["request"]["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(given["exceptionDetails"].get("exception", given["exceptionDetails"])))
            case "Runtime.consoleAPICalled" if given["type"] in {"error", "warning", "assert"}:
                self.errors.append(str([each.get("value") for each in given["args"]]))
            case "Log.entryAdded" if given["entry"]["level"] in {"error", "warning"}:
                self.errors.append(f"{given['entry']['text']} {given['entry'].get('url', '')}")
        if "method" in told:
            self._events.append(told)
        return told


@contextmanager
def browser() -> Generator[Page]:
    """Chromium with one page, for the length of the block."""
    assert PROGRAM
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                *(PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
                *("--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"),
                *(f"--user-data-dir={profile}", "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with connect(_address(Path(profile), process), proxy=None, max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """Where the first page of a browser listens."""
    told, until = profile / "DevToolsActivePort", time.monotonic() + SECONDS
    plain = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError, IndexError, StopIteration):
            port = told.read_text().split()[0]
            with plain.open(f"http://127.0.0.1:{port}/json/list", timeout=5) as answer:
                return next(page["webSocketDebuggerUrl"] for page in json.load(answer) if page["type"] == "page")
        time.sleep(0.05)
    raise AssertionError("Chromium did not start")
