"""Never a 5xx: hostile, generated and described requests (README.md)."""

MINUTES = "FUZZ_MINUTES"
"""The variable by which ``python -m tests.fuzz`` tells its tests how long to run; without it they are short."""
