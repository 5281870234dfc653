"""Cases: what they are made of, how a finding becomes one, and how one is taken back."""
