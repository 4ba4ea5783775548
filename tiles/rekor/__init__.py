"""What Rekor and Cosign do, done with a log of files: each job is a function over a log that is open for writing.

    staple   gives a bundle that was made without a log its entry; what the other jobs end with
    sign     bundles of signatures over artifacts, and of attestations about them
    upload   the bundle of a signature that somebody else has made
    others   signatures by SSH, minisign and OpenPGP, logged with their proofs
    revoke   that something that was logged should not be relied on any more
    log_entry   what bundles and clients are told of an entry: where it is, and what shows that

and Rekor's write call, for clients on the same machine, without anything of HTTP:

    shim     what a request asks for, and what it is answered
    desk     entries that several clients want logged at once, logged together
    writers  whom a desk hands them to: the log's own writer, or its inbox

Nothing is logged that was not checked before: the signature is by that key, over that digest. A bundle is finished only
once its entry is published. A run that dies between the two has logged an entry and written no bundle; signing is
deterministic (`tiles.signing.artifact_key`) and equal entries are logged once (`tiles.write.once`), so the same call
finds the entry in the log, and writes the bundle.
"""
