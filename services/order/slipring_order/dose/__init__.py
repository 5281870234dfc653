"""Dose reports of CT scanners: DICOM X-Ray Radiation Dose SR in, FHIR Observation out."""
