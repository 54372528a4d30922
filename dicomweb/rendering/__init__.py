"""Frames into pictures: pure functions on arrays and headers."""
