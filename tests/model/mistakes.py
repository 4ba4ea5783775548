"""Classic mistakes. Each is a switch of the model, and each must be found by exploring it."""

from __future__ import annotations

from enum import StrEnum


class Mistake(StrEnum):
    """Name: why it is wrong."""

    SIGN_FIRST = "signs before the commit: the loser has signed a tree that never was"
    PUBLISH_FIRST = "publishes before the tiles are written: a checkpoint ahead of its tiles"
    PUBLISH_BLINDLY = "writes the checkpoint without comparing: a slow run takes it back"
    TRUST_TILES = "the staged batch is gone, some tiles are there, so it signs: others may be missing"
    STACK = "commits on top of an unpublished tree: nobody finishes the one below"

    LIST_BEFORE_TIDY = "lists the inbox before the last batch is tidied: logs its items again"
    STAGED_FIRST = "deletes the staged batch before its inbox items: nobody knows they were logged"
    REFUSE_ON_SIGHT = "removes what it refuses when it lists: another run may log it"
    GC_BY_AGE = "gc deletes any staged batch but the head's: a paused run commits it later"
    GC_EQUAL_SIZE = "gc deletes staged batches of the head's size: a batch that only refuses has that size"

    STOP_AT_HELD = "starts again when a submission cannot be deleted: nothing is ever logged again"
    RECORD_NOTHING = "goes on when a submission cannot be deleted, and records nothing: logs it again"
    RECORD_FAILURES = "takes a deletion without a reply for done, and records failures only: logs it again"
    RECORD_LAST = "deletes the staged batch before it records what it could not delete: nobody knows it was decided"
    TAKE_DECIDED = "does not leave out of the listing what is recorded as decided: logs it again"
    DECIDED_FIRST = "reads the records before it looks for the staged batch: one is written meanwhile"
    LIST_FIRST = "lists the inbox before it reads the records: one is removed meanwhile"
    GC_UNSEEN = "gc removes a record although the submission is still there: it is logged again"

    GUARD_READS_ONCE = "judges by a checkpoint read before the head: refuses while others publish"
    ABSENT_IS_REMOVED = "takes an absent checkpoint for a removed one: cannot finish an interrupted init"
    PUBLISH_ANYWAY = "publishes although the witness did not answer: below the quorum"
    PENDING_EARLY = "shows `pending` before the tiles are written: a witness cosigns what nobody can read"
    PENDING_BLINDLY = "writes `pending` without comparing: a slow run takes it back"
    PENDING_AHEAD_IS_PROOF = "takes a `pending` that is ahead for a rollback: another run was just faster"
    OVER_THEIRS = "replaces the checkpoint of its own size without looking at it: takes a cosignature back"
    REFRESH_NEVER = "leaves what is published below the quorum as it is: it stays so"

    WITNESS_AHEAD_IS_PROOF = "takes a witness that is ahead for a rollback: another run was just faster"

    NO_ANCHOR = "signs whatever storage says: a head that was put back forks the log"
    CHECKPOINT_AS_ANCHOR = "looks at the checkpoint before signing, not at an anchor: there is time to fork after that"
    ANCHOR_BLINDLY = "moves the anchor that it has loaded without comparing: it was sealed or frozen meanwhile"
    ANCHOR_AHEAD_IS_OTHERS = "an anchor ahead means a faster run, so it starts again: for ever if the head was put back"

    NEW_ANCHOR = "takes an anchor that is missing for one that never signed: the log was put back, and forks"
    ANY_ANCHOR = "does not ask whose anchor it is: another machine's knows nothing of what was signed"
    FREEZE_HEAD_ONLY = "freezes the head and not the anchor: put back, the log is open again"
    UNSEALED = "begins a new anchor and leaves the old one open: whoever was about to use it signs another tree"
    ADOPT_PUBLISHED_ONLY = "waits until all is published, which the sealed anchor prevents: the log is stuck"
    ADOPT_AT_CHECKPOINT = (
        "begins a new anchor at the checkpoint although the old one has signed more, which may be published yet"
    )

    REBUILD_ANY_ANCHOR = "rebuilds a head with an anchor that has signed nothing: it may be another machine's"
    REBUILD_AT_CHECKPOINT = "rebuilds a head at the checkpoint although more was signed: the log stays stuck"
    REBUILD_BEYOND_ONLY = "sets aside what is beyond the head only: what is in the place of its own tiles stops the log"
    REBUILD_UNFENCED = "leaves the anchor as it was, and sets tiles aside that somebody is about to sign"

    REBUILD_WITHOUT_PENDING = "rebuilds a head and does not look at `pending`: a witness may come by and cosign that"
    REBUILD_ASKS_NOBODY = "rebuilds a head by an old anchor and asks no witness: one has cosigned another tree"
    REBUILD_PUBLISHES = "publishes the tree that was signed by itself, without the witness: below the quorum"
    REBUILD_BATCHLESS = "leaves the witness to the next run, and stages no batch for it: no such head can be read"

    ONCE_KEPT = "keeps over a lost swap what it found to be there already: the winner has logged more"
    ONCE_APART = "asks the log what is there already, and not its own batch: what is in there twice is logged twice"

    OURS_IF_HEAD = "after a lost reply, ours only if it is still the head: adds again once others have gone on"
    OURS_BY_ROOT = "after a lost reply, ours if the head has our root: another run's equal entries do that too"
    CONFLICT_BY_ROOT = "lost, and the head has our root, so it says ours: two runs committed one batch"
    PLAN_ANEW = "reply lost and the head unchanged, so it plans anew: the first swap was only slow"
    CONFLICT_IS_LOSS = "reply lost, so it swaps again and takes the conflict for a loss: its first swap was only slow"
    BY_SIZE = "takes what is larger for what extends its own tree, and answers: after a rollback it is another tree"
    FORGET = "starts again after its own commit without remembering it: adds again"

    KEYS_UNCHECKED = "signs by the keys that it holds, although the head names another: publishes without its signature"
    KEYS_UNPUBLISHED = "changes the keys on a tree that is not published: nobody can finish that one"
    KEYS_STACKED = "changes the keys again before the last statement is public: nobody knows that one any more"
    KEYS_SAID_EARLY = "publishes the statement before the head decides: it says what never was"
    KEYS_SAID_LATE = "deletes the staged batch before the statement is public: it is never said"
    KEYS_SIGNED_LATER = "leaves the published checkpoint as it was: readers of the new key wait for the next entry"
    KEYS_OVER_THEIRS = "replaces a checkpoint of its own size without looking at it: takes a signature back"
    KEYS_OF_BEFORE = "signs by the keys of the head that it read first, after it has seen another: a retired key signs"
    KEYS_AGAIN = "takes up a retired key again: what its thief signs counts again"
