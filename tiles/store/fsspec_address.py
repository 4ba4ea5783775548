"""The addresses that fsspec opens: every form that no other module here knows, and chains of them.

zip://log::https://host/a.zip is such a chain: each of its links may hold credentials.
"""

from __future__ import annotations

import re

PREFIX = "fsspec+"  # asks for fsspec where this library could read the address by itself

# In these, what comes before the "@" is a part of the place: a repository, a container.
_NAMED_BY_USER = frozenset({"github", "git", "abfs", "abfss"})
_LINK = re.compile(r"(?P<scheme>[^:/?#]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL)
_PROTOCOL = re.compile(r"[a-z0-9][a-z0-9+.-]{0,39}", re.ASCII)


def shown_fsspec_url(url: str) -> str:
    """Return a URL as it may be shown and remembered: no credentials, no query, no slash at the end.

    Also of each URL in a chain (zip://log::https://…).
    """
    return "::".join(_shown_link(link) for link in url.split("::"))


def protocol_of(link: str) -> str:
    """Return what stands before :// in one link, in lower case and without PREFIX; of a path, all of it."""
    return link.partition("://")[0].lower().removeprefix(PREFIX)


def shown_protocol(protocol: str) -> str:
    """Return a protocol as it may be shown; "…" for what cannot be the name of one, since it may be a password."""
    return protocol if _PROTOCOL.fullmatch(protocol) else "…"


def _shown_link(link: str) -> str:
    match = _LINK.fullmatch(link)
    if not match:
        # "user:password@https://host" has no scheme that could be one: only what follows is shown
        return f"…{link[link.index('://') :].rpartition('@')[2]}" if "://" in link else link
    scheme, authority, rest = match["scheme"].lower(), match["authority"], match["rest"]
    if scheme.removeprefix(PREFIX) not in _NAMED_BY_USER:
        if "@" not in authority and re.search(r":.*[^0-9]", authority) and "@" in rest:
            authority, rest = "", rest.rpartition("@")[2]  # a secret key with a slash in it
        authority = authority.rpartition("@")[2]
    rest = re.split(r"[?#]", rest, maxsplit=1)[0].rstrip("/")
    return f"{scheme}://{authority}{rest}"
