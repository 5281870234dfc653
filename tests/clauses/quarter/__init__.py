"""A quarter of a simulated department: faults that were frozen before the checks were run, and what the checks say of them."""
