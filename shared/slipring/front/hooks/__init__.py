"""CDS Hooks 2.0 at the front: advice while an order is written, by the same rules that judge it when it arrives."""
