"""What an entry can be: the digest of a file, a line, any bytes; and entries in batches."""
