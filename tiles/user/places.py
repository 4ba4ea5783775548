"""Where a log's parts are: its public part, its private part, the key and the anchor of its signer.

A log is a directory or a part of a bucket. What is named in a call comes first, then what the user's configuration
remembers of the log (`tiles.user.known_logs`), then the default: `<LOG>.private` beside a directory, nothing
for a bucket.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from tiles.errors import UsageError
from tiles.records.paths import INBOX
from tiles.store import Store
from tiles.store.address import (
    bucket_of,
    check_apart,
    directory_of,
    existing_directory_of,
    is_object_url,
    name_of,
    options_of,
    shown_object_url,
    with_suffix,
)
from tiles.store.keeping import Keeping
from tiles.user.files import xdg_directory
from tiles.user.known_logs import Remembered, recall

PRIVATE = ".private"

_OWN = Keeping(private=True, own=True, shared=INBOX.rstrip("/"))
_ANCHOR = Keeping(private=True, own=True, alone=True)
_SUBMITTED = Keeping(private=True, shared=INBOX.rstrip("/"))  # a submitter does not own the private part

_LONGEST_NAME = 200  # characters; files have names of 255 bytes, and the anchor and temporary files add to this one


def remembered(log: str) -> Remembered:
    """Return what is remembered of a log to write to, as far as there is anything."""
    found = recall(name_of(log))
    if found is None:
        return Remembered(log)
    named = "?" in log or not is_object_url(log)  # options in the call replace all that are remembered
    return Remembered(log if named else found.log, found.private, found.key, found.anchor)


def public_store(log: str) -> Store:
    """Return the public part of a log: what is served."""
    return _store(remembered(log).log, decodes=True)


def private_url(log: str, private: str | None = None) -> str:
    """Return where the private part of a log is. Raises UsageError if it is not known, or inside the public one."""
    known = remembered(log)
    own = private or known.private
    if own is None:
        if is_object_url(log):
            raise UsageError(
                f"the private part of {shown_object_url(log)} is not known",
                hint="name it with --private or $TILETREE_PRIVATE, as `init` was told: only that machine remembers it; "
                "`init` itself also takes --private-in-bucket",
            )
        public = _followed(existing_directory_of(log))
        if not public.name:
            raise UsageError(f"{public} is no place for a log: nothing can be beside it")
        own = str(public.with_name(public.name + PRIVATE))
    check_apart(log, own)
    if is_object_url(own) and own.partition("://")[0] == known.log.partition("://")[0] and not options_of(own):
        own += options_of(known.log)  # the same server, unless the private part has options of its own
    return own


def private_store(log: str, private: str | None = None) -> Store:
    """Return the private part of a log. Raises UsageError if it is not known, or inside the public one."""
    return _store(private_url(log, private), keeping=_OWN)


def inbox_store(log: str, private: str | None = None) -> Store:
    """Return the private part of a log for whoever only submits: requests that got no answer are not sent again.

    If a request to create a submission was done and its answer was lost, a run may log and delete that submission
    before the second request comes. The second would create it again, and it would be logged twice.
    log   may be the URL that readers know; then the private part has to be named
    """
    if private is None or "://" not in log or is_object_url(log):
        private = private_url(log, private)
    return _store(private, retry=False, keeping=_SUBMITTED)


def private_in_bucket(log: str) -> str:
    """Return the URL of a private part in the same bucket as the public one."""
    if not is_object_url(log):
        raise UsageError("--private-in-bucket is for a log in a bucket")
    if shown_object_url(log) == bucket_of(log):
        raise UsageError(
            "a log that is all of a bucket leaves no room for its private part",
            hint=f"begin it below a prefix, such as {bucket_of(log)}/log, or name another bucket with --private",
        )
    return with_suffix(remembered(log).log, PRIVATE)


def is_same_bucket(log: str, private: str) -> bool:
    """Tell whether both parts are in one bucket, so that one policy decides who may read them."""
    return is_object_url(log) and is_object_url(private) and bucket_of(log) == bucket_of(private)


def config_directory() -> Path:
    """Return where this user's configuration is: $XDG_CONFIG_HOME/tiletree, or ~/.config/tiletree."""
    return xdg_directory("XDG_CONFIG_HOME", ".config")


def default_key_path(origin: str) -> Path:
    """Return where the key of a log is kept unless it is named."""
    name = quote(origin, safe="")
    if len(name) > _LONGEST_NAME:  # percent-encoding makes an origin of many slashes three times as long
        name = f"{name[: _LONGEST_NAME - 17]}-{sha256(origin.encode()).hexdigest()[:16]}"
    return config_directory() / "keys" / f"{name}.key"


def blinding_path(key: Path | None) -> Path:
    """Return where the blinding secret is kept: beside a log's key file; None: in the configuration of a submitter."""
    if key is None:
        return config_directory() / "blinding"
    file = _followed(key)
    return file.with_name(file.name + ".blinding")


def anchor_store(key: Path, anchor: str | None = None) -> Store:
    """Return where the signer keeps its anchor: `<KEY>.anchor` beside the key file, unless named."""
    if anchor:
        return _store(anchor, keeping=_ANCHOR)
    file = _followed(key)
    from tiles.store.directory import DirectoryStore

    return DirectoryStore(file.with_name(file.name + ".anchor"), keeping=_ANCHOR)


def _followed(path: Path) -> Path:
    """Return where a path leads if it is a link: what is kept beside a thing is beside it whichever way it is named."""
    return path.resolve() if path.is_symlink() or path.name in ("", "..") else path


def _store(url: str, *, retry: bool = True, decodes: bool = False, keeping: Keeping | None = None) -> Store:
    """Open a place.

    decodes   whether what is there may be encoded, which only public objects are
    keeping   who may use what is there, if it is a directory
    """
    if is_object_url(url):
        from tiles.store.open_bucket import open_object_store

        return open_object_store(url, retry=retry, decodes=decodes)
    from tiles.store.directory import PUBLIC, DirectoryStore  # slow to import, and not needed to know a place

    return DirectoryStore(directory_of(url), keeping=keeping or PUBLIC)
