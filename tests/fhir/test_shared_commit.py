"""Creates of several clients share a commit, and each stays all or nothing."""

import asyncio
from collections import Counter
from pathlib import Path

from slipring.fhir.service import Call, Changes, Desk, Keeps, Operation, Save, Service
from slipring.fhir.store.batch import Audit

from tests.fhir.place import Place, a_bundle, a_patient, a_request, a_task, opened

_PARTS = ("version", "outbox", "audit")


async def test_creates_that_come_together_share_a_commit(place: Place) -> None:
    answers = await asyncio.gather(*(place.ask("POST", "Patient", a_patient(gender="other")) for _ in range(48)))
    assert {answer.status_code for answer in answers} == {201}
    ids = [answer.json()["id"] for answer in answers]
    rows = await place.rows("SELECT DISTINCT xmin::text FROM resource WHERE id = ANY($1::text[])", ids)
    assert 1 <= len(rows) < 24


async def test_each_of_a_group_has_all_its_rows(place: Place) -> None:
    answers = await asyncio.gather(*(place.ask("POST", "ServiceRequest", a_request(f"all-{n}")) for n in range(32)))
    for n, answer in enumerate(answers):
        made = answer.json()
        assert answer.status_code == 201
        assert [r["id"] for r in await place.found(f"ServiceRequest?identifier=urn:his|all-{n}")] == [made["id"]]
        read = await place.ask("GET", f"ServiceRequest/{made['id']}")
        assert read.text == answer.text
        audits = await place.rows("SELECT * FROM audit WHERE resource = $1", f"ServiceRequest/{made['id']}/_history/1")
        assert Counter(row["interaction"] for row in audits) == {"create": 1, "read": 1}
        events = await place.rows("SELECT method, version FROM outbox WHERE resource_id = $1", made["id"])
        assert [tuple(row.values()) for row in events] == [("POST", 1)]


async def test_one_refused_by_the_store_takes_nobody_with_it(place: Place) -> None:
    await place.make(a_request("held"))
    before = await place.everything()
    numbers = ["held", *(f"free-{n}" for n in range(15)), "held"]
    answers = await asyncio.gather(*(place.ask("POST", "ServiceRequest", a_request(number)) for number in numbers))
    assert [answer.status_code for answer in answers] == [409, *[201] * 15, 409]
    after = await place.everything()
    assert {part: after[part] - before[part] for part in _PARTS} == {"version": 15, "outbox": 15, "audit": 15}


async def test_a_transaction_of_creates_is_whole_or_nothing_in_a_group(place: Place) -> None:
    before = await place.everything()

    def asked(number: str) -> dict[str, object]:
        return a_bundle("transaction", ("POST", "Patient", a_patient()), ("POST", "ServiceRequest", a_request(number)))

    answers = await asyncio.gather(*(place.ask("POST", "", asked(number)) for number in ("t-1", "t-2", "t-1")))
    assert Counter(answer.status_code for answer in answers) == {200: 2, 409: 1}
    after = await place.everything()
    assert {part: after[part] - before[part] for part in _PARTS} == {"version": 4, "outbox": 4, "audit": 4}


async def test_reads_that_come_together_share_a_commit_and_each_has_its_audit_row(place: Place) -> None:
    made = [await place.make(a_patient(gender=gender)) for gender in ("male", "female", "other")]
    wanted = [made[n % 3]["id"] for n in range(30)] + ["o-nobody"]
    answers = await asyncio.gather(
        *(place.ask("GET", f"Patient/{name}", headers={"X-Request-Id": f"r+{n}"}) for n, name in enumerate(wanted))
    )
    assert [answer.status_code for answer in answers] == [200] * 30 + [404]
    assert [answer.json()["id"] for answer in answers[:30]] == wanted[:30]
    rows = await place.rows("SELECT *, xmin::text AS commit FROM audit WHERE request_id LIKE 'r%' ORDER BY id")
    assert Counter(row["resource"] for row in rows) == {f"Patient/{p['id']}/_history/1": 10 for p in made}
    assert len({row["commit"] for row in rows}) < 15
    for row in rows:
        audit = Audit(row["client"], row["practitioner"], "read", row["resource"], row["request_id"], row["outcome"])
        assert row["content_sha256"] == audit.content_sha256(row["at"])


async def test_a_text_with_the_separator_of_the_wire_is_stored_all_the_same(data_dir: Path) -> None:
    odd = "between\x1ftwo"

    async def note(call: Call, desk: Desk) -> Changes:
        task = a_task(id=desk.new_id(), code={"text": odd}, identifier=[{"system": "urn:odd", "value": odd}])
        return Changes(save=[Save(task)], answer=task)

    service = Service("order", "o", "x", keeps=[Keeps("Task")], operations=[Operation("Task", "note", note, "type")])
    async with opened(data_dir, service) as street:
        answer = await street["order"].ask("POST", "Task/$note")
        assert answer.status_code == 200
        rows = await street["order"].rows("SELECT code FROM search_token WHERE parameter = 'Task.identifier'")
        assert [row["code"] for row in rows] == [odd]
