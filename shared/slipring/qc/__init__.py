"""The QC library: equipment, image, report and indicators; no web, no database, no FHIR inside."""
