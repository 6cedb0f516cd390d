"""The refusal of the plain model."""


class RefusedError(Exception):
    """The model does not allow the action; nothing of it counts."""


def demand(condition: bool) -> None:
    """Refuses the action unless the condition holds.

    Raises: RefusedError, when it does not.
    """
    if not condition:
        raise RefusedError
