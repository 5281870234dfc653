"""What an operation on a report was asked with: the report, the role, the signature; what is lacking is refused by name."""

from __future__ import annotations

from slipring.fhir.outcome import conflict, invalid
from slipring.fhir.service import Call, Stored
from slipring.signing.policy import ROLES

OPEN = ("partial", "preliminary")


def target(call: Call) -> Stored:
    """The report that an operation was called on."""
    if call.target is None:
        raise invalid(
            "This operation is called on one report.",
            "该操作须针对一份报告调用。",
            detail="report.one-report",
        )
    return call.target


def open_report(call: Call) -> Stored:
    """A report that still takes signatures; 409 for any other."""
    report = target(call)
    if report.resource["status"] not in OPEN:
        raise conflict(
            f"A report that is {report.resource['status']} takes no signature; {' and '.join(OPEN)} do.",
            f"状态为 {report.resource['status']} 的报告不能签名；{' 与 '.join(OPEN)} 可以。",
            at="DiagnosticReport.status",
            detail="report.takes-no-signature",
        )
    return report


def role_asked(call: Call) -> str:
    """In which role the signature is given."""
    role = call.value("role")
    if role not in ROLES:
        raise invalid(
            "role is author, reviewer or chief.",
            "role 须为 author、reviewer 或 chief。",
            at=call.at("role"),
            detail="report.role-unknown",
        )
    return str(role)


def jws_asked(call: Call) -> str:
    """The signature handed in."""
    jws = call.value("jws")
    if not isinstance(jws, str) or not jws:
        raise invalid(
            "jws is a detached compact JWS.",
            "jws 须为分离式紧凑 JWS。",
            at=call.at("jws"),
            detail="report.jws-malformed",
        )
    return jws
