"""Indicators in FHIR: Measure resources, `$evaluate-measure` and its MeasureReports, for every service that feeds them."""
