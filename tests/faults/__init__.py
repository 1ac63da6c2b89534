"""Synchronization survives the death of its processes: ``python -m tests.faults`` (README.md)."""
