"""Text that a program writes into a page between two marks; what stands around it is written by hand."""


def replaced(page: str, begin: str, end: str, content: str) -> str:
    """Returns the page with ``content`` in place of what stood between the marks.

    Raises:
        SystemExit: a mark is missing, or is there more than once.
    """
    if page.count(begin) != 1 or page.count(end) != 1:
        raise SystemExit(f"the page needs the lines {begin} and {end} once each, around what is written there")
    head, rest = page.split(begin)
    return f"{head}{begin}\n\n{content}\n\n{end}{rest.split(end)[1]}"
