"""`$signing-input`: what is to be signed, and how it reads."""

from __future__ import annotations

import base64

from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_report.checks.asking import told_of_text
from slipring_report.handlers.asked import open_report, role_asked
from slipring_report.rendering.html import as_attachment
from slipring_report.rendering.released import rendered
from slipring_report.resources import parameters, reference, versioned
from slipring_report.signatures.facts import shown
from slipring_report.signatures.gathering import gathered, signatures_of
from slipring_report.signatures.telling import told


async def signing_input_asked(call: Call, desk: Desk) -> Changes:
    """Give what is to be signed and how it reads; nothing is stored."""
    report = open_report(call)
    parts = await gathered(report, desk)
    role_asked(call)
    form = parts.form()
    standing = [each for each in await signatures_of(report.reference, desk) if each.stands]
    page = await rendered(parts, form.sha256, shown(standing), desk)
    return Changes(
        answer=parameters(
            ("payload", "Base64Binary", base64.b64encode(form.payload).decode()),
            ("sha256", "String", form.sha256),
            ("form", "Uri", form.uri),
            ("rendering", "Attachment", as_attachment(page)),
            *[("version", "Reference", reference(versioned(part))) for part in parts.parts],
            *[("previous", "String", each.sha256) for each in standing[-1:]],
            *[
                ("issue", "resource", _not_kept(issue))
                for issue in [*await told(report, desk), *await told_of_text(parts, desk)]
            ],
        )
    )


def _not_kept(issue: Resource) -> Resource:
    return {name: value for name, value in issue.items() if name != "id"}
