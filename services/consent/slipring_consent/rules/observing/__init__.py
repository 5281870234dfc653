"""What a release from observation must hold."""
