"""Those who look on: who compares what a log shows now with what it showed before.

    monitor             one round of one log: its checkpoint, every new entry, other places, its index
    monitor_state       what a monitor keeps of a log between rounds, and the lines that it found
    monitor_match       which entries are looked for
    monitor_compare     a log beside its mirrors, and beside what witnesses saw of it
    monitor_index       the index of a log, computed again as it grows

Each remembers the last tree that it saw of a log, and goes on from there only by a consistency proof. What contradicts
it is evidence, and is kept.

    witness           cosigns what extends the tree that was cosigned last, and remembers it; pure but for its store
    witness_config    which logs a witness has begun, its keys, and where it stores what it cosigns
    witness_run       visits logs where they are published
    witness_http      answers logs that ask
    mirror            keeps a verified copy of a log; mirror_tree copies its tree, mirror_extras what is kept beside it,
                      mirror_signing makes the mirror's cosignature
    endorsements   all endorsements of one log in another, which have to be of one history
"""
