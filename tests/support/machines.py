"""Two machines with one key, which write to one log or to copies of it, while things are copied, lost and put back.

Whatever is signed is taken down with the entries of its tree, so that it is seen at once if two trees exclude each
other. The seed of a history decides all of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.support.check_log import fold, read_text, tree_paths, unpack
from tests.support.faults import Died, GatedStore
from tests.support.world import NOW, ORIGIN, some_entries
from tiles.errors import TilesError
from tiles.notes.keys import SeedKey, signing_key
from tiles.records.paths import ANCHOR, HEAD, POLICY
from tiles.retry import Clock
from tiles.signing.anchor import AnchorMemory
from tiles.signing.signer import Signer
from tiles.store import Object, Store
from tiles.store.memory import MemoryStore
from tiles.tree.layout import CHECKPOINT
from tiles.write.adopt import Adoption
from tiles.write.own_tree import OwnTree
from tiles.write.parts import Parts
from tiles.write.sequencer import Sequencer

Contents = dict[str, bytes]
KEY = signing_key(ORIGIN, b"\x01" * 32)  # of both machines


class Fork(AssertionError):
    """Two trees were signed of which neither contains the other."""


@dataclass
class Told:
    """All that was ever signed.

    longest   the entries of the largest tree
    texts     the signed texts, in their order
    """

    longest: tuple[bytes, ...] = ()
    texts: list[bytes] = field(default_factory=list)

    def sign(self, text: bytes, bundles: Contents) -> None:
        """Take down what is signed, with its entries from the bundles that the writer has read or written.

        Raises Fork.
        """
        signed = read_text(text)
        self.texts.append(text)
        paths = [path for path in tree_paths(signed.size) if path.startswith("tile/entries/")]
        entries = tuple(entry for path in paths for entry in unpack(bundles[path]))
        assert fold(entries).root(signed.size) == signed.root, f"not the tree of its bundles: {signed}"
        short, long = sorted((entries, self.longest), key=len)
        if long[: len(short)] != short:
            raise Fork(f"{signed} and the tree of {len(self.longest)} entries exclude each other")
        self.longest = long


class Seen(GatedStore):
    """A store that keeps what its writer has read or written there."""

    def __init__(self, inner: Store, role: str, gate: Callable[[str], None]) -> None:
        super().__init__(inner, role, gate)
        self.objects: Contents = {}

    def read(self, path: str, limit: int | None = None) -> Object:
        """Read."""
        found = super().read(path, limit)
        self.objects[path] = found.data
        return found

    def create(self, objects: Mapping[str, bytes]) -> None:
        """Create."""
        self.objects |= objects
        super().create(objects)


@dataclass(frozen=True, slots=True)
class TellingKey(SeedKey):
    """A signing key that tells what it signs."""

    tell: Callable[[bytes], None] = field(default=lambda _text: None, compare=False, repr=False)

    def sign(self, message: bytes) -> bytes:
        """Tell it and sign it."""
        self.tell(message)
        return SeedKey.sign(self, message)


class Place:
    """Where a log is, or a copy of it: its two parts."""

    def __init__(self, name: str) -> None:
        self.parts: dict[str, Store] = {role: MemoryStore(f"{name}/{role}") for role in ("public", "private")}

    def contents(self, role: str) -> Contents:
        """Return what is in a part."""
        return contents(self.parts[role])

    def put_back(self, role: str, objects: Contents) -> None:
        """Let a part be what it was, or what it is elsewhere."""
        put_back(self.parts[role], objects)

    def is_empty(self) -> bool:
        """Whether nothing is there."""
        return not any(self.contents(role) for role in self.parts)


def contents(store: Store) -> Contents:
    """Return all objects of a store."""
    return {listed.path: store.read(listed.path).data for listed in store.list("")}


def put_back(store: Store, objects: Contents) -> None:
    """Let a store hold these objects."""
    store.delete([listed.path for listed in store.list("")])
    store.create(objects)


class History:
    """What happens to two machines, by a seed.

    anchors_too   whether anchors, too, are copied, and put back together with the log
    """

    def __init__(self, seed: int, *, anchors_too: bool = False) -> None:
        self.rng = random.Random(seed)
        self.anchors_too = anchors_too
        self.told = Told()
        self.done: list[str] = []
        self.outcomes: list[str] = []
        self.is_warned = False
        self.places = [Place("first"), Place("second")]
        self.anchors: list[Store] = [MemoryStore("anchor of A"), MemoryStore("anchor of B")]
        self.using = [self.places[0], self.places[0]]  # of machine A and B
        self.kept: list[tuple[dict[str, Contents], Contents]] = []  # the parts of a place, and an anchor
        self.now = NOW
        self.entries = 0
        self.depth = 0

    def live(self, steps: int) -> None:
        """Begin the log on machine A, and let so many things happen."""
        self._try("A begins the log", lambda: self._writer(0).create())
        for _ in range(steps):
            if self.is_warned:
                return
            self.step()

    def step(self) -> None:
        """Let one thing happen."""
        things = [self._add] * 10 + [self._finish] + [self._adopt] * 3
        things += [self._copy, self._keep, self._put_back, self._lose, self._lose_anchor, self._move, self._move]
        things += [self._freeze, self._begin]
        if self.anchors_too:
            things += [self._copy_anchor, self._put_back_with_anchor] * 2
        self.rng.choice(things)()

    # ---- what machines do

    def _writer(self, machine: int, gate: Callable[[str], None] = lambda _what: None) -> Sequencer:
        place = self.using[machine]
        public = Seen(place.parts["public"], "public", gate)
        private, memory = (
            GatedStore(place.parts["private"], "private", gate),
            GatedStore(self.anchors[machine], "anchor", gate),
        )

        def tell(text: bytes) -> None:
            if not self.is_warned:  # whoever adopts against the warning may fork the log
                self.told.sign(text, public.objects)

        key = TellingKey(KEY.verifier, KEY.seed, tell)
        rng = random.Random(self.rng.random())
        return Sequencer(public, private, Signer(key, memory), now=lambda: self.now, sleep=self._sleep, rng=rng)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _add(self) -> None:
        machine, count = self.rng.randrange(2), self.rng.choice([1, 2, 3])
        self.entries += count
        entries = some_entries(f"{self.entries}:", count)
        gate = self._gate()
        self._try(f"{'AB'[machine]} adds {count}", lambda: self._writer(machine, gate).append(entries))

    def _finish(self) -> None:
        machine = self.rng.randrange(2)
        self._try(f"{'AB'[machine]} finishes", lambda: self._writer(machine).finish())

    def _freeze(self) -> None:
        if self.rng.random() < 0.3:
            machine = self.rng.randrange(2)
            gate = self._gate()
            self._try(f"{'AB'[machine]} freezes", lambda: self._writer(machine, gate).freeze())

    def _begin(self) -> None:
        """Begin a log anew, unless no anchor, head or trace is left: then nobody could know that there was one."""
        machine = self.rng.randrange(2)
        place = self.using[machine]
        traces = place.contents("public").keys() - {POLICY}
        if contents(self.anchors[machine]) or traces or HEAD in place.contents("private"):
            self._try(f"{'AB'[machine]} begins the log again", lambda: self._writer(machine).create())

    def _adopt(self) -> None:
        machine = self.rng.randrange(2)
        old, new = self.anchors[self.rng.choice([0, 1, machine])], self.anchors[machine]
        parts = Parts(*(self.using[machine].parts[role] for role in ("public", "private")))
        tree = OwnTree(parts.public, KEY.verifier)
        answers_yes = self.rng.random() < 0.2

        def asked(_unknown: object) -> None:
            if not answers_yes:
                raise TilesError("the operator did not go on")
            self.is_warned = True

        clock = Clock(lambda: self.now, self._sleep, random.Random(self.rng.random()))
        adoption = Adoption(parts, tree, AnchorMemory(ORIGIN, old), AnchorMemory(ORIGIN, new))
        self._try(
            f"{'AB'[machine]} adopts from {old.url}, says {'yes' if answers_yes else 'no'}",
            lambda: adoption.adopt(clock, None, asked),
        )

    def _gate(self) -> Callable[[str], None]:
        """Return what happens before an operation of a run: it dies, or stalls while other things happen."""
        chance = self.rng.random()
        if chance < 0.4 or self.depth > 1:
            return lambda _what: None
        left = self.rng.randrange(40)
        stalls = chance > 0.7

        def gate(what: str) -> None:
            nonlocal left
            left -= 1
            if left == 0 and stalls:
                self.done.append(f"stalls before {what} {{")
                self.depth += 1
                for _ in range(self.rng.randrange(1, 5)):
                    self.step()
                self.depth -= 1
                self.done.append("} goes on")
            elif left == 0:
                raise Died(what)

        return gate

    # ---- what happens to storage

    def _copy(self) -> None:
        source, target = self.rng.sample(self.places, 2)
        if not source.is_empty():
            for role in self._some_parts():
                target.put_back(role, source.contents(role))
                self.done.append(f"{role} part copied to {target.parts[role].url}")

    def _some_parts(self) -> list[str]:
        """Return both parts, mostly, or one."""
        return self.rng.choice([["public", "private"]] * 4 + [["public"], ["private"]])

    def _move(self) -> None:
        machine = self.rng.randrange(2)
        self.using[machine] = self.rng.choice(self.places)
        self.done.append(f"{'AB'[machine]} writes to {self.using[machine].parts['public'].url}")

    def _keep(self) -> None:
        place = self.rng.choice(self.places)
        if not place.is_empty():
            anchor = contents(self.rng.choice(self.anchors))
            self.kept.append(({role: place.contents(role) for role in place.parts}, anchor))
            self.done.append("a copy is kept")

    def _put_back(self) -> None:
        if self.kept:
            parts, _ = self.rng.choice(self.kept)
            place = self.rng.choice(self.places)
            for role in self._some_parts():
                place.put_back(role, parts[role])
                self.done.append(f"put back: {place.parts[role].url}")

    def _lose(self) -> None:
        place = self.rng.choice(self.places)
        role = self.rng.choice(list(place.parts))
        there = sorted(place.contents(role))
        if there and self.rng.random() < 0.5:
            chosen = [path for path in (HEAD, CHECKPOINT) if path in there] + [self.rng.choice(there)]
            lost = there if self.rng.random() < 0.1 else [self.rng.choice(chosen)]
            place.parts[role].delete(lost)
            self.done.append(f"lost: {lost if len(lost) == 1 else 'all'} of {place.parts[role].url}")

    def _lose_anchor(self) -> None:
        if self.rng.random() < 0.3:
            anchor = self.rng.choice(self.anchors)
            anchor.delete([ANCHOR])
            self.done.append(f"lost: {anchor.url}")

    # ---- what nobody may do

    def _copy_anchor(self) -> None:
        source, target = self.rng.sample(self.anchors, 2)
        put_back(target, contents(source))
        self.done.append(f"{source.url} copied to {target.url}")

    def _put_back_with_anchor(self) -> None:
        if self.kept:
            parts, anchor = self.rng.choice(self.kept)
            place, target = self.rng.choice(self.places), self.rng.choice(self.anchors)
            for role, objects in parts.items():
                place.put_back(role, objects)
            put_back(target, anchor)
            self.done.append(f"{place.parts['public'].url} and {target.url} are put back together")

    # ----

    def _try(self, what: str, do: Callable[[], object]) -> None:
        """Do something; it may be refused, die or fail in one of our ways."""
        self.done.append(what)
        try:
            do()
            outcome = "done"
        except Died:
            outcome = "died"
        except TilesError as error:
            outcome = type(error).__name__
            self.done.append(f"  {outcome}: {error.message}")
        self.outcomes.append(outcome)
