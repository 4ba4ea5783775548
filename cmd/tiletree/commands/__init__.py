"""The commands: `commands/<name>.py` is `tiletree <name>`."""
