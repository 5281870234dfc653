"""What one commit writes: version, search rows, business keys, audit, outbox and timers."""
