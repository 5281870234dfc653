"""Consultation: what was asked, of whom, what was answered, by whom and when (4.7 b); images that were handed out (5.8.1)."""
