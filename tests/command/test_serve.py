"""`tiletree serve`: what a browser on this machine is answered."""

from __future__ import annotations

import http.client
from threading import Thread
from typing import Any

import pytest

from tests.support.browser import USUALLY_MISSING
from tests.support.command_line import Command
from tests.support.web_logs import FILE, PLAIN
from tiles.errors import AccessError
from tiles.notes.policy import parse_policy
from tiles.page import VERIFY, page_files
from tiles.store.memory import MemoryStore
from tiletree.commands.serve import answer, log_server, part_of
from tiletree.ui import Output

pytest_plugins = ["tests.support.browser_fixture"]


def test_interrupted_as_soon_as_the_address_is_said(tiletree: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends it well from the moment on at which it is told to press that."""
    tiletree.ok("init", "new", "--origin", "log.example.com", "--key", "k")
    say = Output.result

    def say_and_interrupt(out: Output, *words: Any) -> None:
        say(out, *words)
        raise KeyboardInterrupt

    monkeypatch.setattr(Output, "result", say_and_interrupt)
    done = tiletree("serve", "new", "--port", 0)
    assert (done.code, done.err) == (0, "stopped\n")
    assert "until you press Ctrl-C" in done.out


@pytest.fixture
def store() -> MemoryStore:
    """Return the public part of a log."""
    made = MemoryStore()
    for path, data in PLAIN.items():
        made.swap(path, data, None)
    return made


PAGE = page_files(parse_policy(PLAIN["policy.txt"]))
LOCAL = "127.0.0.1:8765"

TYPES = {
    "/": "text/html; charset=utf-8",
    "/page/app.js": "text/javascript; charset=utf-8",
    "/style.css": "text/css; charset=utf-8",
    "/icon.svg": "image/svg+xml",
    "/checkpoint": "text/plain; charset=utf-8",
    "/policy.txt": "text/plain; charset=utf-8",
    "/tile/0/000": "application/octet-stream",
    "/tile/entries/000": "application/octet-stream",
}


@pytest.mark.parametrize("path", TYPES)
def test_types(store: MemoryStore, path: str) -> None:
    """Each object has its type, and nothing but the page is HTML or a script."""
    status, headers, body = answer(store, PAGE, path, LOCAL)
    assert (status, headers["Content-Type"]) == (200, TYPES[path])
    assert body
    assert ("Content-Security-Policy" in headers) == (path == "/")


def test_caching(store: MemoryStore) -> None:
    """Tiles are kept for ever, the checkpoint and the page are asked for again."""
    caching = {path: answer(store, PAGE, path, LOCAL)[1]["Cache-Control"] for path in TYPES}
    assert "immutable" in caching["/tile/0/000"]
    assert caching["/checkpoint"].startswith("no-cache")
    assert caching["/"] == caching["/page/app.js"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/../checkpoint", "/..%2fcheckpoint", "/.git/config", "/tile//0", "/%00", "//checkpoint", "/a b\n"],
)
def test_what_is_not_there(store: MemoryStore, path: str) -> None:
    """What is no object of the log is not found, whatever the path tries."""
    assert answer(store, PAGE, path, LOCAL)[0] == 404


def test_what_nobody_expected(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of our own is an answer, which tells nothing of what it was about."""
    monkeypatch.setattr(MemoryStore, "read", lambda *_given: {}["secret"])
    status, _, body = answer(store, PAGE, "/checkpoint", LOCAL)
    assert status == 500
    assert b"fault of tiletree itself: KeyError" in body
    assert b"secret" not in body


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:9", 200), ("evil.example:80", 421), ("", 421)],
)
def test_other_names(store: MemoryStore, host: str, status: int) -> None:
    """A name of somebody else that is made to lead to this machine gets no answer."""
    assert answer(store, PAGE, "/checkpoint", host)[0] == status


def test_over_http(store: MemoryStore) -> None:
    """Every answer carries nosniff and CORS; HEAD has no body; the server is on the loopback address only."""
    server = log_server(store, PAGE, 0)
    Thread(target=server.serve_forever, daemon=True).start()
    assert server.server_address[0] == "127.0.0.1"
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    for method, path, status in (("GET", "/tile/entries/000", 200), ("HEAD", "/", 200), ("GET", "/nothing", 404)):
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        assert response.status == status
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert (body == b"") == (method == "HEAD")
    connection.close()
    with pytest.raises(AccessError, match="cannot be had"):
        log_server(store, PAGE, server.server_port)
    server.shutdown()
    server.server_close()


DIGITS = (200, {"Content-Type": "text/plain", "Cache-Control": "max-age=9"}, b"0123456789")


@pytest.mark.parametrize(
    ("wanted", "status", "said", "body"),
    [
        ("bytes=2-4", 206, "bytes 2-4/10", b"234"),
        ("Bytes=0-0", 206, "bytes 0-0/10", b"0"),
        ("bytes=8-99", 206, "bytes 8-9/10", b"89"),
        ("bytes=7-", 206, "bytes 7-9/10", b"789"),
        ("bytes=-3", 206, "bytes 7-9/10", b"789"),
        ("bytes=-99", 206, "bytes 0-9/10", b"0123456789"),
        ("bytes=10-", 416, "bytes */10", None),
        ("bytes=99-100", 416, "bytes */10", None),
        ("bytes=-0", 416, "bytes */10", None),
        *((odd, 200, None, b"0123456789") for odd in ("", "bytes=-", "bytes=4-2", "bytes=1-2,4-5", "lines=1-2", "b")),
    ],
)
def test_parts(wanted: str, status: int, said: str | None, body: bytes | None) -> None:
    """One part that is there comes as 206, one that is not is 416; whatever else is asked for, the whole comes."""
    found, headers, data = part_of(DIGITS, wanted)
    assert (found, headers.get("Content-Range")) == (status, said)
    assert body in (data, None)
    assert (headers["Cache-Control"] == "no-store") == (status == 416)
    assert (headers.get("Accept-Ranges") == "bytes") == (status != 416)


def test_parts_over_http(store: MemoryStore) -> None:
    """Parts come to those who ask with GET, and not on a condition that no answer meets; errors come whole."""
    server = log_server(store, PAGE, 0)
    Thread(target=server.serve_forever, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    whole = PLAIN["tile/0/000"]
    for method, path, more, status, body in (
        ("GET", "/tile/0/000", {}, 206, whole[32:64]),
        ("GET", "/tile/0/000", {"If-Range": '"x"'}, 200, whole),
        ("HEAD", "/tile/0/000", {}, 200, b""),
        ("GET", "/nothing", {}, 404, b"not found\n"),
    ):
        connection.request(method, path, headers={"Range": "bytes=32-63", **more})
        response = connection.getresponse()
        assert (response.status, response.read()) == (status, body)
        assert response.headers["Content-Encoding"] is None
    connection.close()
    server.shutdown()
    server.server_close()


def test_the_page_of_a_served_log(chromium: Any, store: MemoryStore) -> None:
    """The page works as it is served, under the headers it is served with, verify.html too."""
    server = log_server(store, PAGE, 0)
    Thread(target=server.serve_forever, daemon=True).start()
    context = chromium.new_context()
    trouble: list[str] = []

    def listen(message: Any) -> None:
        if not USUALLY_MISSING.search(message.location.get("url", "")):
            trouble.append(message.text)

    context.on("console", listen)
    tab = context.new_page()
    tab.goto(f"http://127.0.0.1:{server.server_port}/")
    files = [{"name": "a.txt", "mimeType": "text/plain", "buffer": FILE}]
    tab.wait_for_selector("#head [data-state=verified-log-only]")
    tab.set_input_files("#files", files=files)
    tab.wait_for_selector("#results [data-state=verified-log-only]")
    tab.goto(f"http://127.0.0.1:{server.server_port}/{VERIFY}")
    tab.wait_for_selector("#head [data-state=ready]")
    context.close()
    server.shutdown()
    server.server_close()
    assert trouble == []
