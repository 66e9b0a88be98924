"""renovate.json: every image of the manifests is seen by a manager, whose patterns are tried on our files."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.manifests import MANIFESTS, ROOT

SETTINGS: dict[str, Any] = json.loads((ROOT / "renovate.json").read_text(encoding="utf-8"))
DIGEST = "sha256:" + "0a" * 32


def python_of(pattern: str) -> str:
    """JavaScript's named groups in Python's writing."""
    return pattern.replace("(?<", "(?P<")


def files_of(manager: dict[str, Any]) -> list[Path]:
    patterns = [pattern.strip("/") for pattern in manager["managerFilePatterns"]]
    paths = list(MANIFESTS.rglob("*.yaml"))
    return [path for path in paths if any(re.search(one, str(path.relative_to(ROOT))) for one in patterns)]


def seen(text: str) -> list[dict[str, str | None]]:
    """What the managers of our own find in a text."""
    return [
        found.groupdict()
        for manager in SETTINGS["customManagers"]
        for pattern in manager["matchStrings"]
        for found in re.finditer(python_of(pattern), text)
    ]


def test_every_image_name_is_seen() -> None:
    (manager,) = SETTINGS["customManagers"]
    assert manager["datasourceTemplate"] == "docker"
    found = [one for path in files_of(manager) for one in seen(path.read_text(encoding="utf-8"))]
    lines = [
        line for path in MANIFESTS.rglob("*.yaml") for line in path.read_text().splitlines() if "imageName:" in line
    ]
    assert len(found) == len(lines) >= 1
    assert {one["depName"] for one in found} == {"ghcr.io/cloudnative-pg/postgresql"}


@pytest.mark.parametrize("digest", [None, DIGEST])
def test_tag_and_digest_are_told_apart(digest: str | None) -> None:
    (one,) = seen(f"  imageName: ghcr.io/a/b:17.5{'' if digest is None else f'@{digest}'}\n")
    assert one == {"depName": "ghcr.io/a/b", "currentValue": "17.5", "currentDigest": digest}


def test_a_new_major_version_of_postgres_is_left_to_a_person() -> None:
    rules = [
        rule
        for rule in SETTINGS["packageRules"]
        if "ghcr.io/cloudnative-pg/postgresql" in rule.get("matchPackageNames", ())
    ]
    assert [(rule["matchUpdateTypes"], rule["enabled"]) for rule in rules] == [(["major"], False)]
