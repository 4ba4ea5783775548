"""The configuration of a witness: what it says, and what is not one."""

from __future__ import annotations

import pytest

from tests.support.readers import OTHER_KEY
from tests.support.signed_text import LOG, ORIGIN, key
from tiles.errors import Malformed, UsageError
from tiles.watch.witness_config import (
    MAX_CONFIG_SIZE,
    MAX_LOG_KEYS,
    WitnessedLog,
    format_config,
    format_log,
    parse_config,
    witnessed,
)

OTHER = key("other.example.com", 8)
VKEY = LOG.verifier.vkey
CONFIG = f"""\
# mine
state s3://seen/w?region=eu
name w.example.com
key awskms:///alias/w?region=eu
key w.key
key my other.key

log {VKEY} https://log.example.com
log {OTHER.verifier.vkey}
log {OTHER_KEY.verifier.vkey}
"""


def test_what_it_says() -> None:
    """State, keys and logs; the lines of one origin are keys of one log."""
    config = parse_config(CONFIG.encode())
    assert (config.state, config.keys) == (
        "s3://seen/w?region=eu",
        ("awskms:///alias/w?region=eu", "w.key", "my other.key"),
    )
    assert config.name == "w.example.com"
    assert [(log.origin, log.url) for log in config.logs] == [(ORIGIN, "https://log.example.com"), (OTHER.name, "")]
    log = config.log(ORIGIN)
    assert log is not None
    assert log.policy.keys_of(ORIGIN) == [LOG.verifier, OTHER_KEY.verifier]
    assert config.log("x") is None


def test_what_is_written_is_read() -> None:
    """A new configuration, and the lines that are added to it."""
    data = format_config("seen", ("a", "b")) + format_log(LOG.verifier, "") + format_log(OTHER.verifier, "./log")
    config = parse_config(data)
    assert (config.state, config.keys, config.name) == ("seen", ("a", "b"), "")
    assert parse_config(format_config("seen", ("a",), "w.example.com")).name == "w.example.com"
    assert config.logs == (witnessed(LOG.verifier), witnessed(OTHER.verifier, "./log"))
    assert isinstance(config.logs[0], WitnessedLog)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("# mine", "mine", "not a line that is known"),
        ("state s3", " state s3", "not a line that is known"),
        ("state s3", "State s3", "not a line that is known"),
        ("state s3", "state  s3", "not one space"),
        ("eu\n", "eu \n", "not one space"),
        ("eu\n", "eu\x1b[2J\n", "control character"),
        ("state s3://seen/w?region=eu\n", "", "has one line `state`"),
        ("# mine\n", "state x\n", "the same one again"),
        ("name w.example.com\n", "name w.example.com\nname w.example.com\n", "the same one again"),
        ("name w.example.com\n", "name\n", "not a line that is known"),
        ("my other.key", "w.key", "the same one again"),
        ("key awskms:///alias/w?region=eu\nkey w.key\nkey my other.key\n", "", "1 to 8 lines `key`"),
        ("key w.key\n", "".join(f"key {n}\n" for n in range(8)), "1 to 8 lines `key`"),
        ("key w.key", "key", "not a line that is known"),
        (f"log {VKEY}", f"log {VKEY[:-1]}", "malformed verifier key"),
        (f"log {VKEY} https://log.example.com", "log", "not a line that is known"),
        ("https://log.example.com", "https://log.example.com more", "not log <vkey>"),
        ("https://log.example.com", "\u00a0", "not one space"),
        (f"log {OTHER.verifier.vkey}", f"log {VKEY}", "has this key already"),
        (f"log {OTHER_KEY.verifier.vkey}", f"log {OTHER_KEY.verifier.vkey} https://x", "another address"),
        (f"log {OTHER_KEY.verifier.vkey}\n", f"log {OTHER_KEY.verifier.vkey}", "does not end in newline"),
        ("# mine\n", "".join(f"log {key(ORIGIN, n).verifier.vkey}\n" for n in range(100, 115)), "more than 16 keys"),
        ("# mine", "#" * MAX_CONFIG_SIZE, "more than"),
        ("# mine", "#\udcff", "UTF-8"),
    ],
)
def test_what_is_no_configuration(old: str, new: str, problem: str) -> None:
    """Every line that is not known is refused, and so is a file that was cut short."""
    assert old in CONFIG
    assert MAX_LOG_KEYS == 16
    with pytest.raises(Malformed, match=problem):
        parse_config(CONFIG.replace(old, new, 1).encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("name", ["", " a", "a\nb", "a\x1b", "\udcff"])
def test_names_that_no_line_can_hold(name: str) -> None:
    """The call is wrong, and nothing is written."""
    with pytest.raises(UsageError):
        format_config("seen", (name,))
    with pytest.raises(UsageError):
        format_config(name, ("k",))
    if name:
        with pytest.raises(UsageError):
            format_config("seen", ("k",), name)
        with pytest.raises(UsageError, match="has spaces or control"):
            format_log(LOG.verifier, f"x {name}")
