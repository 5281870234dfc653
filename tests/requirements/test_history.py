"""History of a resource, a type and a whole base: newest first, by page, by time."""

from __future__ import annotations

from tests.requirements.address import Address, Resource, changed, every_base, every_kept_type, refused, sample


async def twice_written(at: Address, kind: str) -> Resource:
    """A resource with two versions; the second one."""
    made = await at.made(kind)
    put = await at.ask("PUT", f"{kind}/{made['id']}", changed(made), If_Match='W/"1"')
    assert put.status_code == 200, put.text
    tree: Resource = put.json()
    return tree


async def pages(at: Address, path: str, most: int = 50) -> list[Resource]:
    """The entries of all pages."""
    entries: list[Resource] = []
    for _ in range(most):
        page = await at.bundle(path)
        entries += page.get("entry", [])
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        if not following:
            return entries
        path = at.below(following[0])
    raise AssertionError("the pages do not end")


@every_kept_type
async def test_the_history_of_a_resource_lists_every_version_newest_first(at: Address, kind: str) -> None:
    second = await twice_written(at, kind)
    bundle = await at.bundle(f"{kind}/{second['id']}/_history")
    assert bundle["type"] == "history"
    entries = bundle["entry"]
    assert entries[0]["resource"] == second
    assert [entry["response"]["etag"] for entry in entries] == ['W/"2"', 'W/"1"']
    assert [entry["request"]["method"] for entry in entries] == ["PUT", "POST"]
    assert at.below(entries[0]["fullUrl"]) == f"{kind}/{second['id']}"
    assert bundle.get("total", 2) == 2


@every_kept_type
async def test_a_history_is_read_by_pages(at: Address, kind: str) -> None:
    second = await twice_written(at, kind)
    entries = await pages(at, f"{kind}/{second['id']}/_history?_count=1")
    assert [entry["response"]["etag"] for entry in entries] == ['W/"2"', 'W/"1"']


@every_kept_type
async def test_the_history_of_a_type_holds_it_and_begins_where_asked(at: Address, kind: str) -> None:
    second = await twice_written(at, kind)
    at_time = second["meta"]["lastUpdated"].replace("+", "%2B")
    listed = await pages(at, f"{kind}/_history?_count=100&_since={at_time}")
    mine = [e["response"]["etag"] for e in listed if e.get("fullUrl", "").endswith(second["id"])]
    assert mine == ['W/"2"', 'W/"1"']
    later = await at.bundle(f"{kind}/_history?_since=2999-01-01T00:00:00Z")
    assert "entry" not in later
    refused(await at.ask("GET", f"{kind}/_history?_since=yesterday"), 400)
    refused(await at.ask("GET", f"{kind}/_history?nonsense=1"), 400)
    refused(await at.ask("GET", f"{kind}/_history?_count=x"), 400)


@every_base
async def test_the_history_of_the_whole_base_holds_every_type(at: Address) -> None:
    made = [(await at.made("Task"))["id"], (await at.made("Provenance"))["id"]]
    first = await at.bundle("_history?_count=1")
    assert [link for link in first["link"] if link["relation"] == "next"]
    listed = {entry["fullUrl"].rpartition("/")[2] for entry in await pages(at, "_history?_count=500")}
    assert set(made) <= listed


@every_kept_type
async def test_history_needs_the_resource_to_have_been_there(at: Address, kind: str) -> None:
    refused(await at.ask("GET", f"{kind}/never/_history"), 404)
    await at.ask("POST", kind, sample(kind))


@every_kept_type
async def test_a_history_shows_what_stood_at_a_moment(at: Address, kind: str) -> None:
    second = await twice_written(at, kind)
    moment = second["meta"]["lastUpdated"].replace("+", "%2B")
    stood = (await at.bundle(f"{kind}/{second['id']}/_history?_at={moment}"))["entry"]
    assert stood[0]["resource"]["meta"]["versionId"] == "2"
    before = await at.bundle(f"{kind}/{second['id']}/_history?_at=2000")
    assert "entry" not in before
