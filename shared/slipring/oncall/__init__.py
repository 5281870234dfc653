"""Pages of who is on call for critical findings: the week with its holes, swaps, and the rehearsal of a ladder."""
