"""Contact routes proven and tested by those they ring."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_critical.handlers import routes

_STANDS = (
    Parameter("verified", "instant", "out", documentation="When it was last proven."),
    Parameter("until", "instant", "out", documentation="How long the code that is out is good."),
    Parameter("tries", "integer", "out", documentation="Tries left."),
    Parameter("failed", "code", "out", documentation="Why the last message did not arrive."),
)
_ROUTES = (
    Parameter("all", "boolean", documentation="Everybody's, for whoever keeps the directory; else the caller's own."),
    Parameter(
        "route", "", "out", 0, "*", "",
        (
            Parameter("endpoint", "Reference", "out", 1),
            Parameter("channel", "code", "out", 1),
            Parameter("address", "string", "out", 1, documentation="Masked where it is itself a key."),
            Parameter("state", "code", "out", 1, documentation="verified | unverified | overdue | failing"),
            Parameter("mine", "boolean", "out", 1),
            Parameter("owner", "Reference", "out", 0, "*"),
            Parameter("office", "code", "out", 0, "*"),
            *_STANDS,
        ),
    ),
    Parameter("outcome", "OperationOutcome", "out", documentation="Why no route is told, when none is."),
)  # fmt: skip

ROUTES = (
    Operation(
        "Endpoint", "routes", routes.routes_told, level="type", title="My contact routes, and how each stands",
        affects_state=False, parameters=_ROUTES,
    ),
    Operation("Endpoint", "send-code", routes.code_asked, title="Send a code over a contact route", parameters=_STANDS),
    Operation(
        "Endpoint", "confirm", routes.code_said, title="Say the code of a contact route back",
        parameters=(Parameter("code", "string", min=1, documentation="As it came over the route."), *_STANDS),
    ),
    Operation(
        "Endpoint", "answer-test", routes.test_answered, title="Answer the test of a contact route by its link",
        parameters=(Parameter("link", "string", min=1, documentation="The secret at the end of the link."), *_STANDS),
    ),
)  # fmt: skip
