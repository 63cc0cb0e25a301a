"""What a canary needs from outside."""
