"""Records without a key in the in-memory lake: the same rule as the real one's, and when the finding opens and closes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lotuslake.commands.null_keys import settle_null_keys
from lotuslake.core.field_types import BIGINT, TIMESTAMP, VARCHAR
from lotuslake.core.stream import BatchLimits, Field, NullKeys, Stream
from lotuslake.testing import Call, Row, processed
from tests.support.keyless import GONE_WITHOUT_KEY, MODEL, WITH_KEY, Shown, Sighting, shown, without_key
from tests.support.lake import ORDERS, Shop

SIGHTINGS = replace(
    ORDERS,
    source="test",
    name="sightings",
    landing_path="test/sightings",
    primary_key=("shop", "id"),
    fields=(
        Field("shop", VARCHAR, {"type": "string"}),
        Field("id", BIGINT, {"type": "integer"}),
        Field("updated_at", TIMESTAMP, {"type": "string", "format": "date-time"}),
        Field("note", VARCHAR, {"type": "string"}),
        Field("deleted_at", TIMESTAMP, {"type": "string", "format": "date-time"}),
    ),
    tombstone_field="deleted_at",
)
COLUMNS = {"shop": "VARCHAR", "id": "BIGINT", "updated_at": "TIMESTAMP", "note": "VARCHAR", "deleted_at": "TIMESTAMP"}
SMALL = BatchLimits(1, 10**9, 10**9)


def a_shop() -> Shop:
    shop = Shop()
    shop.lake.models[MODEL] = processed(MODEL)
    return shop


def row_of(record: Sighting) -> Row:
    moment = record.extracted_at.strftime("%Y-%m-%dT%H:%M:%S")
    return {
        "_airbyte_raw_id": record.raw,
        "_airbyte_extracted_at": moment,
        "shop": record.shop,
        "id": record.id,
        "updated_at": None if record.is_tombstone else moment,
        "note": None if record.is_tombstone else f"note {record.raw}",
        "deleted_at": moment if record.is_tombstone else None,
    }


def land(shop: Shop, stream: Stream, name: str, records: list[Sighting]) -> None:
    shop.land(stream, name, *map(row_of, records), columns=COLUMNS)
    shop.register(stream)


def table(shop: Shop) -> list[Shown]:
    rows: list[dict[str, Any]] = shop.lake.tables[MODEL]
    names = ("shop", "id", "note", "is_deleted", "_airbyte_raw_id")
    return sorted(((*(row[name] for name in names),) for row in rows), key=repr)


def found(shop: Shop, stream: Stream) -> list[str]:
    """What is open, by the number that the reason begins with."""
    findings = shop.lake.ledger.load_findings([stream])
    assert {finding.kind for finding in findings} <= {"null_keys"}
    return [finding.reason.split()[0] for finding in findings]


def accept(shop: Shop, stream: Stream) -> None:
    findings = shop.lake.ledger.load_findings([stream])
    shop.lake.ledger.accept(findings, "known", by="somebody", now=shop.now)


@pytest.mark.parametrize("null_keys", ["keep", "drop"])
@pytest.mark.parametrize("limits", [SMALL, BatchLimits(9, 10**9, 10**9)], ids=["small", "wide"])
def test_they_stand_alone_or_nowhere_however_they_come(null_keys: NullKeys, limits: BatchLimits) -> None:
    stream = replace(SIGHTINGS, null_keys=null_keys)
    shop = a_shop()
    shop.limits = limits
    batches = [[*WITH_KEY[:4], *without_key(0, 5)], [*WITH_KEY[4:], *without_key(3, 5, minute=2), *GONE_WITHOUT_KEY]]
    for number, records in enumerate(batches):
        land(shop, stream, str(number), records)
    like = shown([one for records in batches for one in records], keeps=null_keys == "keep")
    assert shop.transform(stream).exit_code == 5
    assert (table(shop), found(shop, stream)) == (like, ["9"])
    assert shop.transform(stream, full_refresh=True).exit_code == 5
    assert (table(shop), found(shop, stream)) == (like, ["9"])


def test_an_accepted_finding_opens_again_when_more_come_and_not_before() -> None:
    shop = a_shop()
    land(shop, SIGHTINGS, "1", [*WITH_KEY, *without_key(0, 1000)])
    assert shop.transform(SIGHTINGS).exit_code == 5
    assert found(shop, SIGHTINGS) == ["1,000"]
    accept(shop, SIGHTINGS)
    land(shop, SIGHTINGS, "2", without_key(0, 10))
    assert shop.transform(SIGHTINGS).exit_code == 0
    land(shop, SIGHTINGS, "3", without_key(1000, 1))
    assert shop.transform(SIGHTINGS).exit_code == 5
    assert found(shop, SIGHTINGS) == ["1,001"]
    assert len(shop.lake.raised) == 1


def test_what_a_killed_run_left_unsaid_the_next_one_says() -> None:
    shop = a_shop()
    land(shop, SIGHTINGS, "1", [*WITH_KEY, *without_key(0, 2)])
    shop.transform(SIGHTINGS)
    shop.lake.raised.clear()
    assert shop.transform(SIGHTINGS).exit_code == 5
    assert found(shop, SIGHTINGS) == ["2"]


def test_a_changed_word_rebuilds_and_is_another_finding() -> None:
    shop = a_shop()
    land(shop, SIGHTINGS, "1", [*WITH_KEY, *without_key(0, 2)])
    assert shop.transform(SIGHTINGS).exit_code == 5
    accept(shop, SIGHTINGS)
    assert shop.transform(SIGHTINGS).exit_code == 0
    drops = replace(SIGHTINGS, null_keys="drop")
    assert shop.transform(drops).exit_code == 5
    assert table(shop) == shown(WITH_KEY, keeps=False)
    assert shop.transform(SIGHTINGS).exit_code == 0
    assert len(table(shop)) == 6


def test_of_a_lake_that_never_saw_one_nothing_is_looked_up() -> None:
    shop = a_shop()
    land(shop, SIGHTINGS, "1", WITH_KEY)
    shop.transform(SIGHTINGS)
    assert shop.lake.cursors[MODEL].null_keys is None
    calls: list[Call] = []
    shop.lake.on_call = calls.append
    settle_null_keys(SIGHTINGS, shop.lake.cursors[MODEL], shop.lake.ledger)
    assert calls == []
