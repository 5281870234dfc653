"""Work that arrives while a group is under way goes together in the next one; a lone caller waits for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Grouped(Generic[Item, Answer]):
    """Does single pieces of work in groups of at most `most`, one group at a time.

    `work` answers every item of a group, with an exception for those that failed; one it raises itself is told to
    all of the group.
    """

    def __init__(self, work: Callable[[list[Item]], Awaitable[Sequence[Answer | Exception]]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._busy: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Answer:
        """The answer to one item, once its group is done."""
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._busy is None:
            self._busy = asyncio.create_task(self._drain())
        return await done

    async def _drain(self) -> None:
        try:
            await asyncio.sleep(0)  # whoever was woken together with the first comes along
            while self._waiting:
                group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._one(group)
        finally:
            self._busy = None

    async def _one(self, group: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([item for item, _ in group])
        except Exception as error:
            answers = [error] * len(group)
        for (_, done), answer in zip(group, answers, strict=True):
            if done.done():  # nobody waits any longer
                continue
            if isinstance(answer, Exception):
                done.set_exception(answer)
            else:
                done.set_result(answer)
