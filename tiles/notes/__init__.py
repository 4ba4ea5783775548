"""Everything that is signed, one module for each specification. Pure.

    encoding       text, numbers and base64 that have one form only
    keys           verifier keys, signing keys, and what they may be called
    public_keys    signatures by public keys, an algorithm each
    ed25519        the one that is verified without the package `cryptography`, too
    note           signed notes
    checkpoint     checkpoints
    cosignature    cosignatures, by Ed25519 and ML-DSA-44
    tree_head_signature   signed tree heads of certificate logs
    verified_signatures   which of some keys have signed a checkpoint
    log_identity   by what a log is known whose origin is not its key's name
    policy         whose signatures make a checkpoint acceptable
    acceptances    what policies have accepted: many proofs are of one checkpoint
    cosigned       the union of what several notes say of one checkpoint, each line verified
    quorum         what a policy's quorum asks for, what is there, and what it needs, in words
    policy_report  which signatures of a checkpoint count, and what is odd about a policy
    freshness      the newest time at which a policy's quorum still holds
    witness_messages   what a log and a witness send each other
    tlog_proof     proofs as files, which are verified offline
    index_head     what vouches for an index of the entries (docs/index-format.md)
    endorsement    the checkpoint of one log as an entry of another
    disclosure     chosen entries of a private log, with all that an outsider needs
    withheld       which entries a log withholds, and why
    key_change     what a log says when its keys change
    key_history    which of that follows from a key that is known, and how long each key was in use
    policy_logs    a policy with one log line more, or one less
    fork_evidence  the proof that two signed histories of one log exclude each other, and by which keys

Its modules are public. Each parses strictly: parse, format again, compare.
"""
