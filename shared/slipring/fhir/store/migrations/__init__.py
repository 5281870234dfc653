"""The only migrations of the house: every service's schema holds the same tables."""

# The newest version file, known without loading alembic: most starts find their schema up to date.
# Versions are four digits, so an older program can tell a newer schema and leaves it alone.
HEAD = "0020"
