"""What is sent on to other systems by itself, by rules."""
