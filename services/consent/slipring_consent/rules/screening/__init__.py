"""The rules of screening: what a patient's answers and records mean for contrast."""
