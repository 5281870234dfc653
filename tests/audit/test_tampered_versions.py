"""What is changed behind the API in versions and what points at them is found and named: each kind of change once."""

from __future__ import annotations

from pathlib import Path

import pytest
from slipring.fhir.store.reindex import reindex
from slipring.runtime.postgres import ensure_running
from slipring.upkeep.audit.verify import Given, verify

from tests.audit.archive import Archive
from tests.fhir.place import until
from tests.fhir.test_delivery import Hook, subscribed

_KEY = "(SELECT key FROM resource WHERE id = 'p1')"


async def test_a_changed_text_of_a_version_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run(f"UPDATE version SET body = replace(body, 'other', 'male') WHERE key = {_KEY}")
        found = await archive.found()
        assert ("order", "version-changed", "Patient/p1/_history/1") in found
        assert ("consent", "copy-differs", "Patient/p1/_history/1") in found


async def test_a_removed_version_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run(
            "DELETE FROM version v USING resource r WHERE r.key = v.key AND r.type = 'Task' AND v.version = 1"
        )
        assert {kind for _, kind, _ in await archive.found()} == {"version-missing"}


async def test_an_added_version_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run(
            "INSERT INTO version (key, version, updated_at, method, body) SELECT v.key, 9, v.updated_at, v.method, v.body "
            "FROM version v JOIN resource r USING (key) WHERE r.id = 'p1'"
        )
        assert await archive.found() == {("order", "version-added", "Patient/p1/_history/9")}


async def test_versions_that_changed_places_are_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run(
            "CREATE TABLE swapped AS SELECT r.id, v.body FROM version v JOIN resource r USING (key) "
            "WHERE r.id IN ('p1', 'p2');"
            "UPDATE version v SET body = s.body FROM resource r, swapped s WHERE r.key = v.key "
            "AND r.id IN ('p1', 'p2') AND s.id IN ('p1', 'p2') AND s.id <> r.id"
        )
        found = await archive.found()
        assert {("order", "version-changed", f"Patient/p{n}/_history/1") for n in (1, 2)} <= found


async def test_a_current_pointer_moved_back_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        task = await archive.value(
            "SELECT id FROM resource WHERE type = 'Task' AND version = 2 AND NOT deleted LIMIT 1"
        )
        await archive.run(f"UPDATE resource SET version = 1 WHERE id = '{task}'")
        assert await archive.found() == {("order", "pointer", f"Task/{task}")}


@pytest.mark.parametrize("deleted", [True, False])
async def test_a_deleted_flag_that_was_flipped_is_named(clean: Archive, deleted: bool) -> None:
    async with clean.copied() as archive:
        task = await archive.value(f"SELECT id FROM resource WHERE type = 'Task' AND deleted = {deleted} LIMIT 1")
        await archive.run(f"UPDATE resource SET deleted = NOT deleted WHERE id = '{task}'")
        assert await archive.found() == {("order", "deleted-flag", f"Task/{task}")}


async def test_a_resource_that_vanished_whole_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run(
            "DELETE FROM version v USING resource r WHERE r.key = v.key AND r.id = 'p1';"
            "DELETE FROM resource WHERE id = 'p1'"
        )
        assert {
            ("order", "version-missing", "Patient/p1/_history/1"),
            ("order", "pointer", "Patient/p1"),
        } <= await archive.found()


async def test_what_stands_beside_a_version_is_held_too(clean: Archive) -> None:
    for change in ("method = 'PUT'", "updated_at = updated_at - interval '1 day'"):
        async with clean.copied() as archive:
            await archive.run(f"UPDATE version SET {change} WHERE key = {_KEY}")
            assert ("order", "version-altered", "Patient/p1/_history/1") in await archive.found()


async def test_a_followed_copy_that_was_changed_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run(
            "UPDATE consent.version SET body = replace(body, 'other', 'male') "
            "WHERE key = (SELECT key FROM consent.resource WHERE id = 'p1')"
        )
        assert await archive.found() == {("consent", "copy-differs", "Patient/p1/_history/1")}


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("DELETE FROM search_token WHERE parameter = 'Patient.gender' AND key = {key}", "search_token"),
        ("INSERT INTO search_reference SELECT key, 'Patient.link', 'Patient', 'p2' FROM resource WHERE id = 'p1'",
         "search_reference"),
        ("INSERT INTO counted SELECT key, 'exam', 'Task/x', now(), '', false, 1, '', '', '', 1, 2 FROM resource WHERE id = 'p1'",
         "counted"),
    ],
)  # fmt: skip
async def test_what_hides_a_record_or_counts_it_otherwise_is_named(clean: Archive, change: str, table: str) -> None:
    """The text is as it was written; what finds and counts it is not."""
    async with clean.copied() as archive:
        await archive.run(change.format(key=_KEY))
        told = {
            (one.kind, one.about, one.differs) for each in (await archive.verified()).schemas for one in each.findings
        }
        assert told == {("count-differs" if table == "counted" else "search-differs", "Patient/p1", table)}


async def test_a_sum_that_is_not_that_of_its_rows_is_named(clean: Archive) -> None:
    row = "'exam', '2026-03-02', '', NULL, 1, 1, 1, false"
    for table in ("counted_sum", "counted_month"):
        async with clean.copied() as archive:
            await archive.run(f"INSERT INTO {table} VALUES ({row})")
            assert await archive.found() == {("order", "sum-differs", "exam 2026-03-02")}
            await archive.run(f"DELETE FROM {table}; INSERT INTO counted SELECT key, 'exam', 'Task/x', '2026-03-02', '', false, "
                              "1, '', '', '', 1, 2 FROM resource WHERE id = 'p1'")  # fmt: skip
            await archive.run(f"DELETE FROM {table}")
            kinds = {(kind, about[:4]) for _, kind, about in await archive.found()}
            assert kinds == {("count-differs", "Pati"), ("sum-differs", "exam")}


async def test_rows_of_another_release_are_only_said_to_be_so(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run("UPDATE mark SET value = 'older' WHERE name = 'search rows'")
        told = await archive.verified()
        assert {one.kind for each in told.schemas for one in each.findings} == {"rows-older"} and not told.grave


async def test_a_subscription_is_found_by_the_state_it_is_in_and_that_is_as_it_should_be(data_dir: Path) -> None:
    async with subscribed(data_dir, Hook(), schema_prefix="lanes_") as (place, made):
        kernel, found = place.running.kernel, f"Subscription?status=active&_id={made['id']}"
        await until(lambda: place.found(found))
        given = Given(services={"order": kernel.service}, zone=kernel.zone)
        told = await verify(ensure_running(data_dir), "lanes_", given, lambda *_: None)
        assert not told.grave, [one.text() for each in told.schemas for one in each.findings]
        await place.rows("UPDATE mark SET value = 'earlier' WHERE name = 'search rows'")
        assert await reindex(place.pool, kernel.store.schema, kernel.zone, kernel.service) > 0
        await until(lambda: place.found(found))
        await place.rows("UPDATE search_token SET code = 'off' WHERE parameter = 'Subscription.status'")
        told = await verify(ensure_running(data_dir), "lanes_", given, lambda *_: None)
        [finding] = [one for each in told.schemas for one in each.findings if one.grave]
        assert (finding.kind, finding.about) == ("search-differs", f"Subscription/{made['id']}")
