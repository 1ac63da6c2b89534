"""What a browser calls itself, in words that a person recognizes (RFC 9110 §10.1.5)."""

from typing import Final

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
"""The first word that is there counts: many browsers call themselves by others' names, too."""


def browser_words(text: str) -> str:
    """Return a name such as *Firefox on Windows*; what is not known is shown as it came."""
    browser = next((name for mark, name in _BROWSERS if mark in text), "")
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    return " on ".join(filter(None, (browser, system))) or text or "Unknown browser"
