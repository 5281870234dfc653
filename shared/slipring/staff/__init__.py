"""Titles, years, certificates and competence of staff (CL02-A011:5.1): facts and predicates, pure."""
