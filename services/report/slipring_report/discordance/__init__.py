"""Imaging that is unclear, or contradicts clinic or pathology: the clinic is contacted, the exam repeated, the matter concluded (5.9.1)."""
