"""The operations of consent, as the service declares them: one file per room."""
