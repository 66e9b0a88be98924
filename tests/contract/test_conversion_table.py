"""Every declared type × every written type × edge values: exactly the same value, or refused.

What is expected comes from Python's own arithmetic (int, Fraction, Decimal, datetime) and its own parsers; pyarrow writes the
files. Sources of the rules: docs/airbyte-files.md, "Files of other types".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lotuslake.adapters.parquet_footers import read_file_schema
from lotuslake.core.conversion import convert
from lotuslake.core.schema_comparison import is_readable_as
from lotuslake.core.type_text import parse_type

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REFUSED = object()

WHOLES = (0, 1, -1, 127, 2**31, 2**53, 2**53 + 1, -(2**53) - 1, 2**60, 2**60 + 1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1)
FLOATS: tuple[float, ...] = (
    0.0,
    -0.0,
    0.1,
    1.5,
    -3.0,
    1e15,
    1e22,
    1e23,
    2.0**53 + 2,
    9.2e18,
    2.0**63,
    -(2.0**63),
    5e-324,
    1.7e308,
)
FLOATS += (math.inf, -math.inf, math.nan)
DECIMALS = tuple(
    Decimal(text)
    for text in (
        *(
            "0",
            "0.1",
            "-12.25",
            "1",
            "100",
            "9007199254740992",
            "9007199254740993",
            "9007199254740993.5",
            "0.1234567891",
        ),
        *("12345678901234567890.1234567891", "123456789012.3456", "1152921504606846976", "9223372036854775807"),
        *("9223372036854775808", "0.3000000001", "99999999999999.9999", "0.0000000001"),
    )
)
TEXTS = (
    *("0", "-0", "1", "+42", " 7 ", "1.0", "1e3", "1E+3", "1e-3", "12.50", ".5", "5.", "0.1", "0.30000000000000004"),
    *("0.1234567890123456789", "9007199254740992", "9007199254740993", "9007199254740993.0", "9007199254740993e0"),
    *("1152921504606846976", "1e22", "1e23", "1e308", "1e400", "-1e400", "1e-400", "1e99999999999999999999", "00012"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "9223372036854775807.0", "0.0", "-0.0e5"),
    *(
        "NaN",
        "nan",
        "inf",
        "-Infinity",
        "Infinity",
        "1_000",
        "0x1F",
        "",
        " ",
        "abc",
        "1,5",
        "٣",
        "1 2",
        "--1",
        "1e",
        ".",
    ),
    *("true", "TRUE", " false ", "t", "yes", "on", "truefalse"),
    *("2026-03-01", "2026-02-29", "9999-12-31", "0001-01-01", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00+02:00"),
    *(
        "2026-03-01 00:00:00",
        "2026-03-01T10:00:00",
        "2026-03-01T00:00:00.0000001Z",
        "infinity",
        "epoch",
        "now",
        "today",
    ),
    *("2026-03-01T12:11:12.345678+02:00", "2026-03-01T10:11:12.1234567Z", "2026-03-01T10:11:12.123456000Z"),
    *("2026-03-01T10:11Z", "2026-03-01 10:00:00 Europe/Berlin", "2026-03-01T24:00:00Z", "2026-13-01T00:00:00Z"),
    *("2026-03-01T23:59:60Z", "2026-03-01T10:11:12+02", "2026-03-01T10:11:12.5+05:45", "2026-03-01T10:11:12+25:00"),
    *("10:11:12", "10:11:12.345678", "10:11:12.3456789", "10:11:12.345678000", "10:11:12Z", "10:11:12+02:00"),
    *("24:00:00", "47:11:00", "10:11", "10:60:00", "it's", 'say "hi"', "ünï😀"),
)
DAYS = (date(2026, 3, 1), date(1, 1, 1), date(9999, 12, 31), date(1969, 12, 31))
# Nanoseconds after 1970, midnights and others.
INSTANTS_NS = (0, 10**9, -(10**6), 1_772_323_200 * 10**9, 1_772_359_872_345_678_000, 1_772_359_872_345_678_901, 10**3)
TIMES_NS = (0, 36_672 * 10**9, 36_672_345 * 10**6, 36_672_345_678 * 10**3, 86_399_999_999_999)


@dataclass(frozen=True)
class Written:
    """A type of a file and the exact values of its rows: numbers as numbers, instants as nanoseconds after 1970."""

    name: str
    type: pa.DataType
    kind: str
    values: tuple[Any, ...]
    adjusted: bool = False

    def array(self) -> pa.Array[Any]:
        """What pyarrow writes."""
        if self.kind in {"instant", "time"}:
            step = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[re.findall(r"\[(\w+)", str(self.type))[0]]
            raw = pa.int32() if self.type.bit_width == 32 else pa.int64()
            return pa.array([value // step for value in self.values], raw).cast(self.type)
        return pa.array(self.values, self.type)


def _ints(name: str, type_: pa.DataType, low: int, high: int) -> Written:
    return Written(name, type_, "number", tuple(value for value in (*WHOLES, low, high) if low <= value <= high))


def _decimals(precision: int, scale: int) -> Written:
    fitting = [
        value
        for value in DECIMALS
        if (Fraction(value) * 10**scale).denominator == 1 and abs(value) < Decimal(10) ** (precision - scale)
    ]
    return Written(f"decimal({precision},{scale})", pa.decimal128(precision, scale), "number", tuple(fitting))


def _stepped(unit: str, values: tuple[int, ...]) -> tuple[int, ...]:
    step = {"ms": 10**6, "us": 10**3, "ns": 1}[unit]
    return tuple(value for value in values if value % step == 0)


SINGLES = tuple(value for value in FLOATS if math.isinf(value) or math.isnan(value) or abs(value) < 3e38)
WRITTEN = (
    *(_ints(f"int{bits}", getattr(pa, f"int{bits}")(), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)),
    *(_ints(f"uint{bits}", getattr(pa, f"uint{bits}")(), 0, 2**bits - 1) for bits in (8, 16, 32, 64)),
    Written("double", pa.float64(), "double", FLOATS),
    Written("float", pa.float32(), "float", tuple(pa.array(SINGLES, pa.float32()).to_pylist())),
    *(_decimals(precision, scale) for precision, scale in ((4, 2), (9, 0), (18, 4), (19, 0), (38, 10), (38, 0))),
    Written("text", pa.string(), "text", TEXTS),
    Written("flag", pa.bool_(), "flag", (True, False)),
    Written("bytes", pa.binary(), "bytes", (b"abc", "é".encode(), b"\xff", b"\xed\xa0\xbd", b"7")),
    Written("day", pa.date32(), "day", DAYS),
    Written("time ms", pa.time32("ms"), "time", _stepped("ms", TIMES_NS)),
    Written("time us", pa.time64("us"), "time", _stepped("us", TIMES_NS)),
    Written("time us, UTC", pa.time64("us"), "time", _stepped("us", TIMES_NS), adjusted=True),
    Written("time ms, UTC", pa.time32("ms"), "time", _stepped("ms", TIMES_NS), adjusted=True),
    Written("time ns", pa.time64("ns"), "time ns", TIMES_NS),
    *(
        Written(f"instant {unit}{', UTC' if zone else ''}", type_, "instant", _stepped(unit, INSTANTS_NS))
        for unit, zone, type_ in (
            ("ms", None, pa.timestamp("ms")),
            ("us", None, pa.timestamp("us")),
            ("ns", None, pa.timestamp("ns")),
            ("ms", "UTC", pa.timestamp("ms", tz="UTC")),
            ("us", "UTC", pa.timestamp("us", tz="UTC")),
            ("ns", "UTC", pa.timestamp("ns", tz="UTC")),
        )
    ),
    Written("null", pa.null(), "null", (None,)),
    Written("list of int64", pa.list_(pa.int64()), "nested", ([1], [], [None])),
    Written("struct", pa.struct([("a", pa.int64())]), "nested", ({"a": 1}, {"a": None})),
    Written("map", pa.map_(pa.string(), pa.int64()), "map", ([("a", 1)],)),
)  # fmt: skip
AS_TEXT = Written("", pa.string(), "text", ())
DECLARED: tuple[str, ...] = (
    "BIGINT",
    "DOUBLE",
    "BOOLEAN",
    "VARCHAR",
    "DATE",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE",
)
DECLARED += ("STRUCT(a BIGINT)", "BIGINT[]")
PAIRS = [(written, declared) for written in WRITTEN for declared in DECLARED]


# What is expected: Python only.


def number(value: Any) -> Fraction | None:
    """The exact number that a value stands for; of zeros that have a sign, see as_double."""
    if isinstance(value, str):
        if not value.isascii() or "_" in value:
            return None
        try:
            value = Decimal(value.strip())
        except InvalidOperation:
            return None
    if isinstance(value, Decimal):
        # A power beyond all bounds would be worked out digit by digit.
        return Fraction(value) if value.is_finite() and abs(value.adjusted()) < 500 else None
    return Fraction(value)


def as_double(value: Any) -> Any:
    exact = number(value)
    if exact is None:
        return REFUSED
    try:
        nearest = float(exact)
    except OverflowError:
        return REFUSED
    if exact == 0:
        return math.copysign(0.0, -1 if str(value).strip().startswith("-") else 1)
    if exact.denominator == 1:
        return nearest if Fraction(nearest) == exact and abs(exact) < 2**127 else REFUSED
    return nearest if Fraction(Decimal(repr(nearest))) == exact else REFUSED


def as_bigint(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return REFUSED
    exact = number(value)
    if exact is None or exact.denominator != 1 or not -(2**63) <= exact < 2**63:
        return REFUSED
    return int(exact)


def instant_of(text: str) -> int | None:
    """Nanoseconds after 1970 of an ISO text, without an offset in UTC; None where it is none."""
    text = text.strip()
    head, dot, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    if dot:
        text = f"{head}{rest[len(digits) :]}"
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return (at - EPOCH) // timedelta(microseconds=1) * 1000 + int(digits.ljust(9, "0")[:9] or 0)


def as_instant(written: Written, value: Any) -> Any:
    if written.kind == "day":
        nanos = (datetime(value.year, value.month, value.day, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) * 1000
    elif written.kind == "instant":
        nanos = value
    elif written.kind == "text" and len(value.strip()) >= 10:
        found = instant_of(value)
        if found is None:
            return REFUSED
        nanos = found
    else:
        return REFUSED
    return REFUSED if nanos % 1000 else EPOCH + timedelta(microseconds=nanos // 1000)


def as_day(written: Written, value: Any) -> Any:
    at = as_instant(written, value)
    return at.date() if at is not REFUSED and at.time() == time(0) else REFUSED


def as_time(written: Written, value: Any) -> Any:
    if written.kind == "time":
        return (EPOCH + timedelta(microseconds=value // 1000)).time()
    if written.kind != "text":
        return REFUSED
    text = value.strip().removesuffix("Z")
    if "+" in text:
        return REFUSED
    head, _, digits = text.partition(".")
    if len(digits.rstrip("0")) > 6:
        return REFUSED
    try:
        return (
            time.fromisoformat(head).replace(microsecond=int(digits.ljust(6, "0")[:6] or 0)) if ":" in head else REFUSED
        )
    except ValueError:
        return REFUSED


def as_flag(written: Written, value: Any) -> Any:
    if written.kind == "flag":
        return value
    words = {"true": True, "false": False}
    return words.get(value.strip().lower(), REFUSED) if written.kind == "text" else REFUSED


def as_number(written: Written, value: Any, declared: str) -> Any:
    if declared == "BIGINT":
        return as_bigint(value) if written.kind in {"number", "double", "float", "text"} else REFUSED
    if written.kind in {"double", "float"}:
        return value
    return as_double(value) if written.kind in {"number", "text"} else REFUSED


def as_nested(written: Written, value: Any, declared: str) -> Any:
    same = {"STRUCT(a BIGINT)": "struct", "BIGINT[]": "list of int64"}
    return value if same.get(declared) == written.name else REFUSED


def expected(written: Written, value: Any, declared: str) -> Any:
    """The value in the declared type, or REFUSED. Text as JSON, and anything as text, have tests of their own."""
    if written.kind == "null":
        return None
    if written.name == "instant ns, UTC":
        return REFUSED  # DuckDB shows them in microseconds: whether anything was cut off cannot be told.
    match declared:
        case "BIGINT" | "DOUBLE":
            return as_number(written, value, declared)
        case "BOOLEAN":
            return as_flag(written, value)
        case "DATE":
            return value if written.kind == "day" else as_day(written, value)
        case "TIME":
            return as_time(written, value) if isinstance(value, str | int) else REFUSED
        case "TIMESTAMP" | "TIMESTAMP WITH TIME ZONE":
            return as_instant(written, value)
        case _:
            return as_nested(written, value, declared)


def is_text_again(written: Written, value: Any, text: Any) -> bool:
    """Whether a text stands for exactly this value: another program reads it back as the same."""
    same: Any
    match written.kind:
        case "number":
            same = Decimal(text) == value
        case "double" | "float":
            same = _comparable(pa.array([float(text)]).cast(written.type)[0].as_py()) == _comparable(value)
        case "instant":
            same = instant_of(text) == value
        case "time":
            same = as_time(AS_TEXT, text.removesuffix("+00")) == as_time(written, value)
        case "flag":
            same = text == str(value).lower()
        case "bytes":
            same = text.encode() == value
        case "nested" | "map":
            same = [part for part in text if part.isdigit()] == [part for part in str(value) if part.isdigit()]
        case _:
            same = text == str(value)
    return bool(same)


@dataclass(frozen=True)
class Reader:
    """The files, and a DuckDB that reads them."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def expression(self, written: Written, declared: str) -> str | None:
        """What the product makes of the file's column."""
        schema = read_file_schema(self.connection, str(self.folder / f"{written.name}.parquet"))
        types = dict(schema.columns)
        return convert("v", types["v"], parse_type(declared), column="v")

    def value(self, written: Written, row: int, expression: str) -> Any:
        """The value of one row, REFUSED where the statement fails; its message may hold no value."""
        file = self.folder / f"{written.name}.parquet"
        try:
            found = self.connection.execute(f"SELECT {expression} FROM read_parquet('{file}') WHERE row_number = {row}")
            return found.fetchall()[0][0]
        except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
            # Of bytes that are no UTF-8, the copy names the column and repeats nothing of DuckDB's message.
            return REFUSED if "column v holds" in str(error) or written.kind == "bytes" else error


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    folder = tmp_path_factory.mktemp("written")
    for written in WRITTEN:
        array = written.array()
        table = pa.table({"row_number": pa.array(range(len(array))), "v": array})
        pq.write_table(
            table, folder / f"{written.name}.parquet", store_schema=False, write_time_adjusted_to_utc=written.adjusted
        )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield Reader(connection, folder)


def _comparable(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value) - EPOCH
    if isinstance(value, float):
        return "nan" if math.isnan(value) else (value, math.copysign(1, value))
    return value


@pytest.mark.parametrize(("written", "declared"), PAIRS, ids=[f"{w.name}-{d}" for w, d in PAIRS])
def test_a_value_comes_out_the_same_or_is_refused(reader: Reader, written: Written, declared: str) -> None:
    expression = reader.expression(written, declared)
    wrong = []
    for row, value in enumerate(written.values):
        found = REFUSED if expression is None else reader.value(written, row, expression)
        if declared == "VARCHAR" and written.name not in {"null", "time ns", "instant ns, UTC"}:
            fits = is_text_again(written, value, found) if found is not REFUSED else value in {b"\xff", b"\xed\xa0\xbd"}
        else:
            fits = _comparable(found) == _comparable(expected(written, value, declared))
        if not fits:
            wrong.append((value, found))
    assert not wrong


def test_what_stands_by_reference_is_never_refused_as_a_copy(reader: Reader) -> None:
    """DuckLake reads those files itself: no value of theirs may be one that a copy would refuse."""
    by_reference = []
    for written, declared in PAIRS:
        schema = dict(read_file_schema(reader.connection, str(reader.folder / f"{written.name}.parquet")).columns)
        if is_readable_as(schema["v"], parse_type(declared)):
            by_reference.append((written.name, declared))
            assert (
                REFUSED not in [expected(written, value, declared) for value in written.values] or declared == "VARCHAR"
            )
    assert ("int32", "BIGINT") in by_reference
    assert ("time us, UTC", "TIME") in by_reference
    assert not {(name, type_) for name, type_ in by_reference if "ns" in name.split() or name == "null"}
