"""Every command of the documentation.

A ```console block is run here, line by line; ```console cluster needs a cluster or an Airbyte, so only its files and names
are looked at (test_pages.py). A ```sh block holds make targets, which the CI runs; no other block holds a command.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import problems
from tests.support.manifests import ROOT
from tests.support.pages import PAGES, Block, blocks
from tests.support.programs import BIN, find_program

A_COMMAND = re.compile(r"^\s*(\$ |(lotuslake|make|kubectl|flux|sops|terraform|docker|export|cd|pip) )", re.MULTILINE)
KNOWN_INFO = {"", "console", "console cluster", "sh", "sql", "json", "yaml", "hcl", "mermaid", "toml", "ini", "python"}
RUN = [page for page in PAGES if any(block.info == "console" for block in blocks(page))]
# Found on a fresh machine or in .venv; a page that uses another is skipped where that is missing.
TOOLS = ("age-keygen", "sops")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the demo's lake, in which a finding is open, and the manifests beside it."""
    folder = tmp_path_factory.mktemp("docs")
    for name in ("streams", "models", "manifests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("target", "logs", ".terraform"))
    shutil.copy(ROOT / ".sops.yaml", folder)
    assert shell("lotuslake demo --scale 0.05", folder).returncode == 0
    (folder / ".lotuslake" / "landing" / "shopify" / "orders" / "bad.parquet").write_bytes(b"PAR1 no parquet PAR1")
    assert shell("lotuslake register shopify/orders", folder).returncode == 5
    return folder


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    foreign = ("LOTUSLAKE_", "AWS_", "PG", "SOPS_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment["PATH"] = f"{BIN}:{environment['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_run_as_they_stand(page: Path, project: Path) -> None:
    commands = [command for block in blocks(page) if block.info == "console" for command in block.commands]
    assert commands
    for tool in TOOLS:
        if any(tool in command for command in commands) and not find_program(tool):
            pytest.skip(f"{tool} is not installed: the commands of {page.name} were not run")
    for command in commands:
        done = shell(command, project)
        # 5: done, and the finding is open.
        assert done.returncode in {0, 5}, f"$ {command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_says_what_it_is(page: Path) -> None:
    assert {block.info for block in blocks(page)} <= KNOWN_INFO


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_command_escapes(page: Path) -> None:
    assert unmarked(blocks(page)) == []


def unmarked(found: list[Block]) -> list[str]:
    """Commands that are neither run here, nor marked, nor a make target."""
    targets = [line for block in found if block.info == "sh" for line in block.commands if not line.startswith("make ")]
    others = [block.body for block in found if not is_shell(block) and A_COMMAND.search(block.body)]
    consoles = [block for block in found if block.info.startswith("console")]
    return targets + others + [block.body for block in consoles if not block.commands]


@pytest.mark.parametrize(
    ("info", "body", "is_unmarked"),
    [
        ("sh", "make test\n", False),
        ("sh", "lotuslake register\n", True),
        ("", "lotuslake register\n", True),
        ("yaml", "$ kubectl get pods\n", True),
        ("console", "lotuslake register\n", True),
        ("console", "$ lotuslake register\n", False),
        ("console cluster", "$ kubectl get pods\n", False),
        ("", "lotuslake/cli   the face\n", False),
    ],
)
def test_a_command_that_escapes_is_noticed(info: str, body: str, is_unmarked: bool) -> None:
    assert bool(unmarked([Block(ROOT / "README.md", info, body)])) is is_unmarked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_subcommand_option_and_target_exists(page: Path) -> None:
    text = "\n".join(command for block in blocks(page) if is_shell(block) for command in block.commands)
    inline = re.findall(r"`((?:lotuslake|make) [^`\n]+)`", page.read_text(encoding="utf-8"))
    assert [problem for line in [*text.splitlines(), *inline] for problem in problems(line)] == []


def is_shell(block: Block) -> bool:
    return block.info in {"sh", "console", "console cluster"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("lotuslake register --dry-run shopify", []),
        ("lotuslake register --dryrun", ["lotuslake register --dryrun"]),
        ("lotuslake registre", ["lotuslake registre"]),
        ("make chekc", ["make chekc"]),
        ('make register ARGS="shopify --dry-run"', []),
        ("kubectl get pods", []),
    ],
)
def test_what_is_not_there_is_noticed(line: str, expected: list[str]) -> None:
    assert problems(line) == expected
