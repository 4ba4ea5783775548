"""Witnesses in a test, by https://c2sp.org/tlog-witness: honest ones, and some that lie; in process, or over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import TypeVar

from tests.support.faults import READING, Fault, Faults
from tiles.errors import AccessError, LogError, NotFound
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint, with_signatures
from tiles.notes.cosignature import cosign
from tiles.notes.keys import SignatureType, SigningKey, VerifierKey, signing_key
from tiles.notes.note import verify_note
from tiles.notes.policy import Policy, parse_policy
from tiles.notes.witness_messages import (
    SIZE_TYPE,
    format_signatures,
    format_size,
    parse_add_checkpoint,
    seen_path,
)
from tiles.read.http_post import Posted
from tiles.tree.merkle import EMPTY_TREE, TreeHead
from tiles.tree.proof import verify_consistency

T = TypeVar("T")

ASKING = (Fault.NOT_DONE, Fault.DONE, Fault.DIES)  # what can go wrong with a request: it is not known what came of it


def witness_key(number: int) -> SigningKey:
    """Return the key of the witness of that number: every third one is ML-DSA-44."""
    kind = SignatureType.MLDSA44 if number % 3 == 2 else SignatureType.COSIGNATURE
    return signing_key(f"witness.example/{number}", bytes([number + 50]) * 32, kind)


@dataclass
class Witness:
    """One witness. It cosigns what extends what it cosigned last of a log, and answers with exactly the status codes.

    logs   the keys of the logs that it knows
    lie    what it answers instead, given the true answer
    hides  it shows nothing of what it has cosigned
    now    POSIX seconds
    """

    key: SigningKey
    logs: Sequence[VerifierKey]
    seen: dict[str, SignedCheckpoint] = field(default_factory=dict)
    lie: Callable[[Posted], Posted] | None = None
    hides: bool = False
    now: Callable[[], float] = time.time
    asked: int = 0
    lock: Lock = field(default_factory=Lock, repr=False)

    def add_checkpoint(self, body: bytes) -> Posted:
        """Answer a request."""
        with self.lock:
            self.asked += 1
            if self.lie is away:
                raise AccessError("no connection")
            answer = self._answer(body)
        return self.lie(answer) if self.lie else answer

    def _answer(self, body: bytes) -> Posted:
        try:
            request = parse_add_checkpoint(body)
        except LogError:
            return Posted(400, b"")
        signed = request.signed
        known = [key for key in self.logs if key.name == signed.origin]
        if not known:
            return Posted(404, b"")
        try:
            verify_note(signed.note, known)
        except LogError:
            return Posted(403, b"")
        if request.old_size > signed.tree.size:
            return Posted(400, b"")
        last = self.seen[signed.origin].tree if signed.origin in self.seen else EMPTY_TREE
        if request.old_size != last.size:
            return Posted(409, format_size(last.size))
        return self._take(signed, last, request.proof)

    def _take(self, signed: SignedCheckpoint, last: TreeHead, proof: Sequence[bytes]) -> Posted:
        try:
            verify_consistency(last, signed.tree, list(proof))
        except LogError:
            return Posted(422, b"")
        line = cosign(signed.checkpoint, self.key, int(self.now()))
        logs = [each for each in signed.note.signatures if each.name == signed.origin]
        self.seen[signed.origin] = with_signatures(signed.checkpoint, [*logs, line])
        return Posted(200, format_signatures((line,)))

    def visit(self, *notes: bytes) -> None:
        """Come by itself: take the largest of these checkpoints, without a proof."""
        found = [parse_signed_checkpoint(note) for note in notes]
        signed = max(found, key=lambda each: each.tree.size)
        with self.lock:
            line = cosign(signed.checkpoint, self.key, int(self.now()))
            own = [each for each in signed.note.signatures if each.name == signed.origin]
            self.seen[signed.origin] = with_signatures(signed.checkpoint, [*own, line])

    def shows(self, path: str) -> bytes:
        """Return what it publishes; nothing while it lies. Raises NotFound."""
        if self.lie or self.hides:
            raise NotFound(f"{path}: not found")
        for origin, signed in self.seen.items():
            if path == seen_path(origin):
                return signed.data
        raise NotFound(f"{path}: not found")


def witness_policy(log: VerifierKey, witnesses: Mapping[str, Witness], k: int) -> Policy:
    """Return the policy of a log that takes k of these witnesses, by their URLs."""
    lines = [f"log {log.vkey}"]
    lines += [f"witness w{n} {each.key.verifier.vkey} {url}" for n, (url, each) in enumerate(witnesses.items())]
    lines += [f"group g {k} {' '.join(f'w{n}' for n in range(len(witnesses)))}", "quorum g", ""]
    return parse_policy("\n".join(lines).encode())


@dataclass
class InProcess:
    """Ways to witnesses in this process (`tiles.write.witness_requests.Ways`), one after the other.

    by_url   those that can be asked at an http:// URL, and those of other URLs, which are only looked at
    faults   counts each request as an operation of a run, which may go wrong
    gate     is called before each request
    """

    by_url: Mapping[str, Witness]
    faults: Faults | None = None
    gate: Callable[[str], None] | None = None
    parallel: int = 1

    def answers(self, url: str) -> bool:
        return url.startswith("http")

    def ask(self, url: str, body: bytes, seconds: float) -> Posted:  # noqa: ARG002
        return self._one(f"witness ask {url}", ASKING, lambda: self.by_url[url].add_checkpoint(body))

    def look(self, url: str, origin: str, seconds: float) -> bytes:  # noqa: ARG002
        return self._one(f"witness look {url}", READING, lambda: self.by_url[url].shows(seen_path(origin)))

    def _one(self, what: str, kinds: tuple[Fault, ...], do: Callable[[], T]) -> T:
        if self.gate is not None:
            self.gate(what)
        return do() if self.faults is None else self.faults.run([what], kinds, lambda _: do())


# ---- lies


def away(_: Posted) -> Posted:
    """Do not answer."""
    raise AccessError("no connection")


def nothing(_: Posted) -> Posted:
    """Answer 200, and say nothing."""
    return Posted(200, b"")


def ahead(_: Posted) -> Posted:
    """Claim to have seen a size that no log has."""
    return Posted(409, b"4611686018427387904\n")


def behind(_: Posted) -> Posted:
    """Claim each time to hold the empty tree."""
    return Posted(409, b"0\n")


def wordy(_: Posted) -> Posted:
    """Answer with what is no answer."""
    return Posted(200, b"<html>" * 1000)


def garbled(answer: Posted) -> Posted:
    """Answer with its line, and a bit of the signature flipped."""
    return Posted(answer.status, answer.data.replace(b"A", b"B", 1) if answer.status == 200 else answer.data)


def as_the_log(answer: Posted) -> Posted:
    """Answer with a line in the log's own name, and key id."""
    key = signing_key("example.com/log", b"\x01" * 32)
    forged = key.verifier.key_id + b"\x00" * 64
    from base64 import b64encode

    line = f"— {key.verifier.name} {b64encode(forged).decode()}\n".encode()
    return Posted(200, line) if answer.status == 200 else answer


LIES = (away, nothing, ahead, behind, wordy, garbled, as_the_log)


# ---- over HTTP


class Served(ThreadingHTTPServer):
    """Serves witnesses below /<number>/; a witness may be given another way to answer a POST.

    instead   by number: writes the whole answer, with the handler
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, witnesses: Sequence[Witness]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.witnesses = witnesses
        self.instead: dict[int, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.ended = Event()

    def url(self, number: int) -> str:
        """Return the submission prefix of a witness."""
        return f"http://127.0.0.1:{self.server_address[1]}/{number}"

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: clients that go away are usual."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    server: Served

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Take a request."""
        number = int(self.path.split("/")[1])
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if number in self.server.instead:
            self.close_connection = True
            self.server.instead[number](self)
            return
        assert self.path == f"/{number}/add-checkpoint"
        self._send(self.server.witnesses[number].add_checkpoint(body))

    def do_GET(self) -> None:
        """Show what was seen."""
        _, number, path = self.path.split("/", 2)
        try:
            self._send(Posted(200, self.server.witnesses[int(number)].shows(path)))
        except NotFound:
            self._send(Posted(404, b""))

    def _send(self, answer: Posted) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", SIZE_TYPE if answer.status == 409 else "text/plain")
        self.send_header("Content-Length", str(len(answer.data)))
        self.end_headers()
        self.wfile.write(answer.data)


@contextmanager
def serving(witnesses: Sequence[Witness]) -> Iterator[Served]:
    """Serve witnesses until the block is left."""
    with Served(witnesses) as served:
        thread = Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            served.ended.set()
            served.shutdown()
            thread.join()


def digest_of(origin: str) -> str:
    """Return the origin hash of the specification, without the code that it is held to."""
    return sha256(origin.encode()).hexdigest()
