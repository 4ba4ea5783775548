"""Formats of Sigstore, and the checks on them. Pure.

    der            certificates, read for the keys by which entries are found, exactly as the page reads them
    key_hint       by what a key is found, whatever file it is in
    revocation     that something that was logged should not be relied on any more
    names          identities as they are spelled where one is looked for, and their parts
    json_text      JSON of others, strictly read, and JSON in its canonical form
    public_key     keys that sign artifacts, and signatures by them
    hashedrekord   what Rekor v2 logs of a signature
    dsse           envelopes: a payload, its type, and one signature over both
    in_toto        statements about artifacts, which are payloads of envelopes
    image_signature   what cosign signs of an image, by whose digest it is found
    bundle         bundles: a signature, who made it, and its entry in a log
    trusted_root   whom a verifier trusts: logs, certificate authorities, timestamp authorities
    signing_config   what clients need to sign: where they have signatures logged
    given_files    what an operator gives for a trusted root: certificates and keys, in PEM
    log_key        the key of a log, as trusted roots have it
    origin         which clients take a log by its origin
    certificate    certificates of signers: whom they name, what they claim
    chain          from such a certificate to an authority of the trusted root, at the time of the signature
    sct            promises of logs of certificates that it can be found there
    timestamp      signed times at which a signature existed
    identity       what a verifier demands of a certificate
    pattern        regular expressions in linear time, for that
    glob           names with a star in them, for files and identities
    gate           who has to have signed which files before they are used
    keyless        all of this at once: whether a certificate's holder has made a signature
    body           what the body of an entry says, in each kind that Rekor has logged
    logged         whether an entry is in a log that is trusted
    verdict        the verdict on a bundle

Parsing verifies nothing; `verdict` does.
"""
