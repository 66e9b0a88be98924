"""Which version the lake's own tables are of, and bringing them to the one that this program knows."""

from __future__ import annotations

import logging
import re

import duckdb

from lotuslake import __version__
from lotuslake.adapters.duckdb_errors import translated
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.core.errors import ConfigError, LostRaceError
from lotuslake.core.field_types import quote_identifier
from lotuslake.sql import load_sql

logger = logging.getLogger("lotuslake")

FIRST = 1
_STEP = re.compile(r"to_([0-9]+)")
# Tables of which there is one for each model, stream or rebuild: a step says for each kind what it does to them.
KINDS = ("cursor", "fence", "rebuild")
# Views that a step makes anew as meta.sql has them.
VIEWS = {2: ("findings",)}


def newest_version() -> int:
    """The version that the last step leads to, which is what a new lake begins with."""
    return max(int(found[1]) for name in load_sql("upgrades") if (found := _STEP.fullmatch(name)))


class LakeVersion:
    """Read once, and again before an upgrade: a lake never goes back."""

    def __init__(self, instance: DuckDbInstance) -> None:
        self._instance = instance
        self._found: int | None = None

    def require_known(self) -> int:
        """The lake's version.

        Raises:
            ConfigError: it is newer than this program.
        """
        if self._found is None:
            version, program = self._load()
            if version > newest_version():
                raise ConfigError(
                    f"this lake is of version {version}, made so by lotuslake {program}; this program, lotuslake "
                    f"{__version__}, knows lakes up to version {newest_version()}: install lotuslake {program} or a newer one"
                )
            self._found = version
        return self._found

    def begin(self) -> None:
        """Mark a lake whose tables were made in this very transaction."""
        parameters = {"version": newest_version(), "program_version": __version__}
        self._instance.connection.execute(load_sql("upgrades")["create_version"], parameters)

    def upgrade(self) -> None:
        """Take the steps that are due, each in one commit.

        Raises:
            LostRaceError: another program has taken one first.
            ConfigError: the lake is newer than this program.
        """
        self._found = None
        for version in range(self.require_known() + 1, newest_version() + 1):
            self._take_step(version)
            self._found = version
            logger.info("upgraded the lake to version %s", version)

    def _take_step(self, version: int) -> None:
        sql = load_sql("upgrades")
        with translated(f"upgrading the lake to version {version}"), self._instance.transaction() as connection:
            self._claim(version)
            connection.execute(sql[f"to_{version}"])
            for kind in KINDS:
                statements = sql.get(f"to_{version}_{kind}", "")
                for table in self._tables(f"{kind}_") if statements else ():
                    connection.execute(statements.replace("{table}", table))
            for view in VIEWS.get(version, ()):
                connection.execute(f"DROP VIEW IF EXISTS {LAKE}.meta.{view}")
                connection.execute(load_sql("meta")[view])
            connection.execute(
                f"CALL {LAKE}.set_commit_message('lotuslake', $message)",
                {"message": f"upgrade the lake to version {version}"},
            )

    def _claim(self, version: int) -> None:
        """Change the lake's number before anything else, which only one program can."""
        parameters = {"version": version, "program_version": __version__}
        if version == FIRST + 1:
            self._instance.connection.execute(load_sql("upgrades")["create_version"], parameters)
            return
        moved = self._instance.connection.execute(load_sql("upgrades")["move_version"], parameters).fetchone()
        if moved != (1,):
            raise LostRaceError(f"another process upgraded the lake to version {version} first")

    def _tables(self, prefix: str) -> list[str]:
        rows = self._instance.connection.execute(load_sql("state")["meta_tables"], {"prefix": prefix}).fetchall()
        return [f"{LAKE}.meta.{quote_identifier(name)}" for (name,) in rows]

    def _load(self) -> tuple[int, str]:
        with translated("reading the lake's version"):
            try:
                row = self._instance.connection.execute(load_sql("upgrades")["load_version"]).fetchone()
            except duckdb.CatalogException:
                # Made by a program that knew of no versions yet.
                return FIRST, ""
        if row is None:
            raise ConfigError("meta.lake_version holds no row, so that nobody knows what this lake's tables are like")
        return int(row[0]), str(row[1])
