"""The assessor's sample as evidence: what each service has on a case, patients masked, sealed so that it is checked elsewhere."""
