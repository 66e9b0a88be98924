"""The streams and models that come with the program, for a project folder that has none."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from lotuslake.core.errors import ConfigError

PARTS = ("streams", "models")


def starter_dir() -> Path:
    """Where they lie: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "starter"
    return installed if installed.is_dir() else package.parent


def copy_starter(project_dir: Path) -> bool:
    """Lay out streams/ and models/ in a folder that has neither; whether anything was written.

    Raises ConfigError where nothing can be written.
    """
    if any((project_dir / part).exists() for part in PARTS):
        return False
    try:
        for part in PARTS:
            shutil.copytree(starter_dir() / part, project_dir / part, ignore=shutil.ignore_patterns("target", "logs"))
            # An installed package may be read-only; the copy is for its owner to change.
            for path in (project_dir / part, *(project_dir / part).rglob("*")):
                path.chmod(path.stat().st_mode | stat.S_IWUSR)
    except OSError as error:
        why = error.strerror or "it may not be written to"
        raise ConfigError(
            f"{project_dir}: streams/ and models/ cannot be laid out there ({why}); run the demo in a folder of your own: "
            "mkdir shop && cd shop && lotuslake demo"
        ) from None
    return True
