"""A Task that says what is wrong with the directory for as long as it is: opened, kept current, done (`Service.alarms`)."""

from __future__ import annotations

from slipring.fhir.service import Desk, Resource, Save, Stored, successor

from slipring_critical.cases.resources import instant


def raised(task: Stored | None, about: Resource, desk: Desk) -> list[Save]:
    """The Task with what is wrong now (`about`: its code, focus and whatever tells it); nothing where it says so already."""
    now, open_since = instant(desk.now), None
    if task is not None and task.resource["status"] == "requested":
        if all(task.resource.get(name) == value for name, value in about.items()):
            return []
        open_since = task.resource["authoredOn"]
    tree: Resource = {
        "resourceType": "Task",
        **about,
        "status": "requested",
        "intent": "order",
        "authoredOn": open_since or now,
        "lastModified": now,
    }
    return [Save({"id": desk.new_id(), **tree}) if task is None else successor(task, **tree)]


def settled(task: Stored | None, desk: Desk) -> list[Save]:
    """Nothing is wrong any more: done."""
    if task is None or task.resource["status"] != "requested":
        return []
    return [successor(task, status="completed", input=None, lastModified=instant(desk.now))]
