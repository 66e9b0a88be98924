"""When a processed table is built anew, and when it stays as it is until a person says a word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from lotuslake.commands.maintain import MaintainOptions, MaintainPorts, maintain
from lotuslake.core.errors import ConfigError, ExitCode, NotCarriedError
from lotuslake.core.field_types import BIGINT, VARCHAR, ListOf, Struct
from lotuslake.core.stream import Field, Stream
from lotuslake.testing import data_file
from tests.support.lake import CATALOGUE, ORDERS, Shop, a_row, at
from tests.unit.commands.test_accept_and_maintain import Upkeep

MODEL = ORDERS.processed_model


def fill(shop: Shop, *keys: int, stream: Stream = ORDERS, day: int = 0) -> str:
    """One file with these keys; a greater key was extracted later."""
    path = shop.land(stream, f"{keys[0]}_0", *(a_row(key, key) for key in keys), day=day)
    shop.register(stream)
    return path


def kinds(shop: Shop, stream: Stream = ORDERS) -> list[str]:
    return sorted(finding.kind for finding in shop.lake.ledger.load_findings([stream]))


def accept(shop: Shop, kind: str, stream: Stream = ORDERS) -> None:
    findings = [finding for finding in shop.lake.ledger.load_findings([stream]) if finding.kind == kind]
    shop.lake.ledger.accept(findings, "it is meant", by="ana", now=shop.now)


def lose(shop: Shop) -> None:
    """Ten rows are shown, five of them from a file that has vanished since."""
    path = fill(shop, *range(5))
    fill(shop, *range(5, 10))
    shop.transform()
    shop.store.delete(path)
    assert shop.register().exit_code is ExitCode.FINDINGS
    assert (kinds(shop), len(shop.table(MODEL))) == (["missing"], 10)


def change_sql(shop: Shop) -> None:
    shop.change_sql(MODEL, "2")


def ask_for_it(shop: Shop) -> None:
    shop.transform(full_refresh=True)


def backfill(shop: Shop) -> None:
    shop.backfill()


@pytest.mark.parametrize("cause", [change_sql, ask_for_it, backfill])
def test_what_only_gone_files_told_is_carried_forward(cause: Callable[[Shop], None]) -> None:
    """Issue: a rebuild made 10 rows of 101, with exit 0."""
    shop = Shop()
    lose(shop)
    shop.mark(MODEL, "new")
    cause(shop)
    shop.transform()
    assert set(shop.table(MODEL)) == set(range(10))
    assert shop.marks(MODEL) == {key: None if key < 5 else "new" for key in range(10)}
    assert kinds(shop) == ["carried", "missing"]
    accept(shop, "carried")
    shop.transform()
    assert kinds(shop) == ["missing"]


@pytest.mark.parametrize("cause", [change_sql, ask_for_it])
def test_a_lasting_loss_can_be_told_on_purpose(cause: Callable[[Shop], None]) -> None:
    shop = Shop()
    lose(shop)
    cause(shop)
    shop.transform(full_refresh=True, accept_loss=True)
    assert set(shop.table(MODEL)) == set(range(5, 10))
    shop.change_sql(MODEL, "3")
    shop.transform()
    assert (set(shop.table(MODEL)), kinds(shop)) == (set(range(5, 10)), ["missing"]), "what is lost is lost once"


def test_after_a_file_was_overwritten_nothing_is_carried_and_the_rebuild_is_refused() -> None:
    shop = Shop()
    lose(shop)
    shop.store.put(shop.lake.landed[ORDERS.id].files[0], data_file([a_row(5, 20)]))
    shop.register()
    result = shop.transform()
    assert (result.exit_code, kinds(shop)) == (ExitCode.FINDINGS, ["loss", "missing", "overwritten"])
    assert "1 files with 5 rows" in next(f.reason for f in result.findings if f.kind == "loss")
    assert len(shop.table(MODEL)) == 10
    accept(shop, "loss")
    shop.transform()
    assert (shop.table(MODEL), kinds(shop)) == ({5: 20}, ["missing"])


def test_a_table_that_cannot_be_carried_stays_and_says_why() -> None:
    shop = Shop()
    lose(shop)

    def refuse(_: int) -> None:
        raise NotCarriedError("column total has another type now")

    shop.lake.on_call = at("before transformer.run", refuse)
    change_sql(shop)
    result = shop.transform()
    assert "column total has another type now" in next(f.reason for f in result.findings if f.kind == "loss")
    assert kinds(shop) == ["loss", "missing"]
    assert len(shop.table(MODEL)) == 10


def test_a_file_that_no_table_has_read_is_no_loss_of_any() -> None:
    shop = Shop()
    fill(shop, *range(5))
    shop.transform()
    unread = fill(shop, *range(5, 8))
    shop.store.delete(unread)
    shop.register()
    fill(shop, 9)
    shop.transform()
    change_sql(shop)
    shop.transform()
    assert kinds(shop) == ["missing"]


def test_history_past_its_retention_outlives_a_changed_model() -> None:
    """Issue: 101 rows became 1, with exit 0."""
    shop = Shop()
    stream = replace(ORDERS, retention_days=7, max_shrink=1.0)
    fill(shop, *range(1, 51), day=-20)
    fill(shop, 55)
    shop.transform(stream)
    ports = MaintainPorts(shop.lake.ledger, shop.lake.landing, Upkeep(shop), shop.lake.transformer)
    maintain([stream], ports, MaintainOptions(keep_days=30), shop.context())
    assert len(shop.lake.landing_rows(stream)) == 1
    change_sql(shop)
    result = shop.transform(stream)
    assert (len(shop.table(MODEL)), [finding.kind for finding in result.findings]) == (51, ["carried"])
    assert "1 files with 50 rows" in result.findings[0].reason


def test_a_rebuild_that_would_shrink_the_table_is_held_back() -> None:
    shop = Shop()
    fill(shop, *range(10))
    shop.transform()
    known = shop.lake.models[MODEL]
    # Another key for each of them makes nine of ten rows fall together.
    shop.lake.models[MODEL] = replace(known, select=lambda row: {**row, "id": row["id"] // 9})
    change_sql(shop)
    result = shop.transform()
    assert (result.exit_code, len(shop.table(MODEL))) == (ExitCode.FINDINGS, 10)
    assert "has 2 rows, the table shows 10" in result.findings[0].reason
    accept(shop, "held_back")
    result = shop.transform()
    assert (result.exit_code, len(shop.table(MODEL))) == (ExitCode.DONE, 2)
    rows = result.streams[0].table_rows
    assert rows is not None
    assert (rows.before, rows.after) == (10, 2)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"primary_key": ("total",)}, "primary_key was ['id'], is ['total']"),
        ({"cursor_field": "total"}, "cursor_field was updated_at, is total"),
        ({"sync_mode": "full_refresh"}, "sync_mode was incremental, is full_refresh"),
    ],
)
def test_a_changed_key_cursor_or_mode_is_refused_until_a_backfill(changed: dict[str, object], said: str) -> None:
    shop = Shop()
    fill(shop, *range(5))
    shop.transform()
    stream = replace(ORDERS, **changed)  # type: ignore[arg-type]
    fill(shop, 7)
    shop.now += stream.settle_after
    for full_refresh in (False, True):
        result = shop.transform(stream, full_refresh=full_refresh)
        (wrong,) = result.errors
        assert (result.exit_code, isinstance(wrong.error, ConfigError)) == (ExitCode.USAGE, True)
        assert said in wrong.error.message
        assert "lotuslake backfill shop/orders" in wrong.error.message
    assert set(shop.table(MODEL)) == set(range(5)), "nothing was merged"
    assert shop.backfill(stream).errors == ()
    assert set(shop.table(MODEL)) == {0, 1, 2, 3, 4, 7}
    assert shop.transform(stream).errors == ()


NESTED = Struct((("id", BIGINT),))
WIDER = Struct((("id", BIGINT), ("email", VARCHAR)))


@pytest.mark.parametrize(
    ("before", "after"),
    [(NESTED, WIDER), (ListOf(NESTED), ListOf(WIDER)), (WIDER, NESTED), (VARCHAR, BIGINT)],
    ids=["a member of an object", "a member of a list's objects", "a member less", "another type"],
)
def test_declared_types_that_the_table_was_not_made_by_make_it_due(before: object, after: object) -> None:
    shop = Shop()

    def with_field(type_: object) -> Stream:
        return replace(ORDERS, fields=(*ORDERS.fields, Field("buyer", type_, {})))  # type: ignore[arg-type]

    fill(shop, *range(3))
    shop.transform(with_field(before))
    shop.mark(MODEL, "new")
    shop.transform(with_field(before))
    assert set(shop.marks(MODEL).values()) == {None}, "nothing to do"
    shop.transform(with_field(after))
    assert set(shop.marks(MODEL).values()) == {"new"}


@pytest.mark.parametrize("stream", [ORDERS, CATALOGUE])
def test_when_everything_has_vanished_nothing_changes_before_a_person_says_so(stream: Stream) -> None:
    """Issue: landing 5 to 0 at once, then a changed model emptied processed too."""
    shop = Shop()
    model = stream.processed_model
    path = fill(shop, *range(5), stream=stream)
    shop.transform(stream)
    body = shop.store.read(path)
    shop.store.delete(path)
    assert shop.check(stream, full_sweep=True).exit_code() is ExitCode.FINDINGS
    for _ in range(2):
        assert (shop.register(stream).exit_code, kinds(shop, stream)) == (ExitCode.FINDINGS, ["vanished"])
    shop.change_sql(model, "2")
    assert shop.transform(stream, full_refresh=True).exit_code is ExitCode.FINDINGS
    assert len(shop.lake.landed[stream.id].files) == 1
    assert len(shop.table(model)) == 5
    shop.store.put(path, body)
    assert (shop.register(stream).exit_code, kinds(shop, stream)) == (ExitCode.DONE, [])
    assert shop.transform(stream).exit_code is ExitCode.DONE


def test_once_accepted_empty_is_empty() -> None:
    shop = Shop()
    stream = replace(CATALOGUE, destination_sync_mode="overwrite")
    path = fill(shop, *range(5), stream=stream)
    shop.transform(stream)
    shop.store.delete(path)
    shop.register(stream)
    accept(shop, "vanished", stream)
    assert shop.register(stream).exit_code is ExitCode.DONE
    assert shop.lake.landing_rows(stream) == []
    assert shop.transform(stream).exit_code is ExitCode.DONE
    assert shop.table(stream.processed_model) == {}
    assert shop.transform(stream, full_refresh=True).exit_code is ExitCode.DONE
    shop.now += timedelta(days=1)
    fill(shop, 7, 8, stream=stream)
    shop.now += timedelta(hours=3)
    shop.transform(stream)
    assert set(shop.table(stream.processed_model)) == {7, 8}


def test_of_an_incremental_stream_that_is_empty_now_the_table_keeps_what_it_learned() -> None:
    shop = Shop()
    path = fill(shop, *range(5))
    shop.transform()
    shop.store.delete(path)
    shop.register()
    accept(shop, "vanished")
    assert (shop.register().exit_code, shop.lake.landing_rows(ORDERS)) == (ExitCode.DONE, [])
    change_sql(shop)
    assert shop.transform().exit_code is ExitCode.FINDINGS
    assert (len(shop.table(MODEL)), kinds(shop)) == (5, ["carried"])


def test_while_a_refresh_is_coming_nothing_is_built_from_its_beginning() -> None:
    """The old generation's objects are gone, and a changed model would have left the new one's first rows alone."""
    shop = Shop()
    path = fill(shop, *range(5))
    shop.transform()
    shop.store.delete(path)
    shop.land(ORDERS, "50_0", a_row(50, 50, generation=2))
    shop.register()
    shop.transform(full_refresh=True)
    assert set(shop.table(MODEL)) == {*range(5), 50}, "what comes is merged all the same"
    change_sql(shop)
    shop.transform()
    assert set(shop.table(MODEL)) == {*range(5), 50}
    shop.now += timedelta(hours=3)
    shop.transform()
    assert kinds(shop) == ["held_back"]
    accept(shop, "held_back")
    shop.transform()
    assert set(shop.table(MODEL)) == {50}
