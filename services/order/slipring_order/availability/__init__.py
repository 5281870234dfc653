"""How much of their scheduled time the scanners could be used (4.14.7): reckoned from hours, service states and maintenance."""
