"""How satisfied patients and clinicians are: a questionnaire each, what an answer says, and the complaint it may hold (4.14.7, 4.8)."""
