"""The streams that a lake knows, and letting go of one."""

from __future__ import annotations

from lotuslake.core.data_file import FileStatus
from lotuslake.core.finding import Finding, TestOutcome
from lotuslake.core.head import Head
from lotuslake.core.transform_plan import Cursor
from tests.contract.lake.acts import DAY, begin, landed_ids, register, run, told, totals, write
from tests.contract.lake.ports import LakeUnderTest, a_row


def test_every_prepared_stream_is_known_in_order(lake: LakeUnderTest) -> None:
    one, two = lake.stream(), lake.stream()
    known = lake.known_streams.load_ids()
    assert {one.id, two.id} <= set(known)
    assert known == sorted(known)


def test_a_forgotten_stream_is_as_if_it_had_never_been_and_others_stay(lake: LakeUnderTest) -> None:
    stream, other = lake.built_stream(), lake.built_stream()
    for each in (stream, other):
        entry = register(lake, each, "0", a_row(1))
        run(lake, each, "replace", [entry])
        begin(lake, each, 1)
        write(lake, each, told("bad", FileStatus.QUARANTINED, reason="cut off"))
        finding = Finding(f"held_back:{each.id}:x", "held_back", each.id, "x", "why", DAY)
        lake.ledger.raise_finding(finding)
        lake.ledger.accept([finding], "known", by="anna", now=DAY)
        lake.ledger.record_tests([TestOutcome("t", "int_x", (each.id,), "fail", 1)], {}, run_id="run", now=DAY)
    path = f"{stream.landing_path}/0.parquet"
    lake.known_streams.forget(stream.id)
    assert stream.id not in lake.known_streams.load_ids()
    assert lake.ledger.load_head(stream) == Head()
    assert lake.ledger.load_entries(stream) == []
    assert lake.ledger.load_findings([stream]) == []
    assert not lake.ledger.is_accepted(f"held_back:{stream.id}:x")
    assert lake.landing.load_columns(stream) == ()
    assert lake.transformer.load_cursor(stream.processed_model) == Cursor()
    assert lake.transformer.load_rebuild(stream.processed_model) is None
    assert lake.transformer.count_rows(stream.processed_model) == 0
    assert lake.store.head(path) is not None, "raw objects stay"

    assert other.id in lake.known_streams.load_ids()
    assert landed_ids(lake, other) == [1]
    assert totals(lake, other.processed_model) == {1: 1}
    assert lake.transformer.load_rebuild(other.processed_model) is not None
    assert {finding.kind for finding in lake.ledger.load_findings([other])} == {"quarantined", "test"}
    assert lake.ledger.is_accepted(f"held_back:{other.id}:x")

    lake.ledger.prepare([stream])
    register(lake, stream, "0", a_row(1))
    assert landed_ids(lake, stream) == [1]


def test_a_stream_that_nobody_knows_can_be_forgotten(lake: LakeUnderTest) -> None:
    lake.known_streams.forget("shop/nobody")
