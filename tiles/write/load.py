"""Loading a log for writing: read what is committed and what is published, and refuse what cannot be.

Step 1 of the commit (docs/data-flow.md). Two objects are read one after the other while others may be writing, so an
odd pair is read once more before it is believed: what still is odd then was put back, removed or changed from outside.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from tiles.errors import NotFound, Refused
from tiles.inbox.admission import MAX_ADMISSION_SIZE, OPEN, Admission, parse_admission
from tiles.notes.checkpoint import SignedCheckpoint, parse_signed_checkpoint
from tiles.notes.keys import VerifierKey
from tiles.notes.note import MAX_NOTE_SIZE, verify_note
from tiles.notes.policy import MAX_POLICY_SIZE, Policy, parse_policy
from tiles.records.fields import MAX_RECORD_SIZE
from tiles.records.head import Head, parse_head
from tiles.records.paths import HEAD, policy_path
from tiles.records.staged_batch import digest
from tiles.signing.anchor import AnchorMemory
from tiles.store import Store, Version
from tiles.tree.layout import CHECKPOINT, TILES
from tiles.tree.merkle import TreeHead

_PUT_BACK = "storage holds an older copy, or is out of order: restore the newest copy of both parts of the log"


@dataclass(frozen=True, slots=True)
class State:
    """A log as a writer found it.

    policy      the publishing policy that the head names; admission, the one for submissions
    anchor      what the signer remembers; None if nothing
    published   the published checkpoint; None in a log whose first one is not published yet
    modified    when the head was written, by the store's clock
    """

    head: Head
    version: Version
    modified: float
    policy: Policy
    admission: Admission
    anchor: TreeHead | None
    published: SignedCheckpoint | None
    published_version: Version | None

    @property
    def is_published(self) -> bool:
        """Whether readers can see all that is committed."""
        return self.published is not None and self.published.tree == self.head.tree


def read_head(private: Store) -> tuple[Head, Version, float]:
    """Return the head in a private part, its version and when it was written. Raises NotFound if there is none."""
    stored = private.read(HEAD, MAX_RECORD_SIZE)
    return parse_head(stored.data), stored.version, stored.modified


class Guard:
    """Loads one log, and compares what it finds with what the caller believes it to be.

    verifier   the log's key, named as its origin
    memory     what the log's signer remembers
    policy, admission   what the caller expects the log's policies to be; None accepts the log's own
    """

    def __init__(
        self,
        public: Store,
        private: Store,
        verifier: VerifierKey,
        memory: AnchorMemory,
        policy: Policy | None = None,
        admission: Admission | None = None,
    ) -> None:
        self._public = public
        self._private = private
        self._verifier = verifier
        self._memory = memory
        self._expected = policy
        self._policy: Policy | None = policy
        self._expected_admission = admission
        self._admission = admission or OPEN

    def load(self) -> State:
        """Return a state that some moment really had.

        Raises Refused for a log that is not the signer's, or whose storage was put back or changed from outside;
        NotFound if there is no log.
        """
        while True:
            published, published_version = self.read_checkpoint()
            head, version, modified = self.read_head()
            self._check_identity(head)
            if published is None or published.tree.size not in (head.base, head.tree.size):
                published, published_version = self.read_checkpoint()
            size = -1 if published is None else published.tree.size
            remembered, _ = self._memory.recall()
            known = max(size, remembered.size if remembered else 0)
            if known > head.tree.size:
                if self.read_head()[0].tree.size < known:
                    raise self._head_put_back(head, published, known)
                continue
            self._check_published(head, published)
            if remembered and remembered.size == head.tree.size and remembered != head.tree:
                raise Refused(
                    f"the head commits to {head.tree}, and {remembered} was signed before",
                    hint=_PUT_BACK,
                )
            policy, admission = self._publishing_policy(head), self._admission_policy(head)
            return State(head, version, modified, policy, admission, remembered, published, published_version)

    def read_head(self) -> tuple[Head, Version, float]:
        """Return the head, its version and when it was written. Raises NotFound if there is none."""
        return read_head(self._private)

    def read_checkpoint(self) -> tuple[SignedCheckpoint, Version] | tuple[None, None]:
        """Return the published checkpoint, signed by our key, and its version; a pair of None if there is none."""
        try:
            stored = self._public.read(CHECKPOINT, MAX_NOTE_SIZE)
        except NotFound:
            return None, None
        signed = parse_signed_checkpoint(stored.data)
        if signed.origin != self._verifier.name:
            raise Refused(f"{self._public.url} publishes the log {signed.origin}, the key is of {self._verifier.name}")
        verify_note(signed.note, [self._verifier])
        return signed, stored.version

    def check_untouched(self) -> None:
        """Raise Refused unless a new log can begin here, with this key."""
        with suppress(NotFound):
            head, _, _ = self.read_head()
            raise Refused(f"{self._private.url} is the private part of the log {head.origin} with key {head.vkeys[0]}")
        if self.read_checkpoint()[0] is not None or next(self._public.list(TILES), None) is not None:
            raise Refused(
                f"{self._public.url} already holds a log, and its private part is not at {self._private.url}",
                hint="name the private part of that log, or choose an empty place",
            )
        if (remembered := self._memory.recall()[0]) is not None:
            raise Refused(
                f"the key of {self._verifier.name} has signed before: {remembered}",
                hint="a second log under the same name and key would be a fork; make a new key, or restore the log",
            )
        if self._expected:
            self._check_policy(self._expected)

    def _check_identity(self, head: Head) -> None:
        own = {
            "origin": (self._verifier.name, head.origin),
            "key": (self._verifier.vkey, " ".join(head.vkeys)),
            "policy": (self._expected.sha256 if self._expected else head.policy, head.policy),
            "admission policy": (
                self._expected_admission.sha256 if self._expected_admission else head.admission,
                head.admission,
            ),
        }
        for what, (ours, found) in own.items():
            if ours != found:
                raise Refused(f"{self._private.url} is the private part of a log with {what} {found}, not {ours}")

    def _check_published(self, head: Head, published: SignedCheckpoint | None) -> None:
        if published is None:
            # the first checkpoint, of size 0, is published before anything is committed on top of it
            if head.tree.size > 0:
                raise Refused(
                    f"{self._public.url}/{CHECKPOINT} is gone; the log has {head.tree.size} entries",
                    hint="put back the newest file of checkpoints/ in its place",
                )
            return
        tree = published.tree
        if tree.size < head.base:
            raise Refused(
                f"the published checkpoint has size {tree.size}, and one of size {head.base} was published before",
                hint="it was put back: restore the newest one, for instance from checkpoints/",
            )
        if (tree.size == head.tree.size and tree != head.tree) or head.base < tree.size < head.tree.size:
            raise Refused(
                f"the published tree of {tree} is not one the head commits to ({head.tree}, on size {head.base})",
                hint=_PUT_BACK,
            )

    def _head_put_back(self, head: Head, published: SignedCheckpoint | None, known: int) -> Refused:
        by = "published" if published is not None and published.tree.size == known else "signed"
        return Refused(
            f"the head in {self._private.url} has size {head.tree.size}, and a tree of size {known} was {by}",
            hint=_PUT_BACK,
        )

    def _publishing_policy(self, head: Head) -> Policy:
        if self._policy is None or self._policy.sha256 != head.policy:
            self._policy = parse_policy(self._kept(head.policy, MAX_POLICY_SIZE))
        self._check_policy(self._policy)
        return self._policy

    def _admission_policy(self, head: Head) -> Admission:
        if self._admission.sha256 != head.admission:
            self._admission = parse_admission(self._kept(head.admission, MAX_ADMISSION_SIZE))
        return self._admission

    def _kept(self, name: str, limit: int) -> bytes:
        """Return the policy that the head names by its digest."""
        path = policy_path(name)
        try:
            data = self._private.read(path, limit).data
        except NotFound:
            raise Refused(f"{path} in {self._private.url} is gone: it is a policy that was committed") from None
        if digest(data) != name:
            raise Refused(f"{path} in {self._private.url} is not the policy that was committed")
        return data

    def _check_policy(self, policy: Policy) -> None:
        """Raise Refused for a policy that no checkpoint of this run could meet."""
        if self._verifier not in [log.key for log in policy.logs]:
            raise Refused(f"the policy does not accept what {self._verifier} signs", hint="name the key in a log line")
        if policy.needs_witnesses:
            raise Refused(
                "the log's policy asks for cosignatures, which this version does not collect",
                hint="publish with a policy whose quorum is none",
            )
