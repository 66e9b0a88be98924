"""`lotuslake demo`."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from lotuslake.cli.command import add_command
from lotuslake.cli.output import Column, Report, Table, columns, print_report
from lotuslake.cli.session import Session
from lotuslake.cli.words import count, plural
from lotuslake.config.starter import copy_starter
from lotuslake.core.data_file import FileStatus
from lotuslake.core.errors import ExitCode

if TYPE_CHECKING:
    from lotuslake.commands.demo import DemoResult, DemoStage
    from lotuslake.ports.query import Answer

TITLES = {
    "history": "First sync: two years of history",
    "increment": "Second sync: changed orders, repeats, a late file, a deleted order, an old order's refund",
}
NEXT = [
    "Try next:",
    '  lotuslake query "SELECT order_name, gross_sales, returns, total_sales FROM enriched.fct_sales LIMIT 5"',
    "  lotuslake ingest-check        what is new, and how fresh is each stream",
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""

    @add_command(app, "demo")
    def run(
        session: Session,
        scale: Annotated[float, typer.Option(min=0.05, max=100, help="1 is about 3,000 orders.")] = 1.0,
        seed: Annotated[int, typer.Option(help="Another seed gives another shop.")] = 1,
    ) -> Report:
        """Fill an empty lake with an invented shop, in two syncs, and take each through the whole chain."""
        # Deferred: the shop writes Parquet with pyarrow, which no other command has to import.
        from lotuslake.commands.demo import DemoPlan, DemoPorts, demo

        copy_starter(session.settings.project_dir)
        wiring = session.wiring
        ports = DemoPorts(
            store=wiring.store,
            register=wiring.register_ports,
            transform=wiring.transform_ports,
            query=wiring.query,
        )
        before: dict[str, object] = {}

        def announce(stage: DemoStage) -> None:
            if not session.as_json:
                print_report(_stage_report(stage, before), as_json=False)
            before.update(stage.standing)

        result = demo(
            wiring.streams.all,
            ports,
            DemoPlan(seed, scale, datetime.now(UTC)),
            session.settings.batch,
            session.context(),
            announce,
        )
        session.record(result.exit_code)
        return _report(result)


def _stage_report(stage: DemoStage, before: dict[str, object]) -> Report:
    numbers = ("files", "rows")
    came_in = [
        [
            item.stream,
            count(item.files[FileStatus.REGISTERED] + item.files[FileStatus.COPIED]),
            count(item.rows),
            ", ".join(transformed.models),
        ]
        for item, transformed in zip(stage.registered.streams, stage.transformed.streams, strict=True)
    ]
    standing = [[name.replace("_", " "), _change(before.get(name), value)] for name, value in stage.standing.items()]
    tests = f"{plural(len(stage.transformed.tests), 'data test')} ran."
    return Report(
        command="demo",
        exit_code=ExitCode.DONE,
        tables=[
            Table(columns("stream", *numbers, "built", numbers=numbers), came_in, TITLES[stage.name]),
            Table(columns("the lake now holds", "", numbers=("",)), standing),
        ],
        notes=[f"{plural(stage.new_files, 'file')} arrived. {tests}", ""],
    )


def _change(before: object, now: object) -> str:
    if before is None or before == now:
        return f"{now:,}"
    return f"{before:,} → {now:,}"


def _report(result: DemoResult) -> Report:
    done = result.sales is not None
    findings = [finding for stage in result.stages for finding in stage.transformed.findings]
    return Report(
        command="demo",
        exit_code=result.exit_code,
        data={
            "stages": [
                {"name": stage.name, "new_files": stage.new_files, "standing": stage.standing}
                for stage in result.stages
            ],
            "findings": [finding.id for finding in findings],
        },
        tables=[_sales_table(result.sales)] if result.sales else [],
        notes=NEXT if done else ["The demo stopped here; run it again to go on."],
        errors=[error for stage in result.stages for error in (*stage.registered.errors, *stage.transformed.errors)],
    )


def _sales_table(answer: Answer) -> Table:
    """Rows as they came, numbers right and readable."""
    numeric = [
        all(isinstance(row[at], int | float | Decimal) for row in answer.rows) for at in range(len(answer.columns))
    ]
    titles = [Column(name, is_number) for name, is_number in zip(answer.columns, numeric, strict=True)]
    rows = [[f"{value:,}" if isinstance(value, Decimal) else str(value) for value in row] for row in answer.rows]
    return Table(titles, rows, "Sales by month")
