"""The pixels of a frame: reading its form, decoding and encoding it. Pure functions on headers and bytes."""
