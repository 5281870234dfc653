"""Whatever HIS, reception, technologist, scanner and archive do in whatever order, an exam's life keeps its laws.

A state machine draws acts of all of them at random: plain FHIR updates and operations, in and out of turn.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant
from slipring.fhir.checks.shape import check
from slipring_order import lifecycle, resources
from slipring_order.lifecycle import TRANSITIONS
from slipring_order.rooms.following import GOES_WITH

from tests.support.everybody import Everybody


class LifeOfAnExam(Everybody):
    """One exam, everybody who touches it, and the laws."""

    @invariant()
    def the_task_says_what_its_state_says(self) -> None:
        if "ServiceRequest/o-req" not in self.desk.held:
            return
        exam = self.run(self.exam()).resource
        assert exam["status"] == lifecycle.task_status(resources.state_of(exam))

    @invariant()
    def every_move_is_of_the_table(self) -> None:
        if "ServiceRequest/o-req" not in self.desk.held:
            return
        exam = self.run(self.exam())
        while self.steps < exam.version - 1:
            self.steps += 1
            was, now = (resources.state_of(self.desk.versions[exam.reference, self.steps + n].resource) for n in (0, 1))
            assert was == now or now in reachable(was), f"{was} -> {now}"

    @invariant()
    def what_was_booked_goes_with_the_exam(self) -> None:
        if "ServiceRequest/o-req" not in self.desk.held:
            return
        exam = self.run(self.exam()).resource
        state = resources.state_of(exam)
        for step in self.run(self.desk.search("Task?code=scheduled-step")):
            ended = step.resource["status"] in ("cancelled", "completed", "failed")
            assert ended or "restriction" in exam, "a time that is held belongs to an exam that shows it"
            if not ended and GOES_WITH.get(state, (None, None))[0]:
                assert step.resource["status"] == GOES_WITH[state][0], (state, step.resource["status"])

    @invariant()
    def a_scan_without_permission_is_a_nonconformity(self) -> None:
        if "ServiceRequest/o-req" not in self.desk.held:
            return
        exam = self.run(self.exam())
        for number in range(1, exam.version):
            was, now = (resources.state_of(self.desk.versions[exam.reference, number + n].resource) for n in (0, 1))
            if now in ("in-progress", "acquired") and was not in ("ready", "in-progress", now, "reported"):
                assert self.run(self.desk.search("Task?code=nonconformity")), f"{was} -> {now} silently"

    @invariant()
    def afterwork_is_owed_until_it_is_done_or_the_exam_is_off(self) -> None:
        if "ServiceRequest/o-req" not in self.desk.held:
            return
        exam = self.run(self.exam()).resource
        for task in self.run(self.desk.search("Task?code=follow-up&status=requested")):
            assert resources.state_of(exam) not in ("cancelled", "rejected")
            over = resources.state_of(exam) in ("acquired", "discontinued", "reported", "closed")
            assert over == ("restriction" in task.resource)

    def at_the_end(self) -> None:
        """What the department made of it is well-formed FHIR."""
        if "ServiceRequest/o-req" not in self.desk.held:
            return
        for stored in [self.run(self.exam()), *self.run(self.desk.search("Task?code=nonconformity"))]:
            wrong = [issue for issue in check(stored.resource) if issue.severity in ("error", "fatal")]
            assert wrong == [], wrong


def reachable(state: str) -> set[str]:
    """Where one act may lead: a released report proves the scan as well, and closes the exam in one."""
    found = {line.next for line in TRANSITIONS if line.state == state}
    by_service = {"in-progress": {"reported", "closed"}, "acquired": {"closed"}}
    return found | by_service.get(state, set())


TestLifeOfAnExam = LifeOfAnExam.TestCase
TestLifeOfAnExam.settings = settings(
    max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
