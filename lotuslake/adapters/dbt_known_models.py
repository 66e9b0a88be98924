"""What dbt found in a project, kept for as long as no file of the project changes: a run with nothing to do needs no dbt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lotuslake import __version__
from lotuslake.adapters.dbt_folder import WRITTEN
from lotuslake.adapters.folders import replace_file
from lotuslake.core.model import Model
from lotuslake.project_tree import files

# What of all that dbt reads of a project can change a model.
_READ = frozenset({".sql", ".yml", ".yaml", ".csv", ".py"})


class KnownModels:
    """The models of the project in ``folder``, kept in ``state_dir``."""

    def __init__(self, folder: Path, state_dir: Path) -> None:
        self._folder = folder
        self._path = state_dir / "models.json"

    def load(self) -> dict[str, Model] | None:
        """The models by name; None where they are not known as the project is now."""
        try:
            found = (Model(**{**one, "upstreams": tuple(one["upstreams"])}) for one in self._current["models"])
            return {model.name: model for model in found}
        except (KeyError, TypeError):
            return None

    def are_parsed(self, parsed: bytes) -> bool:
        """Whether this is what dbt kept of this very project, so that it need not look for changes."""
        return bool(self._current.get("parsed") == _digest(parsed))

    def save(self, models: Mapping[str, Model], parsed: Path) -> None:
        """Keep them; another program may be reading, so the file is there in full, or as it was.

        Nothing is kept where a file has changed since the project was looked at: which one dbt has read, nobody knows.
        """
        if self._hash_files() != self._project:
            return
        document = {
            "project": self._project,
            "parsed": _digest(parsed.read_bytes()) if parsed.is_file() else None,
            "models": [asdict(model) for model in models.values()],
        }
        replace_file(self._path, json.dumps(document).encode())

    @cached_property
    def _current(self) -> dict[str, Any]:
        """What was kept; empty where the project is no longer as it was then."""
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            return document if document["project"] == self._project else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    @cached_property
    def _project(self) -> str:
        """What `_hash_files` gave at the first look."""
        return self._hash_files()

    def _hash_files(self) -> str:
        """Hash of every file of the project and of the programs that read it."""
        digest = hashlib.sha256(f"{__version__} {version('dbt-core')} {version('dbt-duckdb')}".encode())
        for name, path in sorted(files(self._folder, _READ, WRITTEN).items()):
            content = path.read_bytes()
            digest.update(f"{name} {len(content)} ".encode("utf-8", "surrogateescape"))
            digest.update(content)
        return digest.hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
