"""read, vread, HEAD, conditional read and content negotiation of every kept type."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from tests.requirements.address import FHIR_JSON, Address, changed, every_kept_type, refused


@every_kept_type
async def test_what_was_created_is_read_with_its_version_and_time(at: Address, kind: str) -> None:
    made = await at.made(kind)
    read = await at.ask("GET", f"{kind}/{made['id']}")
    assert read.status_code == 200, read.text
    assert read.json() == made
    assert read.headers["etag"] == f'W/"{made["meta"]["versionId"]}"'
    assert read.headers["content-type"].startswith(FHIR_JSON)
    assert parsedate_to_datetime(read.headers["last-modified"]).tzinfo is not None


@every_kept_type
async def test_head_answers_as_get_without_a_body(at: Address, kind: str) -> None:
    made = await at.made(kind)
    got = await at.ask("GET", f"{kind}/{made['id']}")
    head = await at.ask("HEAD", f"{kind}/{made['id']}")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "last-modified", "content-type"):
        assert head.headers[name] == got.headers[name], name


@every_kept_type
async def test_every_version_is_read_by_its_number(at: Address, kind: str) -> None:
    made = await at.made(kind)
    address, first = f"{kind}/{made['id']}", made["meta"]["versionId"]
    put = await at.ask("PUT", address, changed(made), If_Match=f'W/"{first}"')
    assert put.status_code == 200, put.text
    assert (await at.ask("GET", f"{address}/_history/{first}")).json() == made
    second = put.json()["meta"]["versionId"]
    assert int(second) > int(first)
    assert (await at.ask("GET", f"{address}/_history/{second}")).json()["language"] == "zh"
    refused(await at.ask("GET", f"{address}/_history/{int(second) + 7}"), 404)
    refused(await at.ask("GET", f"{address}/_history/x"), 404)


@every_kept_type
async def test_what_is_not_there_is_404(at: Address, kind: str) -> None:
    refused(await at.ask("GET", f"{kind}/never"), 404)
    refused(await at.ask("GET", f"{kind}/never/_history/1"), 404)
    refused(await at.ask("GET", f"{kind}/never/_history"), 404)
    assert (await at.ask("HEAD", f"{kind}/never")).status_code == 404


@every_kept_type
async def test_a_trailing_slash_and_the_json_spellings_are_accepted(at: Address, kind: str) -> None:
    made = await at.made(kind)
    address = f"{kind}/{made['id']}"
    for path in (f"{address}/", f"{address}?_format=json", f"{address}?_format=application/fhir%2Bjson"):
        answer = await at.ask("GET", path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        assert answer.json() == made
    for accept in ("application/fhir+json", "application/json", "*/*", "application/fhir+json;q=0.9,text/html;q=0.5"):
        assert (await at.ask("GET", address, Accept=accept)).json() == made, accept


@every_kept_type
async def test_another_format_is_406(at: Address, kind: str) -> None:
    made = await at.made(kind)
    address = f"{kind}/{made['id']}"
    refused(await at.ask("GET", address, Accept="application/fhir+xml"), 406)
    refused(await at.ask("GET", f"{address}?_format=xml"), 406)
    refused(await at.ask("GET", kind, Accept="text/turtle"), 406)


@every_kept_type
async def test_a_read_that_finds_nothing_newer_is_304(at: Address, kind: str) -> None:
    made = await at.made(kind)
    address = f"{kind}/{made['id']}"
    unchanged = await at.ask("GET", address, If_None_Match=f'W/"{made["meta"]["versionId"]}"')
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    newer = await at.ask("GET", address, If_None_Match='W/"999"')
    assert newer.status_code == 200
    since = (await at.ask("GET", address)).headers["last-modified"]
    assert (await at.ask("GET", address, If_Modified_Since=since)).status_code == 304


@every_kept_type
async def test_a_read_shows_only_the_part_asked_for_and_says_so(at: Address, kind: str) -> None:
    made = await at.made(kind, language="zh")
    part = (await at.ask("GET", f"{kind}/{made['id']}?_elements=language")).json()
    assert part["language"] == "zh"
    assert part["id"] == made["id"]
    assert "SUBSETTED" in [tag.get("code") for tag in part["meta"]["tag"]]
    assert "implicitRules" not in part


@every_kept_type
async def test_a_parameter_that_a_read_does_not_know_is_refused(at: Address, kind: str) -> None:
    made = await at.made(kind)
    refused(await at.ask("GET", f"{kind}/{made['id']}?nonsense=1"), 400)
