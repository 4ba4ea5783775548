"""Everything that is signed, one module for each specification. Pure.

    encoding       text, numbers and base64 that have one form only
    keys           verifier keys, signing keys, and what they may be called
    note           signed notes
    checkpoint     checkpoints
    cosignature    cosignatures, by Ed25519 and ML-DSA-44
    tree_head_signature   signed tree heads of certificate logs
    verified_signatures   which of some keys have signed a checkpoint
    log_identity   by what a log is known whose origin is not its key's name
    policy         whose signatures make a checkpoint acceptable
    freshness      the newest time at which a policy's quorum still holds
    witness_messages   what a log and a witness send each other
    tlog_proof     proofs as files, which are verified offline
    index_head     what vouches for an index of the entries (docs/index-format.md)
    withheld       which entries a log withholds, and why
    fork_evidence  the proof that two signed histories of one log exclude each other, and by which keys

Its modules are public. Each parses strictly: parse, format again, compare.
"""
