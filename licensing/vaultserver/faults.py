"""Faults on demand: how the emulated vault server misbehaves, for all vaults or for one."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

T = TypeVar("T")


class InjectedOutage(Exception):
    """The call was answered with a server error before it had any effect."""


class InjectedReset(Exception):
    """The connection broke before the answer; the call took effect or did not."""


class InjectedGarbage(Exception):
    """The call took effect, and what came back is no answer."""


class FaultsUnreadable(ValueError):
    """A description of faults names an unknown fault or gives it an impossible amount."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong: ``latency`` in seconds; ``error`` to ``garbage`` as shares of the calls, from 0 to 1.

    ``drop`` resets the connection before the call does anything, ``reset`` after it; ``duplicate`` carries it out twice
    and gives the second answer; ``garbage`` answers it with no JSON. Users named in ``refuse`` are declined.
    """

    down: bool = False
    latency: float = 0.0
    error: float = 0.0
    drop: float = 0.0
    reset: float = 0.0
    duplicate: float = 0.0
    garbage: float = 0.0
    refuse: frozenset[str] = frozenset()


@dataclass(slots=True)
class FaultBoard:
    """The faults that are switched on now: for every vault, and those that differ for one vault."""

    general: Faults = field(default_factory=Faults)
    by_vault: dict[str, Faults] = field(default_factory=dict)
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], None] = time.sleep

    def of(self, vault: str | None) -> Faults:
        """Return the faults that a call about ``vault`` meets."""
        return self.by_vault.get(vault, self.general) if vault else self.general

    def put(self, faults: Faults, *, vault: str | None = None) -> None:
        """Switch to ``faults``, for one vault or in general."""
        if vault is None:
            self.general = faults
        else:
            self.by_vault[vault] = faults

    def clear(self) -> None:
        """Behave well again everywhere."""
        self.general = Faults()
        self.by_vault = {}

    def around(self, vault: str | None, act: Callable[[], T]) -> T:
        """Do ``act`` as a call about ``vault``.

        Raises ``InjectedOutage`` or ``InjectedReset`` before it, ``InjectedReset`` or ``InjectedGarbage`` after it.
        """
        faults = self.of(vault)
        if faults.latency:
            self.sleep(faults.latency)
        if faults.down or self._happens(faults.error):
            raise InjectedOutage("The vault server is switched off." if faults.down else "Injected error.")
        if self._happens(faults.drop):
            raise InjectedReset
        answer = act()
        if self._happens(faults.duplicate):
            answer = act()
        if self._happens(faults.reset):
            raise InjectedReset
        if self._happens(faults.garbage):
            raise InjectedGarbage
        return answer

    def _happens(self, share: float) -> bool:
        return share > 0 and self.chance() < share


def parse_faults(text: str) -> Faults:
    """Read ``latency=50ms,error=0.05,reset=0.02,duplicate=0.1,refuse=USERNAME,down``; ``refuse`` may repeat.

    Raises ``FaultsUnreadable``.
    """
    faults = Faults()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, amount = part.partition("=")
        if name not in _READERS:
            raise FaultsUnreadable(f"{name!r} is not a fault; use {', '.join(_READERS)}.")
        faults = _with(faults, name, amount)
    return faults


def faults_from(document: dict[str, Any]) -> Faults:
    """Read the JSON form, the same names with numbers (latency in seconds). Raises ``FaultsUnreadable``."""
    refuse = document.get("refuse", [])
    if not isinstance(refuse, list) or not all(isinstance(name, str) for name in refuse):
        raise FaultsUnreadable("refuse must be an array of usernames.")
    faults = Faults(refuse=frozenset(name.casefold() for name in refuse))
    for name in document.keys() & (_READERS.keys() - {"refuse"}):
        faults = _with(faults, name, str(document[name]))
    return faults


def _with(faults: Faults, name: str, amount: str) -> Faults:
    try:
        value = _READERS[name](amount)
    except (ValueError, KeyError) as error:
        raise FaultsUnreadable(f"{name}={amount} is not an amount of that fault.") from error
    if name == "refuse":
        return replace(faults, refuse=faults.refuse | {value})
    return replace(faults, **{name: value})


def _share(amount: str) -> float:
    share = float(amount)
    if not 0 <= share <= 1:
        raise ValueError(amount)
    return share


def _seconds(amount: str) -> float:
    for unit, factor in (("ms", 0.001), ("s", 1.0)):
        if amount.endswith(unit):
            return _not_negative(float(amount.removesuffix(unit)) * factor)
    return _not_negative(float(amount))


def _not_negative(number: float) -> float:
    if not 0 <= number < float("inf"):
        raise ValueError(number)
    return number


def _switch(amount: str) -> bool:
    return {"": True, "true": True, "on": True, "1": True, "false": False, "off": False, "0": False}[amount.lower()]


_READERS: dict[str, Callable[[str], Any]] = {
    "down": _switch,
    "latency": _seconds,
    "error": _share,
    "drop": _share,
    "reset": _share,
    "duplicate": _share,
    "garbage": _share,
    "refuse": str.casefold,
}
