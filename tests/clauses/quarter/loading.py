"""How records get in: together under the import scope, where they are history, and what the checks then say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.identity.scopes import LOADING
from slipring_demo.story import made_by

from tests.clauses.test_clause_check import checked
from tests.support.department import Department

from .standing import urn

Tree = dict[str, Any]
FIRST, LAST = "2026-07-01", "2026-09-30"
Found = dict[str, dict[str, list[str]]]  # clause -> record, '' for an absence -> what is said of it


async def loaded(department: Department, named: Iterable[tuple[str, Tree]]) -> dict[str, str]:
    """Load resources in one transaction; the reference of each by its name."""
    given = list(named)
    entries = [
        {"fullUrl": urn(name), "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
        for name, one in given
    ]
    client = department.client(DEMO_DEPARTMENT, LOADING)
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await department.post("", body, client)
    await client.aclose()
    assert answer.status_code == 200, answer.text
    return dict(zip((name for name, _ in given), made_by(answer.json()), strict=True))


async def exceptions(department: Department, **asked: str) -> Found:
    """What the checks find in the quarter, by clause and record."""
    rows = await checked(department, **({"periodStart": FIRST, "periodEnd": LAST} | asked))
    found: Found = {}
    for clause, row in rows.items():
        for (service, code), check in row["checks"].items():
            for one in check["exception"]:
                name = (one.get("record") or {}).get("reference", "")
                said = f"{service}.{code} {one['kind']}: {one['en']}"
                found.setdefault(clause, {}).setdefault(name, []).append(said)
    return found
