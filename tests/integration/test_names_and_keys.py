"""On SeaweedFS and Postgres: fields of any name, and records without a key."""

from __future__ import annotations

import shutil

from tests.functional.hostile import Version, stream_files, words_file, words_stream
from tests.functional.hostile import path_of as path_of_words
from tests.functional.program import write
from tests.support.cluster import ClusterLake, Outcome
from tests.support.keyless import (
    GONE_WITHOUT_KEY,
    MODEL,
    SHOWN,
    SQL,
    STREAM,
    WITH_KEY,
    Sighting,
    path_of,
    shown,
    sightings_file,
    stream_file,
    without_key,
)


def run(lake: ClusterLake, *arguments: str, expect: int = 0, **changed: str) -> Outcome:
    outcome = lake.run(*arguments, **changed)
    assert outcome.exit_code == expect, outcome.stderr
    return outcome


def rows(lake: ClusterLake, sql: str) -> list[list[object]]:
    found: list[list[object]] = run(lake, "query", "--json", sql).envelope["data"]["rows"]
    return found


def lay_out(lake: ClusterLake, streams: dict[str, str], models: dict[str, str]) -> None:
    """These streams and models in place of the repository's."""
    for folder in ("streams", "models/processed", "models/enriched", "models/tests"):
        shutil.rmtree(lake.project / folder)
        (lake.project / folder).mkdir()
    for name, text in streams.items():
        write(lake.project / "streams" / f"{name}.yml", text)
    for name, text in models.items():
        write(lake.project / "models" / name, text)


def test_records_without_a_key_are_kept_and_reported(cluster_lake: ClusterLake) -> None:
    lay_out(cluster_lake, {STREAM: stream_file()}, {f"processed/{MODEL}.sql": SQL})
    cluster_lake.put(path_of("1"), sightings_file([*WITH_KEY, *without_key(0, 1000)]))
    run(cluster_lake, "register")
    run(cluster_lake, "transform", expect=5)
    run(cluster_lake, "accept", STREAM, "--kind", "null_keys", "--reason", "they are walk-ins")
    newer = [*without_key(990, 11), *GONE_WITHOUT_KEY, Sighting("a", 1, 9, "a1 newest")]
    cluster_lake.put(path_of("2"), sightings_file(newer))
    run(cluster_lake, "register")
    run(cluster_lake, "transform", expect=5)
    like = shown([*WITH_KEY, *without_key(0, 1000), *newer], keeps=True)
    assert sorted((tuple(row) for row in rows(cluster_lake, SHOWN)), key=repr) == like
    assert rows(cluster_lake, f"SELECT null_keys FROM meta.cursor_{MODEL}") == [[1002]]
    run(cluster_lake, "transform", "--full-refresh", expect=5, LOTUSLAKE_BATCH_MAX_FILES="1")
    assert sorted((tuple(row) for row in rows(cluster_lake, SHOWN)), key=repr) == like


def test_fields_with_every_name(cluster_lake: ClusterLake) -> None:
    lay_out(cluster_lake, *stream_files(words_stream()))
    first, second = [Version(1, 1), Version(1, 3), Version(2, 1)], [Version(2, 2, is_tombstone=True), Version(1, 2)]
    shown_words = 'SELECT rowid, "s", "_row", is_deleted, "_deleted_raw_id" FROM processed.int_test__words ORDER BY ALL'
    for name, versions in (("1", first), ("2", second)):
        cluster_lake.put(path_of_words("words", name), words_file(versions))
        run(cluster_lake, "register")
        run(cluster_lake, "transform")
    like = [[1, "s 1.3", "1", False, "_deleted_raw_id 1.3"], [2, "s 2.1", "1", True, "_deleted_raw_id 2.1"]]
    assert rows(cluster_lake, shown_words) == like
    run(cluster_lake, "transform", "--full-refresh", LOTUSLAKE_BATCH_MAX_FILES="1")
    assert rows(cluster_lake, shown_words) == like
