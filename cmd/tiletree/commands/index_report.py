"""What `tiletree index check` finds and says: an index is computed again from the entries, and compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tiles.entries.key_kinds import check_known, known_kinds
from tiles.errors import AccessError, LogError, NotFound, TooLong, UsageError
from tiles.index.check import (
    Checked,
    SignedHead,
    check_index,
    contradictions,
    evidence_of,
    head_keys,
    open_head,
    read_head,
)
from tiles.index.spread import SpreadLog
from tiles.notes.index_head import MAX_HEAD_SIZE, IndexHead
from tiles.notes.keys import VerifierKey
from tiles.read.client import LogClient
from tiles.read.fetcher import open_log
from tiles.read.runs import Hands
from tiles.records.paths import index_head_path
from tiles.store import Fetcher, Store
from tiles.store.directory import DirectoryStore
from tiles.user.files import write_file
from tiles.user.pinned import Pinned
from tiles.user.seen_checkpoints import Visits
from tiletree.computing import Spread, address_elsewhere
from tiletree.pins import memory
from tiletree.remarks import covering
from tiletree.ui import EXIT_ACCESS, EXIT_OK, EXIT_WRONG, Output


@dataclass
class Report:
    """What came of one head.

    place   what was checked: a kind's head in the log, or a file
    """

    kind: str
    place: str
    covered: int = 0
    lies: list[str] = field(default_factory=list)
    damaged: list[tuple[str, str]] = field(default_factory=list)
    evidence: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """Its part of the JSON document."""
        return {
            "kind": self.kind,
            "place": self.place,
            "covered": self.covered,
            "lies": self.lies,
            "damaged": [{"path": path, "problem": problem} for path, problem in self.damaged],
            "evidence": self.evidence or None,
        }

    @property
    def lines(self) -> list[str]:
        """The same in words."""
        lines = [f"{self.place}: {lie}" for lie in self.lies]
        lines += [f"{path}: {problem}" for path, problem in self.damaged]
        if self.lies:
            saved = f"; the evidence is in {self.evidence}" if self.evidence else ""
            lines.append(f"{self.kind}  the log has signed an index that is wrong{saved}")
            lines.append(f"{self.kind}  it proves nothing any more, and is not repaired: begin the kind's next version")
        elif self.damaged:
            lines.append(
                f"{self.kind}  {len(self.damaged)} objects are missing or damaged; what the log signed is right"
            )
        else:
            lines.append(f"{self.kind}  follows from the first {self.covered} entries")
        return lines


class Check:
    """Checks the indexes of one log.

    save     where evidence is put; None: with what this user has seen of logs
    work     where indexes are computed again, to be used again by a later check; None: nowhere that stays
    spread   where records of entries are computed
    """

    def __init__(
        self,
        out: Output,
        log: str,
        client: LogClient,
        pinned: Pinned,
        save: Path | None,
        work: Path | None,
        spread: Spread,
    ) -> None:
        self._out = out
        self._log = log
        self._spread = spread
        self._client = client
        self._fetcher: Fetcher = open_log(log)
        self._origin = client.accepted.signed.origin
        self._keys = head_keys(pinned.policy, self._origin)
        self._save = save
        self._work = work

    def published(self, kinds: tuple[str, ...]) -> Iterator[Report]:
        """Check what the log has; a kind that was named has to be there."""
        found = 0
        for kind in kinds or known_kinds():
            check_known(kind)
            report = Report(kind, index_head_path(kind))
            try:
                signed = read_head(self._fetcher, kind, self._keys)
            except NotFound:
                if not kinds:
                    continue
                report.damaged = [(report.place, "is missing: the log has no such index, or it was taken away")]
            except (LogError, TooLong) as error:
                report.damaged = [(report.place, error.message)]
            else:
                self._check(report, signed, self._fetcher)
            found += 1
            yield report
        if not found:
            raise NotFound(f"{self._origin} has no index", hint="`tiletree index build LOG` begins one")

    def given(self, path: Path) -> Report:
        """Check a head that somebody was shown, against the entries and against the one that is published."""
        try:
            with path.open("rb") as stream:
                data = stream.read(MAX_HEAD_SIZE + 1)
        except OSError as error:
            raise UsageError(f"--against {path} cannot be read: {error.strerror}") from error
        signed = open_head(data, self._keys)
        kind = signed.head.kind
        report = Report(kind, str(path))
        check_known(kind)
        try:
            other = read_head(self._fetcher, kind, self._keys)
        except (LogError, AccessError):
            other = None
        if other is not None and (other.head.origin, other.head.kind) == (signed.head.origin, kind):
            report.lies += contradictions(signed.head, other.head)
        self._check(report, signed, None, other if report.lies else None)
        return report

    def _check(
        self, report: Report, signed: SignedHead, fetcher: Fetcher | None, other: SignedHead | None = None
    ) -> None:
        head = signed.head
        report.covered = head.tree.size
        if head.tree.size > self._client.tree.size:
            self._client.visit()  # it may have grown since
        with (
            self._scratch(keep=fetcher is not None) as scratch,
            covering(self._out, f"checking {head.kind}", head.tree.size) as told,
        ):
            found = self._computed(fetcher, report.kind, head, scratch, told)
        self._add(report, found)
        if report.lies:
            shown = evidence_of(signed, report.lies, self._client.accepted.signed, other)
            try:
                report.evidence = self._keep(self._keys[0], shown, head.kind)
            except AccessError as error:
                self._out.note(f"the evidence is not saved: {error.message}")

    def _computed(
        self, fetcher: Fetcher | None, kind: str, head: IndexHead, scratch: Store, told: Callable[[int], None]
    ) -> Checked:
        with (
            self._spread.at_work(head.tree.size) as workers,
            closing(SpreadLog(self._client, Hands(workers, address_elsewhere(self._log)))) as log,
        ):
            return check_index(fetcher, log, self._origin, kind, head, scratch, told)

    def _add(self, report: Report, found: Checked) -> None:
        report.lies += found.lies
        report.damaged += found.damaged

    @contextmanager
    def _scratch(self, *, keep: bool) -> Iterator[Store]:
        if self._work is not None and keep:
            yield DirectoryStore(self._work)
            return
        with TemporaryDirectory(prefix="tiletree-") as place:
            yield DirectoryStore(Path(place))

    def _keep(self, key: VerifierKey, evidence: Mapping[str, bytes], kind: str) -> str:
        """Save evidence, and say where."""
        if self._save is not None:
            place = self._save / kind.replace("/", "-")
            for name, data in evidence.items():
                write_file(place / name, data)
            return str(place)
        visits = memory(Visits)
        if visits is None:
            raise AccessError(
                "this user has no home directory to keep the evidence in", hint="name a place with --save"
            )
        return str(visits.save_evidence(key, evidence))


def code_of(reports: list[Report]) -> int:
    """Return the exit code."""
    if any(report.lies for report in reports):
        return EXIT_WRONG
    return EXIT_ACCESS if any(report.damaged for report in reports) else EXIT_OK
