"""The repository's own CI: it runs what a laptop runs, and nothing in it is pinned by hand."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps(path: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def make_targets(text: str) -> set[str]:
    return set(re.findall(r"^\s*make ([a-z-]+)", text, re.MULTILINE))


def test_every_target_that_is_run_exists() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    run = {target for path in WORKFLOWS for step in steps(path) for target in make_targets(step.get("run", ""))}
    assert run <= known
    assert {"check", "test", "catalog-check", "manifests", "image", "state-check"} <= run


def test_actions_stand_by_major_version_and_renovate_pins_them() -> None:
    used = {step["uses"] for path in WORKFLOWS for step in steps(path) if "uses" in step}
    # After Renovate: the commit, and the version as a comment.
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@(v\d+|[0-9a-f]{40})", one)] == []
    assert "helpers:pinGitHubActionDigests" in (ROOT / "renovate.json").read_text(encoding="utf-8")


def test_permissions_are_the_least() -> None:
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {"contents": "read"}


def test_what_is_signed_is_the_digest() -> None:
    text = (ROOT / ".github" / "workflows" / "image.yml").read_text(encoding="utf-8")
    signed = re.findall(r"cosign (?:sign|attest) .*", text)
    assert len(signed) == 2
    assert all(line.endswith('"$IMAGE@$DIGEST"') for line in signed)


def test_terraform_state_fails(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    check = ["make", "-C", str(tmp_path), "state-check"]
    assert subprocess.run(check, check=False, capture_output=True).returncode == 0
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "terraform.tfstate").touch()
    found = subprocess.run(check, check=False, capture_output=True, text=True)
    assert found.returncode != 0
    assert "manifests/terraform.tfstate" in found.stderr


def actionlint(*files: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "actionlint"
    return subprocess.run([program, *files], capture_output=True, text=True, check=False)


def test_actionlint_finds_nothing() -> None:
    found = actionlint(*WORKFLOWS)
    assert found.returncode == 0, found.stdout


def test_actionlint_finds_a_typo(tmp_path: Path) -> None:
    typo = tmp_path / "ci.yml"
    typo.write_text((ROOT / ".github" / "workflows" / "ci.yml").read_text().replace("runs-on:", "run-on:", 1))
    assert 'unexpected key "run-on"' in actionlint(typo).stdout
