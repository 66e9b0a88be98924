"""The pages tell the truth: what they name is there, and the generated one is current."""

import re
import subprocess
from pathlib import Path

import pytest

from lotuslake.config.variables import SETTINGS, variable
from lotuslake.core.errors import ExitCode
from tests.support.manifests import OVERLAYS, ROOT, TARGETS, build
from tests.support.pages import PAGES, anchors, braces
from tools.docs.cli_reference import render

LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
# Names that a person or a controller makes, not our manifests.
MADE_ELSEWHERE = {
    *("lotuslake-age", "lotuslake-git", "lotuslake-signers", "lotuslake-postgres-rw", "lotuslake-postgres-ca"),
    *("lotuslake-postgres-2", "lotuslake-postgres-2-ca", "lotuslake-postgres-3", "lotuslake-postgres-1"),
}
# Files that a command of a page makes.
MADE_FILES = {"manifests/foundation/prod/airbyte-state.enc.yaml"}


@pytest.fixture(params=PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_page_is_looked_at() -> None:
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    assert {ROOT / name for name in names} == set(PAGES)


def test_the_command_line_page_is_current() -> None:
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == render(), "run `make docs`"


def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            broken.append(link)
    assert broken == []


def test_every_file_that_is_named_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w/.-])((?:manifests|docker|tools|\.github|\.ci)/[\w./{},*-]*[\w/}])", text))
    paths = {path for name in named for path in braces(name)}
    paths = {path for path in paths if "generated" not in path} - MADE_FILES
    missing = [path for path in sorted(paths) if not list(ROOT.glob(path.rstrip("/")))]
    assert missing == []


def test_every_name_in_the_cluster_is_there(page: Path) -> None:
    """`lotuslake-…` in backticks or in a command is a resource that the manifests make."""
    known = {document["metadata"]["name"] for target in TARGETS for document in build(target)} | MADE_ELSEWHERE
    known |= {f"{name}-rw" for name in known}
    text = re.sub(r"lotuslake-\$\w+|lotuslake-[a-z]+\.example", "", page.read_text(encoding="utf-8"))
    assert set(re.findall(r"\blotuslake-(?:[a-z0-9]+-?)+\b", text)) - known == set()


def test_no_name_is_left_of_an_overlay_that_is_not_there() -> None:
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    assert set(re.findall(r"manifests/overlays/(\w+)", text)) <= set(OVERLAYS)


def test_every_setting_has_its_line() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in map(variable, SETTINGS) if f"| `{name}` |" not in text] == []


def test_every_exit_code_has_its_line() -> None:
    text = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    assert [int(code) for code in ExitCode if f"\n| {int(code)} |" not in text] == []
