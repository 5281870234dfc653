"""A token in a person's name allows exactly what is asked, the application may and the roles allow: all three."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from slipring.fhir.caller import Caller
from slipring.identity.people.reach import reach
from slipring.identity.people.roles import the_roles

TYPES = ("Patient", "Task", "Observation", "AuditEvent")
LETTERS = ("c", "r", "u", "d", "s", "rs", "cru", "cruds", "crus")
scope = st.builds(
    "{}/{}.{}".format,
    st.sampled_from(("user", "user", "system")),
    st.sampled_from(("*", *TYPES)),
    st.sampled_from(LETTERS),
)
some = st.lists(scope, max_size=5)


@settings(max_examples=300, deadline=None)
@given(some, some, some)
def test_a_token_allows_what_all_three_allow_and_nothing_else(
    asked: list[str], client: list[str], roles: list[str]
) -> None:
    people = [[one for one in scopes if one.startswith("user/")] for scopes in (asked, client, roles)]
    three = [Caller("x", frozenset(scopes)) for scopes in people]
    granted = Caller("x", frozenset(reach(asked, client, roles)))
    for kind in TYPES:
        for letter in "cruds":
            assert granted.allows(kind, letter) == all(one.allows(kind, letter) for one in three), (kind, letter)


def test_limits_of_all_three_hold_together_and_a_patient_narrows() -> None:
    found = reach(["user/Observation.rs?category=a"], ["user/*.rs"], ["user/Observation.rs?status=final"])
    assert found == ["user/Observation.rs?category=a&status=final"]
    assert reach(["user/*.rs"], ["patient/*.rs"], ["user/Patient.rs"]) == ["patient/Patient.rs"]
    assert reach(["patient/*.cruds"], ["patient/*.rs", "user/*.cruds"], ["user/Patient.r"]) == ["patient/Patient.r"]


def test_an_extra_right_needs_all_three_and_is_in_no_star() -> None:
    right, star = "slipring/draft-read", "user/*.cruds"
    assert right in reach([right], [right], [right])
    for asked, client, roles in (([star], [right], [right]), ([right], [star], [right]), ([right], [right], [star])):
        assert right not in reach(asked, client, roles)


def test_an_application_of_everything_gets_no_more_than_the_role() -> None:
    for role in the_roles().people():
        found = reach(["user/*.cruds"], ["user/*.cruds"], role.scopes)
        given, held = Caller("x", frozenset(found)), Caller("x", frozenset(role.scopes))
        for kind in ("Patient", "DiagnosticReport", "Practitioner", "MedicationAdministration"):
            assert [given.allows(kind, one) for one in "cruds"] == [held.allows(kind, one) for one in "cruds"]
