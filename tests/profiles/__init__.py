"""What the profiles and code systems say, held against what the services do."""
