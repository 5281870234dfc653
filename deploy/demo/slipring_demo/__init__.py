"""The slipring_demo package."""
