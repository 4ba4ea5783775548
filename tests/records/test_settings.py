"""The settings record: one text for one meaning."""

from __future__ import annotations

import pytest

from tiles import __version__
from tiles.errors import Malformed
from tiles.records.settings import TITLE, Settings, parse_settings


@pytest.mark.parametrize(
    "settings",
    [Settings(__version__), Settings("1.2.3rc1+local.5", gzip=True), Settings("0"), Settings("1", anchor="s3://a/b c")],
)
def test_round_trip(settings: Settings) -> None:
    """What is written is read again, this version's name too."""
    assert parse_settings(settings.data) == settings


def test_the_text() -> None:
    """It is as documented, byte for byte."""
    assert Settings("1.0", gzip=True).data == b"tiletree-settings/v1\nprobed 1.0\ngzip yes\nlock-days 0\n"
    assert Settings("1.0").data == b"tiletree-settings/v1\nprobed 1.0\ngzip no\nlock-days 0\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        TITLE,
        f"{TITLE}\n",
        f"{TITLE}\nprobed 1.0\n",
        f"{TITLE}\nprobed 1.0\ngzip yes\nlock-days 0",
        f"{TITLE}\nprobed 1.0\ngzip yes\nlock-days 36501\n",
        f"{TITLE}\nprobed 1.0\ngzip yes\nlock-days 01\n",
        f"{TITLE}\nprobed 1.0\ngzip YES\nlock-days 0\n",
        f"{TITLE}\nprobed 1.0\ngzip \nlock-days 0\n",
        f"{TITLE}\nprobed 1.0\ngzip true\nlock-days 0\n",
        f"{TITLE}\ngzip no\nlock-days 0\nprobed 1.0\n",
        f"{TITLE}\nprobed \ngzip no\nlock-days 0\n",
        f"{TITLE}\nprobed 1 0\ngzip no\nlock-days 0\n",
        f"{TITLE}\nprobed {'1' * 41}\ngzip no\nlock-days 0\n",
        f"{TITLE}\nprobed 1.0é\ngzip no\nlock-days 0\n",
        f"{TITLE}\nprobed ١\ngzip no\nlock-days 0\n",
        f"{TITLE}\nprobed 1.0\ngzip no\nlock-days 0\nmore x\n",
        f"{TITLE}\nprobed 1.0\ngzip no\nlock-days 0\nanchor \n",
        f"{TITLE}\nprobed 1.0\ngzip no\nlock-days 0\nanchor a\nanchor b\n",
        f"{TITLE}\nprobed 1.0\nprobed 1.0\ngzip no\nlock-days 0\n",
        f"{TITLE}\r\nprobed 1.0\r\ngzip no\r\n",
        "tiletree-settings/v2\nprobed 1.0\ngzip no\nlock-days 0\n",
    ],
)  # fmt: skip
def test_anything_else_is_malformed(text: str) -> None:
    """Nothing but the one text is accepted."""
    with pytest.raises(Malformed):
        parse_settings(text.encode())
