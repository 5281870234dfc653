"""What the tests of all services share: stand-ins that keep the real contract."""
