"""The slipring_critical package."""
