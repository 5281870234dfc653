"""Search without a database: parameters as data, criteria from text, rows from resources."""
