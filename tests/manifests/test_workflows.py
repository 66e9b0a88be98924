"""The repository's own CI: it runs what a laptop runs, and nothing in it is pinned by hand."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
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


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


def test_permissions_are_the_least() -> None:
    for path in WORKFLOWS:
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["permissions"] == {"contents": "read"}


def test_what_a_pull_request_runs_may_write_nothing() -> None:
    """Not even from a branch of the repository itself, where GitHub would grant what a job asks for."""
    for path in WORKFLOWS:
        for name, job in jobs(path).items():
            writes = {right for right, level in job.get("permissions", {}).items() if level == "write"}
            if writes:
                assert job.get("if") == "github.event_name == 'push'", f"{path.name}: {name} may write {writes}"
                assert (path.name, name) == ("image.yml", "publish")
            assert all("pull_request_target" not in str(trigger) for trigger in path.read_text().splitlines())


def test_no_job_leaves_its_token_in_the_tree() -> None:
    """What runs afterwards, a package's own code included, would find it in .git/config."""
    for path in WORKFLOWS:
        checkouts = [step for step in steps(path) if step.get("uses", "").startswith("actions/checkout@")]
        assert len(checkouts) == len(jobs(path))
        assert [step for step in checkouts if step.get("with", {}).get("persist-credentials") is not False] == []


def test_what_is_signed_is_the_digest() -> None:
    text = (ROOT / ".github" / "workflows" / "image.yml").read_text(encoding="utf-8")
    signed = re.findall(r"cosign (?:sign|attest) .*", text)
    assert len(signed) == 2
    assert all(line.endswith('"$IMAGE@$DIGEST"') for line in signed)


def test_what_was_signed_is_verified_by_another_job() -> None:
    verify = jobs(ROOT / ".github" / "workflows" / "image.yml")["verify"]
    assert verify["needs"] == "publish"
    assert verify["permissions"] == {"contents": "read", "packages": "read"}
    assert verify["steps"][-1]["run"] == '.ci/verify_image "$IMAGE@$DIGEST" "$REF"'
    release = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
    assert release[True]["pull_request"]["paths"] == ["manifests/overlays/prod/**"]
    assert {"run": "make verify-image"} in release["jobs"]["verify"]["steps"]


FAKE_COSIGN = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in *"--certificate-identity $SIGNED_BY "*) exit 0 ;; esac
echo "no matching signatures" >&2
exit 10
"""
WORKFLOW = "https://github.com/lotus-lake/lotuslake/.github/workflows/image.yml@"


@pytest.mark.parametrize(
    ("signed_by", "is_taken"),
    [
        (f"{WORKFLOW}refs/tags/v0.1.0", True),
        # Another branch, another workflow, another repository, another release.
        (f"{WORKFLOW}refs/heads/main", False),
        ("https://github.com/lotus-lake/lotuslake/.github/workflows/ci.yml@refs/tags/v0.1.0", False),
        ("https://github.com/lotus-lake/lotuslake2/.github/workflows/image.yml@refs/tags/v0.1.0", False),
        (f"{WORKFLOW}refs/tags/v0.1.0-evil", False),
    ],
)
def test_prods_image_is_taken_only_as_signed_by_the_workflow_at_its_tag(
    tmp_path: Path, signed_by: str, is_taken: bool
) -> None:
    cosign, calls = tmp_path / "cosign", tmp_path / "calls"
    cosign.write_text(FAKE_COSIGN)
    cosign.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls), "SIGNED_BY": signed_by}
    done = subprocess.run(
        ["make", "-C", str(ROOT), "verify-image"], env=environment, check=False, capture_output=True, text=True
    )
    assert (done.returncode == 0) is is_taken, done.stderr
    (image,) = yaml.safe_load((ROOT / "manifests/overlays/prod/kustomization.yaml").read_text())["images"]
    for call in calls.read_text().splitlines():
        assert "--certificate-oidc-issuer https://token.actions.githubusercontent.com" in call
        assert call.endswith(f" {image['name']}:{image['newTag']}")
        assert "regexp" not in call


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
