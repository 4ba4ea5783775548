"""Those who look on: who compares what a log shows now with what it showed before.

Each remembers the last tree that it saw of a log, and goes on from there only by a consistency proof. What contradicts
it is evidence, and is kept.

    mirror            keeps a verified copy of a log; mirror_tree copies its tree, mirror_extras what is kept beside it,
                      mirror_signing makes the mirror's cosignature
"""
