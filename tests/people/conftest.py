"""A department with people who have accounts, and browsers that keep cookies."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.identity.people.administering import Administration
from slipring.identity.scopes import LOADING
from slipring_demo.cast import STAFF, cast_bundle, staff_of

from tests.support.department import Department, open_department

PASSWORD = "nine quiet rings of copper"
ROLES = {
    "requester": ["requester"],
    "first reader": ["radiologist-b"],
    "second reader": ["radiologist-d", "quality-manager"],
    "technologist": ["technologist"],
    "nurse": ["ct-nurse"],
    "ward duty": ["administrator"],
}


@dataclass
class Staff:
    """The running department and who works there; an account's name is the name in the story without blanks."""

    department: Department
    people: dict[str, str]  # name in the story -> Practitioner/...
    schema: str
    made: dict[str, str] = field(default_factory=dict)

    def browser(self, language: str = "en") -> httpx.AsyncClient:
        """Somebody's browser."""
        transport = httpx.ASGITransport(self.department.house)
        headers = {"accept-language": language}
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100", headers=headers, timeout=60)

    async def account(self, who: str, name: str = "", roles: list[str] | None = None, **others: Any) -> str:
        """Somebody's account; `password=""` leaves the first password, which is returned."""
        others.setdefault("password", PASSWORD)
        name = name or who.replace(" ", "-")
        async with self.connection() as connection:
            act = Administration(connection, self.schema, self.department.clock.now())
            return await act.add(name, self.people[who], roles or ROLES[who], by="test", **others)

    async def signed_in(self, who: str, **account: Any) -> httpx.AsyncClient:
        """A browser in which this person has signed in."""
        name = account.get("name") or who.replace(" ", "-")
        if name not in self.made:
            self.made[name] = await self.account(who, **account)
        browser = self.browser()
        answer = await sign_in(browser, name, account.get("password", PASSWORD))
        assert answer.status_code == 303, answer.text
        return browser

    def connection(self) -> Any:
        """A transaction in the front's schema."""
        return _Transaction(self.department, self.schema)

    async def audits(self, account: str) -> list[tuple[str, int, list[str]]]:
        """What the front recorded about an account: what, outcome, details."""
        async with self.connection() as connection:
            rows = await connection.fetch(
                "SELECT interaction, outcome, parameters FROM audit WHERE resource = $1 ORDER BY id",
                f"account/{account}",
            )
        return [(row["interaction"], row["outcome"], row["parameters"]) for row in rows]


class _Transaction:
    def __init__(self, department: Department, schema: str) -> None:
        self._dsn_of, self._schema = department, schema

    async def __aenter__(self) -> asyncpg.Connection:
        from slipring.runtime.postgres import ensure_running

        dsn = ensure_running(self._dsn_of.data_dir)
        self._connection = await asyncpg.connect(dsn, server_settings={"search_path": f'"{self._schema}"'})
        self._transaction = self._connection.transaction()
        await self._transaction.start()
        return self._connection

    async def __aexit__(self, kind: Any, *_: Any) -> None:
        await (self._transaction.rollback() if kind else self._transaction.commit())
        await self._connection.close()


@pytest.fixture(scope="session")
async def staff(data_dir: Path) -> AsyncIterator[Staff]:
    """One department for all tests about people; each test makes accounts of its own name."""
    async with open_department(data_dir, prefix="people_") as department:
        async with department.client(DEMO_DEPARTMENT, LOADING) as loading:
            answer = (await department.post("", cast_bundle(with_patient=True), loading)).raise_for_status()
        made = ["/".join(e["response"]["location"].split("/fhir/")[1].split("/")[:2]) for e in answer.json()["entry"]]
        assert set(ROLES) == set(STAFF)
        yield Staff(department, staff_of(made), "people_front")


def token_in(page: str) -> str:
    """The hidden value of a page's form."""
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert found, page
    return found[1]


async def send(browser: httpx.AsyncClient, shown: str, address: str, **fields: str) -> httpx.Response:
    """Open a page and send its form."""
    page = await browser.get(shown, follow_redirects=True)
    return await browser.post(address, data={"form_token": token_in(page.text), **fields})


async def sign_in(browser: httpx.AsyncClient, name: str, password: str, to: str = "/auth/me") -> httpx.Response:
    """Fill in the sign-in page."""
    return await send(browser, f"/auth/sign-in?to={to}", "/auth/sign-in", name=name, password=password, to=to)
