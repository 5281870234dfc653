"""What a receiver takes along: the proof of a report."""
