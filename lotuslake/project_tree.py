"""The files of a project as a person means them: one walk for stream files and for the dbt project.

Kubernetes mounts a ConfigMap as links into a hidden folder, so that each file is there twice; editors and file managers
leave backups, locks and folders of their own. Links are followed, what is hidden or left over is not seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from lotuslake.core.errors import ConfigError

# Device and inode of a folder, its identity whatever the path.
_FolderId = tuple[int, int]


def entries(folder: Path) -> list[Path]:
    """What a folder holds, in order of names, without what nobody put there on purpose. Raises ConfigError."""
    try:
        return sorted(path for path in folder.iterdir() if is_meant(path.name))
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be read: {error.strerror}") from None


def is_meant(name: str) -> bool:
    """Whether a file of this name belongs to the project: `.#orders.yml`, `orders.yml~` and `#orders.yml#` do not."""
    return not (name.startswith(".") or name.endswith("~") or (name.startswith("#") and name.endswith("#")))


def files(folder: Path, suffixes: Collection[str], besides: Collection[str] = ()) -> dict[str, Path]:
    """Every file below a folder that ends so, by its path from there; ``besides`` are entries at its top to pass over.

    Raises ConfigError for a link that leads nowhere and for a folder that cannot be read.
    """
    return dict(_walk(folder, f"{folder.name}/", suffixes, (), besides))


def _walk(
    folder: Path, shown: str, suffixes: Collection[str], lineage: tuple[_FolderId, ...], besides: Collection[str] = ()
) -> Iterator[tuple[str, Path]]:
    found = folder.stat()
    if (found.st_dev, found.st_ino) in lineage:
        # A link to a folder that it lies in would be walked for ever.
        return
    lineage = (*lineage, (found.st_dev, found.st_ino))
    for path in entries(folder):
        if path.name in besides:
            continue
        if path.is_dir():
            below = _walk(path, f"{shown}{path.name}/", suffixes, lineage)
            yield from ((f"{path.name}/{name}", file) for name, file in below)
        elif path.suffix in suffixes:
            refuse_dead_link(path, f"{shown}{path.name}")
            yield path.name, path


def refuse_dead_link(path: Path, shown: str) -> None:
    """Raise ConfigError for a link that leads nowhere, which would else be told as a file that is not there."""
    if path.is_symlink() and not path.exists():
        raise ConfigError(f"{shown}: a link to {path.readlink()}, which is not there; mend it, or remove it")
