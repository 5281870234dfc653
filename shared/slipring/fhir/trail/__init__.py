"""The audit rows as FHIR shows them: AuditEvent resources, made from rows when they are asked for."""
