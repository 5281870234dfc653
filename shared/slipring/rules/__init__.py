"""The rule engine: rules, limits and lifecycle tables as pure functions over facts."""
