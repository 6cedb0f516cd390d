"""The pages that a reader begins with are true to the tree: paths, rooms and their order, decisions, words."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.tree import ROOT, tracked

DOCS = ROOT / "docs"
DECISIONS = DOCS / "decisions"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *(ROOT / folder / "README.md" for folder in ("ansible", "programs")),
    *sorted(page for folder in (".", "operations", "decisions") for page in (DOCS / folder).glob("*.md")),
]
"""Each path that these name exists."""
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
QUOTED = re.compile(r"`([^`\n]+)`")
DRAWN = re.compile(r"(?:^|(?<=[\s(]))[\w.-]+(?:/[\w.*-]+)+/?", re.MULTILINE)
"""A path in a fenced block, which has no backticks around it."""
SOURCE = (".py", ".rs", ".sql", ".ts", ".tsx", ".css", ".yaml")
"""A name that ends so is a file of ours, even without its folder."""
BESIDE = (".", "firmware-sim", "docs", "programs", "edge", "hub")
"""The folders that a path may leave out, besides the page's own."""

FILES = {path.relative_to(ROOT).as_posix() for path in tracked()}
FOLDERS = {parent.as_posix() for name in FILES for parent in Path(name).parents}
BUILT = {"hub/static", "hub/static/index.html"}
"""What a build makes and git does not keep."""
TOP = {name.split("/")[0] for name in FILES} | {"firmware_sim"}


KNOWN = "\n".join(FILES | FOLDERS | BUILT)


def exists(name: str, page: Path) -> bool:
    """Whether a file or folder of the repository has this name; ``*`` and words in capitals stand for any text."""
    begins = [page.parent.relative_to(ROOT).as_posix(), *BESIDE]
    before = "|".join(re.escape(f"{begin}/") for begin in begins if begin != ".")
    bare = re.escape(name.rstrip("/"))
    pattern = re.sub(r"\\\*|(?<![A-Za-z])[A-Z]{2,}(?:_[A-Z]+)*(?![A-Za-z])", "[^/\\n]*", bare)
    anywhere = ".*/|" if "/" not in name else ""
    return re.search(f"^(?:{anywhere}{before})?(?:{bare}|{pattern})$", KNOWN, re.MULTILINE) is not None


def is_ours(name: str) -> bool:
    """Whether a quoted name means a path of the repository, and not a URL, a topic or a file of the reader's."""
    if not re.fullmatch(r"[\w.*/-]+", name) or name.startswith("/"):
        return False
    return name.endswith(SOURCE) or ("/" in name and name.split("/", maxsplit=1)[0] in TOP)


def names(text: str) -> Iterator[str]:
    """Every path of the repository that a page quotes or draws."""
    for block in FENCE.findall(text):
        yield from (name for name in DRAWN.findall(block) if is_ours(name))
    for quoted in QUOTED.findall(FENCE.sub("", text)):
        yield from (word for word in quoted.split() if is_ours(word))


def links(text: str) -> Iterator[str]:
    """Every link to another file."""
    yield from (link for link in LINK.findall(FENCE.sub("", text)) if "://" not in link and not link.startswith("#"))


def anchors(path: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(text: str, page: Path) -> list[str]:
    """What a page names and the repository does not have."""
    wrong = [name for name in names(text) if not exists(name, page)]
    for link in links(text):
        target, _, anchor = link.partition("#")
        place = (page.parent / target).resolve()
        known = place.is_relative_to(ROOT) and place.relative_to(ROOT).as_posix() in FILES | FOLDERS
        if not known or (anchor and anchor not in anchors(place)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    wrong = broken(page.read_text(), page)
    assert not wrong


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "docs/operations/hub.md", "docs/operations/gateway.md"])
def test_what_a_page_names_is_in_the_code(name: str) -> None:
    """Functions, constants, settings, codes, metrics: a renamed one would send a reader searching."""
    word = re.compile(r"_?[a-z]+(?:_[a-z0-9]+)+|_[a-z]+|[A-Z][a-z]+(?:[A-Z][a-z]+)*|[A-Z]+(?:_[A-Z]+)+|[A-Z]{4,}")
    quoted = QUOTED.findall(FENCE.sub("", (ROOT / name).read_text()))
    named = {text for text in quoted if word.fullmatch(text)} - {"NNNN"}
    sources = [
        path for path in tracked() if path.suffix in {".py", ".rs", ".ts", ".tsx"} and path.name != "test_docs.py"
    ]
    code = "\n".join(path.read_text() for path in sources)
    gone = {text for text in named if not re.search(rf"\b{text.removeprefix('PEERWATT_HUB_')}\b", code, re.IGNORECASE)}
    assert len(named) > 5
    assert not gone


def test_a_path_that_is_gone_is_found() -> None:
    """The tests above would pass on pages of which nothing is read."""
    text = """
    `hub/gone.py`, `gone.py`, `hub/ROOM/gone.py`, [a page](gone.md), [a heading](../CHANGELOG.md#gone)
    `make gone`, `GET /gone/too`, `tele/ID/GONE`, https://gone.example/gone.py
    """
    drawn = "\n```\n edge/wire/gone.py *  -> hub/*/gone.py\n```\n"
    right = "`hub/cli.py`, `hub/ROOM/endpoints.py`, `firmware_sim/cli.py`, `glossary.md`, [a page](../README.md)"
    assert broken(text + drawn + right, DOCS / "page.md") == [
        "edge/wire/gone.py", "hub/*/gone.py", "hub/gone.py", "gone.py", "hub/ROOM/gone.py", "gone.md",
        "../CHANGELOG.md#gone",
    ]  # fmt: skip


def layers(room: str) -> list[str]:
    """The layers of ``hub`` or ``edge`` from top to bottom, as import-linter's contract has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (found,) = [contract["layers"] for contract in contracts if contract.get("containers") == [room]]
    return list(found)


@pytest.mark.parametrize("room", ["hub", "edge"])
def test_the_architecture_draws_the_layers_that_hold(room: str) -> None:
    drawn = "\n".join(f" {layer}" for layer in layers(room))
    assert f"```\n{drawn}\n```" in (DOCS / "architecture.md").read_text()


def test_the_map_lists_every_room_in_the_order_of_layers() -> None:
    for package in ("hub", "edge"):
        rooms = [room for layer in layers(package) for room in re.split(r" [:|] ", layer)]
        rows = re.findall(rf"^\| `{package}/(\w+)(?:/|\.py)` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
        assert rows == rooms


def test_the_architecture_names_every_folder_of_the_product() -> None:
    """The rooms themselves are in the layers; here what lies within them."""
    text = (DOCS / "architecture.md").read_text()
    inner = {name for name in FOLDERS if re.fullmatch(r"(?:hub|edge)/.+/.+", name) and not name.startswith("hub/web/")}
    left_out = sorted(name for name in {*inner, "hub/web"} if f"`{name}/`" not in text)
    assert inner
    assert not left_out


def test_every_decision_is_in_the_index_once() -> None:
    index = (DECISIONS / "README.md").read_text()
    pages = sorted(DECISIONS.glob("[0-9]*.md"))
    for page in pages:
        assert index.count(f"| [{page.name[:4]}]({page.name}) |") == 1, page.name
        assert page.read_text().startswith(f"# {page.name[:4]}: "), f"{page.name} begins with its number"
    assert len({page.name[:4] for page in pages}) == len(pages)


def glossary() -> list[tuple[str, list[list[str]]]]:
    """The sections of the glossary, each with the cells of its rows."""
    sections = re.split(r"^## ", (DOCS / "glossary.md").read_text(), flags=re.MULTILINE)[1:]
    tables = []
    for section in sections:
        rows = [line for line in section.splitlines() if line.startswith("|")]
        cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
        tables.append((section.splitlines()[0], [cells[0], *cells[2:]]))
    return tables


def test_the_glossary_has_each_word_once() -> None:
    words = [word.strip("` ") for _, rows in glossary() for row in rows[1:] for word in re.split(r"[,;]", row[0])]
    assert len(words) > 100
    assert sorted(words) == sorted(set(words))


def test_the_tables_of_the_glossary_have_one_form() -> None:
    for section, (head, *rows) in glossary():
        assert head == ["word", "what it is"], section
        assert all(len(row) == len(head) and all(row) for row in rows), section
        first = [row[0].strip("`").lower() for row in rows]
        assert first == sorted(first), section
