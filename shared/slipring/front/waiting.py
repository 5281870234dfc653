"""Coming again to a server that is busy: when its Retry-After says so, ever later without one, for a bounded time."""

from __future__ import annotations

from collections.abc import Callable

BUSY = frozenset({429, 503})
_LONGEST_SECONDS = 60.0
_PATIENCE_SECONDS = 600.0  # for one request in all: a server that long away is not busy


class Waits:
    """The waits for one request."""

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._times = 0
        self._waited = 0.0

    def again(self, asked: float | None, tell: Callable[[str], None]) -> bool:
        """Wait before the next try; False when patience is at its end. `asked`: the seconds of its Retry-After."""
        seconds = min(2.0**self._times if asked is None else max(asked, 0.1), _LONGEST_SECONDS)
        if self._waited + seconds > _PATIENCE_SECONDS:
            return False
        tell(f"the server is busy: again in {seconds:.0f} s")
        self._sleep(seconds)
        self._times += 1
        self._waited += seconds
        return True
