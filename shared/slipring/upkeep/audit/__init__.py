"""`slipring audit verify`: every seal, every sealed row and every version recomputed, and what does not fit named."""
