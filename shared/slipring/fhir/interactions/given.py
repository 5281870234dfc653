"""What an operation was given: parameters of the address, a Parameters resource, or a resource by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from slipring.fhir.interactions.asked import PRESENTATION, Asked
from slipring.fhir.interactions.operation import body_of
from slipring.fhir.kernel import Kernel
from slipring.fhir.outcome import invalid
from slipring.fhir.service import Resource

_VALUE = re.compile(r"value[A-Z]")


@dataclass(slots=True)
class Given:
    """Named values in the order they came; `resource` is a body that is no Parameters."""

    values: list[tuple[str, Any]] = field(default_factory=list)
    resource: Resource | None = None

    @staticmethod
    def of(kernel: Kernel, asked: Asked) -> Given:
        """Everything a call brings; a Parameters' `resource` parameter is a resource by itself."""
        values: list[tuple[str, Any]] = [(name, value) for name, value in asked.query if name not in PRESENTATION]
        body = body_of(kernel, asked)
        if body is None or body.get("resourceType") != "Parameters":
            return Given(values, body)
        listed = body.get("parameter", [])
        for parameter in listed if isinstance(listed, list) else []:
            if isinstance(parameter, dict):
                member = next((m for m in parameter if m == "resource" or _VALUE.match(m)), None)
                values.append((str(parameter.get("name")), parameter[member] if member else None))
        resource = next((value for name, value in values if name == "resource" and isinstance(value, dict)), None)
        return Given([(name, value) for name, value in values if name != "resource"], resource)

    def pairs(self, *known: str) -> list[tuple[str, str]]:
        """The values as text, of known names only; 400 for any other."""
        for name, value in self.values:
            if name not in known:
                listed = ", ".join(name for name in known if not name.startswith("_cursor"))
                raise invalid(
                    f"The parameter {name[:64]} means nothing here; known: {listed}.",
                    f"此处没有参数 {name[:64]}；可用：{listed}。",
                    at=name[:64],
                    detail="kernel.parameter-means-nothing",
                )
            if isinstance(value, dict | list) or value is None:
                raise invalid(f"{name} is one plain value.", f"{name} 须为单一值。", at=name, detail="kernel.not-plain")
        return [(name, str(value)) for name, value in self.values]
