"""Histories through the front: of one resource, of a type that several services keep, of everything."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from tests.front.hospital import IMPORTING, His, Tree, a_patient, a_report, a_request, a_task, an_observation, to
from tests.support.department import Department


@pytest.fixture(scope="module")
async def his(department: Department) -> His:
    return His(department, IMPORTING)


@pytest.fixture(scope="module")
async def since(his: His, department: Department) -> str:
    """The moment before anything of this story."""
    await department.wait(seconds=1)
    moment = department.clock.now().isoformat()
    await department.wait(seconds=1)
    return moment


@pytest.fixture(scope="module")
async def told(his: His, department: Department, since: str) -> list[str]:
    """Versions of three services, oldest first, a second apart."""
    patient = await his.made(a_patient("History"))
    request = await his.made(a_request(patient))
    written: list[str] = [f"{t['resourceType']}/{t['id']}/1" for t in (patient, request)]
    for code in ("exam-note", "observation", "second-read", "exam-note"):
        await department.wait(seconds=1)
        task = await his.made(a_task(code, **{"for": to(patient)}))
        written.append(f"Task/{task['id']}/1")
    await department.wait(seconds=1)
    changed = await his.kept({**task, "description": "changed"})
    written.append(f"Task/{task['id']}/{changed['meta']['versionId']}")
    await department.wait(seconds=1)
    report = await his.made(a_report(request))
    written.append(f"DiagnosticReport/{report['id']}/1")
    return written


def versions(bundle: Tree) -> list[str]:
    base = "http://127.0.0.1:8100/fhir/"
    found = []
    for entry in bundle.get("entry", ()):
        assert entry["fullUrl"].startswith(base)
        number = entry["response"]["etag"].removeprefix('W/"').rstrip('"')
        found.append(f"{entry['fullUrl'].removeprefix(base)}/{number}")
    return found


async def test_a_types_history_is_one_over_all_its_keepers_newest_first(his: His, told: list[str], since: str) -> None:
    expected = [version for version in reversed(told) if version.startswith("Task/")]
    for count in (1, 2, 50):
        pages = await his.pages(f"Task/_history?_since={quote(since)}&_count={count}")
        assert [version for page in pages for version in versions(page)] == expected
        assert all(page["type"] == "history" for page in pages)
        assert all(len(versions(page)) == count for page in pages[:-1])


async def test_the_history_of_everything_is_one_over_all_services(his: His, told: list[str], since: str) -> None:
    for count in (3, 100):
        pages = await his.pages(f"_history?_since={quote(since)}&_count={count}")
        found = [version for page in pages for version in versions(page)]
        assert [version for version in found if version in told] == list(reversed(told))
        assert len(found) == len(set(found))
        moments = [entry["response"]["lastModified"] for page in pages for entry in page["entry"]]
        assert moments == sorted(moments, reverse=True)


async def test_an_instance_is_followed_through_its_versions_where_it_lies(his: His, told: list[str]) -> None:
    name = told[-2].rpartition("/")[0]
    assert versions(await his.bundle(f"{name}/_history")) == [f"{name}/2", f"{name}/1"]
    assert len(await his.pages(f"{name}/_history?_count=1")) == 2
    first = (await his.ask("GET", f"{name}/_history/1")).json()
    assert "description" not in first
    assert (await his.ask("GET", f"{name}/_history/9")).status_code == 404


async def test_a_deleted_resource_stands_in_the_history_without_its_content(his: His, department: Department) -> None:
    patient = await his.made(a_patient("Deleted"))
    gone = await his.made(an_observation(patient))
    assert (await his.ask("DELETE", f"Observation/{gone['id']}")).status_code in (200, 204)
    assert (await his.ask("GET", f"Observation/{gone['id']}")).status_code == 410
    newest = (await his.bundle("Observation/_history?_count=1"))["entry"][0]
    assert newest["request"] == {"method": "DELETE", "url": f"Observation/{gone['id']}"}
    assert "resource" not in newest


async def test_the_pages_of_a_history_neither_repeat_nor_drop_while_others_write(his: His, told: list[str]) -> None:
    first = await his.bundle("_history?_count=2")
    found = versions(first)
    following = first["link"]
    for _ in range(3):
        await asyncio.gather(*(his.made(a_task(code)) for code in ("exam-note", "observation", "second-read")))
        address = next(link["url"] for link in following if link["relation"] == "next")
        page = await his.bundle(address.removeprefix("http://127.0.0.1:8100/fhir/"))
        found += versions(page)
        following = page["link"]
    rest = next(link["url"] for link in following if link["relation"] == "next")
    for page in await his.pages(rest.removeprefix("http://127.0.0.1:8100/fhir/")):
        found += versions(page)
    assert len(found) == len(set(found))
    assert set(told) <= set(found)


@pytest.mark.parametrize("path", ["Task/_history?_count=x", "_history?_since=yesterday", "Task/_history?shoe=1"])
async def test_what_a_history_does_not_take_is_refused(his: His, path: str) -> None:
    answer = await his.ask("GET", path)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"]


async def test_a_page_link_of_one_history_opens_no_other(his: His, told: list[str]) -> None:
    link = next(x["url"] for x in (await his.bundle("_history?_count=1"))["link"] if x["relation"] == "next")
    cursor = link.partition("?")[2]
    for path in ("Task/_history", "Task", "Patient"):
        assert (await his.ask("GET", f"{path}?{cursor}")).status_code == 400
