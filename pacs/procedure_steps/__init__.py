"""What a modality is to do and what it did: scheduled and performed procedure steps (PS3.4 K and F)."""
