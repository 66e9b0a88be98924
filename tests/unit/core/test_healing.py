"""What is said of objects that are no longer as they were registered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lotuslake.core.data_file import DataFile, FileStatus, LedgerEntry
from lotuslake.core.footer import Footer, Unreadable
from lotuslake.core.healing import GONE_EMPTY, GONE_UNREAD, OVERWRITTEN, REPLACED, Healing, plan_healing
from lotuslake.core.registration_plan import Overwritten, RegistrationPlan
from tests.support.lake import NOW, ORDERS, a_file, an_entry


def an_old_entry(seq: int, *, status: FileStatus = FileStatus.REGISTERED, generation: int = 1) -> LedgerEntry:
    at = NOW + timedelta(hours=generation)
    entry = an_entry(seq, f"{seq}.parquet", status=status, generation_id=generation, newest_extracted_at=at)
    return replace(entry, content_hash=f"hash {seq}")


def heal(
    entries: list[LedgerEntry],
    overwritten: dict[LedgerEntry, str | None] | None = None,
    missing: tuple[LedgerEntry, ...] = (),
    pending: tuple[DataFile, ...] = (),
) -> Healing:
    """``overwritten`` maps entries to the content hash that their objects have now, None for an unreadable one."""
    changes = [
        (Overwritten(a_file(entry.file.path, etag="e2"), entry), hash_) for entry, hash_ in (overwritten or {}).items()
    ]
    inspected = [
        Unreadable(change.file, "cut off") if hash_ is None else Footer(change.file, (), 5, content_hash=hash_)
        for change, hash_ in changes
    ]
    plan = RegistrationPlan((tuple(pending),), tuple(change for change, _ in changes), missing, (), 0)
    return plan_healing(ORDERS, entries, plan, inspected)


def told(healing: Healing) -> list[tuple[int, str, str | None]]:
    return [(entry.seq, entry.status.value, entry.reason) for entry in healing.restated]


ONE, TWO, THREE = (an_old_entry(seq) for seq in (1, 2, 3))


def test_nothing_to_say_is_empty() -> None:
    assert heal([ONE, TWO]).is_empty


def test_other_content_supersedes_the_entry_and_comes_in_anew() -> None:
    healing = heal([ONE, TWO, THREE], {TWO: "other"})
    assert told(healing) == [(2, "superseded", OVERWRITTEN)]
    assert [found.file.path for found in healing.changed] == ["2.parquet"]
    assert (healing.standing, healing.rewrites) == ((ONE, THREE), True)


def test_an_object_that_is_no_longer_readable_is_other_content() -> None:
    assert told(heal([ONE], {ONE: None})) == [(1, "superseded", OVERWRITTEN)]


def test_the_same_content_under_another_etag_is_restated_and_nothing_is_rewritten() -> None:
    healing = heal([ONE, TWO], {TWO: "hash 2"})
    (restated,) = healing.restated
    assert (restated.status, restated.file.etag, restated.content_hash) == (TWO.status, "e2", "hash 2")
    assert (healing.changed, healing.standing, healing.rewrites) == ((), (ONE, TWO), False)


def test_without_a_hash_nothing_is_known_to_be_the_same() -> None:
    unknown = replace(ONE, content_hash=None)
    healing = plan_healing(
        ORDERS,
        [unknown],
        RegistrationPlan((), (Overwritten(a_file("1.parquet", etag="e2"), unknown),), (), (), 0),
        [Footer(a_file("1.parquet"), (), 5)],
    )
    assert [entry.status.value for entry in healing.restated] == ["superseded"]


@pytest.mark.parametrize(
    ("status", "expected", "reason", "rewrites"),
    [
        (FileStatus.REGISTERED, "missing", None, True),
        (FileStatus.COPIED, "missing", None, True),
        (FileStatus.EMPTY, "superseded", GONE_EMPTY, False),
        (FileStatus.QUARANTINED, "missing", GONE_UNREAD, False),
    ],
)
def test_a_vanished_object_is_missing_unless_it_held_nothing(
    status: FileStatus, expected: str, reason: str | None, rewrites: bool
) -> None:
    gone = an_old_entry(2, status=status)
    healing = heal([ONE, gone], missing=(gone,))
    assert told(healing) == [(2, expected, reason)]
    assert (healing.standing, healing.rewrites) == ((ONE,), rewrites)


def test_a_generation_that_vanished_whole_was_replaced_by_the_later_one() -> None:
    newer = an_old_entry(3, generation=2)
    assert told(heal([ONE, TWO, newer], missing=(ONE, TWO))) == [
        (1, "superseded", REPLACED),
        (2, "superseded", REPLACED),
    ]


def test_half_a_generation_that_vanished_is_missing_until_the_other_half_is_gone_too() -> None:
    newer = an_old_entry(3, generation=2)
    assert told(heal([ONE, TWO, newer], missing=(ONE,))) == [(1, "missing", None)]
    missed = replace(ONE, status=FileStatus.MISSING)
    assert told(heal([missed, TWO, newer], missing=(TWO,))) == [
        (2, "superseded", REPLACED),
        (1, "superseded", REPLACED),
    ]


def test_a_generation_that_vanished_without_a_later_one_is_missing() -> None:
    older = an_old_entry(3, generation=0)
    assert told(heal([ONE, older], missing=(ONE,))) == [(1, "missing", None)]
    assert told(heal([ONE], missing=(ONE,))) == [(1, "missing", None)]


def test_of_an_incremental_stream_a_newer_generation_replaces_all_older_ones_or_none() -> None:
    oldest, newest = an_old_entry(3, generation=0), an_old_entry(4, generation=2)
    assert told(heal([oldest, ONE, newest], missing=(ONE,))) == [(1, "missing", None)]
    changed = heal([oldest, ONE, newest], {oldest: "other"}, missing=(ONE,))
    assert (1, "superseded", REPLACED) in told(changed), "what the older object holds now is of no generation"


def test_objects_of_another_connection_say_nothing() -> None:
    # Its ids are greater although it came first.
    other = replace(an_old_entry(3, generation=7), newest_extracted_at=NOW)
    newest = an_old_entry(4, generation=2)
    assert told(heal([other, ONE, newest], missing=(ONE,))) == [(1, "superseded", REPLACED)]


def test_an_object_that_comes_back_is_of_its_generation_again() -> None:
    newer, away = an_old_entry(3, generation=2), replace(ONE, status=FileStatus.MISSING)
    assert told(heal([away, TWO, newer], missing=(TWO,), pending=(ONE.file,))) == [(2, "missing", None)]
