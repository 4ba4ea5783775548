"""A client of the W3C WebDriver protocol: one window of a browser, by JSON over HTTP on loopback.

https://www.w3.org/TR/webdriver2/. Only what the tests of the page need, for drivers that all speak it: geckodriver and
WebKitWebDriver.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from base64 import b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # by which the protocol marks an element in JSON
TAB, ENTER, SHIFT, SPACE = "\ue004", "\ue007", "\ue008", " "
PATIENCE = 60.0  # seconds for anything that is waited for; the machine may have other work
_ANSWER = 120.0  # seconds for the driver to answer

_LOOPBACK = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # whatever proxy the environment names


class WebDriverError(Exception):
    """The driver, or the browser, did not do what it was asked; `code` is the protocol's word for it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Window:
    """A session with one window. `close` ends the browser."""

    def __init__(self, endpoint: str, capabilities: Mapping[str, Any]) -> None:
        self._base = f"{endpoint}/session"
        asked = {"capabilities": {"alwaysMatch": dict(capabilities)}}
        started = _call("POST", self._base, asked)
        self._base += f"/{started['sessionId']}"
        self.version = str(started["capabilities"].get("browserVersion", ""))

    def open(self, url: str) -> None:
        """Go to an address; returns when it has been loaded."""
        self._post("url", url=url)

    def reload(self) -> None:
        """Load the page again."""
        self._post("refresh")

    def run(self, script: str, *arguments: object) -> Any:
        """Run the body of a function in the page; return what it returns."""
        return self._post("execute/sync", script=script, args=list(arguments))

    def until(self, script: str, *arguments: object) -> Any:
        """Run the body of a function until what it returns is true; return that."""
        end = time.monotonic() + PATIENCE
        while not (found := self.run(script, *arguments)):
            if time.monotonic() > end:
                raise WebDriverError("timeout", f"this did not become true: {script}")
            time.sleep(0.02)
        return found

    def choose(self, selector: str, *paths: Path) -> None:
        """Choose files in a file input."""
        self._post(f"element/{self._find(selector)}/value", text="\n".join(map(str, paths)))

    def click(self, selector: str) -> None:
        """Click on an element."""
        self._post(f"element/{self._find(selector)}/click")

    def press(self, keys: str) -> None:
        """Press and release keys one after the other, where the focus is."""
        strokes = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._strike(strokes)

    def press_with(self, held: str, key: str) -> None:
        """Press a key while another one is held."""
        pressed = [("keyDown", held), ("keyDown", key), ("keyUp", key), ("keyUp", held)]
        self._strike([{"type": kind, "value": value} for kind, value in pressed])

    def resize(self, width: int, height: int) -> None:
        """Give the window a size."""
        self._post("window/rect", width=width, height=height)

    def picture(self) -> bytes:
        """Return a picture of what is seen, as PNG."""
        return b64decode(_call("GET", f"{self._base}/screenshot"))

    def close(self) -> None:
        """End the session, and the browser with it."""
        _call("DELETE", self._base)

    def _strike(self, strokes: Sequence[Mapping[str, str]]) -> None:
        self._post("actions", actions=[{"type": "key", "id": "keyboard", "actions": strokes}])

    def _find(self, selector: str) -> str:
        return str(self._post("element", using="css selector", value=selector)[ELEMENT])

    def _post(self, command: str, **body: object) -> Any:
        return _call("POST", f"{self._base}/{command}", body)


def _call(method: str, url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with _LOOPBACK.open(request, timeout=_ANSWER) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        said = json.loads(error.read())["value"]
        raise WebDriverError(said["error"], said.get("message", "")) from error
