"""Why a decision about a meter's energy is refused."""

from hub.http.problems import ApiError


class NotAttestedError(ApiError):
    """Intervals of the span lie ahead, are not attested yet, or the meter was not part of them."""

    status, title, code = 409, "Not attested", "not_attested"


class TooOldError(ApiError):
    """The span begins before the time in which corrections are possible."""

    status, title, code = 409, "Too old to correct", "too_old_to_correct"


class NotWholeIntervalsError(ApiError):
    """The span does not begin and end with an interval."""

    status, title, code = 422, "Not whole intervals", "not_whole_intervals"


class AboveRatedPowerError(ApiError):
    """More energy than the meter's rated power gives in one of the intervals."""

    status, title, code = 422, "Above the rated power", "above_rated_power"


class NothingToAcceptError(ApiError):
    """Nothing in the span is in doubt that could be accepted."""

    status, title, code = 409, "Nothing to accept", "nothing_to_accept"


class NothingToWithdrawError(ApiError):
    """No decision stands in the span."""

    status, title, code = 409, "Nothing to withdraw", "nothing_to_withdraw"
