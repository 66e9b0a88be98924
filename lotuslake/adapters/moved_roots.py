"""A lake whose folder was moved or copied: what its catalog says of places in the project is true of the new place.

DuckLake writes absolute paths: that of its data root, and those of the files that were added by reference. What lies in the
project is meant relative to it, as the settings are.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from lotuslake.adapters.instance_options import InstanceOptions
from lotuslake.core.errors import ConfigError
from lotuslake.sql import load_sql

_OTHER_ROOT = re.compile(r'DATA_PATH parameter .* does not match existing data path in the catalog "(?P<root>[^"]*)"')


@dataclass(frozen=True, slots=True)
class Move:
    """Roots with a slash at their ends, before and after: the data root first, then others whose files are named."""

    roots: tuple[tuple[str, str], ...]

    @property
    def data_root(self) -> str:
        """Where DuckLake's own files lie now."""
        return self.roots[0][1]


def recorded_root(error: duckdb.Error) -> str | None:
    """The data root that the catalog was made with, where an ATTACH was refused for another one."""
    found = _OTHER_ROOT.search(str(error))
    return None if found is None else found["root"]


def plan_move(options: InstanceOptions, recorded: str) -> Move | None:
    """What has to follow; None where the roots differ for another reason than that the project is elsewhere.

    Only a catalog that lies in the project itself goes with it. With `--relocate` a person says that the data root was moved.
    """
    data_root = _folder(options.data_url)
    below = _below(options.home, data_root)
    catalog_moved_too = options.is_embedded and _below(options.home, options.catalog) is not None
    if catalog_moved_too and below and recorded.endswith(f"/{below}"):
        old_home = recorded.removesuffix(below)
        landing = _below(options.home, _folder(options.landing_url))
        others = [] if landing is None else [(old_home + landing, _folder(options.landing_url))]
        return Move(((recorded, data_root), *others))
    return Move(((recorded, data_root),)) if options.relocate else None


def is_writable(options: InstanceOptions) -> bool:
    """Whether the catalog can follow; a write-protected one is read from the new place all the same."""
    return not options.is_embedded or os.access(options.catalog, os.W_OK)


def require_files(connection: duckdb.DuckDBPyConnection, move: Move) -> None:
    """Raise ConfigError where the lake's own files are not under the new root."""
    sql = load_sql("moved")
    newest = connection.execute(sql["newest_own_file"], {"data_root": move.data_root}).fetchone()
    if newest is None:
        return
    if connection.execute(sql["is_there"], {"path": newest[0]}).fetchone() == (0,):
        raise ConfigError(
            f"the lake's own files were written to {move.roots[0][0]} and are not in {move.data_root} (there is no "
            f"{newest[0]}): move or copy that folder too, or set LOTUSLAKE_DATA_URL to where it is"
        )


def follow(connection: duckdb.DuckDBPyConnection, move: Move) -> None:
    """Write the new places into the catalog: no snapshot is made, since no table changes."""
    sql = load_sql("moved")
    connection.execute("BEGIN")
    try:
        connection.execute(sql["data_path"], {"data_root": move.data_root})
        for before, after in move.roots:
            for statement in ("data_files", "delete_files", "scheduled_files"):
                connection.execute(sql[statement], {"before": before, "after": after})
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _folder(url: str) -> str:
    return url.rstrip("/") + "/"


def _below(home: Path | None, place: str) -> str | None:
    """A place relative to the project, with its slash; None where it lies elsewhere."""
    start = None if home is None else _folder(str(home))
    return place[len(start) :] if start is not None and place.startswith(start) else None
