"""The figures of docs/performance.md: ``make bench`` prints them. Not tests: timed assertions hold nowhere."""
