"""The report as a person reads it, and the seal over what was released."""
