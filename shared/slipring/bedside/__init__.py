"""The tablet pages beside the patient: screening, consent, injection, observation, reactions; over the road of the department."""
