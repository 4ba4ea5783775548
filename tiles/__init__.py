"""A transparency log that is nothing but files: written by a batch job, served by anything, verified by anyone.

A log has a key. Whoever holds it writes the log; whoever verifies needs its public half, the vkey:

    >>> import secrets
    >>> from pathlib import Path
    >>> import tiles
    >>> key = tiles.signing_key("log.example.com", secrets.token_bytes(32))
    >>> tiles.write_key(Path("log.key"), key)
    >>> vkey = key.verifier.vkey

Writing takes the public part of the log, its private part, and a signer, who remembers what was signed. Once `append`
has returned, the entries are published, in `./log`, which can be served or copied as it is. A log in a bucket is the
same with `s3://bucket/log`, and another bucket for its private part:

    >>> signer = tiles.Signer(key, tiles.anchor_store(Path("log.key")))
    >>> log = tiles.Log(tiles.public_store("log"), tiles.private_store("log"), signer)
    >>> log.create().tree.size
    0
    >>> log.append([b"one entry", b"another"]).first_index
    0

A log that `tiletree init` has begun is opened by `tiles.Log.open("log")`: where its parts are is remembered. Who has no
key submits to the log's inbox; `sequence` decides what was submitted:

    >>> receipt = tiles.submit(tiles.inbox_store("log"), "ann", [b"a third"], secrets.token_bytes(16), log="log")
    >>> done = log.sequence()
    >>> done.first_index, done.count, done.refused
    (2, 1, ())

Reading begins with whom to trust, a vkey or a policy, which never comes from the log. Everything that is returned was
verified; each visit proves that the log only grew since the last one:

    >>> policy = tiles.policy_for(tiles.parse_vkey(vkey))
    >>> client = tiles.LogClient(tiles.open_log("log"), policy, visits=tiles.Visits())
    >>> client.visit().signed.tree.size
    3
    >>> client.entry(1)
    b'another'
    >>> data = client.prove(1).data  # a small file, .tlog-proof by custom, for whoever has the entry

Verifying a proof needs no network. Verification raises, it never returns False:

    >>> proof = tiles.parse_tlog_proof(data)
    >>> tiles.verify_tlog_proof(proof, tiles.leaf_hash(b"another"), policy).signed.origin
    'log.example.com'
    >>> tiles.verify_tlog_proof(proof, tiles.leaf_hash(b"something else"), policy)
    Traceback (most recent call last):
    tiles.errors.ProofError: ...

For a file, `file_entry` makes the entry that the command `tiletree add` logs. Every error is a `TilesError`, and
`tiles.errors` sorts them by whose trouble it is. What is not named here is in the modules, one for each specification;
docs/data-flow.md lists them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from tiles.version import __version__ as __version__

__all__ = [
    "AccessError",
    "Admission",
    "Limits",
    "Log",
    "LogClient",
    "LogError",
    "Policy",
    "Refused",
    "Sequencer",
    "Signer",
    "TileCache",
    "TilesError",
    "TlogProof",
    "Unfinished",
    "UsageError",
    "VerificationError",
    "Visits",
    "anchor_store",
    "file_entry",
    "inbox_store",
    "leaf_hash",
    "open_log",
    "parse_policy",
    "parse_tlog_proof",
    "parse_vkey",
    "policy_for",
    "private_store",
    "public_store",
    "read_key",
    "signing_key",
    "submit",
    "verify_tlog_proof",
    "wait_until_logged",
    "write_key",
]

if TYPE_CHECKING:
    from tiles.entries.file_digest import file_entry
    from tiles.errors import AccessError, LogError, Refused, TilesError, Unfinished, UsageError, VerificationError
    from tiles.inbox.admission import Admission
    from tiles.inbox.selection import Limits
    from tiles.inbox.submit import submit, wait_until_logged
    from tiles.log import Log
    from tiles.notes.keys import parse_vkey, signing_key
    from tiles.notes.policy import Policy, parse_policy, policy_for
    from tiles.notes.tlog_proof import TlogProof, parse_tlog_proof, verify_tlog_proof
    from tiles.read.client import LogClient
    from tiles.read.fetcher import open_log
    from tiles.signing.key_file import read_key, write_key
    from tiles.signing.signer import Signer
    from tiles.tree.merkle import leaf_hash
    from tiles.user.places import anchor_store, inbox_store, private_store, public_store
    from tiles.user.seen_checkpoints import Visits
    from tiles.user.tile_cache import TileCache
    from tiles.write.sequencer import Sequencer
else:
    # Loaded when first used: `import tiles.tree.merkle` should cost neither the network's packages nor the signatures'.
    _HOMES = {
        "tiles.inbox.admission": ("Admission",),
        "tiles.user.tile_cache": ("TileCache",),
        "tiles.read.client": ("LogClient",),
        "tiles.entries.file_digest": ("file_entry",),
        "tiles.errors": (
            "AccessError",
            "LogError",
            "Refused",
            "TilesError",
            "Unfinished",
            "UsageError",
            "VerificationError",
        ),
        "tiles.read.fetcher": ("open_log",),
        "tiles.signing.key_file": ("read_key", "write_key"),
        "tiles.notes.keys": ("parse_vkey", "signing_key"),
        "tiles.tree.merkle": ("leaf_hash",),
        "tiles.log": ("Log",),
        "tiles.user.places": ("anchor_store", "inbox_store", "private_store", "public_store"),
        "tiles.notes.policy": ("Policy", "parse_policy", "policy_for"),
        "tiles.inbox.selection": ("Limits",),
        "tiles.write.sequencer": ("Sequencer",),
        "tiles.signing.signer": ("Signer",),
        "tiles.inbox.submit": ("submit", "wait_until_logged"),
        "tiles.notes.tlog_proof": ("TlogProof", "parse_tlog_proof", "verify_tlog_proof"),
        "tiles.user.seen_checkpoints": ("Visits",),
    }

    def __getattr__(name):
        for module, names in _HOMES.items():
            if name in names:
                return getattr(import_module(module), name)
        raise AttributeError(f"module 'tiles' has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
