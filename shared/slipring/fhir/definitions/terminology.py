"""R4's terminology operations as far as they are offered, and so which parameters each takes."""

from __future__ import annotations

from slipring.fhir.definitions.standard import StandardOperation
from slipring.fhir.service import Parameter

_URL = Parameter("url", "uri", documentation="Canonical address, unless the call names the resource by its id")
_CODE = Parameter("code", "code")
_SYSTEM = Parameter("system", "uri", documentation="The system of the code")
_CODING = Parameter("coding", "Coding", documentation="Instead of code and system")
_CONCEPT = Parameter("codeableConcept", "CodeableConcept", documentation="Several codings, of which one may fit")
_DISPLAY = Parameter("display", "string", documentation="Must be the name of the code, in Chinese or English")
_RESULT = Parameter("result", "boolean", "out", min=1)
_MESSAGE = Parameter("message", "string", "out", documentation="Why not, in both languages")
_NAMED = Parameter("display", "string", "out", documentation="The name of the code")

TERMINOLOGY = (
    StandardOperation(
        "ValueSet-expand", "expand", "Expand a value set", "ValueSet", True, True,
        (
            _URL,
            Parameter("filter", "string", documentation="Part of a code or of a name"),
            Parameter("offset", "integer"),
            Parameter("count", "integer"),
            Parameter("return", "ValueSet", "out", min=1),
        ),
    ),
    StandardOperation(
        "ValueSet-validate-code", "validate-code", "Is a code in a value set", "ValueSet", True, True,
        (_URL, _CODE, _SYSTEM, _DISPLAY, _CODING, _CONCEPT, _RESULT, _MESSAGE, _NAMED),
    ),
    StandardOperation(
        "CodeSystem-lookup", "lookup", "Look a code up", "CodeSystem", True, False,
        (
            _CODE,
            _SYSTEM,
            _CODING,
            Parameter("name", "string", "out", min=1, documentation="The name of the code system"),
            Parameter("version", "string", "out"),
            Parameter("display", "string", "out", min=1),
            Parameter(
                "designation", "BackboneElement", "out", max="*", documentation="Names in other languages",
                parts=(Parameter("language", "code", "out"), Parameter("value", "string", "out", min=1)),
            ),
        ),
    ),
    StandardOperation(
        "CodeSystem-validate-code", "validate-code", "Is a code in a code system", "CodeSystem", True, True,
        (_URL, _CODE, _DISPLAY, _CODING, _CONCEPT, _RESULT, _MESSAGE, _NAMED),
    ),
    StandardOperation(
        "ConceptMap-translate", "translate", "Translate a code by a map", "ConceptMap", True, True,
        (
            _URL, _CODE, _SYSTEM, _CODING, _CONCEPT,
            Parameter("targetsystem", "uri", documentation="Only codes of this system"),
            _RESULT,
            _MESSAGE,
            Parameter(
                "match", "BackboneElement", "out", max="*",
                parts=(
                    Parameter("equivalence", "code", "out", min=1),
                    Parameter("concept", "Coding", "out"),
                    Parameter("source", "uri", "out", documentation="The map that says so"),
                ),
            ),
        ),
    ),
)  # fmt: skip
