"""Tests of the pages of who is on call."""
