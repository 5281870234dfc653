"""Two people's signatures: their facts, what they cover, their records and their end."""
