"""One table of conversions between column types without parts: exactly the same value, or none.

A whole number for `number` must be one that a double holds exactly. A fraction must be what the double's shortest form
reads: every decimal of up to 15 digits is, whatever it was written as. Text for an instant, a day or a time of day may not
hold more than microseconds, and a day must be a whole one.
"""

from __future__ import annotations

from lotuslake.core.field_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
    ColumnType,
    Scalar,
)

WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER", "BIGINT"})
HUGE = frozenset({"UBIGINT", "HUGEINT", "UHUGEINT"})
INSTANTS = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", TIMESTAMPTZ.name})
TIMETZ = "TIME WITH TIME ZONE"
EXTRACTED_AT = "_airbyte_extracted_at"
# Not DuckDB's: what a file's own schema says beyond the type that DuckDB shows for it. A column that holds nothing but
# NULL (logical type Null), times of day in milliseconds, and in nanoseconds, of which DuckDB drops the last three digits.
ALL_NULL = "NULL"
TIME_MS = "TIME_MS"
TIME_NS = "TIME_NS"
# Instants in UTC and nanoseconds: DuckDB drops the last three digits as well.
TIMESTAMPTZ_NS = "TIMESTAMPTZ_NS"

# Before the name of a lambda's parameter: a column of that name would come first.
_PART = "_lotuslake_"
_NUMBER = r"\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\s*"
_NUMBER_PARTS = r"([0-9]*)[.]?([0-9]*)(?:[eE]([+-]?[0-9]+))?\s*$"
_DAY = r"[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}"
_CLOCK = r"([01]?[0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}([.][0-9]{1,6}0*)?)?"
_INSTANT = rf"\s*{_DAY}([T ]{_CLOCK}\s?(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?\s*"


def convert_scalar(expression: str, from_: str, to: Scalar, column: str) -> str | None:
    """An SQL expression of type ``to``; None where no lossless way is known."""
    if from_ == ALL_NULL:
        return all_null(to)
    if to == VARCHAR:
        return _to_text(expression, from_)
    if to == BIGINT:
        return _to_bigint(expression, from_, column)
    if to == DOUBLE:
        return _to_double(expression, from_, column)
    if to in {TIMESTAMP, TIMESTAMPTZ}:
        return _to_instant(expression, from_, to, column)
    if to == DATE:
        return _to_day(expression, from_, column)
    if to == TIME:
        return _to_time(expression, from_, column)
    if to == BOOLEAN and from_ == "VARCHAR":
        check = rf"regexp_full_match({expression}, '\s*(true|false)\s*', 'i')"
        return tried(
            expression, f"CAST(trim({expression}) AS BOOLEAN)", "what is neither true nor false", column, check
        )
    return None


def all_null(to: ColumnType) -> str:
    """NULL, for a column that can hold nothing else; it is not read: DuckDB 1.5.5 ends itself where a file lies."""
    return f"CAST(NULL AS {to})"


def tried(expression: str, attempt: str, trouble: str, column: str, condition: str = "") -> str:
    """``attempt`` where it succeeds and the condition holds; an error that names the column where not."""
    attempted = f"CASE WHEN TRY({condition}) THEN TRY({attempt}) END" if condition else f"TRY({attempt})"
    return f"CASE WHEN {expression} IS NULL THEN NULL ELSE coalesce({attempted}, {error(column, trouble)}) END"


def error(column: str, trouble: str) -> str:
    """An SQL expression that fails: it says what is wrong with the column and holds no value."""
    where = column.replace("'", "''")
    return f"error('column {where} holds {trouble}')"


def _to_text(expression: str, from_: str) -> str | None:
    if from_ in {TIME_NS, TIMESTAMPTZ_NS}:
        return None
    return f"decode({expression})" if from_ == "BLOB" else f"CAST({expression} AS VARCHAR)"


def _to_double(expression: str, from_: str, column: str) -> str | None:
    cast = f"CAST({expression} AS DOUBLE)"
    if from_ in WHOLE | HUGE:
        exact = f"CAST({cast} AS HUGEINT) = {expression}"
        return tried(expression, cast, "whole numbers too large", column, exact)
    if from_ == "VARCHAR" or from_.startswith("DECIMAL"):
        text = _double_of_text(f"CAST({expression} AS VARCHAR)")
        return tried(expression, text, "what is no number, or one that no double is", column)
    return cast if from_ == "FLOAT" else None


def _to_bigint(expression: str, from_: str, column: str) -> str | None:
    cast = f"CAST({expression} AS BIGINT)"
    if from_ in WHOLE:
        return cast
    if from_ in HUGE:
        return tried(expression, cast, "whole numbers too large", column)
    if from_ in INSTANTS and column == EXTRACTED_AT:
        millis = f"epoch_ms(CAST({expression} AS TIMESTAMP))"
        exact = f"CAST(make_timestamp({millis} * 1000) AS {from_}) = {expression}"
        return tried(expression, millis, "what is finer than milliseconds", column, exact)
    if from_ in {"DOUBLE", "FLOAT"} or from_.startswith("DECIMAL"):
        return tried(expression, cast, "fractions or numbers too large", column, f"{expression} = trunc({expression})")
    if from_ == "VARCHAR":
        return tried(expression, _bigint_of_text(expression), "what is no whole number", column)
    return None


def _to_instant(expression: str, from_: str, to: Scalar, column: str) -> str | None:
    cast = f"CAST({expression} AS {to})"
    if from_ == "TIMESTAMP_NS":
        exact = f"CAST(CAST({expression} AS TIMESTAMP) AS TIMESTAMP_NS) = {expression}"
        return tried(expression, cast, "what is finer than microseconds", column, exact)
    if from_ in INSTANTS or from_ == "DATE":
        return tried(expression, cast, "instants too far away", column)
    if from_ == "VARCHAR":
        return tried(
            expression, _instant_of_text(expression, to), "what is no instant", column, _is_instant(expression)
        )
    if from_ in WHOLE and column == EXTRACTED_AT:
        return tried(
            expression, f"CAST(epoch_ms(CAST({expression} AS BIGINT)) AS {to})", "instants too far away", column
        )
    return None


def _to_day(expression: str, from_: str, column: str) -> str | None:
    if from_ == "VARCHAR":
        instant, condition = _instant_of_text(expression, TIMESTAMP), f"{_is_instant(expression)} AND "
    elif from_ in INSTANTS:
        instant, condition = f"CAST({expression} AS TIMESTAMP)", ""
    else:
        return None
    day = f"CAST({instant} AS DATE)"
    exact = expression if from_ == "TIMESTAMP_NS" else instant
    condition += f"CAST({day} AS {'TIMESTAMP_NS' if from_ == 'TIMESTAMP_NS' else 'TIMESTAMP'}) = {exact}"
    return tried(expression, day, "what is no whole day", column, condition)


def _to_time(expression: str, from_: str, column: str) -> str | None:
    cast = f"CAST({expression} AS TIME)"
    if from_ == TIME_MS:
        return cast
    if from_ == TIMETZ:
        # Parquet's are all in UTC; an offset would be dropped without a word.
        return tried(
            expression, cast, "times of day with an offset", column, f"CAST({cast} AS {TIMETZ}) = {expression}"
        )
    if from_ == "VARCHAR":
        is_time = rf"regexp_full_match({expression}, '\s*{_CLOCK}Z?\s*')"
        return tried(expression, cast, "what is no time of day", column, is_time)
    return None


def _is_instant(expression: str) -> str:
    return f"regexp_full_match({expression}, '{_INSTANT}')"


def _instant_of_text(expression: str, to: Scalar) -> str:
    """Text without an offset is in UTC, as is everything here."""
    # DuckDB wants the seconds.
    with_seconds = rf"regexp_replace({expression}, '([T ][0-9]+:[0-9]+)(\s?(Z|[+-][0-9:]*)?\s*)$', '\1:00\2')"
    return f"CAST(CAST({with_seconds} AS TIMESTAMP WITH TIME ZONE) AS {to})"


def _double_of_text(text: str) -> str:
    """The double that a text's number is, NULL where there is none."""
    whole = f"ltrim(CAST(TRY_CAST({_PART}v.double AS HUGEINT) AS VARCHAR), '-') = {_digits(f'{_PART}v.number')}"
    checked = (
        f"CASE WHEN CASE WHEN {_PART}v.number.power >= 0 THEN {whole} "
        f"ELSE {_decimal_of(f'CAST({_PART}v.double AS VARCHAR)')} = {_PART}v.number END THEN {_PART}v.double END"
    )
    read = f"{{'double': TRY_CAST({_PART}t AS DOUBLE), 'number': {_decimal_of(f'{_PART}t')}}}"
    return _of_number(text, f"list_transform([{read}], lambda {_PART}v: {checked})[1]")


def _bigint_of_text(text: str) -> str:
    digits = f"CASE WHEN starts_with(trim({_PART}t), '-') THEN '-' ELSE '' END || {_digits(f'{_PART}n')}"
    found = f"CASE WHEN {_PART}n.power >= 0 THEN TRY_CAST({digits} AS BIGINT) END"
    return _of_number(text, f"list_transform([{_decimal_of(f'{_PART}t')}], lambda {_PART}n: {found})[1]")


def _of_number(text: str, found: str) -> str:
    """``found``, which is made of the part `t`, where that is the text of a number.

    Nothing in it may fail: DuckDB works a lambda out for every word of a column's dictionary, and TRY around it would make
    all of them NULL (seen with 1.5.5).
    """
    part = f"{_PART}t"
    checked = f"CASE WHEN regexp_full_match({part}, '{_NUMBER}') THEN {found} END"
    return f"list_transform([{text}], lambda {part}: {checked})[1]"


def _decimal_of(text: str) -> str:
    """A number's text, whatever its form, as digits without zeros around them, and the power of ten of the last one."""
    p, r = f"{_PART}p", f"{_PART}r"
    parts = f"regexp_extract({text}, '{_NUMBER_PARTS}', ['whole', 'fraction', 'exponent'])"
    # Of an exponent without bounds the power is NULL, and nothing equals it.
    power = f"CASE {p}.exponent WHEN '' THEN 0 ELSE TRY_CAST({p}.exponent AS BIGINT) END - length({p}.fraction)"
    digits = f"ltrim({p}.whole || {p}.fraction, '0')"
    raw = f"list_transform([{parts}], lambda {p}: {{'digits': {digits}, 'power': {power}}})[1]"
    kept = f"rtrim({r}.digits, '0')"
    power = f"CASE WHEN {r}.digits = '' THEN 0 ELSE {r}.power + length({r}.digits) - length({kept}) END"
    return f"list_transform([{raw}], lambda {r}: {{'digits': {kept}, 'power': {power}}})[1]"


def _digits(number: str) -> str:
    """The digits of a whole number; of more than 60 some are left out, since it is too large for everything anyhow."""
    zeros = f"repeat('0', least({number}.power, 60))"
    return f"coalesce(nullif({number}.digits || {zeros}, ''), '0')"
