"""Rules about the record of contrast that was given: a fact is kept, and what is odd about it said."""
