"""Those who look on: who compares what a log shows now with what it showed before.

    cosigner            the keys of a witness or mirror: times never go back
    witness             cosigns what extends the tree that was cosigned last, and remembers it; pure but for its store
    witness_config      which logs a witness has begun, its keys, and where it stores what it cosigns
    witness_run         visits logs where they are published
    witness_http        answers logs that ask
    monitor             one round of one log: its checkpoint, every new entry, other places, its index
    monitor_reading     for monitor: reads and tells what is new, each entry once
    monitor_state       what a monitor keeps of a log between rounds, and the lines that it found
    monitor_record      the record of that, to the byte
    monitor_match       which entries are looked for
    monitor_collecting  for monitor: collects the endorsements of other logs that a log holds
    monitor_endorsed    what a monitor keeps of the endorsements of one log, and what shows them to be of one history
    monitor_compare     a log beside its mirrors, and beside what witnesses saw of it
    monitor_index       the index of a log, computed again as it grows
    mirror              keeps a verified copy of a log
    mirror_tree         for mirror: copies the tree
    mirror_issuers      for mirror: copies the certificates of issuers that a log of certificates has
    mirror_extras       for mirror: copies what is kept beside the tree
    mirror_signing      for mirror: makes its cosignature
    endorsements        all endorsements of one log in another, which have to be of one history

Each remembers the last tree that it saw of a log, and goes on from there only by a consistency proof. What contradicts
it is evidence, and is kept.
"""
