"""The slipring_order package."""
