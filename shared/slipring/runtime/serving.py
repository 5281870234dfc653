"""An HTTP server that leaves in good order: not ready first, then no new connections, then what is under way, then out."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn


class Serving(uvicorn.Server):
    """Uvicorn with our own way out: the first signal begins it, a second one ends the waiting.

    `leaving` is called at once, so that readiness can say so; `drain_seconds` later the listener closes. The process
    ends by itself and with its own exit code, not by the signal: leases and locks are still to be given back.
    """

    def __init__(self, config: uvicorn.Config, leaving: Callable[[], None], drain_seconds: float) -> None:
        super().__init__(config)
        self._leaving = leaving
        self._drain_seconds = drain_seconds
        self._asked = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear SIGTERM and SIGINT from now on, also while the last things are put away."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        if self._asked:
            self.should_exit = self.force_exit = True
            return
        self._asked = True
        self._leaving()
        asyncio.get_running_loop().call_later(self._drain_seconds, self._close)

    def _close(self) -> None:
        self.should_exit = True
