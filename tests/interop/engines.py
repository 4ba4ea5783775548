"""Browsers of other engines than Chromium's, each started with an empty home: Firefox, and WebKit's port to GTK.

Firefox is driven by geckodriver, of which Debian has no package: cargo builds it, and it is kept where caches of a user
are. WebKit is driven by WebKitWebDriver, in MiniBrowser, which needs a display. MiniBrowser is not Safari: they share
the engine, which lays out pages and runs scripts, and each has its own network, cryptography and window.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.interop.peers import cache_place
from tests.interop.servers import free_port, running
from tests.interop.webdriver import WebDriverError, Window

GECKODRIVER = "0.37.1"
SIZE = (1000, 900)  # of the window, in pixels
_MINI_BROWSER = ("usr/lib/*/webkitgtk-6.0/MiniBrowser", "usr/lib/*/webkit2gtk-4.*/MiniBrowser")
# what Firefox would ask its makers for, besides what geckodriver forbids it
_SILENT = {
    "app.normandy.enabled": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "browser.search.suggest.enabled": False,
    "captivedetect.canonicalURL": "",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.proxy.type": 0,
    "services.settings.server": "data:,",
}


@contextmanager
def firefox(folder: Path) -> Iterator[Window]:
    """Run Firefox, without a window on a screen."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        pytest.skip("NOT TESTED in Firefox: web/: it is not installed (on Debian: firefox-esr)")
    driver = geckodriver()
    if isinstance(driver, str):
        pytest.skip(f"NOT TESTED in Firefox: web/: {driver}")
    options = {"binary": found, "args": ["-headless"], "prefs": _SILENT}
    port, own = free_port(), free_port()
    command = [str(driver), "--port", str(port), "--websocket-port", str(own)]
    with running(command, _home(folder), folder, port), _window(port, {"moz:firefoxOptions": options}) as window:
        yield window


@contextmanager
def webkit(folder: Path) -> Iterator[Window]:
    """Run MiniBrowser of WebKit's port to GTK, on a display that nobody sees."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    browsers = [path for pattern in _MINI_BROWSER for path in sorted(Path("/").glob(pattern))]
    if not driver or not browsers:
        pytest.skip("NOT TESTED in WebKit: web/: it is not installed (on Debian: webkit2gtk-driver)")
    if not screen:
        pytest.skip("NOT TESTED in WebKit: web/: it has no display, and there is no Xvfb (on Debian: xvfb)")
    options = {"binary": str(browsers[0]), "args": ["--automation"]}
    port = free_port()
    with (
        _display(screen) as display,
        running([driver, f"--port={port}"], {**_home(folder), "DISPLAY": display}, folder, port),
        _window(port, {"webkitgtk:browserOptions": options}) as window,
    ):
        yield window


ENGINES: dict[str, Callable[[Path], AbstractContextManager[Window]]] = {"firefox": firefox, "webkit": webkit}


@contextmanager
def _window(port: int, capabilities: Mapping[str, object]) -> Iterator[Window]:
    window = Window(f"http://127.0.0.1:{port}", capabilities)
    try:
        window.resize(*SIZE)
        yield window
    finally:
        with suppress(WebDriverError):  # the browser is gone already, and a test has said so
            window.close()


def _home(folder: Path) -> dict[str, str]:
    """Return an environment in which nothing of a user is seen, and no proxy."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "")
    places = ("HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR")
    return {
        **proxies,
        **dict.fromkeys(places, str(home)),
        "LC_ALL": "C.UTF-8",
        "NO_AT_BRIDGE": "1",
        "GDK_BACKEND": "x11",
    }


@contextmanager
def _display(program: str) -> Iterator[str]:
    """Run an X server without a screen; it chooses a display that is free, and says which."""
    reading, writing = os.pipe()
    command = [program, "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as process:
        os.close(writing)
        with os.fdopen(reading) as said:
            number = said.readline().strip()
        try:
            if not number:
                pytest.fail(f"{program} does not start")
            yield f":{number}"
        finally:
            process.terminate()


# ---- geckodriver


def geckodriver() -> Path | str:
    """Return the driver of Firefox, built on first use, or why there is none."""
    found = shutil.which("geckodriver")
    if found:
        return Path(found)
    place = cache_place("geckodriver", f"{GECKODRIVER} {platform.machine()}".encode())
    program = place / "bin" / "geckodriver"
    if not program.exists():
        if shutil.which("cargo") is None:
            return "geckodriver is not installed, and there is no cargo to build it"
        # without optimization, which would take four times as long and make no test faster
        install = ["cargo", "install", "geckodriver", "--version", GECKODRIVER, "--locked", "--debug"]
        # cargo puts the program there in one step, at the end
        done = subprocess.run([*install, "--root", str(place)], capture_output=True, text=True)
        if done.returncode:
            return f"geckodriver cannot be built: {done.stderr.strip()[-500:]}"
    return program
