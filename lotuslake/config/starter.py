"""The streams and models that come with the program, for a project folder that has none."""

from __future__ import annotations

import errno
import shutil
import stat
import tempfile
from pathlib import Path

from lotuslake.core.errors import ConfigError

PARTS = ("streams", "models")
# What dbt leaves in a checkout.
DBTS_OWN = frozenset({"target", "logs"})


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
        project_dir.mkdir(parents=True, exist_ok=True)
        # Both in full, or neither: a folder that a full disk cut short would be taken for the person's own the next time.
        with tempfile.TemporaryDirectory(dir=project_dir, prefix=".starter-") as unfinished:
            for part in PARTS:
                _copy(starter_dir() / part, Path(unfinished) / part)
            for part in PARTS:
                (Path(unfinished) / part).rename(project_dir / part)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise  # A full disk is told as such.
        why = error.strerror or "it may not be written to"
        raise ConfigError(
            f"{project_dir}: streams/ and models/ cannot be laid out there ({why}); run the demo in a folder of your own: "
            "mkdir shop && cd shop && lotuslake demo"
        ) from None
    return True


def _copy(source: Path, target: Path) -> None:
    """Raise the first OSError: shutil gathers them into one that says neither which file nor why."""
    target.mkdir()
    for entry in sorted(source.iterdir()):
        if entry.is_dir():
            if entry.name not in DBTS_OWN:
                _copy(entry, target / entry.name)
        else:
            copied = target / entry.name
            shutil.copy2(entry, copied)
            # An installed package may be read-only; the copy is for its owner to change.
            copied.chmod(copied.stat().st_mode | stat.S_IWUSR)
