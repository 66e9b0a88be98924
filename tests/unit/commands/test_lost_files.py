"""Lost files become findings of the streams whose tables they were, and close when they are there again."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lotuslake.commands.lost_files import LossWatch
from lotuslake.core.errors import ConfigError
from lotuslake.core.lost import LostTable
from lotuslake.core.transform_plan import Cursor
from tests.support.lake import CUSTOMERS, ORDERS, Shop

CURSORS = {
    "fct_sales": Cursor(1, upstreams=(("int_shop__orders", 1),), model_hash="x"),
    "fct_months": Cursor(1, upstreams=(("fct_sales", 1),), model_hash="x"),
}


@dataclass
class Lost:
    """What is lost now, and where models stand."""

    tables: list[LostTable] = field(default_factory=list)

    def find(self) -> list[LostTable]:
        return self.tables

    def load_cursor(self, model: str) -> Cursor:
        return CURSORS.get(model, Cursor())


def table(schema: str, name: str, files: int = 2) -> LostTable:
    return LostTable(schema, name, files, 300, "ducklake-1.parquet")


def watch(shop: Shop, lost: Lost) -> LossWatch:
    shop.lake.ledger.prepare([ORDERS, CUSTOMERS])
    return LossWatch([ORDERS, CUSTOMERS], lost, lost, shop.lake.ledger, shop.context())


@pytest.mark.parametrize(
    ("lost", "command"),
    [
        (table("landing", "stg_shop__orders"), "lotuslake backfill shop/orders --reregister"),
        (table("processed", "int_shop__orders"), "lotuslake transform shop/orders"),
        (table("processed", "int_shop__orders__rebuild"), "lotuslake transform shop/orders"),
        (table("enriched", "fct_sales"), "lotuslake transform shop/orders"),
        (table("enriched", "fct_months"), "lotuslake transform shop/orders"),
    ],
)
def test_each_names_its_stream_and_the_command(lost: LostTable, command: str) -> None:
    [finding] = watch(Shop(), Lost([lost])).look()
    assert (finding.kind, finding.stream, finding.subject) == ("lost", "shop/orders", f"{lost.schema}.{lost.name}")
    assert finding.reason.startswith("2 ")
    assert "(300 rows) are gone from the data root, such as ducklake-1.parquet" in finding.reason
    assert command in finding.reason


def test_looking_writes_nothing() -> None:
    shop = Shop()
    assert watch(shop, Lost([table("enriched", "fct_sales")])).look()
    assert shop.lake.ledger.load_raised(ORDERS) == []


def test_what_is_whole_again_is_closed() -> None:
    shop, lost = Shop(), Lost([table("processed", "int_shop__orders"), table("processed", "int_shop__customers")])
    watch(shop, lost).tell()
    assert [one.kind for one in shop.lake.ledger.load_findings([ORDERS, CUSTOMERS])] == ["lost", "lost"]
    del lost.tables[0]
    watch(shop, lost).settle()
    assert [one.stream for one in shop.lake.ledger.load_findings([ORDERS, CUSTOMERS])] == ["shop/customers"]
    lost.tables = []
    watch(shop, lost).settle()
    assert shop.lake.ledger.load_findings([ORDERS, CUSTOMERS]) == []


def test_another_loss_of_an_accepted_table_is_told() -> None:
    shop, lost = Shop(), Lost([table("processed", "int_shop__orders")])
    watch(shop, lost).tell()
    ledger = shop.lake.ledger
    ledger.accept(ledger.load_findings([ORDERS]), "known", by="a person", now=shop.context().now())
    assert ledger.load_findings([ORDERS]) == []
    lost.tables = [table("processed", "int_shop__orders", 3)]
    watch(shop, lost).tell()
    assert [one.kind for one in ledger.load_findings([ORDERS])] == ["lost"]


def test_a_ledger_that_lost_its_own_files_cannot_be_believed() -> None:
    with pytest.raises(
        ConfigError, match=r"2 files of the lake's own ledger \(meta\.runs, such as ducklake-1\.parquet\)"
    ):
        watch(Shop(), Lost([table("meta", "runs")])).look()
