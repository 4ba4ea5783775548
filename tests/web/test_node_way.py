"""The way from a log to the JavaScript verifier in Node: servers that are slow, busy or broken, and caches that err."""

from __future__ import annotations

import json

import pytest

from tests.support.node import Script
from tests.support.readers import entry, make_log
from tests.support.sampling import quickly
from tests.support.web_logs import SIX
from tests.support.web_server import LogServer
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.web_fixtures"]

READ = "print(new TextDecoder().decode(await log.entry(280)));"


def test_silence(script: Script, server: LogServer) -> None:
    """A request that is never answered ends."""
    server.hang = {"tile/0/001"}
    assert script(READ, timeout=300) == "AccessError"


def test_slowness(script: Script, server: LogServer) -> None:
    """What comes slowly is read to its end: the time without a byte counts, not the time in all."""
    server.slow = (1000, 0.15)
    assert script(READ, timeout=1000) == entry(280).decode()  # a tile takes 1.35 s


def test_silence_in_the_middle(script: Script, server: LogServer) -> None:
    """One that stops in the middle ends, however often it is asked."""
    server.slow = (4000, 0.6)
    assert script(READ, timeout=300) == "AccessError"


def test_a_time_in_all(script: Script, server: LogServer) -> None:
    """A server that sends a byte now and then cannot hold its reader for ever."""
    server.slow = (10, 0.05)
    body = READ.replace("log.entry", f"new Log(httpFetcher({json.dumps(server.url)}, {{ whole: 300 }}), policy).entry")
    assert script(body) == "AccessError"


@pytest.mark.parametrize("path", quickly([CHECKPOINT, "tile/0/001", "tile/entries/001"], ["tile/0/001"]))
@pytest.mark.parametrize(
    "trouble", [[429], [500, 503, 408], ["closed"], ["cut", "closed", 502], ["cut"], ["closed", 429, "cut"]], ids=str
)
def test_trouble_that_passes(script: Script, server: LogServer, path: str, trouble: list[int | str]) -> None:
    """A server that is busy, or a connection that breaks, is tried four times, as the core does."""
    server.trouble = {path: list(trouble)}
    server.after = "0"
    assert script(READ) == entry(280).decode()
    assert server.asked.count(path) == len(trouble) + 1


@pytest.mark.parametrize("trouble", [[503] * 4, [429, 500, 502, 504], ["closed"] * 4], ids=str)
def test_trouble_that_stays(script: Script, server: LogServer, trouble: list[int | str]) -> None:
    """After four times it is given up; other statuses are not tried again."""
    server.trouble, server.after = {CHECKPOINT: list(trouble)}, "0"
    assert script(READ) == "AccessError"
    assert server.asked == [CHECKPOINT] * 4
    server.begin(SIX)
    server.trouble = {CHECKPOINT: [400]}
    assert script(READ) == "AccessError"
    assert server.asked == [CHECKPOINT]


@pytest.mark.parametrize(
    ("after", "least", "most"),
    [
        ("7", 7000, 7000),
        ("0", 0, 0),
        ("9" * 400, 30_000, 30_000),
        ("31", 30_000, 30_000),
        ("-1", 125, 375),
        ("soon", 125, 375),
        ("", 125, 375),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 30_000, 30_000),
    ],
)
def test_how_long_is_paused(script: Script, server: LogServer, after: str, least: int, most: int) -> None:
    """A server may ask for a pause, of 30 seconds at most; otherwise it is the one that the core makes."""
    server.trouble, server.after = {CHECKPOINT: [503]}, after
    body = """
        const wait = globalThis.setTimeout, pauses = [];
        globalThis.setTimeout = (done, time, ...more) => {
            // a pause ends with a promise's own function; Node's own fetch has timers, too
            const ours = time !== 20_000 && !more.length && done.length === 1 && done.name === "";
            if (ours) pauses.push(time);
            return wait(done, ours ? 0 : time, ...more);
        };
        try { await log.visit(); } finally { globalThis.setTimeout = wait; }
        print(pauses.join());
    """
    (pause,) = map(float, script(body).split(","))
    assert least <= pause <= most


HELD = [
    ("tile/0/001", b"<!doctype html>"),
    ("tile/0/001", None),
    ("tile/0/001", bytes(8192)),
    ("tile/0/001", bytes(20_000)),
    ("tile/entries/001", b""),
    ("tile/1/000.p/2", bytes(64)),
    (CHECKPOINT, b"<!doctype html>"),
    (CHECKPOINT, None),
    (CHECKPOINT, SIX[CHECKPOINT][:-9] + b"AAAAAAA=\n"),
]


@pytest.mark.parametrize("stubborn", quickly([False, True], [True]))
@pytest.mark.parametrize(("path", "data"), HELD)
def test_a_cache_on_the_way(script: Script, server: LogServer, path: str, data: bytes | None, stubborn: bool) -> None:
    """What a cache holds is not the log's fault: it is asked past, by its own rules or by another address."""
    server.held, server.stubborn = {path: data}, stubborn
    assert script(READ) == entry(280).decode()
    assert server.asked.count(path) == (3 if stubborn else 2)
    assert len(server.asked) < 20


def test_no_way_past_a_cache(script: Script, server: LogServer) -> None:
    """Where the way breaks before it is known whether a tile is damaged at its log, the log is not blamed."""
    server.held, server.after = {"tile/0/001": bytes(8192)}, "0"
    body = """
        await log.visit();
        const fetching = log.fetchObject;
        const way = (path, past) => (past && path === "tile/0/001" ? "no/way" : path);
        log.fetchObject = (path, limit, past) => fetching(way(path, past), limit, past);
    """
    server.status = {"no/way": 400}
    assert script(body + READ) == "AccessError"


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/entries/001.p/44"])
@pytest.mark.parametrize(
    "data", [b"<!doctype html>", b"", bytes(7), bytes(1408), bytes(20_000)], ids=lambda one: str(len(one))
)
def test_a_partial_tile_that_is_something_else(script: Script, server: LogServer, path: str, data: bytes) -> None:
    """Where a host answers everything, or keeps damaged partial tiles, the full one is read instead."""
    server.objects = {**SIX, CHECKPOINT: make_log(300)[CHECKPOINT], path: data}
    assert script(READ) == entry(280).decode()


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/entries/001.p/44"])
def test_a_partial_tile_without_a_full_one(script: Script, server: LogServer, path: str) -> None:
    """Where there is no full tile either, what is wrong is the partial one; a web page is called so."""
    server.objects = {**make_log(300), path: b"<!DOCTYPE HTML>"}
    said = script(f"try {{ {READ} }} catch (error) {{ print(`${{error.code}} ${{error.message}}`); }}")
    assert said == f"AccessError {server.url}{path} is a web page (HTML)"
