"""The checks of a report's text: what they read, what they tell, and what a signer has answered to them."""
