"""The history of the pools as charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Final

from licensing.plans.charts import Line, points, top_of
from licensing.services import history
from licensing.services.history import Day, Series
from provisioning.license_types import LicenseType

_SEATS: Final = (("purchased", "Purchased"), ("granted", "Granted"), ("waiting", "Waiting"))
_SESSIONS: Final = (("purchased", "Purchased"), ("granted", "Granted"), ("in_use", "Sessions"))
"""Nobody waits for Concurrent: sessions limit it, not grants."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A type's chart; ``changes`` are the days with other numbers of the lines than the day before, newest first."""

    license_type: LicenseType
    lines: list[Line]
    top: int
    first: date
    last: date
    description: str
    changes: list[tuple[date, tuple[int, ...]]]
    forecast: str

    @property
    def half(self) -> int:
        return self.top // 2

    @property
    def is_one_day(self) -> bool:
        return self.first == self.last


def draw(found: Series) -> list[Chart]:
    """Return a chart for every type."""
    forecasts = history.forecasts(found)
    return [_chart(license_type, days, forecasts[license_type]) for license_type, days in found.items()]


def _chart(license_type: LicenseType, days: Sequence[Day], forecast: str) -> Chart:
    kinds = _SESSIONS if license_type is LicenseType.CONCURRENT else _SEATS
    numbers = {name: list(map(attrgetter(name), days)) for name, _ in kinds}
    top = top_of(*numbers.values())
    return Chart(
        license_type=license_type,
        lines=[Line(name, label, points(numbers[name], top)) for name, label in kinds],
        top=top,
        first=days[0].day,
        last=days[-1].day,
        description="; ".join(f"{label}: {_course(numbers[name])}" for name, label in kinds),
        changes=_changes([day.day for day in days], list(zip(*numbers.values(), strict=True))),
        forecast=forecast,
    )


def _course(numbers: Sequence[int]) -> str:
    first, last = numbers[0], numbers[-1]
    return f"{last:,}" if first == last else f"from {first:,} to {last:,}"


def _changes(days: Sequence[date], numbers: Sequence[tuple[int, ...]]) -> list[tuple[date, tuple[int, ...]]]:
    before = [None, *numbers[:-1]]
    return [(day, now) for day, now, then in zip(days, numbers, before, strict=True) if now != then][::-1]
