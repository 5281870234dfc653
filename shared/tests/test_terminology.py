"""Value sets and code systems by their address: the standard ones whole, declared ones beside them."""

from slipring.fhir.terminology import (
    CodeSystem,
    Concept,
    ValueSet,
    code_system,
    code_systems,
    declare,
    value_set,
    value_set_urls,
    value_sets,
)
from slipring.fhir.terminology.standard import bindings

GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
COLOURS = "https://colours.example/fhir/CodeSystem/colour"


def colours(*codes: str) -> CodeSystem:
    return CodeSystem(COLOURS, "Colours", "Colours", tuple(Concept(COLOURS, code, code.title()) for code in codes))


def test_a_required_binding_has_its_codes_with_their_names() -> None:
    found = value_set(GENDER)
    assert found is not None
    assert ("http://hl7.org/fhir/administrative-gender", "female") in found.codes
    assert found.find("female") == Concept("http://hl7.org/fhir/administrative-gender", "female", "Female")
    assert found.find("female", "http://elsewhere.example") is None


def test_every_required_binding_is_shipped_with_each_code_it_lists() -> None:
    for entry in bindings():
        found = value_set(entry["url"])
        assert found is not None
        assert found.codes == {(i["system"], code) for i in entry["include"] for code in i["codes"]}
        assert all(concept.display for concept in found.concepts)


def test_an_address_may_name_the_version_and_another_version_is_not_ours() -> None:
    assert value_set(f"{GENDER}|4.0.1") == value_set(GENDER)
    assert value_set(f"{GENDER}|5.0.0") is None
    assert value_set("http://nobody.example/ValueSet/x") is None


def test_a_declared_system_is_known_with_the_value_set_of_all_its_codes() -> None:
    declare([colours("red", "green")])
    whole = value_set(COLOURS.replace("/CodeSystem/", "/ValueSet/"))
    assert whole is not None
    assert whole.codes == {(COLOURS, "red"), (COLOURS, "green")}
    assert whole.url in value_set_urls()
    assert code_system(COLOURS) in code_systems()


def test_what_two_services_declare_of_one_system_is_one_system() -> None:
    declare([colours("red", "green")])
    declare([colours("green", "blue")])
    system = code_system(COLOURS)
    assert system is not None
    assert {"red", "green", "blue"} <= set(system.by_code)


def test_a_declared_value_set_may_choose_codes_of_several_systems() -> None:
    mixed = ValueSet(
        "https://colours.example/fhir/ValueSet/mixed",
        "Mixed",
        "Mixed",
        (Concept(COLOURS, "red", "Red"), Concept("http://elsewhere.example", "1", "One")),
    )
    declare(sets=[mixed])
    found = value_set(mixed.url)
    assert found is not None
    assert found.systems == (COLOURS, "http://elsewhere.example")
    assert [concept.code for concept in found.of_system(COLOURS)] == ["red"]


def test_the_list_of_addresses_names_each_value_set_once() -> None:
    urls = value_set_urls()
    assert list(urls) == sorted(set(urls))
    assert [found.url for found in value_sets()] == list(urls)
