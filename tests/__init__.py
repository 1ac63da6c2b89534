"""The tests, laid out as the applications are."""
