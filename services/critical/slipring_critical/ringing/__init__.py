"""Ringing: steps taken, attempts made and delivered, and the words of a message."""
