"""The one narrow bridge between pynetdicom's threads and the service's event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

T = TypeVar("T")


class Gone(Exception):
    """The service did not answer: it stops, or takes too long."""


class Bridge:
    """Asks the event loop from a thread and waits for the answer, for so many seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._open = True

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result; what it raises is raised here. Never called on the loop itself."""
        if not self._open or self._loop.is_closed():
            question.close()
            raise Gone("the service stops")
        future = asyncio.run_coroutine_threadsafe(question, self._loop)
        try:
            return future.result(self._seconds)
        except TimeoutError:
            future.cancel()
            raise Gone("no answer in time") from None
        except CancelledError:
            raise Gone("the service stops") from None

    def close(self) -> None:
        """From now on nothing is asked any more."""
        self._open = False
