"""Everything that is signed, one module for each specification of c2sp.org. Pure.

    encoding       text, numbers and base64 that have one form only
    keys           verifier keys, signing keys, and what they may be called
    note           signed notes
    checkpoint     checkpoints
    cosignature    cosignatures, by Ed25519 and ML-DSA-44
    policy         whose signatures make a checkpoint acceptable
    tlog_proof     proofs as files, which are verified offline
    fork_evidence  the proof that one key has signed two histories

Its modules are public. Each parses strictly: parse, format again, compare.
"""
