"""People: accounts and how they sign in, sessions, roles, and what a person may do through a client."""
