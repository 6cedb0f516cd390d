"""Errors of sign-in and access control, with their texts."""

from hub.http.problems import ApiError

LOGIN_ATTEMPTS = 5
PAUSE_MINUTES = 15


class LoginFailedError(ApiError):
    """The e-mail address or the password is wrong; the message does not say which."""

    status, title, code = 401, "Sign-in failed", "login_failed"


class LoginPausedError(ApiError):
    """There were too many wrong attempts with this e-mail address, known or not."""

    status, title, code = 429, "Sign-in paused", "login_paused"


class NotSignedInError(ApiError):
    """The request has no access token."""

    status, title, code = 401, "Not signed in", "not_signed_in"


class TokenInvalidError(ApiError):
    """This hub did not issue the access token."""

    status, title, code = 401, "Access token refused", "token_invalid"


class TokenExpiredError(ApiError):
    """The access token has expired."""

    status, title, code = 401, "Access token expired", "token_expired"


class SessionOverError(ApiError):
    """The refresh token is missing, expired, revoked or was used before."""

    status, title, code = 401, "Session over", "session_over"


class ForeignOriginError(ApiError):
    """The request is from another site's page."""

    status, title, code = 403, "Foreign origin", "origin_refused"


class ForbiddenError(ApiError):
    """The user's role may not do this."""

    status, title, code = 403, "Not allowed", "forbidden"


class NoParticipantError(ApiError):
    """The user is no participant, and the request names none."""

    status, title, code = 404, "No participant", "no_participant"
