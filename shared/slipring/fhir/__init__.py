"""The FHIR R4 (4.0.1) kernel: REST interactions, checks, search, the store and delivery."""
