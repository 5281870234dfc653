"""From FHIR to facts: what a request states, and what is known of its patient."""
