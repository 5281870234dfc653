"""`slipring sign`: signing reports at a terminal."""
