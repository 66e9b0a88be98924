"""What a model's hash covers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml


def hash_model(node: Any, macros: Mapping[str, Any], project_file: Path) -> str:
    """Hash of a model's SQL and of everything of its own project that shapes it: macros, and variables where one is read.

    ``node`` and ``macros`` are those of dbt's manifest.
    """
    digest = hashlib.sha256(node.raw_code.encode())
    texts = sorted(_macro_texts(node, macros))
    for text in texts:
        digest.update(text.encode())
    if any("var(" in text for text in (node.raw_code, *texts)):
        document = yaml.safe_load(project_file.read_text(encoding="utf-8"))
        digest.update(repr(sorted(dict(document.get("vars") or {}).items())).encode())
    return digest.hexdigest()[:16]


def _macro_texts(node: Any, macros: Mapping[str, Any]) -> Iterator[str]:
    """The project's own macros that the model uses, and those that they use."""
    seen: set[str] = set()
    waiting = list(node.depends_on.macros)
    while waiting:
        unique_id = waiting.pop()
        macro = macros.get(unique_id)
        if macro is None or unique_id in seen or macro.package_name != node.package_name:
            continue
        seen.add(unique_id)
        yield macro.macro_sql
        waiting += macro.depends_on.macros
