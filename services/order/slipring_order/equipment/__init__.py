"""The quality programme of the scanners: rounds of tests, who entered and who approved them, and exams in doubt (5.6.2.3)."""
