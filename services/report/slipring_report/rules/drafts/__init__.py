"""The rules on a draft, whoever signs it."""
