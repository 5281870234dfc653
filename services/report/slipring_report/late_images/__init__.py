"""Images that arrive after a report was signed: somebody looks at them and says what they change (5.7.1)."""
