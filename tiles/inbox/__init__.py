"""How somebody without the key asks for entries to be logged, and what a run takes or refuses.

    submission  one object with entries, and its name
    attachments what it has beside entries
    payloads    which files are published with entries
    receipt     what a submitter keeps, to find the entries in the log
    submit      putting it into the inbox, and waiting until it is logged
    admission   the policy that says what is admitted
    rules       who may log what kind of entry: lines of that policy
    judge       whether these admit an entry
    turns       whose turn it is
    selection   what one batch takes, within its limits
    reader      listing and reading the inbox
    naming      how a batch names what it decides
    clearing    taking out of the inbox what a commit has decided

Nothing here decides: the commit of a batch does.
"""
