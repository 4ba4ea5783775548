"""What one machine remembers for its user: logs, keys to trust, checkpoints that were seen, tiles."""
