"""The rule engine: pure functions over facts, limits as data, states as tables."""
