"""Changing the keys of a log: a commit on a published tree, with a statement that the same batch holds.

A key is a letter. The head names the log's keys; a run that does not hold all of them is refused. A tree that is
published without the signature of one of them is signed again. In setups without such changes the steps are those of
`commit`.
"""

from __future__ import annotations

from . import commit, tidy
from .commit import Ends, Step
from .mistakes import Mistake
from .state import Batch, Head, Run, Setup, State, Statement, size

KEY_MISSING = "a key is missing"


def reading(step: Step) -> Step:
    """Return a step that reads the checkpoint with all signatures on it."""

    def read(s: State, r: Run, setup: Setup) -> Ends:
        for state, run in step(s, r, setup):
            yield state, run if run.checkpoint is None else run._replace(signers=s.signers)

    return read


def load_head(s: State, r: Run, setup: Setup) -> Ends:
    """Read the head, and compare the keys that it names with those that are held."""
    if r.is_short and s.head.keys != "A" and setup.mistake is not Mistake.KEYS_UNCHECKED:
        yield s, r.refuse(KEY_MISSING)
    else:
        yield from commit.load_head(s, r, setup)


def recover(s: State, r: Run, setup: Setup) -> Ends:
    """2 recover: a published tree that not all keys have signed is signed again, before anything else."""
    is_published = r.checkpoint == r.head.tree
    lacks = set(r.head.keys) - set(r.signers) and not r.is_short and setup.mistake is not Mistake.KEYS_SIGNED_LATER
    stacks = setup.mistake is Mistake.KEYS_STACKED and is_published
    if r.wants and (setup.mistake is Mistake.KEYS_UNPUBLISHED or stacks):
        yield s, r._replace(at="plan")
    elif is_published and lacks:
        yield s, r._replace(at="sign")
    else:
        yield from commit.recover(s, r, setup)


def plan(s: State, r: Run, setup: Setup) -> Ends:
    """3 plan: the next change of the keys, if that is the run's job; else its entries, on the keys that there are."""
    if not r.wants:
        for state, run in commit.plan(s, r, setup):
            yield state, run if run.plan == Head() else run._replace(plan=run.plan._replace(keys=r.head.keys))
        return
    (sign, key), keys = r.wants[0], r.head.keys
    was_retired = f"-{key}" in {said.change for said in s.said} and setup.mistake is not Mistake.KEYS_AGAIN
    is_refused = (sign == "+" and was_retired) or (sign == "-" and keys == key)
    if (key in keys) == (sign == "+") or is_refused:
        later = r.wants[1:]
        yield s, r.again()._replace(wants=later) if later else r._replace(at="end")
        return
    number = max((said.number for said in s.said), default=-1) + 1
    says = Statement(number, sign + key, r.head.size)
    after = keys + key if sign == "+" else keys.replace(key, "")
    new = Head(r.head.tree, r.head.size, Batch(says=says), anchor=r.head.anchor, keys=after)
    early = setup.mistake is Mistake.KEYS_SAID_EARLY
    yield s._replace(said=s.said | {says}) if early else s, r._replace(at="stage", plan=new)


def signature(s: State, r: Run, setup: Setup) -> Ends:
    """Sign the head's tree by all keys that the head names."""
    keys = "A" if r.is_short else r.head.keys
    if setup.mistake is Mistake.KEYS_OF_BEFORE:
        keys = "".join(sorted({*keys, "A"}))
    made = s.made | {(r.head.size, key) for key in keys}
    yield s._replace(signed=s.signed | {r.head.tree}, made=made), r._replace(at="publish", made=keys)


def publish(s: State, r: Run, setup: Setup) -> Ends:
    """9 publish: swap the checkpoint that was read. One of this size that is there by now stays.

    It may lack a signature: whoever signs a published tree again goes back to step 1, and looks at it once more.
    """
    tree = r.head.tree
    there = r._replace(checkpoint=s.checkpoint, signers=s.signers)
    after = r.again() if r.checkpoint == tree else r._replace(at="tidy", checkpoint=tree)
    if there == r:
        published = s._replace(checkpoint=tree, signers=r.made)
        yield published, after if after.at != "tidy" else after._replace(signers=r.made, own=True)
        if setup.unknown:
            yield published, r
    elif size(s.checkpoint) < len(tree) or (
        size(s.checkpoint) == len(tree) and setup.mistake is Mistake.KEYS_OVER_THEIRS
    ):
        yield s, there
    else:
        yield s, after if after.at != "tidy" else after._replace(checkpoint=s.checkpoint, signers=s.signers)


def say(s: State, r: Run, setup: Setup) -> Ends:
    """10 tidy: publish the statement of the batch, create-only; then as ever, the staged batch last."""
    says = r.head.batch.says
    if says is None or says in s.said:
        yield from tidy.tidy(s, r, setup)
    elif setup.mistake is Mistake.KEYS_SAID_LATE and r.head.staged in s.staged:
        yield s._replace(staged=s.staged - {r.head.staged}), r
    elif any(said.number == says.number for said in s.said):
        yield s, r.refuse("another statement is in its place")
    else:
        yield s._replace(said=s.said | {says}), r


def problem(s: State, before: State) -> str:
    """Return which promise about the keys is broken; "" if none is."""
    keys, own = set(s.head.keys), s.head.batch.says
    changes = {said.change for said in s.said} | ({own.change} if own else set())  # one is said as soon as it can be
    for said in s.said:
        is_so = (said.change[1] in keys) == (said.change[0] == "+")
        if not is_so and not (said.change[0] == "+" and f"-{said.change[1]}" in changes):
            return f"{said} is public, and the log has the keys {s.head.keys}"
    done = {f"+{key}" for key in keys - {"A"}} | ({"-A"} if "A" not in keys else set())
    if done - changes:
        return f"the log has the keys {s.head.keys}, and the statements say {sorted(changes)}"
    for signed, key in s.made - before.made:
        ends = [said.size for said in s.said if said.change == f"-{key}"]
        if any(signed > end for end in ends):
            return f"{key} was retired, and has signed size {signed}"
    if size(s.checkpoint) > size(before.checkpoint) and s.checkpoint == s.head.tree and keys - set(s.signers):
        return f"{s.checkpoint} is published without the signature of {sorted(keys - set(s.signers))}"
    if s.checkpoint == before.checkpoint and (set(before.signers) - set(s.signers)) & keys:
        return f"a signature of {s.checkpoint} was taken back: it had {before.signers}, and has {s.signers}"
    return ""


def is_quiet(s: State) -> bool:
    """Whether all keys have signed what is published, and the last change is said."""
    return set(s.head.keys) <= set(s.signers) and (s.head.batch.says is None or s.head.batch.says in s.said)


def _with_keys(step: Step, otherwise: Step) -> Step:
    def chosen(s: State, r: Run, setup: Setup) -> Ends:
        return (step if setup.rekeys else otherwise)(s, r, setup)

    return chosen


_OTHERWISE = commit.STEPS | tidy.STEPS
STEPS: dict[str, Step] = {
    name: _with_keys(step, _OTHERWISE[name])
    for name, step in {
        "load": reading(commit.load),
        "load head": load_head,
        "guard": reading(commit.guard),
        "recover": recover,
        "recover again": reading(commit.recover_again),
        "plan": plan,
        "signature": signature,
        "publish": publish,
        "tidy": say,
    }.items()
}
