"""`tiletree shim`: what clients on this machine are answered, and how it begins and ends."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.support.admissions import KEY, policy
from tests.support.command_line import Command, Done
from tests.support.ended import told_to_end
from tests.support.rekor_requests import SIGNER, entry_of, item_of, request_of, signature_of
from tests.support.signed_bundles import envelope_of, signer
from tests.support.sigstore_authority import authority
from tiles.errors import UsageError
from tiles.inbox.rules import Rule
from tiles.parallel import all_done, in_background
from tiles.rekor import desk
from tiles.rekor.shim import MAX_REQUEST_SIZE, PATH
from tiles.signing.key_place import parse_key_place
from tiletree import loopback
from tiletree.loopback import parse_listen
from tiletree.opening import open_sequencer
from tiletree.options import Writer

T = TypeVar("T")
READY = Path("ready")


def until(what: Callable[[], object]) -> None:
    """Wait until something has come about, for as long as a test may."""
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.005)


class Shim:
    """Runs `tiletree shim` in this process while a client works in another thread."""

    def __init__(self, tiletree: Command) -> None:
        self.log = "log"
        self._tiletree = tiletree

    def __call__(self, client: Callable[[str], T], *options: object) -> tuple[Done, T]:
        """Return what the command came to, and the client."""
        with told_to_end() as end:

            def work() -> T:
                try:
                    until(READY.exists)
                    return client(READY.read_text().strip())
                finally:
                    end()

            working = in_background(work)
            done = self._tiletree("shim", self.log, "--ready-file", READY, *options)
            return done, working.result(20)


@pytest.fixture
def shim(tiletree: Command, log: str) -> Shim:
    """Return what runs a shim of the log."""
    return Shim(tiletree)


def post(url: str, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    """Send a request as a client does, and return status and answer."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    connection.request("POST", PATH, body, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    document: dict[str, Any] = json.loads(answer.read())
    connection.close()
    return answer.status, document


def logged(tiletree: Command) -> list[bytes]:
    """Return the entries of the log behind the two that were there."""
    size = tiletree.ok("info", "log")["size"]
    return [tiletree("get", "log", index).out.encode() for index in range(2, size)]


def test_one_entry_of_many_requests(shim: Shim, tiletree: Command) -> None:
    """One body, posted a hundred times by eight clients, is one entry, and every answer is of it."""

    def client(url: str) -> list[tuple[int, str, str]]:
        answers = all_done(lambda _: post(url, request_of()), range(100), 8)
        return [(status, each["logIndex"], each["canonicalizedBody"]) for status, each in answers]

    done, answers = shim(client, "--key", "k")
    assert (done.code, done.err) == (0, "stopped\n")
    assert (len(answers), len(set(answers)), answers[0][:2]) == (100, 1, (201, "2"))
    assert logged(tiletree) == [entry_of(b"artifact")]
    assert tiletree.ok("audit", "log")["findings"] == []


def test_requests_that_come_together(shim: Shim, tiletree: Command) -> None:
    """Different entries are logged, each once, and each client is told of its own."""

    def client(url: str) -> list[Any]:
        return all_done(lambda number: post(url, request_of(b"%d" % number)), range(16), 16)

    _, answers = shim(client, "--key", "k")
    assert sorted(int(each["logIndex"]) for _, each in answers) == list(range(2, 18))
    assert sorted(logged(tiletree)) == sorted(entry_of(b"%d" % number) for number in range(16))


def test_sigstore_python_writes_through_it(shim: Shim, tiletree: Command) -> None:
    """The client of sigstore-python logs a signature and an envelope; asked again, it is told where that is."""
    reason = "NOT TESTED: sigstore-python is not installed"
    client_of = pytest.importorskip("sigstore._internal.rekor.client_v2", reason=reason).RekorV2Client
    hashes, models = pytest.importorskip("sigstore.hashes"), pytest.importorskip("sigstore_models.common.v1")
    dsse = pytest.importorskip("sigstore.dsse")
    leaf, digest = authority().leaf(key=SIGNER), sha256(b"artifact").digest()

    def client(url: str) -> list[Any]:
        hashed = hashes.Hashed(algorithm=models.HashAlgorithm.SHA2_256, digest=digest)
        of_file = client_of._build_hashed_rekord_request(hashed, signature_of(b"artifact"), leaf.certificate)
        envelope = dsse.Envelope._from_json(envelope_of(SIGNER).data)
        of_envelope = client_of._build_dsse_request(envelope, leaf.certificate)
        return [client_of(url).create_entry(request) for request in (of_file, of_envelope, of_file)]

    _, (first, second, again) = shim(client, "--key", "k")
    assert [each._inner.log_index for each in (first, second, again)] == [2, 3, 2]
    assert [each._inner.inclusion_proof.tree_size for each in (first, second, again)] == [3, 4, 4]
    assert logged(tiletree) == [each._inner.canonicalized_body for each in (first, second)]


RAW: dict[str, tuple[bytes, int]] = {
    "no HTTP": (b"\x16\x03\x01 hello\r\n\r\n", 400),
    "an old version": (b"GET /\r\n\r\n", 421),
    "a new version": (b"POST / HTTP/2.0\r\n\r\n", 505),
    "a long line": (b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
    "a long header": (b"POST / HTTP/1.1\r\nA: " + b"a" * 70_000 + b"\r\n\r\n", 431),
    "many headers": (b"POST / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
    "another method": (b"BREW %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % PATH.encode(), 405),
    "no body, but a promise": (
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: text/plain\r\n\r\n"
        % PATH.encode(),
        415,
    ),
    "much more than is taken": (
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (PATH.encode(), 64 * MAX_REQUEST_SIZE, b" " * 64 * MAX_REQUEST_SIZE),
        413,
    ),
}


def exchange(url: str, data: bytes) -> bytes:
    """Send bytes, and return all that comes back until the other side ends the connection."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(data)
        received = b""
        while more := connection.recv(1 << 16):
            received += more
        return received


def test_what_is_no_request(shim: Shim, tiletree: Command) -> None:
    """Whatever comes over a connection is answered in one form, and the next client is served."""

    def client(url: str) -> dict[str, bytes]:
        found = {what: exchange(url, data) for what, (data, _) in RAW.items()}
        assert post(url, b"{}")[0] == 400
        assert post(url, request_of(), Host="evil.example")[0] == 421
        assert post(url, request_of(), Origin="https://evil.example")[0] == 403
        return found

    done, found = shim(client, "--key", "k")
    assert done.err == "stopped\n"
    for what, answer in found.items():
        head, _, body = answer.partition(b"\r\n\r\n")
        assert (what, head.split()[1]) == (what, b"%d" % RAW[what][1])
        assert set(json.loads(body)) == {"code", "message"}
        assert b"\r\nAccess-Control" not in head
    assert logged(tiletree) == []


def drip(connection: socket.socket) -> None:
    """Send a byte now and then, without an end that a test could wait for."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        connection.sendall(b"x")
        time.sleep(0.05)


def test_time_and_connections_are_bounded(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends a request byte by byte is cut off, and one too many is told to try again."""
    monkeypatch.setattr(loopback, "READ_WITHIN", 1.0)
    monkeypatch.setattr(loopback, "MAX_CONNECTIONS", 1)

    def client(url: str) -> bytes:
        host, _, port = url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=20) as slow:
            slow.sendall(b"POST ")
            busy = exchange(url, b"")
            with pytest.raises(OSError, match=r"reset|[Bb]roken"):
                drip(slow)
            return busy

    _, busy = shim(client, "--key", "k")
    assert busy.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nRetry-After: 1\r\n" in busy


def test_a_fault_of_ours(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected is said on the shim's output, and a client is told as much as is safe."""
    monkeypatch.setattr(desk.Desk, "log", lambda *_: {}["secret"])
    done, answer = shim(lambda url: post(url, request_of()), "--key", "k")
    assert answer == (500, {"code": 13, "message": "a fault of the shim itself; its output says which"})
    assert "fault of tiletree itself: KeyError" in done.err
    assert "secret" not in done.err


# ---- beginning and end


def test_what_it_writes(shim: Shim) -> None:
    """The ready file has the URL while the shim runs; the signing configuration has clients write there."""

    def client(url: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(Path("here.json").read_bytes())
        return document

    done, document = shim(client, "--key", "k", "--signing-config", "here.json", "--json")
    (service,) = document["rekorTlogUrls"]
    assert service["url"] == done.json["url"]
    assert service["majorApiVersion"] == 2
    assert not READY.exists()
    assert Path("here.json").exists()


@pytest.mark.parametrize(("text", "stays"), [("http://127.0.0.1:45111\n", False), ("something else\n", True)])
def test_what_a_killed_shim_has_left(tiletree: Command, text: str, stays: bool) -> None:
    """Whoever waits for the ready file does not take that of another shim for it; any other file stays as it is."""
    READY.write_text(text)
    assert tiletree("shim", "nowhere", "--ready-file", READY).code != 0
    assert READY.exists() == stays


def test_with_an_inbox(shim: Shim, tiletree: Command, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the key it submits, and answers when somebody else has sequenced."""
    monkeypatch.setattr(desk.Desk.__init__, "__kwdefaults__", {"patience": 20.0, "pause": (0.01, 0.02)})

    def client(url: str) -> tuple[int, dict[str, Any]]:
        asked = in_background(lambda: post(url, request_of()))
        until(lambda: list(Path("log.private").glob("inbox/ann/*")))
        open_sequencer("log", Writer(key=parse_key_place("k"))).sequence()
        return asked.result(20)

    _, (status, answer) = shim(client, "--submit", "--submitter", "ann", "--vkey", log)
    assert (status, answer["logIndex"]) == (201, "2")
    assert logged(tiletree) == [entry_of(b"artifact")]


def test_a_policy_for_the_writer(shim: Shim, tiletree: Command) -> None:
    """A client whose key no rule names is told the rule, and those that wait with it get their entries."""
    Path("policy").write_bytes(policy(Rule("hashedrekord", key=KEY), judges_writer=True).data)
    tiletree.ok("init", "own", "--origin", "own.example.com", "--key", "k2", "--admission", "policy", "--no-page")
    shim.log = "own"
    other = json.dumps(item_of(key=signer(8))).encode()

    def client(url: str) -> list[Any]:
        return all_done(lambda body: post(url, body), [request_of(b"1"), other, request_of(b"2"), other], 4)

    done, answers = shim(client, "--key", "k2")
    assert [status for status, _ in answers] == [201, 400, 201, 400], done
    assert "entry 0 is signed by another key; rule 1: allow hashedrekord key" in answers[1][1]["message"]
    assert tiletree.ok("info", "own")["size"] == 2


def test_it_ends_with_its_parent(log: str, tmp_path: Path) -> None:
    """A shim whose job has ended, in whatever way, does not stay."""
    environment = {**os.environ, "PYTHON": sys.executable}
    job = '"$PYTHON" -m tiletree shim log --key k --ready-file ready >out & while ! [ -e ready ]; do sleep 0.02; done'
    subprocess.run(["sh", "-c", job], check=True, env=environment, timeout=60)
    until(lambda: not READY.exists())


def test_an_inbox_of_another_log(tiletree: Command, log: str) -> None:
    """It does not begin: what it submitted there, the log would never get."""
    tiletree.ok("init", "own", "--origin", "own.example.com", "--key", "k2", "--no-page")
    words = ("shim", "log", "--submit", "--submitter", "ann", "--vkey", log, "--private", "own.private")
    done = tiletree(*words, "--ready-file", "nowhere/ready")  # which would stop it, too, and later
    assert (done.code, "is the private part of own.example.com" in done.err) == (2, True)


REFUSED: dict[str, tuple[list[object], int, str]] = {
    "everybody": (["--listen", "0.0.0.0:0"], 2, "not an address of this machine alone"),
    "an address of the network": (["--listen", "192.0.2.1:80"], 2, "not an address of this machine alone"),
    "a name": (["--listen", "log.example.com:80"], 2, "not an address and a port"),
    "no port": (["--listen", "127.0.0.1"], 2, "not an address and a port"),
    "no number": (["--listen", "127.0.0.1:http"], 2, "not a port"),
    "a port that is taken": (["--listen", "TAKEN", "--key", "k"], 3, "cannot be had"),
    "a key without an inbox": (["--vkey", "x"], 2, "are for --submit"),
    "a submitter without an inbox": (["--submitter", "ann"], 2, "are for --submit"),
    "a place that is not there": (["--key", "k", "--ready-file", "nowhere/ready"], 3, "cannot be written"),
}


def test_refused(tiletree: Command, log: str) -> None:
    """A call that would not be served as asked ends before anybody can write."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        for what, (options, code, message) in REFUSED.items():
            done = tiletree("shim", "log", *[listen if each == "TAKEN" else each for each in options])
            assert (what, done.code) == (what, code)
            assert message in done.err


def test_a_log_that_clients_refuse(shim: Shim, tiletree: Command) -> None:
    """Who runs it is told which clients refuse what is logged; a log that takes nothing more is refused at once."""
    tiletree.ok("init", "log2", "--origin", "log.example.com/2026", "--key", "o")
    shim.log = "log2"
    done, _ = shim(lambda url: url, "--key", "o")
    assert "cosign, sigstore-go, sigstore-java accept no proof" in done.err
    tiletree.ok("freeze", "log2", "--yes", "--key", "o")
    done = tiletree("shim", "log2", "--key", "o")
    assert (done.code, "is frozen" in done.err) == (4, True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("localhost:8080", ("127.0.0.1", 8080)),
        ("[::1]:65535", ("::1", 65535)),
        ("127.0.0.2:1", None),
        ("[::ffff:127.0.0.1]:1", None),
        (":80", None),
        ("127.0.0.1:65536", None),
        ("127.0.0.1:+1", None),
        ("127.0.0.1:99999999", None),
        ("", None),
    ],
)
def test_listen(text: str, found: tuple[str, int] | None) -> None:
    """Two addresses are of this machine alone; every other text is refused."""
    if found:
        assert parse_listen(text) == found
    else:
        with pytest.raises(UsageError):
            parse_listen(text)
