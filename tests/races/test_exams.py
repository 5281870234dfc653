"""An exam is started, or decided on, while what allows it is taken back."""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import CANONICAL
from slipring_demo.cast import role
from slipring_demo.contrast import a_consent, a_screening
from slipring_demo.teller import parameters

from tests.races.race import LANES, ROUNDS, Done, Tally, in_lanes, race, sound
from tests.races.room import arrived, done, importer, pool, put, way
from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam

Tree = dict[str, Any]
_STATE = f"{CANONICAL}/CodeSystem/exam-state"
_STARTED = {"businessStatus": {"coding": [{"system": _STATE, "code": "in-progress"}]}}


class ReadyExam:
    """An exam that may start, again and again: what was begun is put back as it was before."""

    def __init__(self, story: OneExam, task: Tree) -> None:
        self.story, self.task = story, task
        self.department = story.department
        self.importer = importer(story.department)

    async def started(self, *, condition: str = "") -> Done:
        """Start it by its operator; not at all once it may not be, or does not show this contrast condition."""
        owner = {"owner": self.story.cast.person("technologist")}
        answer = await self.department.put(self.task | _STARTED | owner)
        assert answer.status_code in (200, 409, 412, 422, 503), answer.text
        if answer.status_code != 200 or (condition and shown(answer.json()) != condition):
            return Done(None)
        return done(answer.json())

    async def back(self) -> None:
        """Not begun."""
        await put(self.department, self.task, self.importer)


def shown(task: Tree) -> str:
    """The contrast condition that an exam shows."""
    return next((str(e["valueCode"]) for e in task.get("extension", []) if "contrast-condition" in e["url"]), "")


async def _ready(department: Department) -> ReadyExam:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready")
    return ReadyExam(story, await story.task())


async def test_no_exam_starts_after_its_request_was_revoked(department: Department) -> None:
    exam = await _ready(department)
    request = exam.story.cast.request

    async def revoked(_: int) -> Done:
        return done(await put(department, request | {"status": "revoked"}))

    async def again(_: int) -> None:
        await put(department, request, exam.importer)
        await exam.back()

    orders = pool(department, "order")
    sound(await race("request revoked", orders, lambda _: exam.started(), revoked, again, span=0.04))


async def test_no_exam_starts_under_an_operator_whose_certificate_was_withdrawn(department: Department) -> None:
    exam = await _ready(department)
    operator = await department.get(exam.story.cast.staff["technologist"])

    async def withdrawn(_: int) -> Done:
        return done(await put(department, operator | {"qualification": operator["qualification"][:1]}))

    async def again(_: int) -> None:
        await put(department, operator)
        await exam.back()

    orders = pool(department, "order")
    sound(await race("operator's certificate", orders, lambda _: exam.started(), withdrawn, again, span=0.04))


async def test_no_exam_starts_as_cleared_after_the_consent_was_withdrawn(department: Department) -> None:
    """Order shows the condition and leaves the contrast to its own gate: what is shown must be what holds."""
    exams = [await _ready(department) for _ in range(LANES)]
    consents = []
    for exam in exams:
        await exam.story.made(a_screening(exam.story.cast))
        consents.append(await exam.story.made(a_consent(exam.story.cast)))
    lag = await way(department, "order", consents[-1])
    await department.settle()

    async def lane(number: int) -> Tally:
        exam, consent = exams[number], consents[number]
        exam.task = await exam.story.task()
        assert shown(exam.task) == "cleared"
        return await _consent_withdrawn(exam, consent, lag)

    sound(await in_lanes(lane))


async def _consent_withdrawn(exam: ReadyExam, consent: Tree, lag: float) -> Tally:
    department, standing = exam.department, [consent]

    async def withdrawn(_: int) -> Done:
        return await arrived(department, "order", await put(department, standing[-1] | {"status": "inactive"}))

    async def again(_: int) -> None:
        assert shown(await exam.story.task()) == "refused"
        standing.append(await exam.story.made(a_consent(exam.story.cast)))
        await arrived(department, "order", standing[-1])
        await exam.back()

    orders, rounds = pool(department, "order"), ROUNDS // LANES

    async def started(_: int) -> Done:
        return await exam.started(condition="cleared")

    return await race("consent's copy", orders, started, withdrawn, again, rounds=rounds, span=0.08, lag=lag)


async def _weighed(department: Department) -> OneExam:
    """A request that a physician must decide on: the patient is pregnant."""
    story = await one_exam(department)
    pregnant = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "subject": story.cast.subject,
        "effectiveDateTime": story.cast.moment(),
        "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA15173-0"}]},
    }
    stated = await story.made(pregnant)
    await story.requested(supportingInfo=[{"reference": f"Observation/{stated['id']}"}])
    assert await story.state() == "awaiting-justification"
    return story


async def _justified(story: OneExam, task: Tree) -> Done:
    said = parameters(
        decision=("Code", "justified"),
        reason=("CodeableConcept", {"coding": [{"code": "confirmed-by-phone"}]}),
        performer=("Reference", story.cast.person("first reader")),
    )
    answer = await story.department.post(f"Task/{task['id']}/$decide", said)
    assert answer.status_code in (200, 403, 409, 422, 503), answer.text
    return done(answer.json()) if answer.status_code == 200 else Done(None)


async def test_no_request_is_justified_after_it_became_another_one(department: Department) -> None:
    """Another examination, and nobody says what it is for: that is asked back, never justified."""
    stories = [await _weighed(department) for _ in range(LANES)]
    sound(await in_lanes(lambda number: _request_changed(stories[number])))


async def _request_changed(story: OneExam) -> Tally:
    department, task, request = story.department, await story.task(), story.cast.request
    other = {"code": {"text": "CT"}, "bodySite": None, "reasonCode": [{"text": "CT"}]}

    async def changed(_: int) -> Done:
        tree = {name: value for name, value in (request | other).items() if value is not None}
        return done(await put(department, tree))

    async def again(_: int) -> None:
        assert await story.state() == "awaiting-information", "a decision stands on a request that has changed"
        await put(department, request)
        assert await story.state() == "awaiting-justification"

    orders, rounds = pool(department, "order"), ROUNDS // LANES
    return await race(
        "request changed", orders, lambda _: _justified(story, task), changed, again, rounds=rounds, span=0.2
    )


async def test_nobody_justifies_after_his_role_was_withdrawn(department: Department) -> None:
    story = await _weighed(department)
    task, asking = await story.task(), importer(department)
    [held] = await department.found(f"PractitionerRole?practitioner={story.cast.staff['first reader']}")
    none = role(story.cast.staff["first reader"], story.cast.hospital, "receptionist")

    async def withdrawn(_: int) -> Done:
        return done(await put(department, held | {"code": none["code"]}))

    async def again(_: int) -> None:
        await put(department, held)
        await put(department, task, asking)

    orders = pool(department, "order")
    sound(await race("decider's role", orders, lambda _: _justified(story, task), withdrawn, again, span=0.08))
