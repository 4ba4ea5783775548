"""Everything that a release consists of, built from this repository: the same bytes wherever and whenever it is built.

    python -m deploy.release build dist [--policy FILE] [--without KIND]…   `make dist`
    python -m deploy.release check dist [--policy FILE] [--without KIND]…   `make dist-check`
    python -m deploy.release lock                          the newest tools to build with, and their hashes

    build.py      what there is to build, in which order; SHA256SUMS
    archives.py   archives whose bytes follow from their files alone
    tools.py      hatchling and maturin, each by its hash, in a folder of their own
    verifier.py   verify.pyz: the command `verify` in one file
    bill.py       the bill of materials: what each file holds that is from elsewhere
    check.py      the same once more from a clone at another path, and a comparison

docs/releasing.md says how a release is made, and logged in the project's own log.
"""
