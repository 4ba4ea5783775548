"""What the private texts of a log say, which commits are made of, and how each object is served. Pure."""
