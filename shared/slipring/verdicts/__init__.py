"""Clauses that prove themselves: for each row of the register a verdict from the records, with its exceptions and its inputs."""
