"""What a witness answers over HTTP (https://c2sp.org/tlog-witness, "HTTP Interface"). Each status is that of the text.

    POST /add-checkpoint               200 cosignature lines; 400, 403, 404, 409, 422
    GET /<origin hash>/checkpoint      200 what was cosigned last; 404
    POST /sign-subtree                 404: "It is OPTIONAL for a witness to support this API"

A witness that cannot do its part, because its store fails or does not hold what it should, answers 503 or 500. The
specification says nothing of these. The sender is told that much and no more; `told` is told what happened.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tiles.errors import ForkError, LogError, Malformed, PolicyError, ProofError, Refused, SignatureError, TilesError
from tiles.notes.checkpoint import Checkpoint, SignedCheckpoint
from tiles.notes.encoding import decode_base64, encode_base64
from tiles.notes.witness_messages import (
    ADD_CHECKPOINT,
    MAX_REQUEST_SIZE,
    SIZE_TYPE,
    AddCheckpoint,
    format_signatures,
    format_size,
    parse_add_checkpoint,
    seen_path,
)
from tiles.records.serving import TEXT
from tiles.tree.merkle import EMPTY_ROOT, Hash, TreeHead, to_hash
from tiles.watch.witness import Last, Witness, WitnessedLog, log_lines
from tiles.watch.witness_config import WitnessConfig


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back: status, body and headers of HTTP."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", TEXT),)


class _OtherSize(Exception):
    """The sender does not know what was cosigned last."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


class WitnessDesk:
    """Answers the calls of one witness. Threads may share it.

    config   says which logs are known
    told     is told what the operator has to know: forks, and trouble of the witness itself
    """

    def __init__(self, witness: Witness, config: WitnessConfig, told: Callable[[TilesError], object]) -> None:
        self._witness = witness
        self._config = config
        self._told = told
        self._paths = {f"/{seen_path(log.origin)}": log for log in config.logs}
        self.busy = _plain(503, "too many connections are open; try again", ("Retry-After", "1"))
        self.fault = _plain(500, "a fault of the witness itself")

    def check(self, method: str, target: str, header: Callable[[str], str | None]) -> int | Reply:
        """Return how many bytes of body a call has, or the reply that refuses it. header: by name, in any case"""
        path = target.partition("?")[0]
        length = header("Content-Length")
        if header("Transfer-Encoding") is not None:
            return _plain(411, "a request says its Content-Length, and has no Transfer-Encoding")
        if length is not None and not (length.isascii() and length.isdigit()):
            return _plain(400, "the Content-Length is not a number")
        if path == f"/{ADD_CHECKPOINT}":
            if method != "POST":  # "The request MUST be an HTTP POST"
                return _plain(405, "POST only", ("Allow", "POST"))
            if length is None:
                return _plain(411, "a request says its Content-Length, and has no Transfer-Encoding")
            if len(length) > len(str(MAX_REQUEST_SIZE)) or int(length) > MAX_REQUEST_SIZE:
                return _plain(413, f"a request has at most {MAX_REQUEST_SIZE} bytes")
            return int(length)
        if method == "POST" and path not in self._paths:
            return _plain(404, "there is no such call")
        if method != "GET":  # "The request MUST be an HTTP GET"
            return _plain(405, "GET only", ("Allow", "GET"))
        return 0 if not (length or "").strip("0") else _plain(413, "a GET has no body")

    def not_http(self, status: int) -> Reply:
        """Return the reply to what is no request of HTTP, or one of a version or size that is not taken."""
        return _plain(status, "not a request of HTTP/1.1 that is taken here")

    def respond(self, method: str, target: str, body: bytes) -> Reply:
        """Return the reply to a call that `check` took."""
        path = target.partition("?")[0]
        try:
            if method == "POST":
                return self._add_checkpoint(body)
            log = self._paths.get(path)
            last = self._witness.last(log) if log else None
        except (LogError, Refused) as error:
            self._told(error)
            return self.fault
        except TilesError as error:
            return self._unable(error)
        # "If the witness has never cosigned a checkpoint for that log, it MUST respond with a 404"
        if last is None or not last.by_log:
            return _plain(404, "nothing was cosigned of such a log")
        return Reply(200, last.signed.data)

    def _add_checkpoint(self, body: bytes) -> Reply:
        try:
            request = _parsed(body)
        except Malformed as error:
            return _plain(400, error.plain)
        log = self._config.log(request.signed.origin)
        if log is None:
            return _plain(404, "a log of this origin is not known")
        try:
            log_lines(log, request.signed)
        except (SignatureError, PolicyError):
            return _plain(403, "no signature by a key that is known for this origin, or a wrong one of such a key")
        return self._cosign(log, request)

    def _cosign(self, log: WitnessedLog, request: AddCheckpoint) -> Reply:
        signed = request.signed
        # "The old size MUST be equal to or lower than the checkpoint size"
        if request.old_size > signed.tree.size:
            return _plain(400, f"the old size is larger than the checkpoint's, {signed.tree.size}")

        def prove(last: Last) -> Sequence[Hash]:
            # "MUST check that the old size matches the size of the latest checkpoint it cosigned"
            if request.old_size != last.tree.size:
                raise _OtherSize(last.tree.size)
            if isinstance(signed.checkpoint, _FalseEmpty):
                raise ProofError("the tree of size 0 has another root")
            return request.proof

        try:
            done = self._witness.cosign(log, signed, prove)
        except _OtherSize as other:
            return Reply(409, format_size(other.size), (("Content-Type", SIZE_TYPE),))
        except ProofError:
            return _plain(422, f"the proof does not lead from size {request.old_size} to the checkpoint")
        except ForkError as fork:
            self._told(fork)
            return _plain(422, f"another root was cosigned for size {signed.tree.size}")
        return Reply(200, format_signatures(done.lines))

    def _unable(self, error: TilesError) -> Reply:
        self._told(error)
        return _plain(503, "the witness cannot reach its store or its key", ("Retry-After", "10"))


class _FalseEmpty(Checkpoint):
    """A checkpoint of size 0 with the root of another tree: no log states that, but its signature is looked at.

    "MUST have the root hash of the empty tree … Otherwise … 422", which says more than that a request is malformed.
    """

    def check(self) -> None:
        """Check nothing: only `_parsed` makes one."""


def _parsed(body: bytes) -> AddCheckpoint:
    """Return a request, of which nothing is verified. Raises Malformed."""
    try:
        return parse_add_checkpoint(body)
    except Malformed:
        before, blank, note = body[:MAX_REQUEST_SIZE].partition(b"\n\n")
        origin, size, root, rest = (*note.split(b"\n", 3), b"", b"", b"", b"")[:4]
        if not blank or size != b"0" or root == (empty := encode_base64(EMPTY_ROOT).encode()):
            raise
        false_root = to_hash(decode_base64(root.decode("ascii", "replace"), "root hash"))
        request = parse_add_checkpoint(b"\n".join((before + b"\n", origin, size, empty, rest)))
        sound = request.signed.checkpoint
        made = _FalseEmpty(sound.origin, TreeHead(0, false_root), sound.extensions)
        note_made = type(request.signed.note)(made.text, request.signed.note.signatures)
        return AddCheckpoint(request.old_size, request.proof, SignedCheckpoint(made, note_made))


def _plain(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    return Reply(status, f"{text}\n".encode(), (("Content-Type", TEXT), *headers))
