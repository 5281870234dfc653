"""A request is judged: what stands around it, the rules' findings, what is kept of them."""
