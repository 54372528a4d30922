"""The Worklist Service over HTTP, UPS-RS (PS3.18 11)."""
