"""The streams and models that come with the program, for a project folder that has none."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

PARTS = ("streams", "models")
# What dbt leaves in a checkout.
DBTS_OWN = frozenset({"target", "logs"})


def starter_dir() -> Path:
    """Where they lie: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "starter"
    return installed if installed.is_dir() else package.parent


def copy_starter(project_dir: Path) -> bool:
    """Lay out streams/ and models/ in a folder that has neither; whether anything was written."""
    if any((project_dir / part).exists() for part in PARTS):
        return False
    # Both in full, or neither: a folder that a full disk cut short would be taken for the person's own the next time.
    with tempfile.TemporaryDirectory(dir=project_dir, prefix=".starter-") as unfinished:
        for part in PARTS:
            _copy(starter_dir() / part, Path(unfinished) / part)
        for part in PARTS:
            (Path(unfinished) / part).rename(project_dir / part)
    return True


def _copy(source: Path, target: Path) -> None:
    """Raise the first OSError: shutil gathers them into one that says neither which file nor why."""
    target.mkdir()
    for entry in sorted(source.iterdir()):
        if entry.is_dir():
            if entry.name not in DBTS_OWN:
                _copy(entry, target / entry.name)
        else:
            shutil.copy2(entry, target / entry.name)
