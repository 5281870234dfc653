"""The operations that order offers, as its CapabilityStatement lists them."""
