"""The landing tables' promises, kept by the lake in memory, the embedded one, and the one on Postgres and S3."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lotuslake.core.data_file import FileStatus
from lotuslake.core.errors import ConfigError, LostRaceError
from lotuslake.core.field_types import BIGINT, VARCHAR
from lotuslake.core.finding import Finding
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.head import Head
from lotuslake.core.schema_comparison import Columns
from lotuslake.core.stream import Field
from tests.contract.lake.acts import DAY, batch_of, gone, head_of, judged, landed_ids, register, told, write
from tests.contract.lake.ports import LakeUnderTest, a_row

EMPTY, COPIED, REGISTERED = FileStatus.EMPTY, FileStatus.COPIED, FileStatus.REGISTERED
NOTE = Field("note", VARCHAR, {"type": "string"})
AIRBYTE = ["_airbyte_raw_id", "_airbyte_extracted_at", "_airbyte_meta", "_airbyte_generation_id"]
DECLARED = ["id", "updated_at", "total", "deleted_at"]


def names(columns: Columns) -> list[str]:
    return [name for name, _ in columns]


class TestInspect:
    def test_footers_come_in_the_order_asked_for(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        files = [lake.put(f"{stream.landing_path}/{n}.parquet", *(a_row(key) for key in range(n))) for n in (3, 1, 2)]
        found = lake.landing.inspect(files)
        assert [footer.file for footer in found] == files
        assert [footer.rows for footer in found if isinstance(footer, Footer)] == [3, 1, 2]

    def test_a_footer_tells_columns_and_what_delimits_a_sync(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        path = f"{stream.landing_path}/0.parquet"
        (footer,) = lake.landing.inspect([lake.put(path, a_row(1, 2, generation=7), a_row(2, 9, generation=7))])
        assert isinstance(footer, Footer)
        assert names(footer.columns) == [*AIRBYTE, *DECLARED]
        assert dict(footer.columns)["id"] == BIGINT
        assert (footer.generation_id, footer.sync_id) == (7, 1)
        assert (f"{footer.oldest_extracted_at:%H:%M}", f"{footer.newest_extracted_at:%H:%M}") == ("00:02", "00:09")

    def test_rows_of_several_syncs_tell_no_sync(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        second = a_row(2, _airbyte_meta={"sync_id": 2, "changes": []})
        (footer,) = lake.landing.inspect([lake.put(f"{stream.landing_path}/0.parquet", a_row(1), second)])
        assert isinstance(footer, Footer)
        assert footer.sync_id is None

    def test_the_same_content_under_two_paths_has_one_hash(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        rows = [[a_row(1)], [a_row(1)], [a_row(2)]]
        files = [lake.put(f"{stream.landing_path}/{n}.parquet", *each) for n, each in enumerate(rows)]
        hashes = [footer.content_hash for footer in lake.landing.inspect(files) if isinstance(footer, Footer)]
        assert hashes[0] == hashes[1] != hashes[2]

    def test_what_is_no_data_file_is_unreadable_and_the_others_are_read(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        good = lake.put(f"{stream.landing_path}/0.parquet", a_row(1))
        bad = lake.put_body(f"{stream.landing_path}/1.parquet", b"PAR1 and then nothing")
        first, second = lake.landing.inspect([good, bad])
        assert isinstance(first, Footer)
        assert isinstance(second, Unreadable)
        assert (second.file, bool(second.reason)) == (bad, True)

    def test_a_file_that_is_gone_by_now_is_left_out(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        kept = lake.put(f"{stream.landing_path}/0.parquet", a_row(1))
        gone_by_now = lake.put(f"{stream.landing_path}/1.parquet", a_row(2))
        lake.store.delete(gone_by_now.path)
        assert [footer.file for footer in lake.landing.inspect([gone_by_now, kept])] == [kept]

    def test_nothing_is_asked_of_nothing(self, lake: LakeUnderTest) -> None:
        assert lake.landing.inspect([]) == []


class TestEvolve:
    def test_a_table_is_made_of_airbyte_s_columns_and_the_declared_ones(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        assert lake.landing.load_columns(stream) == ()
        chosen = lake.landing.choose_columns(stream, [])
        assert lake.landing.load_columns(stream) == (), "choosing changes nothing"
        made = lake.landing.evolve(stream, [])
        assert names(made) == [*AIRBYTE, *DECLARED]
        assert chosen == made == lake.landing.load_columns(stream)

    def test_a_new_field_comes_last_and_is_null_in_older_rows(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        register(lake, stream, "0", a_row(1))
        wider = replace(stream, fields=(*stream.fields[:2], NOTE, *stream.fields[2:]))
        assert names(lake.landing.evolve(wider, [])) == [*AIRBYTE, *DECLARED, "note"]
        assert names(lake.landing.choose_columns(wider, [])) == [
            *AIRBYTE,
            "id",
            "updated_at",
            "note",
            "total",
            "deleted_at",
        ]
        assert [row.get("note") for row in lake.landed(wider)] == [None]

    def test_a_field_that_is_no_longer_declared_stays(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        register(lake, stream, "0", a_row(1))
        narrower = replace(stream, fields=stream.fields[:2])
        assert names(lake.landing.evolve(narrower, [])) == [*AIRBYTE, *DECLARED]

    def test_a_type_that_cannot_change_in_place_asks_for_a_backfill(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        register(lake, stream, "0", a_row(1))
        fields = tuple(replace(field, type=VARCHAR) if field.name == "total" else field for field in stream.fields)
        with pytest.raises(ConfigError, match="total"):
            lake.landing.evolve(replace(stream, fields=fields), [])
        assert dict(lake.landing.load_columns(stream))["total"] == BIGINT


class TestCommit:
    def test_files_and_entries_appear_together(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        files = [lake.put(f"{stream.landing_path}/{n}.parquet", a_row(n)) for n in range(3)]
        written = write(lake, stream, *judged(lake, stream, *files), told("shop/none", EMPTY), new_epoch=True)
        assert [(entry.seq, entry.status) for entry in written] == [*((n, REGISTERED) for n in (1, 2, 3)), (4, EMPTY)]
        assert landed_ids(lake, stream) == [0, 1, 2]
        assert head_of(lake, stream) == Head(4, 1)
        stored = lake.ledger.load_entries(stream)
        assert [(entry.seq, entry.file) for entry in stored] == [(entry.seq, entry.file) for entry in written]

    def test_streams_do_not_see_one_another(self, lake: LakeUnderTest) -> None:
        one, two = lake.stream(), lake.stream()
        register(lake, one, "0", a_row(1))
        register(lake, two, "0", a_row(2))
        assert (landed_ids(lake, one), landed_ids(lake, two)) == ([1], [2])
        assert head_of(lake, one) == head_of(lake, two) == Head(1, 0)

    def test_who_comes_second_loses_and_changes_nothing(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        stale = head_of(lake, stream)
        register(lake, stream, "0", a_row(1))
        file = lake.put(f"{stream.landing_path}/1.parquet", a_row(2))
        decisions = judged(lake, stream, file)
        finding = Finding(f"held_back:{stream.id}:x", "held_back", stream.id, "x", "why", DAY)
        with pytest.raises(LostRaceError):
            write(lake, stream, *decisions, head=stale, batch_id="second", new_epoch=True, findings=(finding,))
        assert landed_ids(lake, stream) == [1]
        assert head_of(lake, stream) == Head(1, 0)
        assert len(lake.ledger.load_entries(stream)) == 1
        assert lake.ledger.load_findings([stream]) == []
        write(lake, stream, *decisions, batch_id="third")
        assert landed_ids(lake, stream) == [1, 2]

    def test_what_does_not_fit_is_converted_into_a_copy(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        lake.landing.evolve(stream, [])
        entry = register(lake, stream, "0", a_row(1, total="7"))
        assert entry.status is COPIED
        assert entry.data_path is not None
        assert landed_ids(lake, stream) == [1]
        (stored,) = lake.ledger.load_entries(stream)
        assert stored.data_path == entry.data_path
        lake.store.delete(entry.file.path)
        assert landed_ids(lake, stream) == [1], "a copy needs its original no longer"

    def test_a_quarantined_file_s_rows_are_in_the_log_alone(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        bad = lake.put_body(f"{stream.landing_path}/1.parquet", b"PAR1 and then nothing")
        (entry,) = write(lake, stream, *judged(lake, stream, bad))
        assert entry.status is FileStatus.QUARANTINED
        assert lake.landed(stream) == []
        assert [finding.kind for finding in lake.ledger.load_findings([stream])] == ["quarantined"]

    def test_what_was_withdrawn_leaves_with_a_rewrite(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        first, second = register(lake, stream, "0", a_row(1)), register(lake, stream, "1", a_row(2))
        lake.store.delete(first.file.path)
        third = lake.put(f"{stream.landing_path}/2.parquet", a_row(3))
        written = write(
            lake,
            stream,
            *judged(lake, stream, third),
            withdrawn=(gone(first),),
            standing=(second,),
            rewrite=True,
            new_epoch=True,
        )
        assert [entry.seq for entry in written] == [4], "what was withdrawn takes its numbers first"
        assert landed_ids(lake, stream) == [2, 3]
        assert head_of(lake, stream) == Head(4, 1)
        states = {entry.file.path: (entry.seq, entry.status) for entry in lake.ledger.load_entries(stream)}
        assert states[first.file.path] == (3, FileStatus.MISSING)
        assert states[second.file.path] == (2, REGISTERED)

    def test_a_rewrite_may_take_other_columns(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        entry = register(lake, stream, "0", a_row(1))
        wider = replace(stream, fields=(*stream.fields, NOTE))
        (footer,) = lake.landing.inspect([entry.file])
        assert isinstance(footer, Footer)
        columns = lake.landing.choose_columns(wider, [footer.columns])
        lake.landing.commit(batch_of(lake, wider, [], standing=(entry,), rewrite=True, columns=columns))
        assert lake.landing.load_columns(wider) == columns
        assert landed_ids(lake, wider) == [1]

    def test_a_table_may_be_emptied(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        entry = register(lake, stream, "0", a_row(1))
        lake.landing.commit(batch_of(lake, stream, [], withdrawn=(gone(entry),), rewrite=True))
        assert lake.landed(stream) == []
        assert head_of(lake, stream) == Head(2, 0)

    def test_findings_are_opened_by_the_same_commit(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        finding = Finding(f"overwritten:{stream.id}:x", "overwritten", stream.id, "x", "why", DAY)
        write(lake, stream, told("x", EMPTY), findings=(finding,))
        assert [found.id for found in lake.ledger.load_findings([stream])] == [finding.id]
        assert [found.id for found in lake.ledger.load_raised(stream)] == [finding.id]


class TestFind:
    def test_good_files_are_not_unreadable(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        entry = register(lake, stream, "0", a_row(1))
        assert lake.landing.find_unreadable(stream, [entry]) == []
        assert lake.landing.find_unreadable(stream, []) == []

    def test_files_below_the_roots_are_not_elsewhere(self, lake: LakeUnderTest) -> None:
        stream = lake.stream()
        assert lake.landing.find_elsewhere(stream) is None
        register(lake, stream, "0", a_row(1))
        register(lake, stream, "1", a_row(2, total="8"))
        assert lake.landing.find_elsewhere(stream) is None
