"""What templates compute."""
