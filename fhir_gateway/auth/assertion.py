"""The signed JWT by which an application says who it is (RFC 7523), with fresh claims each time.

Written here because the defaults of OAuth libraries are refused by NHS England: they sign for an
hour, and repeat the jti of the first call with the second.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from joserfc import jwt

from fhir_gateway.auth.keys import SigningKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Seconds. NHS England takes at most 300 and allows clocks 10; SMART asks for at most 300.
LIFE = 240


def client_assertion(
    key: SigningKey, *, client_id: str, token_url: str, now: datetime, algorithm: str = "RS512"
) -> str:
    """A new assertion; never use one twice: its jti is remembered for 30 days.

    `token_url`: exactly the address it is posted to. `algorithm`: RS512 for NHS England, RS384 for
    SMART Backend Services.
    """
    return jwt.encode(
        {"alg": algorithm, "typ": "JWT", "kid": key.kid},
        {
            "iss": client_id,
            "sub": client_id,
            "aud": token_url,
            "jti": str(uuid.uuid4()),
            "exp": int(now.timestamp()) + LIFE,
        },
        key.key,
        algorithms=[algorithm],
    )
