"""The ledger's promises, kept by the lake in memory, the embedded one, and the one on Postgres and S3."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from lotuslake.core.data_file import FileStatus
from lotuslake.core.finding import Finding, TestOutcome
from lotuslake.core.head import Head
from lotuslake.core.run import Run
from lotuslake.core.stream import Freshness, Stream
from tests.contract.lake.acts import DAY, a_file, batch_of, gone, head_of, judged, register, told, write
from tests.contract.lake.ports import ORDERS, LakeUnderTest, a_row

QUARANTINED, EMPTY, MISSING = FileStatus.QUARANTINED, FileStatus.EMPTY, FileStatus.MISSING


def a_finding(stream: Stream, subject: str = "a path", kind: str = "held_back") -> Finding:
    return Finding(f"{kind}:{stream.id}:{subject}", kind, stream.id, subject, "a reason", DAY)  # type: ignore[arg-type]


def open_ids(lake: LakeUnderTest, *streams: Stream) -> list[str]:
    return [finding.id for finding in lake.ledger.load_findings(streams)]


def test_a_lake_that_does_not_exist_is_empty_and_stays_so(no_lake: LakeUnderTest) -> None:
    ledger = no_lake.ledger
    for _ in range(2):
        assert not ledger.exists()
        assert ledger.load_head(ORDERS) == Head()
        assert ledger.load_entries(ORDERS) == []
        assert ledger.load_newest_partition(ORDERS) is None
        assert ledger.load_newest_file_at(ORDERS, until=DAY) is None
        assert ledger.load_findings([ORDERS]) == []
        assert ledger.load_raised(ORDERS) == []
        assert no_lake.known_streams.load_ids() == []


def test_preparing_makes_a_lake_and_repeating_it_changes_nothing(lake: LakeUnderTest) -> None:
    stream = lake.stream()
    write(lake, stream, told("a", EMPTY))
    lake.ledger.prepare([stream])
    assert lake.ledger.exists()
    assert head_of(lake, stream).seq == 1


def test_a_prepared_stream_begins_at_nothing(lake: LakeUnderTest) -> None:
    stream = lake.stream()
    assert head_of(lake, stream) == Head(0, 0)
    assert lake.ledger.load_entries(stream) == []


def test_entries_are_the_newest_of_each_path_in_the_log_s_order(lake: LakeUnderTest) -> None:
    stream, other = lake.stream(), lake.stream()
    write(lake, stream, told("b", EMPTY), told("a", QUARANTINED, reason="cut off"))
    write(lake, other, told("c", EMPTY))
    write(lake, stream, told("b", EMPTY, etag="e2"))
    entries = lake.ledger.load_entries(stream)
    assert [(entry.seq, entry.file.path, entry.file.etag, entry.status) for entry in entries] == [
        (2, "a", "e1", QUARANTINED),
        (3, "b", "e2", EMPTY),
    ]
    assert entries[0].reason == "cut off"
    assert entries[0].file == a_file("a")
    assert [entry.batch_id for entry in entries] == ["batch-0", "batch-2"]
    assert all(entry.recorded_at is not None and entry.recorded_at.tzinfo is not None for entry in entries)


def test_an_entry_says_when_its_rows_could_first_be_read(lake: LakeUnderTest) -> None:
    stream = lake.stream()
    write(lake, stream, told("shop/never", EMPTY))
    first = register(lake, stream, "0", a_row(1))
    lake.landing.commit(batch_of(lake, stream, [], withdrawn=(gone(first),), rewrite=True))
    readable = {entry.file.path: entry.readable_seq for entry in lake.ledger.load_entries(stream)}
    assert readable == {"shop/never": 0, first.file.path: 2}


def test_entries_since_a_day_are_those_of_later_partitions_and_of_none(lake: LakeUnderTest) -> None:
    stream = lake.stream()
    paths = ["x/year=2026/month=03/day=09/0", "x/year=2026/month=03/day=10/0", "x/year=2026/month=03/day=11/0", "x/0"]
    write(lake, stream, *(told(path, EMPTY) for path in paths))
    found = [entry.file.path for entry in lake.ledger.load_entries(stream, since=date(2026, 3, 10))]
    assert found == paths[1:]


def test_the_newest_partition_is_that_of_any_known_file(lake: LakeUnderTest) -> None:
    stream = lake.stream()
    assert lake.ledger.load_newest_partition(stream) is None
    write(lake, stream, told("x/0", EMPTY))
    assert lake.ledger.load_newest_partition(stream) is None
    write(
        lake, stream, told("x/year=2026/month=03/day=10/0", EMPTY), told("x/year=2026/month=12/day=01/0", QUARANTINED)
    )
    assert lake.ledger.load_newest_partition(stream) == date(2026, 12, 1)


def test_the_newest_file_is_one_that_could_be_read_and_not_from_later(lake: LakeUnderTest) -> None:
    stream = lake.stream()
    hour = timedelta(hours=1)
    write(
        lake,
        stream,
        told("a", EMPTY, at=DAY),
        told("b", QUARANTINED, at=DAY + hour),
        told("c", EMPTY, at=DAY + 2 * hour),
    )
    assert lake.ledger.load_newest_file_at(stream, until=DAY - hour) is None
    assert lake.ledger.load_newest_file_at(stream, until=DAY) == DAY
    assert lake.ledger.load_newest_file_at(stream, until=DAY + hour) == DAY
    assert lake.ledger.load_newest_file_at(stream, until=DAY + 3 * hour) == DAY + 2 * hour


def test_quarantined_and_missing_files_are_findings_until_something_newer_is_said(lake: LakeUnderTest) -> None:
    stream, other = lake.stream(), lake.stream()
    write(lake, stream, told("a", QUARANTINED, reason="cut off"), told("b", MISSING), told("c", EMPTY))
    write(lake, other, told("a", QUARANTINED, reason="cut off"))
    found = lake.ledger.load_findings([stream])
    assert [(one.id, one.kind, one.stream, one.subject) for one in sorted(found, key=lambda one: one.subject)] == [
        (f"quarantined:{stream.id}:a:e1", "quarantined", stream.id, "a"),
        (f"missing:{stream.id}:b:e1", "missing", stream.id, "b"),
    ]
    assert {one.reason for one in found} == {"cut off", "the object is gone from the store; its rows left landing"}
    write(lake, stream, told("a", EMPTY, etag="e2"))
    assert open_ids(lake, stream) == [f"missing:{stream.id}:b:e1"]


def test_a_raised_finding_is_open_until_it_is_closed(lake: LakeUnderTest) -> None:
    stream, other = lake.stream(), lake.stream()
    finding = a_finding(stream)
    lake.ledger.raise_finding(finding)
    lake.ledger.raise_finding(finding)
    assert open_ids(lake, stream) == [finding.id]
    assert open_ids(lake, other) == []
    (raised,) = lake.ledger.load_raised(stream)
    assert (raised.id, raised.kind, raised.subject, raised.reason) == (finding.id, "held_back", "a path", "a reason")
    lake.ledger.close_findings([finding])
    assert open_ids(lake, stream) == []
    assert lake.ledger.load_raised(stream) == []
    lake.ledger.raise_finding(finding)
    assert open_ids(lake, stream) == [finding.id]


def test_closing_nothing_is_fine(lake: LakeUnderTest) -> None:
    lake.ledger.close_findings([])


def test_an_accepted_finding_is_no_longer_open_and_still_raised(lake: LakeUnderTest) -> None:
    stream = lake.stream()
    one, two = a_finding(stream, "one"), a_finding(stream, "two")
    lake.ledger.raise_finding(one)
    lake.ledger.raise_finding(two)
    write(lake, stream, told("a", QUARANTINED, reason="cut off"))
    quarantined = f"quarantined:{stream.id}:a:e1"
    assert not lake.ledger.is_accepted(one.id)
    accepted = [finding for finding in lake.ledger.load_findings([stream]) if finding.id != two.id]
    lake.ledger.accept(accepted, "known", by="anna", now=DAY)
    assert lake.ledger.is_accepted(one.id)
    assert lake.ledger.is_accepted(quarantined)
    assert not lake.ledger.is_accepted(two.id)
    assert open_ids(lake, stream) == [two.id]
    assert sorted(finding.id for finding in lake.ledger.load_raised(stream)) == [one.id, two.id]


def test_the_last_result_of_a_data_test_counts(lake: LakeUnderTest) -> None:
    stream, other = lake.stream(), lake.stream()

    def record(status: str, failures: int, version: int, minute: int) -> None:
        outcome = TestOutcome("unique_id", "int_x", (stream.id, other.id), status, failures)  # type: ignore[arg-type]
        now = DAY + timedelta(minutes=minute)
        lake.ledger.record_tests([outcome], {stream.processed_model: version}, run_id="run", now=now)

    record("fail", 3, 1, 0)
    for covered in (stream, other):
        (found,) = lake.ledger.load_findings([covered])
        assert (found.id, found.kind, found.subject) == (f"test:{covered.id}:unique_id:3", "test", "unique_id")
        assert "data test fail, 3 rows" in found.reason
    record("error", 4, 2, 1)
    assert open_ids(lake, stream) == [f"test:{stream.id}:unique_id:4"]
    record("warn", 4, 3, 2)
    assert open_ids(lake, stream) == []
    record("pass", 0, 4, 3)
    assert open_ids(lake, other) == []
    assert lake.ledger.load_tested_versions()[stream.processed_model] == 4


def test_versions_are_recorded_where_a_model_has_no_tests(lake: LakeUnderTest) -> None:
    lake.ledger.record_tests([], {"int_untested": 7}, run_id="run", now=DAY)
    assert lake.ledger.load_tested_versions()["int_untested"] == 7


def test_a_stream_is_stale_when_its_newest_file_is_too_old(lake: LakeUnderTest) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    stale = lake.stream(freshness=Freshness(error_after=timedelta(hours=2)))
    fresh = lake.stream(freshness=Freshness(error_after=timedelta(hours=2)))
    warned = lake.stream(freshness=Freshness(warn_after=timedelta(hours=1)))
    ahead, old = now + timedelta(days=400), now - timedelta(hours=3)
    write(
        lake, stale, told("a", EMPTY, at=old), told("b", EMPTY, at=ahead), told("c", QUARANTINED, at=now, reason="bad")
    )
    write(lake, fresh, told("a", EMPTY, at=now - timedelta(hours=1)))
    write(lake, warned, told("a", EMPTY, at=old))
    (found,) = [finding for finding in lake.ledger.load_findings([stale]) if finding.kind == "stale"]
    assert found.reason == f"no new file since {old:%Y-%m-%d %H:%M} UTC"
    assert found.since_at == old
    assert open_ids(lake, fresh, warned) == []


def test_a_changed_freshness_counts_at_once(lake: LakeUnderTest) -> None:
    stream = lake.stream()
    write(lake, stream, told("a", EMPTY, at=DAY))
    assert open_ids(lake, stream) == []
    lake.ledger.prepare([replace(stream, freshness=Freshness(error_after=timedelta(hours=1)))])
    assert [finding.kind for finding in lake.ledger.load_findings([stream])] == ["stale"]


def test_a_run_is_recorded(lake: LakeUnderTest) -> None:
    lake.ledger.record_run(Run("run-1", "register", DAY, DAY + timedelta(minutes=1), 5, "a finding is open"))
    assert ("run-1", "register", 5) in lake.runs()


def test_what_the_ledger_remembers_of_a_file_is_what_its_footer_told(lake: LakeUnderTest) -> None:
    stream = lake.stream()
    file = lake.put(f"{stream.landing_path}/0.parquet", a_row(1, 1), a_row(2, 5))
    (decision,) = judged(lake, stream, file)
    write(lake, stream, decision)
    (entry,) = lake.ledger.load_entries(stream)
    assert (entry.file, entry.status, entry.rows) == (file, FileStatus.REGISTERED, 2)
    assert (entry.generation_id, entry.sync_id, entry.content_hash) == (1, 1, decision.content_hash)
    assert entry.oldest_extracted_at == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    assert entry.newest_extracted_at == datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
