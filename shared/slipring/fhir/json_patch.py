"""JSON Patch (RFC 6902) on the text of a resource: what the patch leaves alone keeps its characters.

Bounded: the number of operations, how deep they nest, and how much they copy. Each fault names its operation, e.g.
`[2].path`: a malformed patch is 400, one that does not fit the resource 422.
"""

from __future__ import annotations

from typing import Any

import jsonpatch
import jsonpointer

from slipring.fhir.outcome import FhirError, invalid, refusal, unprocessable
from slipring.fhir.strict import DEFAULT_DEPTH, parse_as_written
from slipring.fhir.text import as_written, patched_text

Tree = dict[str, Any]
MOST_OPERATIONS = 1000
MOST_COPIED = 1_000_000  # values that all operations together may add, copy, move or compare
_MEMBERS = {  # RFC 6902, 4; `append` of the library is none of them
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "from"),
    "copy": ("path", "from"),
    "test": ("path", "value"),
}
# What the server owns, and the type and identity of the resource.
_FIXED = (("resourceType",), ("id",), ("meta", "versionId"), ("meta", "lastUpdated"))


class Patch:
    """A JSON Patch that is well-formed, ready to be applied to any resource."""

    def __init__(self, operations: list[Tree]) -> None:
        self._operations = operations

    @staticmethod
    def read(body: bytes, max_bytes: int) -> Patch:
        """Read a received patch; 400 at the operation that is malformed."""
        listed = parse_as_written(body, max_bytes=max_bytes)
        if not isinstance(listed, list):
            raise invalid(
                "A JSON Patch is an array of operations.",
                "JSON Patch 须为操作数组。",
                detail="kernel.json-patch-array-operations",
            )
        if len(listed) > MOST_OPERATIONS:
            raise refusal(
                413,
                "too-costly",
                f"A patch may hold at most {MOST_OPERATIONS} operations.",
                f"补丁最多含 {MOST_OPERATIONS} 个操作。",
                detail="kernel.patch-hold-most-operations",
            )
        for position, operation in enumerate(listed):
            _well_formed(operation, f"[{position}]")
        return Patch(listed)

    def applied(self, text: str) -> str:
        """The text of the resource after all operations."""
        before = parse_as_written(text.encode())
        after: Any = parse_as_written(text.encode())
        spent = 0
        for position, operation in enumerate(self._operations):
            place = f"[{position}]"
            spent += _weight(operation, after, place)
            if spent > MOST_COPIED:
                raise refusal(
                    413,
                    "too-costly",
                    "The patch copies too much.",
                    "补丁复制的内容过多。",
                    at=f"{place}.path",
                    detail="kernel.patch-copies-too-much",
                )
            after = _applied(operation, after, place)
            _refuse_fixed(before, after, place)
        return patched_text(text, before, after)


def _well_formed(operation: Any, place: str) -> None:
    if not isinstance(operation, dict):
        raise invalid(
            "An operation is a JSON object.", "操作须为 JSON 对象。", at=place, detail="kernel.operation-json-object"
        )
    name = operation.get("op")
    if not isinstance(name, str) or name not in _MEMBERS:
        known = ", ".join(_MEMBERS)
        raise invalid(
            f"op must be one of {known}.", f"op 须为 {known} 之一。", at=f"{place}.op", detail="kernel.patch-op-unknown"
        )
    for member in _MEMBERS[name]:
        if member not in operation:
            raise invalid(
                f"{name} needs {member}.",
                f"{name} 缺少 {member}。",
                at=f"{place}.{member}",
                detail="kernel.patch-member-missing",
            )
        if member != "value":
            _pointer(operation[member], f"{place}.{member}")


def _pointer(written: Any, at: str) -> None:
    try:
        if not isinstance(written, str):
            raise jsonpointer.JsonPointerException
        parts = jsonpointer.JsonPointer(written).parts
    except jsonpointer.JsonPointerException:
        raise invalid(
            "This is not a JSON Pointer (RFC 6901).",
            "这不是 JSON Pointer（RFC 6901）。",
            at=at,
            detail="kernel.not-json-pointer-rfc",
        ) from None
    if len(parts) > DEFAULT_DEPTH:
        raise invalid(
            f"The pointer has more than {DEFAULT_DEPTH} steps.",
            f"指针超过 {DEFAULT_DEPTH} 级。",
            at=at,
            detail="kernel.pointer-more-than-steps",
        )


def _weight(operation: Tree, tree: Any, place: str) -> int:
    """How many values this operation handles; 400 when it would nest them too deep."""
    if "value" in operation:
        value = operation["value"]
    elif operation["op"] in ("copy", "move"):
        value = jsonpointer.JsonPointer(operation["from"]).resolve(tree, None)
    else:
        return 1
    steps = len(jsonpointer.JsonPointer(operation["path"]).parts)
    count, level = 1, [value]
    for _ in range(DEFAULT_DEPTH - steps + 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return count
        count += len(level)
    raise invalid(
        f"The result would be nested deeper than {DEFAULT_DEPTH} levels.",
        f"结果嵌套将超过 {DEFAULT_DEPTH} 层。",
        at=f"{place}.path",
        detail="kernel.result-would-nested-deeper-than",
    )


def _children(node: Any) -> list[Any]:
    return list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []


def _applied(operation: Tree, tree: Any, place: str) -> Any:
    try:
        return jsonpatch.JsonPatch([operation]).apply(tree, in_place=True)
    except jsonpatch.JsonPatchTestFailed:
        raise unprocessable(
            "The test fails.", "test 不成立。", at=place, code="processing", detail="kernel.test-fails"
        ) from None
    except jsonpatch.InvalidJsonPatch:
        raise invalid(
            "The operation is malformed.", "该操作格式有误。", at=place, detail="kernel.operation-malformed"
        ) from None
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, KeyError, IndexError, TypeError):
        raise _unfitting(operation, tree, place) from None


def _unfitting(operation: Tree, tree: Any, place: str) -> FhirError:
    member = "path"
    if "from" in operation and not _stands(operation["from"], tree):
        member = "from"
    return unprocessable(
        "This place is not in the resource, or cannot be changed so.",
        "资源中没有该位置，或不能如此更改。",
        at=f"{place}.{member}",
        code="processing",
        detail="kernel.place-not-resource-cannot-changed",
    )


def _stands(pointer: str, tree: Any) -> bool:
    try:
        jsonpointer.JsonPointer(pointer).resolve(tree)
    except jsonpointer.JsonPointerException:
        return False
    return True


def _refuse_fixed(before: Tree, after: Any, place: str) -> None:
    for steps in _FIXED:
        if as_written(_at(before, steps)) != as_written(_at(after, steps)):
            name = ".".join(steps)
            raise unprocessable(
                f"{name} cannot be patched.", f"{name} 不可更改。", at=f"{place}.path", detail="kernel.cannot-patched"
            )


def _at(tree: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        tree = tree.get(step) if isinstance(tree, dict) else None
    return tree
