"""Which files are generated, and what stands in each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.documents.internal import internal_catalog
from lotuslake.core.documents.protocol import protocol_catalog
from lotuslake.core.documents.terraform import terraform_inputs
from lotuslake.core.json_text import render_json

GENERATED_DIR = "manifests/airbyte/generated"


def _inputs(source: AirbyteSource) -> dict[str, Any]:
    """Hashes of the files that the other documents were made from, so that `--check` sees every edit."""
    connector = source.discovery.label if source.discovery else None
    return {"connector": connector, "files": {path: source.inputs[path] for path in sorted(source.inputs)}}


BUILDERS: Mapping[str, Callable[[AirbyteSource], dict[str, Any]]] = {
    "protocol": protocol_catalog,
    "internal": internal_catalog,
    "terraform": terraform_inputs,
    "inputs": _inputs,
}
FORMATS = tuple(BUILDERS)


def generated_path(source_name: str, format_: str) -> str:
    """Where a document lies, relative to the project."""
    return f"{GENERATED_DIR}/{source_name}.{format_}.json"


def parse_generated_path(path: str) -> tuple[str, str] | None:
    """(source, format) of a file that this program generates; None for any other."""
    folder, _, name = path.rpartition("/")
    parts = name.split(".")
    is_ours = folder == GENERATED_DIR and len(parts) == 3 and parts[1] in FORMATS and parts[2] == "json"  # noqa: PLR2004
    return (parts[0], parts[1]) if is_ours else None


def build_documents(source: AirbyteSource, formats: Collection[str] = FORMATS) -> dict[str, str]:
    """The texts of a source's files by path. A source without a definition id has nothing for Terraform."""
    if not source.streams:
        return {}
    wanted = [format_ for format_ in FORMATS if format_ in formats]
    if source.source.definition_id is None:
        wanted = [format_ for format_ in wanted if format_ != "terraform"]
    return {generated_path(source.name, format_): render_json(BUILDERS[format_](source)) for format_ in wanted}
