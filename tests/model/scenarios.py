"""Setups worth exploring: small enough for every test run, large, huge; and where each mistake is found."""

from __future__ import annotations

from .keys import KEY_MISSING
from .mistakes import Mistake
from .state import Anchor, Harm, Setup

SMALL: dict[str, Setup] = {
    "sequence": Setup(2, 2),
    "refusal": Setup(2, 1, strict=1),
    "sequence, lost replies": Setup(2, 1, parts=True, witness=True, unknown=True, late=True),
    "sequence and add": Setup(1, 1, adders=("a",), parts=True, witness=True, unknown=True, late=True),
    "pending": Setup(1, 0, adders=("a",), witness=True, visits=True),
    "pending, lost replies": Setup(0, 0, adders=("a", "b"), witness=True, visits=True, unknown=True),
    "pending, restored head": Setup(0, 0, adders=("a", "b"), witness=True, visits=True, harm=Harm.RESTORE_HEAD),
    "fail open": Setup(2, 1, witness=True, fail_open=True, unknown=True),
    "equal adds": Setup(1, 0, adders=("a", "a"), unknown=True, late=True),
    "once": Setup(0, 0, adders=("aab", "bc"), unknown=True, late=True, once=True),
    "once, with submissions": Setup(1, 1, adders=("a,a",), once=True),
    "adds of several batches": Setup(0, 0, adders=("a,a", "ab"), unknown=True, late=True),
    "lost staging": Setup(2, 1, parts=True, harm=Harm.LOSE_STAGING),
    "removed checkpoint": Setup(1, 1, adders=("a",), harm=Harm.REMOVE_CHECKPOINT),
    "restored checkpoint": Setup(1, 1, adders=("a",), harm=Harm.RESTORE_CHECKPOINT),
    "restored head": Setup(0, 0, adders=("a", "bc,d"), harm=Harm.RESTORE_HEAD),
    "restored head, sequence": Setup(1, 1, adders=("a",), harm=Harm.RESTORE_HEAD),
    "restored log": Setup(0, 0, adders=("a", "ab"), harm=Harm.RESTORE_LOG),
    "restored log and anchor": Setup(0, 0, adders=("a", "bc"), witness=True, harm=Harm.RESTORE_ALL),
    "restored log, lost anchor": Setup(1, 2, harm=Harm.RESTORE_LOG_LOSE_ANCHOR),
    "restored log, another machine's anchor": Setup(1, 1, adders=("ab",), second=Anchor(9), harm=Harm.RESTORE_LOG),
    "copied anchor": Setup(1, 1, adders=("a,b",), second=Anchor()),
    "frozen, restored log": Setup(1, 1, freeze=True, harm=Harm.RESTORE_LOG),
    "adoption": Setup(2, 1, adopt=True),
    "held": Setup(2, 1, holds=True),
    "lost head": Setup(1, 0, adders=("a",), harm=Harm.LOSE_HEAD, rebuild=True),
    "lost head, a second batch": Setup(0, 0, adders=("a,b",), harm=Harm.LOSE_HEAD, rebuild=True),
    "lost head, another machine's anchor": Setup(
        1, 0, adders=("a",), second=Anchor(9), harm=Harm.LOSE_HEAD, rebuild=True
    ),
    "keys": Setup(0, 0, adders=("a",), rekeys=("+B,-A",)),
    "keys, two runs": Setup(0, 0, rekeys=("+B", "+B,-B"), unknown=True),
    "keys, a run without": Setup(1, 1, short=True, rekeys=("+B",)),
}

SMALL |= {  # with a witness, whose cosigned tree may never have been published
    "lost head, a witness": Setup(0, 0, adders=("a,b",), witness=True, harm=Harm.LOSE_HEAD, rebuild=True),
    "lost private part, pending": Setup(
        0, 0, adders=("a,b",), witness=True, visits=True, harm=Harm.LOSE_PRIVATE, rebuild=True
    ),
}

LARGE: dict[str, Setup] = {  # together some minutes
    "large: pending": Setup(1, 1, adders=("a",), witness=True, visits=True),
    "large: sequence": Setup(2, 2, strict=1, parts=True),
    "large: once": Setup(0, 0, adders=("a,ab", "b,a"), unknown=True, late=True, once=True),
    "large: three writers": Setup(3, 1, strict=1, unknown=True),
    "large: sequence and two adds": Setup(1, 0, adders=("a", "b"), unknown=True),
    "large: adds of several batches": Setup(1, 0, adders=("a,a", "a"), unknown=True, late=True),
    "large: lost staging": Setup(2, 2, parts=True, harm=Harm.LOSE_STAGING),
    "large: removed checkpoint": Setup(1, 0, adders=("a", "b"), harm=Harm.REMOVE_CHECKPOINT),
    "large: restored checkpoint": Setup(2, 2, harm=Harm.RESTORE_CHECKPOINT),
    "large: restored head": Setup(2, 2, harm=Harm.RESTORE_HEAD),
    "large: restored log and anchor": Setup(1, 1, adders=("a",), witness=True, harm=Harm.RESTORE_ALL),
    "large: held and refused": Setup(2, 1, strict=1, holds=True),
    "large: held, and an add": Setup(1, 1, adders=("a",), holds=True, unknown=True),
    "large: held, lost replies": Setup(2, 1, strict=1, unknown=True, late=True, holds=True),
    "large: adoption": Setup(2, 2, adopt=True),
    "large: adoption, lost anchor": Setup(2, 1, adopt=True, harm=Harm.LOSE_ANCHOR),
    "large: lost head": Setup(0, 0, adders=("a", "b"), harm=Harm.LOSE_HEAD, rebuild=True),
    "large: lost head, a tile in the way": Setup(0, 0, adders=("a,b", "c"), harm=Harm.LOSE_HEAD, rebuild=True),
    "large: lost private part": Setup(0, 0, adders=("a,b", "c"), witness=True, harm=Harm.LOSE_PRIVATE, rebuild=True),
    "large: restored head, rebuilt": Setup(0, 0, adders=("a", "b"), harm=Harm.RESTORE_HEAD, rebuild=True),
    "large: keys": Setup(1, 1, rekeys=("+B,-A",)),
    "large: keys, lost replies": Setup(0, 0, adders=("a",), rekeys=("+B,-A",), unknown=True, late=True),
    "large: adoption, restored log": Setup(1, 1, adders=("a",), adopt=True, harm=Harm.RESTORE_LOG),
}

HUGE: dict[str, Setup] = {  # some minutes and up to two gigabytes each: by hand, after a change of the protocol
    "huge: sequence": Setup(2, 3, strict=1, parts=True),
    "huge: submissions and equal adds": Setup(1, 1, adders=("a", "a"), unknown=True, late=True),
    "huge: three adds": Setup(0, 0, adders=("a", "b", "c"), unknown=True),
    "huge: removed checkpoint": Setup(1, 0, adders=("a", "b"), unknown=True, harm=Harm.REMOVE_CHECKPOINT),
    "huge: lost head, submissions": Setup(1, 1, adders=("a",), harm=Harm.LOSE_HEAD, rebuild=True),
    "huge: restored head": Setup(0, 0, adders=("a", "ab", "c"), harm=Harm.RESTORE_HEAD),
    "huge: held": Setup(2, 2, holds=True),
    "huge: restored log": Setup(2, 2, harm=Harm.RESTORE_LOG),
    "huge: restored log and anchor": Setup(2, 2, witness=True, harm=Harm.RESTORE_ALL),
}

FROZEN = "the head was put back, the log was frozen"
LOST, REMOVED = "the committed batch is lost", "the checkpoint was put back or removed"
BACK, BACK_AND_SIGNED = "the head was put back", "the head was put back, more was signed"
OTHER_TILE, OTHER_TREE = "a tile is there with another content", "another tree of this size was signed"
NO_EXTENSION, WITNESSED = "the tree does not extend what was signed", "the witness saw another tree"
NOT_ITS_OWN = "the published tree does not have what was committed"

MISSING, OTHERS, BEHIND = (
    "the anchor is missing or sealed",
    "it is not the log's anchor",
    "the anchor is behind what is published",
)

NO_HEAD, NOT_THERE = "there is no head", "checkpoint or anchor is missing"
NOBODYS = "an anchor that has signed nothing may be any log's"

DECIDING = {"read decided"}  # steps that only setups with `holds` have; with `freeze`; with `adopt`; with `rebuild`
FREEZING = {"freeze anchor", "guard frozen"}
ADOPTING = {"adopt", "adopt head", "adopt seal", "adopt create", "adopt swap"}
VISITING = {"load pending", "pending", "show pending"}  # with `visits`
REBUILDING = {
    f"rebuild{step}"
    for step in ("", " checkpoint", " anchor", " recheck", " plan", " fence", " publish", " head", " aside")
}
ASKING, LOOKING = {"rebuild ask"}, {"rebuild pending"}  # with `rebuild`, and with `witness`; with `visits`

# a small scenario, the other steps of the protocol that no run of it comes to, and how runs are refused there
REACHED: dict[str, tuple[set[str], set[str]]] = {
    "sequence": ({"cosign", "read back"}, set()),
    "refusal": ({"cosign", "guard head", "read back"}, set()),
    "sequence, lost replies": ({"guard head", "read back"}, set()),
    "sequence and add": ({"guard head"}, set()),
    "pending": ({"guard head", "read back"}, set()),
    "pending, lost replies": ({"guard head"}, set()),
    "pending, restored head": ({"read back"}, {OTHER_TILE, BACK, BACK_AND_SIGNED}),
    "fail open": ({"guard head", "read back"}, set()),
    "equal adds": ({"cosign"}, set()),
    "once": ({"cosign", "guard head"}, set()),
    "once, with submissions": ({"cosign", "guard head", "read back"}, set()),
    "adds of several batches": ({"cosign"}, set()),
    "lost staging": ({"cosign", "read back"}, {LOST}),
    "removed checkpoint": ({"cosign", "read back"}, {REMOVED, LOST}),
    "restored checkpoint": ({"cosign", "guard head", "read back"}, {REMOVED, LOST}),
    "restored head": ({"cosign", "read back"}, {OTHER_TILE, BACK, BACK_AND_SIGNED, NO_EXTENSION}),
    "restored head, sequence": ({"cosign", "read back"}, {OTHER_TILE, OTHER_TREE, REMOVED, BACK, BACK_AND_SIGNED}),
    "restored log": ({"cosign", "read back"}, {LOST, BACK, BACK_AND_SIGNED}),
    "restored log and anchor": (
        {"read back"},
        {LOST, BACK, BACK_AND_SIGNED, NOT_ITS_OWN, NO_EXTENSION, WITNESSED, BEHIND},
    ),
    "restored log, lost anchor": ({"cosign", "read back", "someone ahead"}, {MISSING, LOST, BACK}),
    "restored log, another machine's anchor": (
        {"cosign", "read back", "recover again", "someone ahead"},
        {OTHERS, BACK},
    ),
    "copied anchor": ({"cosign", "read back", "someone ahead"}, {BEHIND}),
    "frozen, restored log": ({"cosign", "read back"}, {REMOVED, LOST, BACK, BACK_AND_SIGNED, FROZEN}),
    "adoption": ({"cosign", "guard head", "read back", "someone ahead"}, {OTHERS, MISSING}),
    "held": ({"cosign", "guard head", "read back"}, set()),
    "lost head": (
        {"cosign", "guard head", "read back"},
        {NOBODYS, NOT_THERE, OTHERS, BACK_AND_SIGNED, NO_HEAD},
    ),
    "lost head, a second batch": (
        {"cosign", "guard", "guard head", "read back", "someone ahead"},
        {NOBODYS, NOT_THERE, OTHERS, NOT_ITS_OWN, NO_HEAD},
    ),
    "lost head, a witness": (
        {"guard", "guard head", "read back", "rebuild publish", "someone ahead"},
        {NOBODYS, NOT_THERE, OTHERS, NOT_ITS_OWN, NO_HEAD},
    ),
    "lost private part, pending": (
        {"guard", "guard head", "read back", "rebuild publish", "someone ahead"},
        {NOBODYS, NOT_THERE, NO_HEAD},
    ),
    "lost head, another machine's anchor": (
        {
            *("cosign", "guard head", "read back", "recover again", "someone ahead"),
            *("rebuild recheck", "rebuild plan", "rebuild fence", "rebuild publish", "rebuild head", "rebuild aside"),
        },
        {NOBODYS, NOT_THERE, OTHERS, NO_HEAD},
    ),
}

REACHED |= {
    "keys": ({"cosign", "guard head", "read back"}, set()),
    "keys, two runs": ({"cosign", "guard", "guard head", "move anchor", "read back", "someone ahead"}, set()),
    "keys, a run without": ({"cosign", "guard head", "read back"}, {KEY_MISSING}),
}

FOUND: dict[Mistake, tuple[str, str]] = {  # a small scenario that finds it, and what it finds
    Mistake.SIGN_FIRST: ("sequence", "fork"),
    Mistake.PUBLISH_FIRST: ("sequence", "ahead of its tiles"),
    Mistake.TRUST_TILES: ("lost staging", "ahead of its tiles"),
    Mistake.STACK: ("sequence", "nothing was wrong"),
    Mistake.PUBLISH_BLINDLY: ("sequence", "publication went from"),
    Mistake.ANCHOR_BLINDLY: ("frozen, restored log", "a frozen log grew"),
    Mistake.LIST_BEFORE_TIDY: ("sequence", "logged too often"),
    Mistake.STAGED_FIRST: ("sequence", "logged too often"),
    Mistake.REFUSE_ON_SIGHT: ("refusal", "refused and logged"),
    Mistake.GC_BY_AGE: ("sequence", "cannot be recovered"),
    Mistake.GC_EQUAL_SIZE: ("refusal", "refused and logged"),
    Mistake.STOP_AT_HELD: ("held", "round in circles"),
    Mistake.RECORD_NOTHING: ("held", "logs too often"),
    Mistake.RECORD_FAILURES: ("held", "logs too often"),
    Mistake.RECORD_LAST: ("held", "logs too often"),
    Mistake.TAKE_DECIDED: ("held", "logs too often"),
    Mistake.DECIDED_FIRST: ("held", "logs too often"),
    Mistake.LIST_FIRST: ("held", "logs too often"),
    Mistake.GC_UNSEEN: ("held", "logs too often"),
    Mistake.GUARD_READS_ONCE: ("sequence", "nothing was wrong"),
    Mistake.ABSENT_IS_REMOVED: ("sequence", "nothing was wrong"),
    Mistake.PUBLISH_ANYWAY: ("pending", "published below the quorum"),
    Mistake.PENDING_EARLY: ("pending", "`pending` .* is ahead of its tiles"),
    Mistake.PENDING_BLINDLY: ("pending", "`pending` went from"),
    Mistake.PENDING_AHEAD_IS_PROOF: ("pending", "nothing was wrong"),
    Mistake.OVER_THEIRS: ("fail open", "was taken back"),
    Mistake.REFRESH_NEVER: ("fail open", "round in circles"),
    Mistake.WITNESS_AHEAD_IS_PROOF: ("sequence and add", "nothing was wrong"),
    Mistake.NO_ANCHOR: ("restored head", "fork"),
    Mistake.CHECKPOINT_AS_ANCHOR: ("restored head", "fork"),
    Mistake.ANCHOR_AHEAD_IS_OTHERS: ("restored log", "round in circles"),
    Mistake.ONCE_KEPT: ("once", "logged too often"),
    Mistake.ONCE_APART: ("once", "logged too often"),
    Mistake.OURS_IF_HEAD: ("sequence and add", "logged too often"),
    Mistake.OURS_BY_ROOT: ("equal adds", "both committed"),
    Mistake.CONFLICT_BY_ROOT: ("equal adds", "both committed"),
    Mistake.PLAN_ANEW: ("sequence and add", "logged too often"),
    Mistake.CONFLICT_IS_LOSS: ("sequence and add", "logged too often"),
    Mistake.BY_SIZE: ("restored head", "and not there"),
    Mistake.FORGET: ("sequence and add", "logged too often"),
    Mistake.NEW_ANCHOR: ("restored log, lost anchor", "fork"),
    Mistake.ANY_ANCHOR: ("restored log, another machine's anchor", "fork"),
    Mistake.FREEZE_HEAD_ONLY: ("frozen, restored log", "a frozen log grew"),
    Mistake.UNSEALED: ("adoption", "behind what is published"),
    Mistake.ADOPT_PUBLISHED_ONLY: ("adoption", "it is not published"),
    Mistake.ADOPT_AT_CHECKPOINT: ("adoption", "behind what is published"),
    Mistake.REBUILD_ANY_ANCHOR: ("lost head, another machine's anchor", "ahead of its tiles"),
    Mistake.REBUILD_AT_CHECKPOINT: ("lost head, a second batch", "ahead of its tiles"),
    Mistake.REBUILD_BEYOND_ONLY: ("large: lost head, a tile in the way", "circles"),
    Mistake.REBUILD_WITHOUT_PENDING: ("lost private part, pending", "is ahead of its tiles"),
    Mistake.REBUILD_ASKS_NOBODY: ("large: lost private part", "the witness saw another tree"),
    Mistake.REBUILD_PUBLISHES: ("lost private part, pending", "below the quorum"),
    Mistake.REBUILD_BATCHLESS: ("lost head, a witness", "a head without a batch"),
    Mistake.REBUILD_UNFENCED: ("lost head, a second batch", "ahead of its tiles"),
}
FOUND |= {
    Mistake.KEYS_UNCHECKED: ("keys, a run without", "published without the signature"),
    Mistake.KEYS_UNPUBLISHED: ("keys", "published without the signature"),
    Mistake.KEYS_STACKED: ("keys, two runs", "another statement is in its place"),
    Mistake.KEYS_SAID_EARLY: ("keys, two runs", "is public, and the log has the keys"),
    Mistake.KEYS_SAID_LATE: ("keys, two runs", "round in circles"),
    Mistake.KEYS_SIGNED_LATER: ("keys, two runs", "round in circles"),
    Mistake.KEYS_OVER_THEIRS: ("keys, two runs", "was taken back"),
    Mistake.KEYS_OF_BEFORE: ("keys", "was retired, and has signed"),
    Mistake.KEYS_AGAIN: ("keys, two runs", "is public, and the log has the keys"),
}
