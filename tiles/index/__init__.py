"""Finding entries: an index that is files beside the log, and a pure function of its entries; docs/index-format.md.

    record           16 bytes that lead from a key to an entry
    order            records sorted, and merged
    run              the records of a range of entries, as objects and one root
    run_reader       reading them: believed once they lead to the root
    lookup           the records of one key in a run, by reading few of its pages
    opened           the index that a log has, and how far its head can be believed
    key_text         keys as people write them
    scan             looking through entries: complete, without an index
    search           the entries that have some keys, newest first, and whether these are all
    revocations      which revocations count for what somebody relies on
    find_file        one entry of a file, or the proof that there is none
    find_leaves      many leaf hashes at once
    known            where entries are that somebody wants logged, if they are there already
    search_proof     the file that shows which entries have a key
    search_prover    making it
    search_verdict   what it shows
    fresh            the records of what a run has just published, batch after batch
    build            begins an index, or lets it catch up with its log
    spread           has records computed by workers, ahead of whoever builds
    check            computing an index again from the entries, and comparing
    stopped          which indexes the owner of a log has given up
    own_index        the index of a log, by whoever writes the log: after publishing, and when asked

What an index says is never believed: a hit is proven by its entry, and absence by the signed index head
(`tiles.notes.index_head`).
"""
