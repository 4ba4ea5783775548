"""Keys where they are kept, and the rule that a checkpoint is signed only if its tree extends the anchor.

    key_file  a key in a file that only its owner can read
    anchor    the largest tree that the signer ever agreed to sign
    signer    check against the anchor, move the anchor, sign
    artifact_key   a key that signs artifacts, which is no log's, in a PEM file

Nothing else in the library calls the key of a log.
"""
