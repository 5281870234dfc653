"""The weekly conference on difficult cases: who was there, which cases, and what goes into the report (5.7.1, 5.6.1, 5.1.8)."""
