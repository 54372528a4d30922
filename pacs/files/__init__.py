"""The bytes as received."""
