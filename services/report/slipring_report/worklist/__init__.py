"""Reading: one Task per exam, who has it in hand, and what a reader is shown beside it."""
