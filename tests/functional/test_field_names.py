"""A field may have any name: fields that bear every name that a statement of the program uses for something else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.functional.hostile import (
    CURSOR,
    KEY,
    SHAPE_CURSOR,
    SHAPE_KEY,
    SHAPES,
    TODAY,
    TOMBSTONE,
    WORDS,
    Version,
    path_of,
    shapes_file,
    shapes_stream,
    stream_files,
    words_file,
    words_stream,
)
from tests.functional.program import Project, make_project
from tests.support.names import hostile_names, names_in_statements

FIRST = [Version(1, 1), Version(2, 1), Version(1, 3), Version(3, 2), Version(4, 1), Version(5, 4)]
SECOND = [Version(2, 5, is_tombstone=True), Version(1, 2), Version(3, 6), Version(4, 2, is_tombstone=True)]
THIRD = [Version(4, 7), Version(6, 3, is_tombstone=True), Version(3, 4), Version(2, 4)]


def current(versions: Sequence[Version]) -> dict[int, tuple[Version | None, Version | None]]:
    """Of each key the newest full version and the newest tombstone."""
    found: dict[int, tuple[Version | None, Version | None]] = {}
    for version in sorted(versions, key=lambda one: one.minute):
        full, gone = found.get(version.key, (None, None))
        found[version.key] = (full, version) if version.is_tombstone else (version, gone)
    return found


def expected_words(versions: Sequence[Version]) -> list[dict[str, Any]]:
    rows = []
    for key, (full, gone) in current(versions).items():
        deleted = gone is not None and (full is None or gone.minute > full.minute)
        shown = full or gone
        assert shown is not None
        row: dict[str, Any] = {KEY: key, CURSOR: None if shown.is_tombstone else shown.extracted_at}
        for name in WORDS:
            told_by = gone if gone is not None and deleted and name.startswith("deleted_") else shown
            row["source_source_is_deleted" if name == "is_deleted" else name] = told_by.word(name)
        row |= {
            "is_deleted": deleted,
            TOMBSTONE: gone.extracted_at if gone is not None and deleted else None,
            "_airbyte_raw_id": shown.raw_id,
            # `_cursor` and `__cursor` are fields.
            "___cursor": row[CURSOR],
            "__deleted_raw_id": gone.raw_id if gone is not None and deleted else None,
        }
        rows.append(row)
    return sorted(rows, key=lambda row: int(row[KEY]))


def expected_shapes(versions: Sequence[Version]) -> list[dict[str, Any]]:
    rows = []
    for key, (shown, _) in current([one for one in versions if not one.is_tombstone]).items():
        assert shown is not None
        row: dict[str, Any] = {SHAPE_KEY: key, SHAPE_CURSOR: shown.extracted_at, "_airbyte_raw_id": shown.raw_id}
        rows.append(row | {name: shown.shape(name) for name in SHAPES} | {"___cursor": shown.extracted_at})
    return sorted(rows, key=lambda row: int(row[SHAPE_KEY]))


def shown(project: Project, table: str, like: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The table's rows, with the columns that `like` has; instants are UTC."""
    with project.stock() as connection:
        found = connection.execute(f"FROM processed.{table} ORDER BY 1")
        names = [column[0] for column in found.description or []]
        assert len({name.lower() for name in names}) == len(names)
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    wanted = [name for name in names if name in like[0]]
    assert sorted(wanted) == sorted(like[0])
    return [{name: _aware(row[name]) for name in wanted} for row in rows]


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def test_the_names_of_the_statements_are_found() -> None:
    known = {"r", "s", "t", "best", "full_row", "tombstone", "_row", "staged", "shown", "raw_id", "landed", "item"}
    assert known <= names_in_statements()
    assert {"line", "payment", "adjustment", "columns", "lines", "_cursor", "is_deleted"} <= names_in_statements()
    assert len(hostile_names()) > 180


def test_fields_with_every_name_come_through_every_kind_of_step(tmp_path: Path) -> None:
    project = make_project(tmp_path, *stream_files(words_stream(), shapes_stream()))
    seen: list[Version] = []

    def check() -> None:
        for table, like in (
            ("int_test__words", expected_words(seen)),
            ("int_test__shapes", expected_shapes(seen)),
        ):
            assert shown(project, table, like) == like

    def land(name: str, versions: Sequence[Version], **form: bool) -> None:
        full = [one for one in versions if not one.is_tombstone]
        project.put(path_of("words", name), words_file(versions))
        project.put(path_of("shapes", name), shapes_file(full, **form))
        seen.extend(versions)
        assert project.run("register").exit_code == 0

    land("1", FIRST)
    built = project.json("transform")
    assert [built.stream(f"test/{name}")["batches"] for name in ("words", "shapes")] == [1, 1]
    check()
    land("2", SECOND, as_text=True)
    project.json("transform")
    check()
    land("3", THIRD, renamed=True)
    project.json("transform")
    check()
    assert project.rows("SELECT count(*) FROM meta.current_files WHERE status = 'quarantined'") == [(0,)]
    assert project.rows("SELECT count(*) FROM meta.current_files WHERE status = 'copied'") == [(1,)]
    project.json("backfill", "test", "--from", f"{TODAY:%Y-%m-%d}")
    check()
    project.environment["LOTUSLAKE_BATCH_MAX_FILES"] = "1"
    rebuilt = project.json("transform", "--full-refresh")
    assert [rebuilt.stream(f"test/{name}")["batches"] for name in ("words", "shapes")] == [4, 4]
    check()
    macro = tmp_path / "models" / "macros" / "build_processed.sql"
    macro.write_text(macro.read_text(encoding="utf-8").replace("rows_in_a_pass = 2000000", "rows_in_a_pass = 5"))
    for index in ("1", "0"):
        project.json("backfill", "test", "--shards", "2", "--shard-index", index)
    check()
