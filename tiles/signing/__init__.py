"""Keys where they are kept, and the rule that a checkpoint is signed only if its tree extends the anchor.

    anchor         the largest tree that the signer ever agreed to sign
    log_keys       the keys of one log, of which those that its head names sign
    signer         check against the anchor, move the anchor, sign
    artifact_key   a key that signs artifacts, which is no log's, in a PEM file
    key_place      where a key is kept: a file, the environment, a key management service
    pkcs11_uri     how RFC 7512 names a key on a token
    open_key       from a place to the key
    key_file       a key in a file that only its owner can read
    service_key    keys that are asked to sign; what comes back is verified
    aws_kms        keys in AWS KMS
    gcp_kms        keys in Google Cloud KMS
    pkcs11_token   keys on tokens that speak PKCS#11

Nothing else in the library calls the key of a log.
"""
