"""Every error the library raises, sorted by what went wrong.

    TilesError
    ├── LogError                 the log is wrong: what was read is not what a sound log says    exit 1
    │   ├── Malformed            bytes that are not in the format
    │   └── VerificationError    well formed, and does not verify; carries the evidence
    │       ├── SignatureError       no or a wrong signature of a known key
    │       ├── PolicyError          signed, but the policy (log keys, quorum) is not met
    │       ├── ProofError           an inclusion or consistency proof does not lead to the root
    │       ├── TileError            a tile or bundle does not hash up to the checkpoint
    │       └── ForkError            two signed checkpoints of one log that exclude each other     exit 7
    ├── AccessError              storage or network failed; trying again may help                exit 3
    │   ├── NotFound             the object is not there
    │   ├── Denied               these credentials may not do that; nothing was done
    │   ├── HistoryUnknown       less than was seen before, and nothing shows it is the same log  exit 7
    │   ├── Conflict             somebody else wrote first; our write did certainly not happen
    │   └── OutcomeUnknown       our write may or may not have happened
    ├── NotLogged                the log was read, and does not hold what was looked for         exit 8
    ├── UsageError               the call is wrong                                               exit 2
    ├── Refused                  a guard refuses; says what was found; nothing was changed       exit 4
    └── Unfinished               committed, and not yet published or tidied: run again           exit 5

Verification raises; it never returns False.
"""

from __future__ import annotations

from typing import Any

LOST = "docs/lost.md"  # the page on what is lost or was moved; `tiletree.documents` says where docs is


class TilesError(Exception):
    """Base of all errors of this library; never raised itself.

    message   what was found and where, lower case, no full stop
    hint      what to do next, or empty
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[Any, ...]:
        """Let an error pass from one process to another as it is; by itself it would be made anew of its message."""
        return _passed, (type(self), self.args, self.__dict__)


def _passed(kind: type[TilesError], args: tuple[Any, ...], state: dict[str, Any]) -> TilesError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class LogError(TilesError):
    """What was read is not what a sound log says; trying again will not help."""


class Malformed(LogError):
    """Bytes that are not in their format.

    what    the format, e.g. "checkpoint"
    found   the offending part, cut to 80 characters of repr
    plain   what is wrong, without that part: it may be of a file that nobody meant to show, such as a key
    """

    def __init__(self, what: str, problem: str, found: bytes | str | int | None = None) -> None:
        shown = "" if found is None else f": {_short(found)}"
        self.plain = f"malformed {what}: {problem}"
        super().__init__(f"{self.plain}{shown}")
        self.what = what
        self.problem = problem
        self.found = found


class VerificationError(LogError):
    """Well formed, and does not verify.

    evidence   name → bytes: what a third party needs to check it (signed notes, proofs, hashes)
    """

    def __init__(self, message: str, *, hint: str = "", evidence: dict[str, bytes] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.evidence = dict(evidence or {})


class SignatureError(VerificationError):
    """No signature of a known key, or one that is wrong."""


class PolicyError(VerificationError):
    """The signatures are right, but not enough: the log is unknown, or the quorum is not met."""


class ProofError(VerificationError):
    """An inclusion or consistency proof does not lead to the root it should lead to."""


class TileError(VerificationError):
    """A tile or an entry bundle does not hash up to the checkpoint.

    path   the public path of the object
    """

    def __init__(self, path: str, problem: str, *, evidence: dict[str, bytes] | None = None) -> None:
        super().__init__(f"{path}: {problem}", evidence=evidence)
        self.path = path
        self.problem = problem


class ForkError(VerificationError):
    """Two signed checkpoints of one log exclude each other; both are in the evidence."""


class AccessError(TilesError):
    """Storage or network did not do what was asked; nothing is known to be wrong with the log."""


class NotFound(AccessError):
    """The object is not there (or, where the reader cannot tell, may not be read)."""


class TooLong(AccessError):
    """An object is longer than its reader allows."""


class Denied(AccessError):
    """These credentials may not do that. Nothing was done."""


class HistoryUnknown(AccessError):
    """A log is served smaller than it was seen, and nothing there shows that it began like this.

    It may be an old copy without what is newer, or another history that will grow.
    evidence   name → bytes: the two signed checkpoints, as those of a fork are named, without any proof
    """

    def __init__(self, message: str, *, hint: str = "", evidence: dict[str, bytes] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.evidence = dict(evidence or {})


class Conflict(AccessError):
    """Somebody else wrote first. Our write did certainly not happen."""


class OutcomeUnknown(AccessError):
    """Our write may or may not have happened: read again before deciding anything."""


class NotLogged(TilesError):
    """The log was read, and does not hold what was looked for. It may still be logged later."""


class UsageError(TilesError):
    """The call is wrong: an argument out of range, a key of the wrong kind, an entry that is too long."""


class Refused(TilesError):
    """A guard refuses to go on. The message says what was found; nothing was changed."""


class Unfinished(TilesError):
    """The entries are committed (they will be in every later tree) and the run could not finish.

    Raised from the error that stopped the run. The next run finishes it; adding the entries again would log them twice.
    first_index, count   where the entries are: [first_index, first_index + count)
    already              of what was to be logged, (position, index) of what was in the log, or came twice
    published            whether readers can see them already
    """

    def __init__(
        self,
        message: str,
        *,
        first_index: int,
        count: int,
        published: bool,
        already: tuple[tuple[int, int], ...] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.first_index = first_index
        self.already = already
        self.count = count
        self.published = published


def explained(section: str, first: str = "") -> str:
    """Return a hint that leads to a section of that page; `section` is its heading, as links have it.

    first   what to do, in a few words, if that can be said in a few
    """
    return f"{first}{'; ' if first else ''}see {LOST}#{section}"


def placed(error: LogError, where: str, problem: str = "") -> LogError:
    """Return the same error, whose message begins with the address; problem: what it says then, if not the same."""
    error.message = f"{where}: {problem or error.message}"
    error.args = (error.message,)
    return error


def _short(found: bytes | str | int) -> str:
    text = repr(found)
    return text if len(text) <= 80 else text[:77] + "..."
