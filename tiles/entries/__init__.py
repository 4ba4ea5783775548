"""What an entry can be.

    kinds        one Protocol: how an entry is made, recognised, shown and found
    file_digest  what is logged of a file
    payload      files that are published with their digest entries
    lines        lines of a stream as entries
    batching     entries in batches, for one commit each

What is said of an entry follows from its bytes alone.
"""
