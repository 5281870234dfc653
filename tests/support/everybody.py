"""Everybody who touches an exam, as acts that a state machine draws: HIS, reception, technologist, scanner, archive."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from copy import deepcopy
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Due, Resource, Write
from slipring_order import lifecycle, resources
from slipring_order.dicom.step_facts import COMPLETED, DISCONTINUED, IN_PROGRESS, StepFacts
from slipring_order.handlers.aborts import ABORT_SYSTEM
from slipring_order.handlers.check_list import checked
from slipring_order.handlers.clocks import clock_struck
from slipring_order.handlers.decisions import decided
from slipring_order.handlers.evidence import images_written, observation_written
from slipring_order.handlers.followed import report_arrived
from slipring_order.handlers.patients import patient_written
from slipring_order.handlers.performed_steps import step_begun, step_changed
from slipring_order.handlers.performing import finished, started
from slipring_order.handlers.reception import arrived
from slipring_order.handlers.requests import request_written
from slipring_order.handlers.scheduling import scheduled
from slipring_order.handlers.tasks import guarded
from slipring_order.handlers.wrong_exams import stopped
from slipring_order.life import discontinuing, late
from slipring_order.reading import instant

from tests.support.desk import ADesk
from tests.support.ordering import a_decision, a_patient, a_request, identity_confirmed
from tests.support.requesting import OVERWRITES, a_report
from tests.support.rooms import a_booking_desk, call

WHO = ("Reference", {"reference": "Practitioner/o-rad"})
STATES = st.sampled_from([*lifecycle.states(), "no-such-state"])
REASON = discontinuing.reason_concept("110515")


class Everybody(RuleBasedStateMachine):
    """One exam, and everybody who touches it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.desk: ADesk = a_booking_desk(a_patient(id="o-old"), a_patient(id="o-stranger"))
        self.desk.caller = Caller("his", frozenset({"system/*.cruds"}))
        self.steps = 0

    def teardown(self) -> None:
        try:
            self.at_the_end()
        finally:
            self.loop.close()

    def at_the_end(self) -> None:
        """What is looked at once all is done."""

    def run(self, doing: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(doing)

    async def exam(self) -> Any:
        [task] = await self.desk.search("Task?focus=ServiceRequest/o-req&code=exam")
        return task

    def act(self, doing: Coroutine[Any, Any, Changes], written: Resource | None = None) -> bool:
        """Carry it out as the kernel would; refused, it leaves its evidence and nothing else, and says where and why."""
        before = dict(self.desk.held)
        try:
            changes = self.run(doing)
        except FhirError as error:
            assert self.desk.held == before
            self.told(error)
            return False
        if changes.refuse:
            self.told(changes.refuse)
            assert {s.resource["resourceType"] for s in changes.save} <= {"DetectedIssue", "Task"}
        elif written is not None and written["resourceType"] not in ("Task",):
            self.desk.hold(written)
        self.desk.carry_out(
            changes, None if changes.refuse else written if written and written["resourceType"] == "Task" else None
        )
        self.desk.now += timedelta(minutes=1)
        return changes.refuse is None

    def told(self, error: FhirError) -> None:
        assert error.status in (403, 404, 409, 422), error.issues
        for issue in error.issues:
            assert issue.zh and issue.en and issue.detail, issue
            assert issue.at or error.status == 404, issue

    # --- the acts

    @initialize(stat=st.booleans())
    def ordered(self, stat: bool) -> None:
        self.put_request(a_request(**({"priority": "stat"} if stat else {})))

    def put_request(self, request: Resource) -> None:
        before = self.run(self.desk.read("ServiceRequest/o-req"))
        if before:  # server-owned identifiers come back
            own = [
                i
                for i in before.resource["identifier"]
                if i.get("type", {}).get("coding", [{}])[0].get("code") != "PLAC"
            ]
            request = {**request, "identifier": [*request["identifier"], *own]}
        held = dict(self.desk.held)
        try:
            changes = self.run(request_written(Write("update" if before else "create", request, before), self.desk))
        except FhirError as error:
            assert self.desk.held == held
            self.told(error)
            return
        self.desk.carry_out(changes, request)
        self.desk.now += timedelta(minutes=1)

    @rule(members=st.sampled_from(OVERWRITES))
    def the_his_writes_over_its_order(self, members: dict[str, Any]) -> None:
        self.put_request(a_request(**members))

    @rule(state=STATES, reason=st.booleans(), past=st.booleans(), may=st.booleans())
    def somebody_writes_a_state(self, state: str, reason: bool, past: bool, may: bool) -> None:
        before = self.run(self.exam())
        task = deepcopy(before.resource) | {"businessStatus": resources.state_concept(state)}
        if reason:
            task |= {"statusReason": REASON, "owner": {"reference": "Practitioner/o-rad"}}
        if past:
            task["executionPeriod"] = {"end": instant(self.desk.now - timedelta(seconds=30))}
        scopes = {"system/*.cruds", *([late.RECORD_LATE] if may else [])}
        self.desk.caller = Caller("his", frozenset(scopes))
        self.act(guarded(Write("update", task, before), self.desk), task)
        self.desk.caller = Caller("his", frozenset({"system/*.cruds"}))

    @rule(
        decision=st.sampled_from(["justified", "rejected", "ask", "replace"]),
        why=st.sampled_from(["benefit", "emergency"]),
    )
    def a_physician_decides(self, decision: str, why: str) -> None:
        self.act(decided(a_decision(self.run(self.exam()), decision, why), self.desk))

    @rule()
    def a_time_is_given(self) -> None:
        self.act(scheduled(call(self.run(self.exam())), self.desk))

    @rule(right=st.booleans())
    def the_patient_comes(self, right: bool) -> None:
        shown = {"system": "urn:hospital", "value": "A1" if right else "B2"}
        given = {"identifier": ("Identifier", shown), "birthDate": ("Date", "1961-07-15"), "performer": WHO}
        self.act(arrived(call(self.run(self.exam()), **given), self.desk))

    @rule(more=st.lists(st.sampled_from(["parameters-set", "exam-done"]), unique=True))
    def the_list_is_checked(self, more: list[str]) -> None:
        self.act(checked(identity_confirmed(self.run(self.exam()), *more), self.desk))

    @rule()
    def the_scan_starts(self) -> None:
        self.act(started(call(self.run(self.exam()), performer=WHO), self.desk))

    @rule(broken=st.booleans())
    def the_scan_ends(self, broken: bool) -> None:
        given: dict[str, Any] = {"performer": WHO}
        if broken:
            given |= {"outcome": ("Code", "discontinued"), "reason": ("CodeableConcept", REASON)}
        self.act(finished(call(self.run(self.exam()), **given), self.desk))

    @rule(uid=st.sampled_from(["1.2.3", "1.2.4"]))
    def the_scanner_begins(self, uid: str) -> None:
        number = self.run(self.exam()).resource["groupIdentifier"]["value"]
        facts = StepFacts(uid, IN_PROGRESS, self.desk.now, imaging_numbers=(number,))
        self.act(step_begun(facts, "Device/o-ct1", self.desk))

    @rule(uid=st.sampled_from(["1.2.3", "1.2.4"]), status=st.sampled_from([COMPLETED, DISCONTINUED]))
    def the_scanner_ends(self, uid: str, status: str) -> None:
        self.act(step_changed(StepFacts(uid, status, ended_at=self.desk.now), "Device/o-ct1", self.desk))

    @rule(status=st.sampled_from(["registered", "available", "entered-in-error"]))
    def images_come(self, status: str) -> None:
        study = {
            "resourceType": "ImagingStudy", "id": "o-images", "status": status,
            "subject": {"reference": "Patient/o-pat"}, "basedOn": [{"reference": "ServiceRequest/o-req"}],
        }  # fmt: skip
        self.act(images_written(Write("create", study), self.desk), study)

    @rule(status=st.sampled_from(["final", "entered-in-error"]))
    def a_dose_comes(self, status: str) -> None:
        dose = {
            "resourceType": "Observation", "id": "o-dose", "status": status,
            "code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]},
            "basedOn": [{"reference": "ServiceRequest/o-req"}],
        }  # fmt: skip
        self.act(observation_written(Write("create", dose), self.desk), dose)

    @rule(status=st.sampled_from(["final", "partial", "amended"]))
    def a_report_comes(self, status: str) -> None:
        self.act(report_arrived(a_report(status), self.desk))

    @rule(status=st.sampled_from(["requested", "received", "accepted", "rejected", "cancelled"]))
    def an_abort_is_asked_or_answered(self, status: str) -> None:
        before = self.run(self.desk.read("Task/o-abort"))
        abort = {
            "resourceType": "Task", "id": "o-abort", "status": status, "intent": "order",
            "code": {"coding": [{"system": ABORT_SYSTEM, "code": "abort"}]},
            "focus": {"reference": self.run(self.exam()).reference}, "requester": {"reference": "Practitioner/o-doc"},
            "owner": {"reference": "Practitioner/o-rad"}, "statusReason": {"text": "x"},
        }  # fmt: skip
        self.act(guarded(Write("update" if before else "create", abort, before), self.desk), abort)

    @rule(what=st.sampled_from(["wrong-part", "wrong-patient", "nonsense"]))
    def it_was_wrong(self, what: str) -> None:
        given = {"reason": ("CodeableConcept", {"coding": [{"code": what}]}), "performer": WHO}
        self.act(stopped(call(self.run(self.exam()), **given), self.desk))

    @rule(merged=st.booleans())
    def records_are_merged_or_taken_apart(self, merged: bool) -> None:
        link = [{"type": "replaced-by", "other": {"reference": "Patient/o-pat"}}]
        patient = a_patient(id="o-old", **({"link": link} if merged else {}))
        before = self.run(self.desk.read("Patient/o-old"))
        self.desk.hold(patient)
        self.desk.carry_out(self.run(patient_written(Write("update", patient, before), self.desk)))

    @rule()
    def the_identity_is_confirmed(self) -> None:
        for asked in self.run(self.desk.search("Task?code=identity-confirmation&status=requested")):
            task = asked.resource | {"status": "completed", "owner": {"reference": "Practitioner/o-rad"}}
            self.act(guarded(Write("update", task, asked), self.desk), task)

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.desk.now += timedelta(minutes=minutes)
        exam = self.run(self.exam()).reference
        self.act(clock_struck(Due("green-channel", exam, "", self.desk.now, {}), self.desk))
