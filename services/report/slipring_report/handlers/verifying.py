"""`$verify`: whether every signature on a report, and the service's own seals, still stand."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.service import Call, Changes, Desk, Resource
from slipring.signing.algorithms import registry
from slipring.signing.jws import Judged, judge

from slipring_report.amending.amendment import as_it_will_stand
from slipring_report.handlers.asked import target
from slipring_report.lifecycle import RELEASED, SIGNED
from slipring_report.rendering.html import intact
from slipring_report.rendering.release import seal_faults
from slipring_report.resources import parameters, reference, written
from slipring_report.signatures.chain import chain_of
from slipring_report.signatures.facts import Signature
from slipring_report.signatures.gathering import gathered, signatures_of
from slipring_report.signatures.receipts import receipt_faults
from slipring_report.signatures.stamping import stamp_judged
from slipring_report.signatures.trusting import revocations, trusted


async def verification_asked(call: Call, desk: Desk) -> Changes:
    """Examine every signature on the report again, against its content as it stands now."""
    report = target(call)
    every = await signatures_of(report.reference, desk)
    standing = [each for each in every if each.stands]
    form = (await gathered(report, desk)).form()
    stands_as = f"DiagnosticReport/{as_it_will_stand(report.resource)['id']}"
    trust, revoked = trusted(desk), await revocations(desk)
    previous, answers, good = "", [], []
    for each in every:
        judged = judge(
            each.jws,
            form.payload,
            trust_pem=trust,
            at=each.recorded_at,
            role=each.role,
            prev=previous if each.stands else "",
            algorithms=_algorithms(each, desk),
            revoked=revoked,
        )
        reasons = [reason.code for reason in judged.reasons]
        reasons += ["signer-differs"] if judged.signer not in ("", each.who) else []
        reasons += await receipt_faults(each, stands_as, desk)
        stamp, faults = stamp_judged(each, desk)
        reasons += faults
        if each.stands:
            previous = each.sha256
            good.append(not reasons)
        else:
            reasons = ["voided" if each.voided else "superseded"]
        answers.append(_verified(each, judged, reasons, stamp))
    asked = standing[-1].chain_length if standing else 0  # how many were asked for then, whatever is asked for today
    length = asked or chain_of(report.resource, desk.settings).length
    enough = len(standing) == length if report.resource["status"] in RELEASED else bool(standing)
    whole = report.resource["status"] in SIGNED and enough and all(good)
    sealed = [
        (rendered, await seal_faults(rendered, report.reference, form.sha256, [e.sha256 for e in standing], desk))
        for rendered in report.resource.get("presentedForm", [])
    ]
    whole = whole and all(intact(rendered) and not faults for rendered, faults in sealed)
    answer = parameters(("valid", "Boolean", whole))
    answer["parameter"] += [*answers, *(_sealed(rendered, faults) for rendered, faults in sealed)]
    return Changes(answer=answer)


def _sealed(rendered: Resource, faults: Sequence[str]) -> dict[str, object]:
    """How the service's own seal over a rendering stands."""
    parts: list[dict[str, object]] = [{"name": "valid", "valueBoolean": not faults}]
    parts += [{"name": "when", "valueDateTime": rendered["creation"]}] if "creation" in rendered else []
    return {"name": "seal", "part": [*parts, *({"name": "reason", "valueString": code} for code in faults)]}


def _verified(each: Signature, judged: Judged, reasons: Sequence[str], stamp: Sequence[Resource]) -> dict[str, object]:
    parts: list[dict[str, object]] = [
        {"name": "who", "valueReference": reference(each.who)},
        {"name": "when", "valueDateTime": written(each.recorded_at)},
        {"name": "alg", "valueCode": judged.algorithm or "unknown"},
        {"name": "valid", "valueBoolean": not reasons},
        {"name": "sealed", "valueBoolean": bool(each.seal)},
        *stamp,
    ]
    parts += [{"name": "reason", "valueString": code} for code in reasons]
    return {"name": "signature", "part": parts}


def _algorithms(each: Signature, desk: Desk) -> Sequence[str]:
    """What a signature was allowed then: its sealed receipt says that the department took it; else what is allowed now."""
    return tuple(registry()) if each.seal else tuple(desk.settings.algorithms)
