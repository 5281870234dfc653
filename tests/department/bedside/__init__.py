"""The tablet pages beside the patient, as the people see them who screen, explain, inject and observe."""
