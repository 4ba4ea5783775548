"""Redirects and encodings, as servers send them to the JavaScript verifier: they are read by the rules of the core."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest

from tests.support.browser import Chromium, site
from tests.support.encodings import READ, REFUSED
from tests.support.no_objects import NO_OBJECTS
from tests.support.node import Script
from tests.support.readers import OTHER_KEY, entry, make_log
from tests.support.redirects import PUBLIC, REDIRECTS
from tests.support.reference import printed_random
from tests.support.sampling import quickly
from tests.support.web_logs import PLAIN
from tests.support.web_server import LogServer
from tiles.read.redirects import is_private
from tiles.read.trouble import found_instead
from tiles.tree.bundle import encode_entries
from tiles.tree.layout import CHECKPOINT

pytest_plugins = ["tests.support.browser_fixture", "tests.support.web_fixtures"]

READING = "print(new TextDecoder().decode(await log.entry(280)));"
PLATFORMS = {"br", "deflate", "zstd, gzip"}  # encodings that Node or a browser undoes, and the core refuses
MODULE = "web/verifier/answers.js"


def said(body: str) -> str:
    """Return a script that prints the code and message of the error of another one."""
    return f"try {{ {body} }} catch (error) {{ print(`${{error.code}} ${{error.message}}`); }}"


@pytest.fixture
def other() -> Iterator[LogServer]:
    """Return another server, with the same objects."""
    made = LogServer({})
    yield made
    made.close()


# ---- redirects


def test_where_a_redirect_leads(script: Script) -> None:
    """The same server, or https; a public server leads to no private address, however that is written."""
    cases = [(at, location) for at, location, _ in REDIRECTS]
    body = f"""
        const {{ target }} = await import(process.cwd() + "/{MODULE}");
        const lost = (problem) => {{ throw new Error(problem); }};
        const led = (at, location, inside) => {{
          try {{ return (target(at, location, inside, lost), ""); }} catch (error) {{ return error.message; }}
        }};
        const all = ([at, location]) => [false, true].map((inside) => led(at, location, inside));
        print(JSON.stringify({json.dumps(cases)}.map(all)));
    """
    for (at, location, problem), (outside, inside) in zip(REDIRECTS, json.loads(script(body)), strict=True):
        assert (problem in outside) if problem else (outside == ""), (at, location, outside)
        assert ("private" in problem) <= (inside == ""), (at, location, inside)


def addresses(rng: random.Random) -> Iterator[str]:
    """Yield hosts of all kinds of networks, as URLs have them."""
    for first in range(256):
        yield str(IPv4Address(bytes([first, *rng.randbytes(3)])))
        yield f"[{IPv6Address(bytes([first, *rng.randbytes(15)]))}]"
    for start in ("100.", "169.254.", "172.", "192.0.", "192.168.", "198.", "198.51.100.", "203.0.113."):
        for _ in range(20):
            yield start + ".".join(str(rng.randrange(256)) for _ in range(4 - start.count(".")))
    for form in ("2001:{:x}::1", "2001:d{:x}::1", "2002:{:x}::1", "3fff:{:x}::1", "64:ff9b::{:x}:1", "::ffff:{:x}:1"):
        for _ in range(20):
            yield f"[{form.format(rng.randrange(1, 4096))}]"
    yield from (*PUBLIC, "printer.local", "a.internal", "localhost.example.com", "[2001:db8::1]", "[2620:4f:8000::1]")


def test_what_is_private(script: Script) -> None:
    """What the core takes for private, JavaScript takes for private; and no more, of the addresses that are in use."""
    hosts = list(addresses(printed_random()))
    body = f"""
        const {{ isPrivate }} = await import(process.cwd() + "/{MODULE}");
        print(JSON.stringify({json.dumps(hosts)}.map((host) => isPrivate(new URL(`http://${{host}}/`).hostname))));
    """
    found = dict(zip(hosts, json.loads(script(body)), strict=True))
    unused = re.compile(r"\[(?!64:ff9b::|::ffff:)(?![23]...:)|\[2002:|\[3fff:|192\.0\.0\.|\[2001:(..?|1..|)?:")
    assert [host for host, private in found.items() if is_private(host) > private] == []
    assert [host for host, private in found.items() if private > is_private(host) and not unused.match(host)] == []
    assert 100 < sum(found.values()) < len(found) - 100


def test_redirects_are_followed(script: Script, server: LogServer) -> None:
    """To the same server, a few times."""
    server.moved = {"tile/0/001": "/one", "one": "two", "two": f"{server.url}three"}
    server.objects = {**server.objects, "three": server.objects["tile/0/001"]}
    assert script(READING) == entry(280).decode()
    server.moved["three"] = "/four"
    assert script(said(READING)) == f"AccessError {server.url}tile/0/001: redirected more than 3 times"


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("OTHER", "redirected to another server, and not by https"),
        ("file:///etc/passwd", "redirected to what is not a http:// URL"),
        ("data:,x", "redirected to what is not a http:// URL"),
        (None, "redirected to what is not a http:// URL"),
    ],
)
def test_redirects_are_refused(
    script: Script, server: LogServer, other: LogServer, location: str | None, problem: str
) -> None:
    """Nothing is asked of another server without TLS, nor read from anything but a server."""
    server.moved = {CHECKPOINT: location and location.replace("OTHER", other.url)}
    assert script(said(READING)) == f"AccessError {server.url}{CHECKPOINT}: {problem}"
    assert other.asked == []


@pytest.mark.parametrize(
    ("at", "stands_for", "refused"),
    [
        ("https://8.8.8.8", "10.0.0.1", True),
        ("https://8.8.8.8", "::1", True),
        ("https://8.8.8.8", "fe80::1%eth0", True),
        ("https://8.8.8.8", "9.9.9.9", False),
        ("https://10.0.0.2", "10.0.0.1", False),
    ],
)
def test_into_a_private_network(script: Script, at: str, stands_for: str, refused: bool) -> None:
    """From a public server no request gets to a name that stands for a private address."""
    body = f"""
        const {{ default: dns }} = await import("node:dns/promises");
        const usual = [globalThis.fetch, dns.lookup], asked = [];
        dns.lookup = async () => [{{ address: "9.9.9.9" }}, {{ address: {json.dumps(stands_for)} }}];
        globalThis.fetch = async (url) => {{
          asked.push(url);
          const moved = {{ status: 302, headers: {{ Location: "https://log.example.com/x" }} }};
          return asked.length > 1 ? new Response("it") : new Response(null, moved);
        }};
        try {{
          await httpFetcher("{at}")("checkpoint", 9);
          print("read");
        }} catch (error) {{
          print(error.message);
        }} finally {{
          [globalThis.fetch, dns.lookup] = usual;
        }}
        print(asked.length);
    """
    words, asked = script(body).split("\n")
    problem = f"{at}/{CHECKPOINT}: redirected into a private network, which is not followed"
    assert (words, asked) == ((problem, "1") if refused else ("read", "2"))


# ---- encodings


@pytest.mark.parametrize("header", READ)
def test_encodings(script: Script, server: LogServer, header: str) -> None:
    """Tiles and bundles are read whatever harmless encoding they are sent under."""
    server.encoding = (header.strip(" \t"), READ[header])
    assert script(READING) == entry(280).decode()


@pytest.mark.parametrize("header", sorted(REFUSED.keys() - PLATFORMS))
def test_encodings_that_are_refused(script: Script, server: LogServer, header: str) -> None:
    """Any other encoding is named."""
    server.encoding = (header, 0)
    words = script(said(READING))
    assert words.startswith(f"AccessError {server.url}tile/")
    assert words.endswith(f": sent in the encoding '{REFUSED[header]}', which is not read here")


def test_in_a_browser(chromium: Chromium) -> None:
    """A page reads what is sent under odd encodings, and what is moved on its own server, as Node does."""
    with site(chromium, PLAIN) as one:
        one.server.moved = {"tile/0/000": "/moved"}
        one.server.objects = {**one.server.objects, "moved": PLAIN["tile/0/000"]}
        one.open()
        for index, header in enumerate(("gzip,aws-chunked", "aws-chunked", "aws-chunked, x-gzip")):
            one.server.encoding = (header, READ.get(header, header.count("gzip")))
            one.ask(str(index))
            assert one.said()[1] == f"In the log: entry {index} of 302"


# ---- something else


@pytest.mark.parametrize("data", [data for data, _ in NO_OBJECTS.values()], ids=NO_OBJECTS.keys())
@pytest.mark.parametrize(
    "path", quickly([CHECKPOINT, "tile/0/001", "tile/1/000.p/2", "tile/entries/001"], [CHECKPOINT, "tile/entries/001"])
)
def test_what_is_no_object_is_the_way(script: Script, server: LogServer, path: str, data: bytes) -> None:
    """A web page or nothing in the place of any object says nothing about the log; the message names what and where."""
    server.objects = {**server.objects, path: data}
    assert script(said(READING)) == f"AccessError {server.url}{path} is {found_instead(data)}"


@pytest.mark.parametrize(
    ("path", "data", "code"),
    [
        (CHECKPOINT, b"checkpoint\n", "Malformed"),
        (CHECKPOINT, make_log(600, key=OTHER_KEY)[CHECKPOINT], "SignatureError"),
        ("tile/0/001", b"x", "TileError"),
        ("tile/0/001", b"<h1 \0>".ljust(8192), "TileError"),
        ("tile/entries/001", encode_entries([b"<html>"] * 256), "TileError"),
        ("tile/entries/001", None, "NotFound"),
    ],
)
def test_a_wrong_log_is_told_with_its_address(
    script: Script, server: LogServer, path: str, data: bytes | None, code: str
) -> None:
    """What may be an object and is wrong is the log's fault; the message begins with the address of the object."""
    server.objects = {name: held for name, held in {**server.objects, path: data}.items() if held is not None}
    assert script(said(READING)).startswith(f"{code} {server.url}{path}: ")


# ---- addresses


@pytest.mark.parametrize(
    "url", ["https://me:s3cret@log.example.com", "http://127.0.0.1:9/log?sig=s3cret", "http://127.0.0.1:9/log#s3cret"]
)
def test_no_credentials_are_shown(script: Script, url: str) -> None:
    """An address with credentials, which `fetch` would not take, is a wrong call, and is not repeated."""
    words = script(said(f"httpFetcher({json.dumps(url)});"))
    assert words == "UsageError a log's address has no user, password or query here"
    assert script('httpFetcher("https://log.example.com/a@b/log"); print("made");') == "made"
