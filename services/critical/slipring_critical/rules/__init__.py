"""Rules of this service, each with its cases as data beside it."""
