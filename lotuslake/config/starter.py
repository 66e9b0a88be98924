"""The streams and models that come with the program, for a project folder that has none."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

PARTS = ("streams", "models")


def starter_dir() -> Path:
    """Where they lie: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "starter"
    return installed if installed.is_dir() else package.parent


def copy_starter(project_dir: Path) -> bool:
    """Lay out streams/ and models/ in a folder that has neither; whether anything was written."""
    if any((project_dir / part).exists() for part in PARTS):
        return False
    for part in PARTS:
        shutil.copytree(starter_dir() / part, project_dir / part, ignore=shutil.ignore_patterns("target", "logs"))
        # An installed package may be read-only; the copy is for its owner to change.
        for path in (project_dir / part, *(project_dir / part).rglob("*")):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    return True
