"""What enrolment and key management refuse, and how the refusal reads."""

from hub.errors import PermanentError
from hub.http.problems import ApiError


class UnknownGatewayError(PermanentError):
    """No gateway of this name is registered."""

    code = "gateway_unknown"


class MalformedRequestError(ApiError):
    """A field of an enrolment is not what it should be."""

    status, title, code = 422, "Enrolment malformed", "malformed"


class TokenUnknownError(ApiError):
    """No such token, or one for another gateway: the two look alike on purpose."""

    status, title, code = 403, "Enrolment token refused", "token_unknown"


class TokenExpiredError(ApiError):
    """The token was good, an hour ago."""

    status, title, code = 403, "Enrolment token expired", "token_expired"


class TokenUsedError(ApiError):
    """The token has enrolled other keys."""

    status, title, code = 409, "Enrolment token used", "token_used"


class ProofInvalidError(ApiError):
    """Who asks does not hold the key that is to be enrolled."""

    status, title, code = 403, "Proof of possession refused", "proof_invalid"


class KeyRevokedError(ApiError):
    """The key was revoked or replaced and does not come back."""

    status, title, code = 409, "Key no longer good", "key_revoked"


class KeyNotFoundError(ApiError):
    """The gateway has no such key."""

    status, title, code = 404, "No such key", "key_not_found"
