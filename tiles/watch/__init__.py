"""Those who look on: who compares what a log shows now with what it showed before.

Each remembers the last tree that it saw of a log, and goes on from there only by a consistency proof. What contradicts
it is evidence, and is kept.

    endorsements   all endorsements of one log in another, which have to be of one history
"""
