"""What an entry can be.

    content      what is known of a file after one pass over it
    kind         the Protocol of a kind of entries: how one is recognised, shown and found
    kinds        all kinds
    file_kinds   those that are made of files
    key_kinds    by which kinds of keys entries are found: our own, and those of applications
    own_kinds    kinds of entries of applications, which are checked before they are logged
    other_logs   what entries of other people's logs say: records of Go's checksum database, certificates
    other_keys   by what entries of other people's logs are found
    file_digest  what is logged of a file, with its name or without
    blinded      what is logged of a file so that only those who are told can know
    blinding_secret    where its secret is kept
    signer_keys  by which keys the entry of a signature is found
    subjects     by which keys an attestation is found that is logged as it is
    proof_extra  what a proof file says of an entry that its reader cannot guess
    signed_file  the file that a signature is over, read once
    payload      files that are published with their digest entries
    lines        lines of a stream as entries
    batching     entries in batches, for one commit each

What is said of an entry follows from its bytes alone; docs/entry-formats.md has the formats.
"""
