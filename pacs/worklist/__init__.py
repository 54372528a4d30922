"""The worklist: Unified Procedure Steps and who is told of them (PS3.4 Annex CC), whatever protocol asks."""
