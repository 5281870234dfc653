"""The doctor looks at an installation from outside: it changes nothing, and says what it could not look at."""
