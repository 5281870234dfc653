"""The department's paper day while the system is down."""
