"""Quality control of texts and figures: pure, no web, no database, no FHIR spelling inside."""
