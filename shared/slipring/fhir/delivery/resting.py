"""The resources of a lane whose events are tried again later, each by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from slipring.fhir.delivery.queue import uptime


@dataclass(slots=True)
class Rest:
    """The resources of a lane that wait by themselves, by key, each until a moment of `uptime`; kept between holds."""

    until: dict[int, float] = field(default_factory=dict)
    error: str = ""  # why the last of them was not taken

    def keys(self) -> list[int]:
        """Those that still rest."""
        now = uptime()
        return [key for key, until in self.until.items() if until > now]

    def wake_in(self) -> float | None:
        """Seconds until the first of them may go."""
        now = uptime()
        return min((max(0.0, until - now) for until in self.until.values() if until > now), default=None)
