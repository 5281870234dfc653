"""Nobody learns from the time an answer takes which names have an account.

Method: wrong passwords for a name that has an account and for names that have none, in random order, so that whatever
slows this machine slows both alike. Measured is how often an answer about the account comes later than one about nobody
(the Mann-Whitney statistic as a share: 1/2 = the times tell nothing, 0 or 1 = each answer gives it away). Tolerance:
a share between 1/4 and 3/4 over 30 of each; by chance alone it lies outside once in a thousand runs. A server that
looks at a password only where there is an account has a share of 1, which the control shows.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence

import httpx

from tests.people.conftest import Staff

_TRIES = 30
_TOLERANCE = 0.25


def later(ones: Sequence[float], others: Sequence[float]) -> float:
    """The share of pairs in which the first is later; a tie counts half."""
    pairs = [(one > other) + 0.5 * (one == other) for one in ones for other in others]
    return sum(pairs) / len(pairs)


async def timed(
    staff: Staff, browser: httpx.AsyncClient, names: dict[str, Callable[[int], dict[str, str]]]
) -> dict[str, list[float]]:
    """The seconds of each kind of try, in random order; earlier tries are forgotten, so that no name is locked."""
    page = await browser.get("/auth/sign-in")
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert found
    order = [kind for kind in names for _ in range(_TRIES)]
    random.Random(4).shuffle(order)
    took: dict[str, list[float]] = {kind: [] for kind in names}
    for number, kind in enumerate(order):
        async with staff.connection() as connection:
            await connection.execute("DELETE FROM sign_in_tries")
        form = {"form_token": found[1], "password": f"wrong {number}", "to": "/", **names[kind](number)}
        headers = {"origin": "http://127.0.0.1:8100"}
        began = time.perf_counter()
        answer = await browser.post("/auth/sign-in", data=form, headers=headers)
        took[kind].append(time.perf_counter() - began)
        assert answer.status_code in (401, 403), answer.text
    return took


async def test_the_time_of_an_answer_does_not_tell_whether_a_name_has_an_account(staff: Staff) -> None:
    await staff.account("nurse", "timed-nurse")
    async with staff.browser() as browser:
        took = await timed(
            staff,
            browser,
            {
                "known": lambda _: {"name": "timed-nurse"},
                "nobody": lambda number: {"name": f"timed-nobody-{number}"},
                "control": lambda _: {"name": "timed-nurse", "form_token": "0" * 64},  # ends before any password
            },
        )
    share = later(took["known"], took["nobody"])
    assert _TOLERANCE <= share <= 1 - _TOLERANCE, share
    assert later(took["known"], took["control"]) > 1 - _TOLERANCE / 2, (
        "a method that sees no difference where there is one"
    )
