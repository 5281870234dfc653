"""slipring (滑环): the ring that the four services of a CT department hang on."""
