"""What happened elsewhere or ran out of time."""
