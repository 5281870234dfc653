"""What happened, one file per story: each handler reads from the desk, decides, and returns Changes."""
