"""The pure half of people: the role table, growing waits, and which passwords are good enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.caller import grant_of
from slipring.fhir.definitions.catalogue import TYPES
from slipring.fhir.service import CANONICAL
from slipring.front.owners import the_owners
from slipring.identity.people.accounts import Account, NotAnAccount, checked
from slipring.identity.people.figures import the_figures
from slipring.identity.people.lockout import Tries, counted
from slipring.identity.people.passwords import Passwords, new_initial_password, wrong_with
from slipring.identity.people.roles import the_roles
from slipring.identity.scopes import well_formed
from slipring.verdicts.history import CHECK, VERDICT

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
FIGURES = the_figures()
ROLES = the_roles()


def account(*roles: str, **others: object) -> Account:
    members = {"password_hash": "", "must_change": True, "state": "active", **others}
    return Account("name", "Practitioner/o-1", list(roles), **members)  # type: ignore[arg-type]


def test_the_table_has_the_roles_of_the_department() -> None:
    assert set(ROLES.roles) == {
        "requester", "ward-nurse", "receptionist", "technologist", "ct-nurse", "radiologist-a", "radiologist-b",
        "radiologist-c", "radiologist-d", "radiologist-e", "quality-manager", "assessor", "administrator", "his", "pacs",
    }  # fmt: skip
    assert {code for code, role in ROLES.roles.items() if not role.person} == {"his", "pacs"}
    assert {role.confidence for role in ROLES.roles.values()} <= {"S", "R", "U"}


def test_every_scope_of_the_table_is_one_we_grant_on_a_type_that_somebody_keeps_or_declares() -> None:
    for role in ROLES.roles.values():
        context = "user" if role.person else "system"
        for scope in (*role.scopes, *role.emergency):
            assert well_formed(scope), scope
            grant = grant_of(scope)
            if grant is None:
                assert scope in ROLES.rights, f"{scope} has no words"
            else:
                assert grant.context == context
                assert grant.type in ("*", *the_owners().types, *TYPES), scope


def holders(scope: str) -> set[str]:
    return {code for code, role in ROLES.roles.items() if role.person and scope in role.scopes}


def test_the_extra_rights_are_held_by_those_the_house_says() -> None:
    radiologists = {f"radiologist-{level}" for level in "abcde"}
    assert holders("slipring/record-late") == {"technologist", "ct-nurse", *radiologists}
    assert holders("slipring/draft-read") == {"technologist", "ct-nurse", "quality-manager", *radiologists}
    assert holders("may-receive-critical") == {"requester", *(radiologists - {"radiologist-a"})}
    assert holders("slipring/administer") == {"administrator"}
    assert not holders("slipring/import")


def test_an_administrator_sees_no_clinical_data_and_an_assessor_changes_nothing() -> None:
    administrator = [grant for grant in map(grant_of, ROLES.roles["administrator"].scopes) if grant]
    assert {grant.type for grant in administrator} == {"Practitioner", "PractitionerRole", "Organization", "Location"}
    assessor = [grant for grant in map(grant_of, ROLES.roles["assessor"].scopes) if grant]
    assert {(grant.type, grant.letters) for grant in assessor} == {("DocumentReference", "rs"), ("MeasureReport", "rs")}
    assert not any(grant.whole for grant in assessor) and not ROLES.roles["assessor"].emergency
    limits = {text for grant in assessor for _, text in grant.parameters}
    assert limits == {f"{CANONICAL}/CodeSystem/sample-document|", f"{CHECK},{VERDICT}"}, "as those who write them say"


@pytest.mark.parametrize(
    "wrong",
    [
        account(),
        account("cook"),
        account("his"),
        account("assessor"),
        account("assessor", ends_at=NOW + timedelta(days=31)),
        account("administrator", "radiologist-b"),
    ],
)
def test_what_is_no_account_is_refused(wrong: Account) -> None:
    with pytest.raises(NotAnAccount):
        checked(wrong, ROLES, NOW)


def test_an_assessor_for_some_days_is_an_account() -> None:
    assert checked(account("assessor", ends_at=NOW + timedelta(days=30)), ROLES, NOW).usable(NOW)
    assert not account("assessor", ends_at=NOW).usable(NOW)


@given(st.lists(st.integers(0, 7200), max_size=60))
def test_waits_grow_and_nobody_may_guess_more_often_than_the_figures_say(gaps: list[int]) -> None:
    tries, now, looked_at = Tries(), NOW, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        locked = tries.locked(now)
        tries, may = counted(tries, now, FIGURES)
        assert may is not locked
        if may:
            looked_at.append(now)
    for place in range(FIGURES.free_failures + 1, len(looked_at)):
        beyond = min(place - FIGURES.free_failures, len(FIGURES.delays))
        assert looked_at[place] - looked_at[place - 1] >= FIGURES.delays[beyond - 1]
    assert list(FIGURES.delays) == sorted(FIGURES.delays)


def test_a_try_while_locked_prolongs_nothing() -> None:
    locked = Tries(5, NOW, NOW + timedelta(seconds=60))
    assert counted(locked, NOW + timedelta(seconds=59), FIGURES) == (locked, False)
    assert counted(locked, NOW + timedelta(seconds=60), FIGURES)[1]


def test_a_day_without_tries_forgets_them() -> None:
    after, _ = counted(Tries(20, NOW, NOW + timedelta(hours=1)), NOW + timedelta(hours=24), FIGURES)
    assert after.failures == 1


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("fourteen chars", "too-short"),
        ("x" * 129, "too-long"),
        ("ababababababababab", "guessable"),
        ("Password12345678!", "guessable"),
        ("Ｐａｓｓｗｏｒｄ１２３４５６７８", "guessable"),
        ("nurse.bai nurse.bai", "guessable"),
        ("qwertyuiopasdfghjkl", "guessable"),
    ],
)
def test_a_password_that_guessers_try_first_is_refused(password: str, code: str) -> None:
    issue = wrong_with(password, "nurse.bai", FIGURES)
    assert issue is not None
    assert issue.detail == f"identity.password-{code}"


@pytest.mark.parametrize(
    "password", ["nine quiet rings of copper", "春眠不觉晓处处闻啼鸟夜来风雨声", "x7$kQ!m2#vR9@pL4"]
)
def test_a_sentence_is_a_good_password_without_rules_of_composition(password: str) -> None:
    assert wrong_with(password, "nurse.bai", FIGURES) is None


def test_first_passwords_are_good_and_never_the_same() -> None:
    made = [new_initial_password() for _ in range(50)]
    assert len(set(made)) == 50
    assert all(wrong_with(one, "name", FIGURES) is None for one in made)


async def test_a_hash_fits_its_password_however_the_keyboard_composed_it() -> None:
    passwords = Passwords(FIGURES)
    kept = await passwords.kept("crème brûlée im Garten")
    assert kept.startswith("$argon2id$")
    assert await passwords.fits(kept, "cre\u0300me bru\u0302le\u0301e im Garten")
    assert not await passwords.fits(kept, "creme brulee im Garten")
    assert not await passwords.fits("", "anything")
    assert not passwords.outdated(kept)
    assert passwords.outdated(kept.replace(f"m={FIGURES.memory_kib}", "m=8192"))
