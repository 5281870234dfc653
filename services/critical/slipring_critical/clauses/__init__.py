"""How critical answers for its clauses: the checks it declares, and its judges where searches alone do not tell."""
