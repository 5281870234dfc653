"""What the kernel promises, held for every kept type of every service and for the front."""
