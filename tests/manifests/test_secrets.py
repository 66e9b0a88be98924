"""No Secret lies in Git in clear, and the files that hold them can be opened by whoever .sops.yaml names."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.manifests import MANIFESTS, OVERLAYS, ROOT
from tests.support.programs import BIN, find_program

ENCRYPTED = re.compile(r"ENC\[AES256_GCM,data:.+\]")
EXAMPLE = MANIFESTS / "foundation" / "secrets.example.yaml"
SOPS = BIN / "sops"
AGE_KEYGEN = find_program("age-keygen")


def secrets_below(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Every Secret of every YAML file."""
    return [
        (path, document)
        for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")])
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if isinstance(document, dict) and document.get("kind") == "Secret"
    ]


def in_clear(secret: dict[str, Any]) -> list[str]:
    """Keys whose value is neither encrypted nor empty."""
    values = {**(secret.get("data") or {}), **(secret.get("stringData") or {})}
    return [key for key, value in values.items() if value != "" and not ENCRYPTED.fullmatch(str(value))]


def test_no_secret_is_committed_in_clear() -> None:
    found = secrets_below(MANIFESTS)
    assert len(found) >= 9
    assert [(path.name, in_clear(secret)) for path, secret in found if in_clear(secret)] == []
    generated = [path for path in MANIFESTS.rglob("kustomization.yaml") if "secretGenerator" in path.read_text()]
    assert generated == []


def test_a_secret_in_clear_is_noticed(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace('password: ""', "password: hunter2", 1)
    (tmp_path / "secrets.enc.yaml").write_text(text)
    assert [in_clear(secret) for _, secret in secrets_below(tmp_path)] == [["password"], [], []]


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_file_is_encrypted_for_the_key_that_sops_yaml_names(name: str) -> None:
    path = MANIFESTS / "foundation" / name / "secrets.enc.yaml"
    rules = yaml.safe_load((ROOT / ".sops.yaml").read_text(encoding="utf-8"))["creation_rules"]
    (rule,) = [rule for rule in rules if re.search(rule["path_regex"], str(path.relative_to(ROOT)))]
    for _, secret in secrets_below(path.parent):
        assert [one["recipient"] for one in secret["sops"]["age"]] == [rule["age"]]
        assert secret["sops"]["encrypted_regex"] == rule["encrypted_regex"]


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_file_holds_what_the_example_lists(name: str) -> None:
    expected = {s["metadata"]["name"]: sorted(s["stringData"]) for s in yaml.safe_load_all(EXAMPLE.read_text())}
    found = {s["metadata"]["name"]: sorted(s["stringData"]) for _, s in secrets_below(MANIFESTS / "foundation" / name)}
    assert found == expected


@pytest.mark.skipif(AGE_KEYGEN is None, reason="age is not installed (make debian-tools): sops was not tried")
def test_a_fresh_key_encrypts_and_opens(tmp_path: Path) -> None:
    """The steps of docs/secrets.md."""
    key = tmp_path / "age.txt"
    subprocess.run([str(AGE_KEYGEN), "-o", key], check=True, capture_output=True)
    public = subprocess.run([str(AGE_KEYGEN), "-y", key], check=True, capture_output=True, text=True).stdout.strip()
    text = (ROOT / ".sops.yaml").read_text(encoding="utf-8")
    (tmp_path / ".sops.yaml").write_text(re.sub(r"age: age1\w+", f"age: {public}", text))
    secrets = tmp_path / "manifests" / "foundation" / "dev" / "secrets.enc.yaml"
    secrets.parent.mkdir(parents=True)
    secrets.write_text(EXAMPLE.read_text(encoding="utf-8").replace('password: ""', "password: hunter2", 1))

    def sops(*arguments: str) -> str:
        return subprocess.run(
            [SOPS, "--disable-version-check", *arguments],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SOPS_AGE_KEY_FILE": str(key)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    sops("encrypt", "--in-place", str(secrets))
    assert "hunter2" not in secrets.read_text()
    assert [in_clear(secret) for _, secret in secrets_below(secrets.parent)] == [[], [], []]
    assert "password: hunter2" in sops("decrypt", str(secrets))
