"""Pure checks of a received resource: resource in, issues out."""
