"""The clock of the tests: VIP_CLOCK names `now`. Wall time until a test stops it through the `clock` fixture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_stopped: datetime | None = None


def now() -> datetime:
    return _stopped or datetime.now(UTC)


class Clock:
    """The product's clock, standing still: it moves only when the test says so. Wall time goes on."""

    START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday morning, far from any change of summer time

    def __init__(self) -> None:
        self.move_to(self.START)

    @property
    def now(self) -> datetime:
        return now()

    def move_to(self, moment: datetime) -> datetime:
        if moment.tzinfo is None:
            raise ValueError("a moment must be aware")
        globals()["_stopped"] = moment.astimezone(UTC)
        return self.now

    def move(self, **by: float) -> datetime:
        """clock.move(days=3), clock.move(hours=-1)"""
        return self.move_to(self.now + timedelta(**by))

    def go_on(self) -> None:
        globals()["_stopped"] = None
