"""What one machine remembers for its user. Four memories, each with its own name; and where the parts of a log are.

    known_logs        where the parts of the logs are that the user writes to
    trusted_keys      whom the user trusts to sign for which log
    seen_checkpoints  the last checkpoint of each log that was read, and evidence of forks
    tile_cache        full tiles that were believed once
    places            the parts of a log: named in the call, remembered, or by default
    files             small files that are written whole or not at all, mode 0600

Nothing here is a promise to others. What is damaged is reported, and never taken for empty.
"""
