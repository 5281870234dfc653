"""What a verdict rests on is read once, however many searches find it, and a text that is broken harms no other."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from slipring.fhir.search.criteria import parse
from slipring.fhir.service import Evidence
from slipring.fhir.store.evidence import Versions

_AT = datetime(2026, 9, 1, tzinfo=UTC)
_MANY = 700  # more than are read, and more than are packed, at once
_BROKEN, _DELETED, _ALTERED = 40, 41, 42


def _body(key: int) -> str:
    return '{"resourceType":"Task' if key == _BROKEN else f'{{"resourceType":"Task","id":"t{key}","a":0.10,"b":"急诊"}}'


class Kept:
    """Resources under the keys from 1 on, of which nothing has changed; it counts how often each is read."""

    def __init__(self) -> None:
        self.read: list[int] = []

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """Keys and versions of a search, or what those versions say."""
        if "unnest" not in query:
            changed_since = "AS version" in query
            return [] if changed_since else [_Row(key=key, version=1) for key in range(1, _MANY + 1)]
        self.read += args[0]
        return [self._version(key) for key in args[0]]

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """None."""

    async def fetchval(self, query: str, *args: Any) -> Any:
        """None."""

    def _version(self, key: int) -> dict[str, Any]:
        sha256 = hashlib.sha256(_body(key).encode()).hexdigest()
        return {
            "key": key,
            "version": 1,
            "name": f"Task/t{key}/_history/1",
            "updated_at": _AT,
            "method": "DELETE" if key == _DELETED else "POST",
            "body": _body(key),
            "told": "another" if key == _ALTERED else sha256,
            "passed_over": False,
        }


class _Row(dict[str, Any]):
    """As asyncpg gives it: it unpacks into its values."""

    def __iter__(self) -> Any:
        return iter(self.values())


async def _found(versions: Versions, status: str) -> list[Evidence]:
    return [one async for one in versions.stood(parse("Task", [("status", status)]), _AT)]


async def test_each_version_is_read_once_and_told_in_the_order_of_keys() -> None:
    kept = Kept()
    versions = Versions(kept, UTC)
    first, second = await _found(versions, "requested"), await _found(versions, "completed")
    assert kept.read == list(range(1, _MANY + 1))
    assert [one.stored.reference for one in first] == [f"Task/t{n}" for n in kept.read if n != _DELETED]
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert [one.stored.reference for one in first if one.altered] == [f"Task/t{_ALTERED}"]


async def test_a_version_says_what_is_stored_with_its_hash() -> None:
    found = {one.stored.reference: one for one in await _found(Versions(Kept(), UTC), "requested")}
    for key in (1, 32, 33, _MANY):
        one = found[f"Task/t{key}"]
        assert one.stored.resource == {"resourceType": "Task", "id": f"t{key}", "a": Decimal("0.10"), "b": "急诊"}
        assert one.sha256 == hashlib.sha256(_body(key).encode()).hexdigest()
        assert one.line == f"Task/t{key}/_history/1 {one.sha256}"
        assert (one.stored.version, one.stored.updated_at, one.stored.source) == (1, _AT, "")


async def test_a_text_that_cannot_be_read_harms_no_other_and_still_has_its_hash() -> None:
    found = {one.stored.reference: one for one in await _found(Versions(Kept(), UTC), "requested")}
    broken = found[f"Task/t{_BROKEN}"]
    assert broken.sha256 == hashlib.sha256(_body(_BROKEN).encode()).hexdigest()
    with pytest.raises(msgspec.DecodeError):
        assert broken.stored.resource
    assert found[f"Task/t{_BROKEN - 1}"].stored.resource["id"] == f"t{_BROKEN - 1}"
