"""The folder that dbt is pointed at: the project's own, or one laid out for it where its walk would see another project."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from lotuslake.project_tree import files

# Only what dbt reads of a project, beside its `.dbtignore`; and what it writes there when it is run by hand.
READ = frozenset({".sql", ".yml", ".yaml", ".csv", ".py", ".md", ".json"})
WRITTEN = frozenset({"target", "logs"})
IGNORE = ".dbtignore"


class DbtFolder:
    """The dbt project in ``folder`` as dbt may walk it. ``state_dir`` is where one can be laid out."""

    def __init__(self, folder: Path, state_dir: Path) -> None:
        self._folder = folder
        self._state_dir = state_dir
        self._laid_out: TemporaryDirectory[str] | None = None

    def prepare(self) -> Path:
        """The folder to point dbt at, the same for as long as this object is open. Raises ConfigError for a dead link."""
        if self._laid_out is not None:
            return Path(self._laid_out.name)
        project = files(self._folder, READ, WRITTEN)
        if set(project) == self._seen_by_dbt():
            return self._folder
        self._state_dir.mkdir(parents=True, exist_ok=True)
        self._laid_out = TemporaryDirectory(dir=self._state_dir, prefix="project-")
        target = Path(self._laid_out.name)
        if (self._folder / IGNORE).is_file():
            project[IGNORE] = self._folder / IGNORE
        for name, path in project.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / name)
        return target

    def close(self) -> None:
        """Remove what was laid out."""
        if self._laid_out is not None:
            self._laid_out.cleanup()
            self._laid_out = None

    def _seen_by_dbt(self) -> set[str]:
        """dbt walks hidden folders too and follows no link to a folder; `dbt_common.clients.system.find_matching`."""
        seen: set[str] = set()
        for current, folders, names in os.walk(self._folder):
            below = Path(current).relative_to(self._folder)
            if below == Path():
                folders[:] = [name for name in folders if name not in WRITTEN]
            seen |= {(below / name).as_posix() for name in names if Path(name).suffix in READ}
        return seen
