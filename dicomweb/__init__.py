"""PS3.18 over HTTP: storing, searching, retrieving and rendering."""
