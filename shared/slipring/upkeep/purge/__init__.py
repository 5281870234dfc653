"""Erasing after the retention term: listed, proposed by one person, carried out by a second, on record for good."""
