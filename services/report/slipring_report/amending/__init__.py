"""A released report is changed: a draft of its next version, beside the version that others go on reading."""
