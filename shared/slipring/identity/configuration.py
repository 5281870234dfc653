"""What clients read before they begin: SMART App Launch 2.2 and OpenID Connect Discovery 1.0. Pure."""

from __future__ import annotations

from typing import Any

from slipring.identity.keys import TOKEN_ALGORITHM
from slipring.identity.scopes import EXTRA_SCOPES, PERSON_SCOPES
from slipring.identity.token import ASSERTION_ALGORITHMS, PEOPLE_GRANTS

_CAPABILITIES = [
    "launch-standalone",
    "client-public",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
]


def smart_configuration(issuer: str, url: str) -> dict[str, Any]:
    """`/.well-known/smart-configuration`; `url` is the front's own address."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{url}/auth/jwks",
        "authorization_endpoint": f"{url}/auth/authorize",
        "token_endpoint": f"{url}/auth/token",
        "revocation_endpoint": f"{url}/auth/revoke",
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "grant_types_supported": ["client_credentials", *PEOPLE_GRANTS],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "scopes_supported": [
            *sorted(PERSON_SCOPES), "patient/*.cruds", "system/*.cruds", "user/*.cruds", *sorted(EXTRA_SCOPES),
        ],
        "capabilities": _CAPABILITIES,
    }  # fmt: skip


def openid_configuration(issuer: str, url: str) -> dict[str, Any]:
    """`/.well-known/openid-configuration`: where an id_token's keys are, and how it is signed."""
    smart = smart_configuration(issuer, url)
    told = {name: value for name, value in smart.items() if name != "capabilities"}
    return told | {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [TOKEN_ALGORITHM],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser", "sid"],
        "prompt_values_supported": ["none", "login"],
    }
