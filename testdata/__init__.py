"""Recipes for every data set of the tests and the demo: seeded, fictional, the same bytes each time."""
