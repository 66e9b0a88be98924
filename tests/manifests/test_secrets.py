"""No Secret lies in Git in clear, and the files that hold them can be opened by whoever .sops.yaml names."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.manifests import MANIFESTS, OVERLAYS, ROOT, build, named
from tests.support.programs import BIN, find_program

ENCRYPTED = re.compile(r"ENC\[AES256_GCM,data:.+\]")
A_SECRET = re.compile(r"""kind["']?\s*:\s*["']?Secret\b""")
A_PRIVATE_KEY = re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{20}|-----BEGIN [A-Z ]*PRIVATE KEY-----")
EXAMPLE = MANIFESTS / "foundation" / "secrets.example.yaml"
SOPS = BIN / "sops"
AGE_KEYGEN = find_program("age-keygen")


def committed_files() -> list[Path]:
    """Whatever Git holds or would take in."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [path for name in names if (path := ROOT / name).is_file()]


def secrets_in(paths: Iterable[Path]) -> list[tuple[Path, dict[str, Any]]]:
    """Every Secret of the YAML and JSON files among them, those of a List too."""
    return [
        (path, one)
        for path in sorted(paths)
        if path.suffix in {".yaml", ".yml", ".json"} and A_SECRET.search(text := path.read_text(encoding="utf-8"))
        for document in yaml.safe_load_all(text)
        if isinstance(document, dict)
        for one in (document.get("items") or [document])
        if isinstance(one, dict) and one.get("kind") == "Secret"
    ]


def secrets_below(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    return secrets_in(folder.rglob("*"))


def in_clear(secret: dict[str, Any]) -> list[str]:
    """Keys whose value is neither encrypted nor empty."""
    values = {**(secret.get("data") or {}), **(secret.get("stringData") or {})}
    return [key for key, value in values.items() if not ENCRYPTED.fullmatch(str(value)) and not is_empty(str(value))]


def is_empty(text: str) -> bool:
    """Nothing, a profile file or SeaweedFS's identities with their places left empty, as in the example."""
    if text == "" or re.fullmatch(r"\[(profile )?[a-z]+\]\n(aws_\w+ =\n){2}", text):
        return True
    places = re.findall(r'"(?:accessKey|secretKey)": "(.*?)"', text)
    return bool(places) and not any(places)


def test_no_secret_is_committed_in_clear() -> None:
    found = secrets_in(committed_files())
    assert len(found) >= 20
    assert [(path.name, in_clear(secret)) for path, secret in found if in_clear(secret)] == []


def test_no_secret_is_made_of_a_committed_file() -> None:
    kustomizations = [path for path in committed_files() if path.name in {"kustomization.yaml", "kustomization.yml"}]
    assert [path for path in kustomizations if "secretGenerator" in path.read_text(encoding="utf-8")] == []


def test_no_private_key_is_committed() -> None:
    assert [path for path in committed_files() if A_PRIVATE_KEY.search(path.read_bytes())] == []


def test_a_private_key_is_noticed() -> None:
    assert A_PRIVATE_KEY.search(b"AGE-SECRET-KEY-" + b"1" + b"Q" * 58)
    assert A_PRIVATE_KEY.search(b"-----BEGIN RSA PRIVATE" + b" KEY-----")


IN_CLEAR = "kind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("base/secret.yml", IN_CLEAR),
        ("two.yaml", f"kind: ConfigMap\n---\n{IN_CLEAR}"),
        ("secret.json", '{"kind": "Secret", "data": {"password": "aHVudGVyMg=="}}'),
        ("list.yaml", "kind: List\nitems:\n- kind: Secret\n  data: {password: aHVudGVyMg==}\n"),
    ],
)
def test_a_secret_in_clear_is_noticed(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    assert [in_clear(secret) for _, secret in secrets_below(tmp_path)] == [["password"]]


def test_an_example_filled_in_is_noticed(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace('password: ""', "password: hunter2", 1)
    (tmp_path / "secrets.enc.yaml").write_text(text)
    assert [in_clear(secret) for _, secret in secrets_below(tmp_path)] == [["password"], *[[]] * 7]


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ("aws_secret_access_key =", "aws_secret_access_key = hunter2", "credentials"),
        ('"secretKey": ""', '"secretKey": "hunter2"', "s3.json"),
        ('  secret-access-key: ""', "  secret-access-key: hunter2", "secret-access-key"),
    ],
)
def test_a_file_filled_in_is_noticed(tmp_path: Path, before: str, after: str, key: str) -> None:
    (tmp_path / "secrets.enc.yaml").write_text(EXAMPLE.read_text(encoding="utf-8").replace(before, after, 1))
    assert [keys for _, secret in secrets_below(tmp_path) if (keys := in_clear(secret))] == [[key]]


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
    if not named(build(f"overlays/{name}"), "StatefulSet"):
        del expected["lotuslake-seaweedfs"]
    # Beside it may lie the state of Terraform (docs/backup-and-restore.md).
    own = secrets_in([MANIFESTS / "foundation" / name / "secrets.enc.yaml"])
    found = {s["metadata"]["name"]: sorted(s["stringData"]) for _, s in own}
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
    assert {tuple(in_clear(secret)) for _, secret in secrets_below(secrets.parent)} == {()}
    assert "password: hunter2" in sops("decrypt", str(secrets))
