"""Where a log's parts are: its public part, the private part beside it, the key and the anchor of its signer."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

from tiles.errors import UsageError
from tiles.store.directory import DirectoryStore
from tiles.userfiles import xdg_directory


def directory_of(url: str) -> Path:
    """Return the directory that a path or file:// URL names. Raises UsageError for any other URL."""
    path = url
    if url.startswith("file://"):
        path = unquote(url.removeprefix("file://"))
        if not path.startswith("/"):
            raise UsageError(f"{url} does not name an absolute path")
    elif "://" in url:
        raise UsageError(
            f"{url.partition('://')[0]}:// cannot be written by this version",
            hint="write to a directory, and copy that where it is to be served",
        )
    if not path or "\0" in path:
        raise UsageError(f"{url!r} names no directory")
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(f"{url} names the home directory of a user who is not there") from None


def public_store(log: str) -> DirectoryStore:
    """Return the public part of a log: what is served."""
    return DirectoryStore(directory_of(log))


def private_store(log: str, private: str | None = None) -> DirectoryStore:
    """Return the private part of a log: `<LOG>.private` beside it unless named. Raises UsageError if it is inside."""
    public = directory_of(log)
    named = public if public.name not in ("", "..") else public.resolve()
    own = directory_of(private) if private else named.with_name(f"{named.name}.private")
    within, around = own.resolve(), public.resolve()
    if within == around or around in within.parents or within in around.parents:
        raise UsageError(f"{own} and {public}: the private part may not be inside the public one, nor around it")
    return DirectoryStore(own)


def config_directory() -> Path:
    """Return where this user's configuration is: $XDG_CONFIG_HOME/tiletree, or ~/.config/tiletree."""
    return xdg_directory("XDG_CONFIG_HOME", ".config")


def default_key_path(origin: str) -> Path:
    """Return where the key of a log is kept unless it is named."""
    return config_directory() / "keys" / f"{quote(origin, safe='')}.key"


def anchor_store(key: Path, anchor: str | None = None) -> DirectoryStore:
    """Return where the signer keeps its anchor: `<KEY>.anchor` beside the key file unless named."""
    return DirectoryStore(directory_of(anchor) if anchor else key.with_name(key.name + ".anchor"))
