"""What sign-in and access refuse, and how the refusal reads."""

from hub.http.problems import ApiError

LOGIN_ATTEMPTS = 5
PAUSE_MINUTES = 15


class LoginFailedError(ApiError):
    """E-mail address or password are wrong; the same words for both."""

    status, title, code = 401, "Sign-in failed", "login_failed"


class LoginPausedError(ApiError):
    """Too many wrong attempts with this e-mail address, whether it is known or not."""

    status, title, code = 429, "Sign-in paused", "login_paused"


class NotSignedInError(ApiError):
    """No access token."""

    status, title, code = 401, "Not signed in", "not_signed_in"


class TokenInvalidError(ApiError):
    """The access token is not one of ours."""

    status, title, code = 401, "Access token refused", "token_invalid"


class TokenExpiredError(ApiError):
    """The access token was ours and is over."""

    status, title, code = 401, "Access token expired", "token_expired"


class SessionOverError(ApiError):
    """The refresh token is missing, over, revoked or was used before."""

    status, title, code = 401, "Session over", "session_over"


class ForeignOriginError(ApiError):
    """The request comes from a page of another site."""

    status, title, code = 403, "Foreign origin", "origin_refused"


class ForbiddenError(ApiError):
    """The reader's role does not reach this."""

    status, title, code = 403, "Not allowed", "forbidden"


class NoParticipantError(ApiError):
    """The account is nobody's who takes part, and the request names no participant."""

    status, title, code = 404, "No participant", "no_participant"
