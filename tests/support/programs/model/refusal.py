"""How the plain model says no."""


class RefusedError(Exception):
    """The model does not allow it; nothing of it counts."""


def demand(condition: bool) -> None:
    """Refuses unless the condition holds."""
    if not condition:
        raise RefusedError
