"""Every measured figure in the documentation stands in a file of docs/figures that says where it was measured."""

import json
import re
from pathlib import Path

import pytest

from bench.slow.__main__ import TARGETS
from docs.reference.figures_page import ROWS, SLOW, figures_page, readme
from docs.reference.measurements import FOLDER, newest, read

ROOT = FOLDER.parents[1]
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
WRITTEN_BY_MAKE = {"docs/figures/README.md", "docs/validator.md", "docs/reference/settings.md", "docs/reference/cli.md"}
MEASURED = re.compile(r"(?i)\b(measured|took|takes|instead of|faster|slower|cost|costs)\b[^.;|]{0,80}?"
                      r"\b\d[\d.,]*\s?(ms|µs|us|s|min|minutes?|seconds?|hours?|MiB|CU|readings/s|/s)\b")  # fmt: skip
CHOSEN = {
    "costs the 13 s to finality",
    "finality takes 13 s",
    "a reply that took 40 ms longer",
    "a decision takes effect 48 hours later",
    "takes frames in is enough: stretches that were seen within 10 s",
    "took longer than 3 s",
}
"""Times that are not measurements: they follow from a setting or from the chain's rules, or are an example."""
ENTRY = {
    "bench": "path", "measured_at": "2026-11-30T04:32:08Z", "others_busy_cores": 0.1, "quick": False,
    "machine": {"cpu": "one", "cores": 2, "commit": "0123456789ab"},
    "figures": {"a": {"unit": "s", "min": 1, "median": 2, "max": 3, "runs": 3, "what": "a"}},
}  # fmt: skip


def test_no_text_gives_a_measured_time_without_its_file() -> None:
    found = {
        f"{text.relative_to(ROOT)}: {match[0]}"
        for text in TEXTS
        if str(text.relative_to(ROOT)) not in WRITTEN_BY_MAKE
        for paragraph in re.split(r"\n\s*\n|\n(?=[-|#])", text.read_text())
        if "docs/figures/" not in paragraph and "../figures/" not in paragraph
        for match in MEASURED.finditer(" ".join(paragraph.split()))
        if not any(match[0] in words for words in CHOSEN)
    }
    assert not found, "measure it with a script of bench/, keep the output in docs/figures and link to its figure there"


def test_every_row_of_the_readme_has_its_file() -> None:
    measurements = list(read().values())
    for row in ROWS:
        assert any(row.figure in one.figures for one in newest(measurements, row.bench)), row
    text = readme()
    assert text == (ROOT / "README.md").read_text(), "run `make docs`"
    assert all(f"`make {target}`" in text for target in SLOW)
    assert set(SLOW) == set(TARGETS)


def test_every_link_to_a_figure_leads_to_one() -> None:
    headings = set(re.findall(r"^## (\w+)$", figures_page(), re.MULTILINE))
    links = {
        (str(text.relative_to(ROOT)), name)
        for text in TEXTS
        for name in re.findall(r"figures/README\.md#(\w+)", text.read_text())
    }
    assert links and not {link for link in links if link[1] not in headings}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, None),
        ({"machine": {"cpu": "one", "cores": 2, "commit": "unknown"}}, "machine.commit"),
        ({"machine": {"cores": 2, "commit": "0123456789ab"}}, "machine.cpu"),
        ({"others_busy_cores": None}, "others_busy_cores"),
        ({"measured_at": None}, "measured_at"),
        ({"quick": True}, "quick"),
        ({"figures": {}}, "holds no figures"),
    ],
)
def test_a_file_says_where_it_was_measured(tmp_path: Path, change: dict[str, object], says: str | None) -> None:
    (tmp_path / "path.json").write_text(json.dumps({**ENTRY, **change}))
    if says is None:
        assert list(read(tmp_path)) == ["path.json"]
        return
    with pytest.raises(SystemExit, match=re.escape(says)):
        read(tmp_path)


def test_a_shells_output_is_no_measurement(tmp_path: Path) -> None:
    (tmp_path / "path.json").write_text("real 0m1.2s\n")
    with pytest.raises(SystemExit, match="is no output of a script in bench/"):
        read(tmp_path)


def test_the_newest_are_those_of_the_commit_that_was_measured_last(tmp_path: Path) -> None:
    older, other = ENTRY | {"measured_at": "2026-11-29T04:32:08Z"}, {"cpu": "one", "cores": 2, "commit": "ba9876543210"}
    for name, entry in (("a", older), ("b", ENTRY), ("c", older | {"machine": other}), ("d", older | {"bench": "x"})):
        (tmp_path / f"{name}.json").write_text(json.dumps(entry))
    measurements = read(tmp_path)
    assert list(measurements)[-1] == "b.json"
    found = newest(measurements.values(), "path")
    assert [one.measured_at.day for one in found] == [29, 30]
