"""$validate and $meta: what a resource would be told, and the labels it carries (FHIR R4 resource operations)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from slipring.fhir.act import Act, decided, perform
from slipring.fhir.checks.shape import check
from slipring.fhir.intent import Intent
from slipring.fhir.interactions import standing
from slipring.fhir.interactions.asked import Asked
from slipring.fhir.interactions.given import Given
from slipring.fhir.interactions.respond import answer_tree
from slipring.fhir.interactions.standing import Conditions
from slipring.fhir.json_patch import Patch
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, Issue, as_operation_outcome, gone, invalid, not_found
from slipring.fhir.service import Resource
from slipring.fhir.sight import visible
from slipring.fhir.store import reading
from slipring.fhir.store.reading import Row
from slipring.fhir.text import parse

MODES = ("create", "update", "delete", "profile")
_LABELS = ("profile", "security", "tag")


async def validate(kernel: Kernel, context: Context, kind: str, name: str | None, given: Given) -> Response:
    """200 with an OperationOutcome, whatever it says; nothing is stored and no handler is asked."""
    pairs = given.pairs("mode", "profile")
    modes = [value for key, value in pairs if key == "mode"]
    mode = modes[-1] if modes else "profile"
    if mode not in MODES:
        known = ", ".join(MODES)
        raise invalid(
            f"mode must be one of {known}.", f"mode 须为 {known} 之一。", at="mode", detail="kernel.mode-unknown"
        )
    if not any(context.caller.allows(kind, letter) for letter in "cru"):
        context.demand(kind, "c")
    tree = given.resource
    if mode == "delete" or tree is None:
        if name is None:
            raise invalid("A resource is needed.", "须附资源。", at="resource", detail="kernel.resource-needed")
        row = await _standing(kernel, context, kind, name)
        tree = tree or row.stored().resource
    issues = await _deletable(kernel, context, kind, name) if mode == "delete" else []
    if mode != "delete":
        issues = _identity(kind, name, mode, tree)
        issues += check(tree, profiles=[value for key, value in pairs if key == "profile"])
    if not any(issue.severity in ("error", "fatal") for issue in issues):
        well = Issue(
            "informational",
            zh="未发现错误。",
            en="No error was found.",
            severity="information",
        )
        issues = [*issues, well]
    return answer_tree(as_operation_outcome(issues, context.language))


def _identity(kind: str, name: str | None, mode: str, tree: Resource) -> list[Issue]:
    """What a write at this address would say about type and id."""
    found = []
    if tree.get("resourceType") != kind:
        found.append(
            Issue(
                "invalid",
                zh=f"资源不是 {kind}。",
                en=f"The resource is not a {kind}.",
                at="resourceType",
                detail="kernel.validate-type",
            )
        )
    if mode == "update" and "id" not in tree:
        found.append(
            Issue(
                "required",
                zh="更新须含 id。",
                en="An update needs the id.",
                at=f"{kind}.id",
                detail="kernel.validate-id-missing",
            )
        )
    elif mode == "update" and name is not None and tree["id"] != name:
        found.append(
            Issue(
                "invalid",
                zh="id 与地址不一致。",
                en="The id is not that of the address.",
                at=f"{kind}.id",
                detail="kernel.validate-id",
            )
        )
    return found


async def _deletable(kernel: Kernel, context: Context, kind: str, name: str | None) -> list[Issue]:
    try:
        await standing.to_delete(kernel, context, kind, name or "", None, kernel.store.pool)
    except FhirError as error:
        return list(error.issues)
    return []


async def _standing(kernel: Kernel, context: Context, kind: str, name: str) -> Row:
    """The current version, audited as read."""
    context.demand(kind, "r")
    row = await reading.current(kernel.store.pool, kind, name)
    if row is None or row.source or not visible(kernel, context, row):
        raise not_found(f"{kind}/{name}")
    if row.deleted:
        raise gone(row.reference)
    await kernel.store.audits.write(context.audit("read", f"{row.reference}/_history/{row.version}"), kernel.now())
    return row


async def meta(kernel: Kernel, context: Context, kind: str, name: str, given: Given) -> Response:
    """The meta of a resource as Parameters."""
    given.pairs()
    return _told((await _standing(kernel, context, kind, name)).stored().resource.get("meta", {}))


async def change_meta(
    kernel: Kernel, context: Context, kind: str, name: str, given: Given, asked: Asked, *, add: bool
) -> Response:
    """$meta-add and $meta-delete: a new version whose labels differ, on the road of a patch (decision 17)."""
    context.demand(kind, "u")
    labels = _labels(given)

    async def decide() -> tuple[Act, None]:
        pool = kernel.store.pool
        act = Act(kernel, context, kernel.desk(context.caller))
        row = await standing.to_patch(kernel, context, kind, name, Conditions.of(asked.headers), pool)
        operations = _operations(row.stored().resource.get("meta", {}), labels, add=add)
        text, tree = parse(Patch(operations).applied(row.text).encode())
        act.intend(Intent("update", tree, text, row.stored()))
        await decided(act, act.handle)
        return act, None

    _, written, _ = await perform(kernel, decide)
    return _told(parse(written[0].text.encode())[1]["meta"])


def _labels(given: Given) -> Resource:
    found = [value for name, value in given.values if name == "meta" and isinstance(value, dict)]
    if len(found) != 1 or len(given.values) != 1 or not set(found[0]) <= set(_LABELS) | {"versionId", "lastUpdated"}:
        raise invalid(
            "One parameter meta with profile, security and tag is needed.",
            "须给出一个 meta 参数，含 profile、security、tag。",
            at="Parameters.parameter.where(name='meta')",
            detail="kernel.meta-needed",
        )
    issues = check({"resourceType": "Basic", "code": {"text": "labels"}, "meta": found[0]})
    if any(issue.severity in ("error", "fatal") for issue in issues):
        at = "Parameters.parameter.where(name='meta').value"
        raise FhirError(
            400, [Issue(i.code, i.zh, i.en, i.at.replace("Basic.meta", at, 1), detail=i.detail) for i in issues]
        )
    return {name: found[0][name] for name in _LABELS if name in found[0]}


def _operations(standing_meta: Resource, labels: Resource, *, add: bool) -> list[Resource]:
    """The patch that leaves the labels as they shall be; a coding is the same by system and code."""
    operations: list[Resource] = []
    for name, given in labels.items():
        present = list(standing_meta.get(name, []))
        named = {_key(label) for label in given}
        if add:
            held = {_key(label) for label in present}
            wanted = present + [label for label in given if _key(label) not in held]
        else:
            wanted = [label for label in present if _key(label) not in named]
        if wanted != present:
            path = f"/meta/{name}"
            operations.append(
                {"op": "add", "path": path, "value": wanted} if wanted else {"op": "remove", "path": path}
            )
    return operations


def _key(label: Any) -> tuple[str, str]:
    return (label.get("system", ""), label.get("code", "")) if isinstance(label, dict) else ("", str(label))


def _told(labels: Resource) -> Response:
    return answer_tree({"resourceType": "Parameters", "parameter": [{"name": "return", "valueMeta": labels}]})
