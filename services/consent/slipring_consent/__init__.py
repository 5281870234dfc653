"""The slipring_consent package."""
