"""Consent: what was shown, who signed, and where it stands."""
