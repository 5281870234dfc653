"""Tests of the pages of the clauses."""
