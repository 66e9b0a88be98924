"""Reading DuckDB's text for a type, as DESCRIBE prints it, back into a ColumnType."""

from __future__ import annotations

import re

from lotuslake.core.field_types import ColumnType, ListOf, Scalar, Struct

# A quoted name, a quoted value of an ENUM, the end of a list type, a word, or a character that stands for itself.
_TOKEN = re.compile(r"""("(?:[^"]|"")*"|'(?:[^']|'')*'|\[\d*\]|[^\s"'(),\[\]]+|\S)""")
_WORD = re.compile(r"""[^\s"'(),\[\]]+""")
_STRAY = frozenset("\"'[]")


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
        while self._next.startswith("["):
            self._take()
            type_ = ListOf(type_)
        return type_

    @property
    def _next(self) -> str:
        return "" if self.at_end else self._tokens[self._at]

    def _parse_base(self) -> ColumnType:
        words = [self._take_word()]
        while _WORD.fullmatch(self._next):
            words.append(self._take_word())
        name = " ".join(words).upper()
        if self._next != "(":
            return Scalar(name)
        self._take()
        return self._parse_struct() if name == "STRUCT" else Scalar(name + self._parse_parameters())

    def _parse_struct(self) -> Struct:
        fields: list[tuple[str, ColumnType]] = []
        while True:
            fields.append((self._take_name(), self.parse()))
            match self._take():
                case ")":
                    return Struct(tuple(fields))
                case other if other != ",":
                    raise ValueError(f"not part of a type: {other}")

    def _parse_parameters(self) -> str:
        depth, parts = 1, ["("]
        while depth:
            token = self._take()
            depth += {"(": 1, ")": -1}.get(token, 0)
            glued = token[0] in "(),[" or parts[-1] in {"(", ","}
            parts.append(token if glued else f" {token}")
        return "".join(parts)

    def _take_name(self) -> str:
        if self._next.startswith('"'):
            return self._take()[1:-1].replace('""', '"')
        return self._take_word()

    def _take_word(self) -> str:
        word = self._take()
        if not _WORD.fullmatch(word):
            raise ValueError(f"not part of a type: {word}")
        return word

    def _take(self) -> str:
        token = self._next
        if not token or token in _STRAY:
            raise ValueError("the text of a type ends too early")
        self._at += 1
        return token
