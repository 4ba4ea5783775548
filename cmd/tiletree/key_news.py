"""What a log says of its keys, shown to a reader who knows one of them. No key is taken from it."""

from __future__ import annotations

from contextlib import suppress
from shlex import quote
from typing import TYPE_CHECKING

from tiles.errors import SignatureError, TilesError
from tiles.store.address import shown_address

if TYPE_CHECKING:
    from tiles.notes.key_change import KeyChange
    from tiles.notes.key_history import KeyHistory
    from tiles.notes.policy import Accepted, Policy
    from tiles.store import Fetcher
    from tiletree.ui import Output


def explain_by_news(error: SignatureError, log: str, fetcher: Fetcher, policy: Policy) -> SignatureError:
    """Return the error, with what the log says of its keys as a hint: the known key may have been retired."""
    if news := [each.change for each in _history(fetcher, policy).said]:
        said = "; ".join(f"{each.words} ({each.key.vkey})" for each in news)
        error.hint = f"by statements that a known key has signed, {said}; {_how(log, news)}"
    return error


def remark_news(out: Output, log: str, fetcher: Fetcher, accepted: Accepted, policy: Policy) -> None:
    """Say what the log says of its keys, if its checkpoint has the signature of one that is not known."""
    known = policy.keys_of(accepted.signed.origin)
    lines = [each for each in accepted.signed.note.signatures if each.name == accepted.signed.origin]
    if all(any(line.claims(key) for key in known) for line in lines):
        return
    history = _history(fetcher, policy)
    old = [*known, *(use.key for use in history.forerunners)]
    if news := [each.change for each in history.said if each.change.key not in old]:
        out.remark(
            "key_changes",
            [{"action": each.action, "vkey": each.key.vkey, "size": each.tree.size} for each in news],
            f"the log says that its keys have changed: {'; '.join(each.words for each in news)}",
        )
        out.note(f"hint: {_how(log, news)}")


def _history(fetcher: Fetcher, policy: Policy) -> KeyHistory:
    from tiles.notes.key_history import KeyHistory
    from tiles.read.key_changes import key_history

    with suppress(TilesError):  # what cannot be read says nothing, and what was refused stays refused
        return key_history(fetcher, [each.key for each in policy.logs])
    return KeyHistory(())


def _how(log: str, news: list[KeyChange]) -> str:
    from tiles.notes.key_change import ADD

    added = [each.key.vkey for each in news if each.action == ADD]
    trust = f", then: tiletree key trust {quote(shown_address(log))} {quote(added[-1])} --replace" if added else ""
    return f"whoever has stolen a key can say so too: compare with what its publisher says elsewhere{trust}"
