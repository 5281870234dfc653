"""What is seen from outside: metrics, health, traces, and how much is let in."""
