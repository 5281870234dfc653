"""The department's pages: what a person does there all day, in his own name, over the same FHIR address that clients use."""
