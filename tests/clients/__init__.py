"""FHIR clients that other people made, driving the front over HTTP as a hospital's integrator would."""
