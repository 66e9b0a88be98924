"""Reading DuckDB's text for a type, as DESCRIBE prints it, back into a ColumnType."""

from __future__ import annotations

import re

from lotuslake.core.field_types import ColumnType, ListOf, Scalar, Struct

_TOKEN = re.compile(r'"(?:[^"]|"")*"|\[\d*\]|[(),]|[^\s"(),\[\]]+')


def parse_type(text: str) -> ColumnType:
    """Parse text such as ``STRUCT(id BIGINT, tags VARCHAR[])``.

    MAP, UNION, DECIMAL and other parametrised types become a Scalar that keeps its parameters in its name.

    Raises:
        ValueError: the text is not a type.
    """
    parser = _Parser(_TOKEN.findall(text))
    type_ = parser.parse()
    if not parser.at_end:
        raise ValueError(f"not a type: {text}")
    return type_


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._tokens)

    def parse(self) -> ColumnType:
        type_ = self._parse_base()
        while not self.at_end and self._tokens[self._at].startswith("["):
            self._at += 1
            type_ = ListOf(type_)
        return type_

    def _parse_base(self) -> ColumnType:
        words = [self._take()]
        while (
            not self.at_end and self._tokens[self._at] not in {"(", ")", ","} and self._tokens[self._at][0] not in '["'
        ):
            words.append(self._take())
        name = " ".join(words).upper()
        if self.at_end or self._tokens[self._at] != "(":
            return Scalar(name)
        self._at += 1
        return self._parse_struct() if name == "STRUCT" else Scalar(name + self._parse_parameters())

    def _parse_struct(self) -> Struct:
        fields: list[tuple[str, ColumnType]] = []
        while True:
            name = self._take()
            if name.startswith('"'):
                name = name[1:-1].replace('""', '"')
            fields.append((name, self.parse()))
            if self._take() == ")":
                return Struct(tuple(fields))

    def _parse_parameters(self) -> str:
        depth, parts = 1, ["("]
        while depth:
            token = self._take()
            depth += {"(": 1, ")": -1}.get(token, 0)
            parts.append(token if token in {"(", ")", ","} or parts[-1] in {"(", ","} else f" {token}")
        return "".join(parts)

    def _take(self) -> str:
        if self.at_end:
            raise ValueError("the text of a type ends too early")
        self._at += 1
        return self._tokens[self._at - 1]
