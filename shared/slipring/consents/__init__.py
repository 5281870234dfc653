"""Consents to contrast, as consent keeps them and as whoever follows them reads them."""
