"""How an address that fsspec opens is shown."""

from __future__ import annotations

import pytest

from tiles.store.fsspec_address import shown_fsspec_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("gist://me:s3cret@id", "gist://id"),
        ("abfs://container@account.dfs.core.windows.net/x", "abfs://container@account.dfs.core.windows.net/x"),
        ("git://repo:main@ref", "git://repo:main@ref"),
        ("zip://log::sftp://me:s3cret@host/a.zip?s3cret", "zip://log::sftp://host/a.zip"),
        ("zip://log::/some/a.zip", "zip://log::/some/a.zip"),
        ("ftp://me:s3/cr@et@host/x", "ftp://host/x"),
        ("hf://datasets/a/b@main/log", "hf://datasets/a/b@main/log"),
    ],
)
def test_shown_fsspec_url(url: str, shown: str) -> None:
    """What may be shown says where the log is, and no secret."""
    assert shown_fsspec_url(url) == shown == shown_fsspec_url(shown)
