"""What happened: each handler loads, decides and returns Changes."""
