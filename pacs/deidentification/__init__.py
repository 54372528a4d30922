"""De-identifying data sets by the Basic Profile of PS3.15 Annex E: bytes in, bytes out (ADR 33)."""
