"""Invariants of Bundle and Parameters."""

from __future__ import annotations

from slipring.fhir.checks.invariants.invariant import Node, Predicate, chosen, given, invariant

_ASKING = {"batch", "transaction", "history"}
_ANSWERING = {"batch-response", "transaction-response", "history"}


@invariant("bdl-1", "Bundle")
def total_is_of_a_search(bundle: Node) -> bool:
    """A search or a history."""
    return not given(bundle, "total") or bundle.get("type") in ("searchset", "history")


@invariant("bdl-2", "Bundle")
def search_is_of_a_search(bundle: Node) -> bool | str:
    """Entries say how they matched only in a searchset."""
    if bundle.get("type") == "searchset":
        return True
    return _first(bundle, lambda entry: "search" in entry, ".search")


@invariant("bdl-3", "Bundle")
def entries_ask_where_the_bundle_asks(bundle: Node) -> bool | str:
    """A request in every entry of a batch, transaction or history, and nowhere else."""
    asks = bundle.get("type") in _ASKING
    return _first(bundle, lambda entry: ("request" in entry) != asks, ".request")


@invariant("bdl-4", "Bundle")
def entries_answer_where_the_bundle_answers(bundle: Node) -> bool | str:
    """A response in every entry of an answer or history, and nowhere else."""
    answers = bundle.get("type") in _ANSWERING
    return _first(bundle, lambda entry: ("response" in entry) != answers, ".response")


@invariant("bdl-5", "BundleEntry")
def entry_holds_something(entry: Node) -> bool:
    """A resource, unless there is a request or a response."""
    return "resource" in entry or "request" in entry or "response" in entry


@invariant("bdl-7", "Bundle")
def full_urls_are_unique(bundle: Node) -> bool | str:
    """Unless the versions differ, or it is a history."""
    if bundle.get("type") == "history":
        return True
    seen: set[tuple[str, str]] = set()
    for position, entry in enumerate(bundle.get("entry", ())):
        if "fullUrl" in entry:
            meta = entry.get("resource", {}).get("meta", {})
            version = str(meta.get("versionId", "")) if isinstance(meta, dict) else ""
            if (entry["fullUrl"], version) in seen:
                return f".entry[{position}].fullUrl"
            seen.add((entry["fullUrl"], version))
    return True


@invariant("bdl-8", "BundleEntry")
def full_url_names_no_version(entry: Node) -> bool:
    """It is the resource's address, not a version's."""
    return "/_history/" not in entry.get("fullUrl", "")


@invariant("bdl-9", "Bundle")
def document_is_identified(bundle: Node) -> bool:
    """With system and value."""
    identifier = bundle.get("identifier", {})
    return bundle.get("type") != "document" or (given(identifier, "system") and given(identifier, "value"))


@invariant("bdl-10", "Bundle")
def document_is_dated(bundle: Node) -> bool:
    """By its timestamp."""
    return bundle.get("type") != "document" or "timestamp" in bundle


@invariant("bdl-11", "Bundle")
def document_begins_with_its_composition(bundle: Node) -> bool:
    """The first entry."""
    return bundle.get("type") != "document" or _first_type(bundle) == "Composition"


@invariant("bdl-12", "Bundle")
def message_begins_with_its_header(bundle: Node) -> bool:
    """The first entry."""
    return bundle.get("type") != "message" or _first_type(bundle) == "MessageHeader"


@invariant("inv-1", "ParametersParameter")
def parameter_holds_one_thing(parameter: Node) -> bool:
    """A value, a resource or parts."""
    return ("part" in parameter) + ("resource" in parameter) + chosen(parameter, "value") == 1


def _first_type(bundle: Node) -> str:
    entries = bundle.get("entry") or [{}]
    return str(entries[0].get("resource", {}).get("resourceType", ""))


def _first(bundle: Node, wrong: Predicate, member: str) -> bool | str:
    for position, entry in enumerate(bundle.get("entry", ())):
        if wrong(entry):
            return f".entry[{position}]{member}"
    return True
