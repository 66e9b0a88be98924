"""A Parquet file's footer taken apart and put together again: what no writer here would write can be written so.

Thrift's compact protocol, by its specification (https://github.com/apache/thrift, doc/specs/thrift-compact-protocol.md);
the numbers of fields are those of https://github.com/apache/parquet-format, src/main/thrift/parquet.thrift.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MAGIC = b"PAR1"
TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)

# FileMetaData, SchemaElement, LogicalType, TimeType and TimeUnit, RowGroup, ColumnChunk, ColumnMetaData
SCHEMA, ROW_GROUPS, KEY_VALUES, CREATED_BY = 2, 4, 5, 6
ELEMENT_TYPE, REPETITION, ELEMENT_NAME, CHILDREN, CONVERTED_TYPE, LOGICAL_TYPE = 1, 3, 4, 5, 6, 10
LOGICAL_TIME, LOGICAL_TIMESTAMP, LOGICAL_NULL = 7, 8, 11
COLUMNS, META_DATA = 1, 3
PATH, CODEC, STATISTICS, DATA_PAGE_OFFSET = 3, 4, 12, 9
LZO, LZ4_HADOOP = 3, 5

Fields = dict[int, "Value"]


@dataclass
class Value:
    """A value and its type; a struct's is a dict by field number, a list's a list of values of one type."""

    type: int
    value: Any

    def __getitem__(self, field: int) -> Value:
        found = self.value[field]
        assert isinstance(found, Value)
        return found


def rewrite(body: bytes, change: Callable[[Value], None]) -> bytes:
    """The file with another footer; its pages are as they were."""
    length = int.from_bytes(body[-8:-4], "little")
    footer, _ = _read(body[len(body) - 8 - length : -8], 0, STRUCT)
    change(footer)
    written = _write(footer)
    return body[: len(body) - 8 - length] + written + len(written).to_bytes(4, "little") + MAGIC


def elements(footer: Value, name: str) -> list[Value]:
    """Elements of the schema with this name."""
    return [element for element in footer[SCHEMA].value if element[ELEMENT_NAME].value == name.encode()]


def chunks(footer: Value, path: str = "") -> list[Value]:
    """ColumnMetaData of every row group, of one column (`a.b`) or of all."""
    found = [chunk[META_DATA] for group in footer[ROW_GROUPS].value for chunk in group[COLUMNS].value]
    return [
        chunk for chunk in found if not path or b".".join(part.value for part in chunk[PATH].value) == path.encode()
    ]


def without_statistics(body: bytes, *columns: str) -> bytes:
    """The file without the statistics of some columns, or of all."""

    def change(footer: Value) -> None:
        for path in columns or ("",):
            for chunk in chunks(footer, path):
                chunk.value.pop(STATISTICS, None)

    return rewrite(body, change)


def with_codec(body: bytes, codec: int) -> bytes:
    """The file that says of every column chunk to be compressed in this way."""

    def change(footer: Value) -> None:
        for chunk in chunks(footer):
            chunk[CODEC].value = codec

    return rewrite(body, change)


def _read(data: bytes, at: int, type_: int) -> tuple[Value, int]:
    match type_:
        case 1 | 2:
            return Value(TRUE, type_ == TRUE), at
        case 3:
            return Value(type_, data[at]), at + 1
        case 4 | 5 | 6:
            number, at = _read_varint(data, at)
            return Value(type_, (number >> 1) ^ -(number & 1)), at
        case 7:
            return Value(type_, struct.unpack("<d", data[at : at + 8])[0]), at + 8
        case 8:
            length, at = _read_varint(data, at)
            return Value(type_, data[at : at + length]), at + length
        case 9 | 10:
            return _read_list(data, at, type_)
        case 12:
            return _read_struct(data, at)
    raise ValueError(f"type {type_} of a footer is not known")


def _read_list(data: bytes, at: int, type_: int) -> tuple[Value, int]:
    size, element_type = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = _read_varint(data, at)
    items = []
    for _ in range(size):
        if element_type in {TRUE, FALSE}:
            item, at = Value(TRUE, data[at] == TRUE), at + 1
        else:
            item, at = _read(data, at, element_type)
        items.append(item)
    return Value(type_, items), at


def _read_struct(data: bytes, at: int) -> tuple[Value, int]:
    fields: Fields = {}
    number = 0
    while data[at]:
        delta, type_ = data[at] >> 4, data[at] & 15
        at += 1
        if delta:
            number += delta
        else:
            raw, at = _read_varint(data, at)
            number = (raw >> 1) ^ -(raw & 1)
        fields[number], at = _read(data, at, type_)
    return Value(STRUCT, fields), at + 1


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 128:
            return number, at


def _write(value: Value) -> bytes:
    match value.type:
        case 3:
            return bytes([value.value])
        case 4 | 5 | 6:
            return _varint((value.value << 1) ^ (value.value >> 63))
        case 7:
            return struct.pack("<d", value.value)
        case 8:
            return _varint(len(value.value)) + bytes(value.value)
        case 9 | 10:
            return _write_list(value.value)
        case 12:
            return _write_struct(value.value)
    raise ValueError(f"type {value.type} of a footer is not known")


def _write_list(items: list[Value]) -> bytes:
    type_ = items[0].type if items else STRUCT
    head = bytes([len(items) << 4 | type_]) if len(items) < 15 else bytes([0xF0 | type_]) + _varint(len(items))
    return head + b"".join(bytes([1 if item.value else 2]) if item.type == TRUE else _write(item) for item in items)


def _write_struct(fields: Fields) -> bytes:
    written, last = b"", 0
    for number, value in sorted(fields.items()):
        type_ = value.type if value.type != TRUE or value.value else FALSE
        delta = number - last
        written += bytes([delta << 4 | type_]) if delta < 16 else bytes([type_]) + _varint(number << 1)
        written += b"" if value.type == TRUE else _write(value)
        last = number
    return written + b"\0"


def _varint(number: int) -> bytes:
    written = b""
    while number > 127:
        written += bytes([number & 127 | 128])
        number >>= 7
    return written + bytes([number])
