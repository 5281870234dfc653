"""What all reactions together say: rates per agent and lot, and a lot that stands out."""
