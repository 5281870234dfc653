"""The shell: handlers load, let the pure rooms decide, and return changes."""
