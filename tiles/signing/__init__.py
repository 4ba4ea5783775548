"""Keys where they are kept, and the rule that nothing is signed that does not extend the anchor.

    key_file  a key in a file that only its owner can read
    anchor    the largest tree that was ever agreed to be signed
    signer    check against the anchor, move the anchor, sign

Nothing else in the library calls a signing key.
"""
