"""For whom is what an act writes: the service's rule, asked once all handlers have decided."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from slipring.fhir.desk import LiveDesk
from slipring.fhir.kernel import Kernel
from slipring.fhir.service import Audience, Save, Write
from slipring.fhir.store.batch import Version

_NOBODY_ELSE: Mapping[str, Audience] = {}


async def audiences_of(
    kernel: Kernel,
    desk: LiveDesk,
    writes: Callable[[], Sequence[Write]],
    saves: Iterable[Save],
    copies: Sequence[Version],
) -> Mapping[str, Audience]:
    """By reference, also of what is not written and changes its audience; nothing where everything is for everybody."""
    rule = kernel.service.audiences
    if rule is None:
        return _NOBODY_ELSE
    asked = [*writes(), *[await _saved(save, desk) for save in saves], *map(_arrived, copies)]
    return await rule(asked, desk) if asked else _NOBODY_ELSE


async def _saved(save: Save, desk: LiveDesk) -> Write:
    """What a handler writes, beside what stands."""
    method: Literal["create", "update", "delete"] = "delete" if save.delete else "update" if save.replaces else "create"
    before = await desk.stood(f"{save.resource['resourceType']}/{save.resource['id']}") if save.replaces else None
    return Write(method, save.resource, before)


def _arrived(copy: Version) -> Write:
    tree = json.loads(copy.text, parse_float=Decimal)
    return Write("delete" if copy.deleted else "update", tree, imported=True)
