"""Formats of Sigstore, and the checks on them. Pure.

    json_text      JSON of others, strictly read, and JSON in its canonical form
    public_key     keys that sign artifacts, and signatures by them
    hashedrekord   what Rekor v2 logs of a signature
    dsse           envelopes: a payload, its type, and one signature over both
    in_toto        statements about artifacts, which are payloads of envelopes
    bundle         bundles: a signature, who made it, and its entry in a log
    trusted_root   whom a verifier trusts: logs, certificate authorities, timestamp authorities

Parsing verifies nothing.
"""
