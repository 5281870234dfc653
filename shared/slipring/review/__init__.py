"""What the reading room looks back at: its conferences, how long reports took, how good the reading is (5.6.1, 5.6.2.3, 5.7.1)."""
