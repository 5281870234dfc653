"""What the reading room learns from: concordance, blind re-reading, scoring, and what reviewers change (5.6.2.3)."""
