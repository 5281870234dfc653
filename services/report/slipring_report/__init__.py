"""The slipring_report package."""
