"""What is known of the stored objects; the only room with SQL."""
