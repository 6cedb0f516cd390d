"""Errors of enrolment and key management, with their texts."""

from hub.errors import PermanentError
from hub.http.problems import ApiError


class UnknownGatewayError(PermanentError):
    """No gateway has this id."""

    code = "gateway_unknown"


class MalformedRequestError(ApiError):
    """A field of an enrolment request has the wrong form."""

    status, title, code = 422, "Enrolment malformed", "malformed"


class TokenUnknownError(ApiError):
    """The token is unknown or for another gateway; the answer is the same on purpose."""

    status, title, code = 403, "Enrolment token refused", "token_unknown"


class TokenExpiredError(ApiError):
    """The token has expired: it lasts an hour."""

    status, title, code = 403, "Enrolment token expired", "token_expired"


class TokenUsedError(ApiError):
    """The token was used for other keys."""

    status, title, code = 409, "Enrolment token used", "token_used"


class ProofInvalidError(ApiError):
    """The sender does not hold the key to be enrolled."""

    status, title, code = 403, "Proof of possession refused", "proof_invalid"


class KeyRevokedError(ApiError):
    """The key was revoked or replaced, and can not be enrolled again."""

    status, title, code = 409, "Key no longer good", "key_revoked"


class KeyNotFoundError(ApiError):
    """The gateway has no such key."""

    status, title, code = 404, "No such key", "key_not_found"
