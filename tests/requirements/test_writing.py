"""create, update, delete, Prefer and the bodies that are refused, for every kept type."""

from __future__ import annotations

import uuid

from tests.requirements.address import KEPT, UNION, Address, changed, every_kept_type, refused, sample


@every_kept_type
async def test_a_create_says_where_it_is_and_which_version(at: Address, kind: str) -> None:
    answer = await at.ask("POST", kind, sample(kind))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["meta"]["versionId"] == "1"
    assert answer.headers["etag"] == 'W/"1"'
    assert at.below(answer.headers["location"]) == f"{kind}/{made['id']}/_history/1"
    assert "last-modified" in answer.headers


@every_kept_type
async def test_the_id_of_a_posted_resource_is_the_servers(at: Address, kind: str) -> None:
    answer = await at.ask("POST", kind, sample(kind, id="mine"))
    assert answer.status_code == 201, answer.text
    assert answer.json()["id"] != "mine"


@every_kept_type
async def test_an_update_replaces_the_version_it_names_and_no_other(at: Address, kind: str) -> None:
    made = await at.made(kind)
    address, current = f"{kind}/{made['id']}", f'W/"{made["meta"]["versionId"]}"'
    put = await at.ask("PUT", address, changed(made), If_Match=current)
    assert put.status_code == 200, put.text
    assert put.json()["language"] == "zh"
    stale = await at.ask("PUT", address, made, If_Match=current)
    refused(stale, 412)
    assert stale.headers["etag"] == put.headers["etag"]
    refused(await at.ask("PUT", address, made, If_Match='W/"nonsense"'), 400, 412)
    assert (await at.ask("GET", address)).json() == put.json()


@every_kept_type
async def test_an_update_without_a_version_is_taken_unless_two_people_may_be_writing(at: Address, kind: str) -> None:
    made = await at.made(kind)
    put = await at.ask("PUT", f"{kind}/{made['id']}", changed(made))
    if UNION[kind].if_match:
        refused(put, 428)
    else:
        assert put.status_code == 200, put.text


@every_kept_type
async def test_an_update_is_of_the_resource_in_the_address(at: Address, kind: str) -> None:
    made = await at.made(kind)
    address, match = f"{kind}/{made['id']}", f'W/"{made["meta"]["versionId"]}"'
    assert f"{kind}.id" in refused(await at.ask("PUT", address, {**made, "id": "other"}, If_Match=match), 400)
    without = {name: value for name, value in made.items() if name != "id"}
    assert f"{kind}.id" in refused(await at.ask("PUT", address, without, If_Match=match), 400)


@every_kept_type
async def test_a_client_chooses_an_id_only_under_the_import_scope(at: Address, kind: str) -> None:
    chosen = f"CARD.{uuid.uuid4().hex[:12]}"
    body = sample(kind, id=chosen)
    refused(await at.ask("PUT", f"{kind}/{chosen}", body), 403)
    refused(await at.ask("GET", f"{kind}/{chosen}"), 404)
    imported = await at.ask("PUT", f"{kind}/{chosen}", body, by=at.importer)
    assert imported.status_code == 201, imported.text
    assert (await at.ask("GET", f"{kind}/{chosen}")).json()["id"] == chosen


@every_kept_type
async def test_a_record_stays_and_anything_else_can_be_hidden(at: Address, kind: str) -> None:
    made = await at.made(kind)
    address = f"{kind}/{made['id']}"
    kept = [keeps[kind] for base, keeps in KEPT.items() if kind in keeps and at.name in (base, "front")]
    answer = await at.ask("DELETE", address)
    if answer.status_code == 409:
        refused(answer, 409)
        assert any(keeps.record for keeps in kept), "what is no record can be hidden"
        assert (await at.ask("GET", address)).status_code == 200
        return
    assert not all(keeps.record for keeps in kept), "a record was hidden"
    assert (answer.status_code, answer.content) == (204, b""), answer.text
    refused(await at.ask("GET", address), 410)
    assert (await at.ask("DELETE", address)).status_code == 204
    assert (await at.ask("GET", f"{address}/_history/1")).json() == made
    assert made["id"] not in await at.found(f"{kind}?_id={made['id']}")
    listed = (await at.bundle(f"{address}/_history"))["entry"]
    assert listed[0]["request"]["method"] == "DELETE"
    assert "resource" not in listed[0]


@every_kept_type
async def test_a_body_that_is_no_resource_of_the_type_is_refused_with_its_place(at: Address, kind: str) -> None:
    other = "Patient" if kind != "Patient" else "Device"
    places = refused(await at.ask("POST", kind, sample(other)), 400)
    assert places, "no place is named"
    assert refused(await at.ask("POST", kind, {**sample(kind), "notHere": 1}), 400) == [f"{kind}.notHere"]
    assert refused(await at.ask("POST", kind, {**sample(kind), "language": 7}), 400) == [f"{kind}.language"]
    begun = f'{{"resourceType": "{kind}", "language": '
    assert refused(await at.ask("POST", kind, f'{begun}"zh", "language": "en"}}'), 400)[0].endswith("language")
    refused(await at.ask("POST", kind, f"{begun}NaN}}"), 400)
    refused(await at.ask("POST", kind, b'{"resourceType": "\xff"}'), 400)
    refused(await at.ask("POST", kind, "[" * 100_000), 400)
    refused(await at.ask("POST", kind, '{"resourceType":'), 400)
    refused(await at.ask("POST", kind, "[]"), 400)
    refused(await at.ask("POST", kind, ""), 400)


@every_kept_type
async def test_a_body_of_another_content_type_is_415(at: Address, kind: str) -> None:
    for written in ("application/fhir+xml", "text/plain", "application/x-www-form-urlencoded"):
        refused(await at.ask("POST", kind, sample(kind), Content_Type=written), 415)


@every_kept_type
async def test_prefer_decides_what_a_write_answers_with(at: Address, kind: str) -> None:
    minimal = await at.ask("POST", kind, sample(kind), Prefer="return=minimal")
    assert (minimal.status_code, minimal.content) == (201, b"")
    address = at.below(minimal.headers["location"]).partition("/_history")[0]
    whole = await at.ask("POST", kind, sample(kind), Prefer="return=representation")
    assert whole.json()["resourceType"] == kind
    told = await at.ask("POST", kind, sample(kind), Prefer="return=OperationOutcome")
    assert (told.status_code, told.json()["resourceType"]) == (201, "OperationOutcome")
    assert told.json()["issue"][0]["severity"] == "information"
    again = changed((await at.ask("GET", address)).json())
    put = await at.ask("PUT", address, again, Prefer="return=minimal", If_Match='W/"1"')
    assert (put.status_code, put.content) == (200, b"")


@every_kept_type
async def test_a_method_that_the_address_does_not_offer_is_405_and_says_which_it_does(at: Address, kind: str) -> None:
    made = await at.made(kind)
    for method, path in (("POST", f"{kind}/{made['id']}"), ("PUT", f"{kind}/{made['id']}/_history/1")):
        answer = await at.ask(method, path, made)
        refused(answer, 405)
        assert answer.headers.get("allow"), path
