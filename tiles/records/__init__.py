"""What the objects of a log are called, how they are served, and the private texts that commits are made of. Pure.

    paths         every name of an object, built and parsed
    layout_names  what the ways to keep the objects of a log are called
    serving       which headers an object is served with; what is stored gzip-encoded or locked
    fields        how the private texts are spelled
    head          what is committed: the text that writers swap
    staged_batch  all that one commit decides
    decided       that a submission is decided which could not be deleted
    moved         where a log was moved to
    settings      how the objects of a log in a bucket are stored

No other module spells the name of an object.
"""
