"""Answers by text message and keypad: the front takes them from the gateway and looks at the PIN."""

from __future__ import annotations

from slipring.fhir.service import Operation, Parameter

from slipring_critical.answering import replies

_CONVERSATION = Parameter(
    "conversation", "string", min=1, documentation="Who talks, as the gateway knows him: his number, or the call's id."
)
_TAKEN_ONCE = "The gateway's id of the message; taken once."
_CODE = Parameter("code", "string", documentation="The code of the message that is answered; in the first reply.")

REPLIES = (
    Operation(
        "Task",
        "conversation",
        replies.conversation,
        level="type",
        title="What a conversation by text message or keypad waits for",
        affects_state=False,
        tells=("Communication",),
        parameters=(
            Parameter("message", "string", documentation=_TAKEN_ONCE),
            _CONVERSATION,
            _CODE,
            Parameter("expects", "code", "out", 1, documentation="code | pin | tail | choice | nothing"),
            Parameter("attempt", "Reference", "out", documentation="The message that is answered."),
            Parameter("owner", "Reference", "out", documentation="Whose route it went to, where that is one person."),
            Parameter("who", "Reference", "out", documentation="Who has identified himself."),
        ),
    ),
    Operation(
        "Task",
        "reply",
        replies.replied,
        level="type",
        title="A reply by text message or keypad",
        parameters=(
            Parameter("message", "string", min=1, documentation=_TAKEN_ONCE),
            _CONVERSATION,
            _CODE,
            Parameter("medium", "code", min=1, documentation="The channel that it came by: sms, voice, ..."),
            Parameter("said", "string", documentation="The rest of it, without the PIN."),
            Parameter("left", "integer", documentation="After a wrong PIN: how many more the message stands."),
            Parameter("say", "string", "out", 1, documentation="What is said back; never about whom."),
            Parameter("expects", "code", "out", 1, documentation="code | pin | tail | choice | nothing"),
        ),
    ),
)
