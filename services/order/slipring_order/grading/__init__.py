"""Grading sheets of images: the questions, and the grade that answers come to (5.6.2.3)."""
