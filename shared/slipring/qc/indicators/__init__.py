"""Indicators: what is counted, over whom, without whom, and how sure the figure is. Pure: no FHIR, no database, no web."""
