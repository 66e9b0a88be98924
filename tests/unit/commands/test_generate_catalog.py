"""`generate-catalog`, `discover` and `add-stream` on files in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from lotuslake.commands.add_stream import add_stream
from lotuslake.commands.discover import keep_discovery
from lotuslake.commands.generate_catalog import GenerateOptions, generate_catalog
from lotuslake.config.options import Options
from lotuslake.config.section import Section
from lotuslake.config.stream_file import parse_stream
from lotuslake.core.airbyte_source import AirbyteSource
from lotuslake.core.discovery import DiscoveredStream, Discovery
from lotuslake.core.errors import ConfigError, ExitCode
from lotuslake.core.scaffold.new_stream import Wishes
from lotuslake.core.source import Source

DIR = "manifests/airbyte/generated"
PROPERTIES = {"id": {"type": "integer"}, "name": {"type": "string"}}
ORDERS = DiscoveredStream("orders", PROPERTIES, ("full_refresh",), primary_key=(("id",),))
DISCOVERY = Discovery("airbyte-source-shop", "1.0.0", {"orders": ORDERS})


class MemoryFiles:
    """A project's files; ``written`` says in which order."""

    def __init__(self, texts: dict[str, str] | None = None) -> None:
        self.texts = dict(texts or {})
        self.written: list[str] = []

    def load(self, path: str) -> str | None:
        return self.texts.get(path)

    def list_files(self, folder: str) -> list[str]:
        return sorted(path for path in self.texts if path.rpartition("/")[0] == folder)

    def write(self, path: str, text: str) -> None:
        self.written.append(path)
        self.texts[path] = text

    def remove(self, path: str) -> None:
        self.texts.pop(path, None)


def source(name: str = "shop", *, discovery: Discovery | None = DISCOVERY, **more: Any) -> AirbyteSource:
    values: dict[str, Any] = {
        "sync_mode": "full_refresh",
        "destination_sync_mode": "overwrite",
        "primary_key": ["id"],
        "fields": PROPERTIES,
    } | more
    stream = parse_stream(Section("f.yml", values), name, "orders", Options())
    settings = Source(name, definition_id="9da77001-af33-4bcd-be46-6252bf9342b9")
    return AirbyteSource(settings, (stream,), {stream.id: f"streams/{stream.id}.yml"}, discovery, {"a.yml": "sha256:1"})


def test_a_second_run_has_nothing_to_write() -> None:
    files = MemoryFiles()
    first = generate_catalog([source()], files)
    assert [(item.path, item.change) for item in first.documents] == [
        (f"{DIR}/shop.{format_}.json", "added") for format_ in ("inputs", "internal", "protocol", "terraform")
    ]
    files.written.clear()
    second = generate_catalog([source()], files)
    assert files.written == []
    assert second.stale == ()


def test_check_writes_nothing_and_shows_the_difference() -> None:
    files = MemoryFiles()
    generate_catalog([source()], files)
    before = dict(files.texts)
    changed = source(fields={"id": {"type": "integer"}})
    result = generate_catalog([changed], files, GenerateOptions(check=True))
    assert files.texts == before
    assert result.exit_code == ExitCode.FAILED
    assert [item.error.message for item in result.errors] == [
        "3 generated files are not what streams/ gives; run lotuslake generate-catalog"
    ]
    (protocol,) = [item for item in result.stale if item.path == f"{DIR}/shop.protocol.json"]
    assert protocol.diff.startswith(f"--- a/{protocol.path}\n+++ b/{protocol.path}\n@@ ")
    assert '"properties": {"id": {"type": "integer"}, "name": {"type": "string"}}' in protocol.diff


def test_check_of_what_is_current_is_quiet() -> None:
    files = MemoryFiles()
    generate_catalog([source()], files)
    result = generate_catalog([source()], files, GenerateOptions(check=True))
    assert (result.exit_code, result.errors) == (ExitCode.DONE, ())


def test_files_of_a_source_that_is_gone_are_removed_and_others_stay() -> None:
    files = MemoryFiles({f"{DIR}/README.md": "ours", f"{DIR}/old.protocol.json": "{}", f"{DIR}/old.x.json": "{}"})
    result = generate_catalog([source()], files)
    assert [item.path for item in result.documents if item.change == "removed"] == [f"{DIR}/old.protocol.json"]
    assert {f"{DIR}/README.md", f"{DIR}/old.x.json"} < set(files.texts)
    assert f"{DIR}/old.protocol.json" not in files.texts
    (diff,) = [item.diff for item in result.documents if item.change == "removed"]
    assert diff.startswith(f"--- a/{DIR}/old.protocol.json\n+++ /dev/null\n")
    assert "\\ No newline at end of file" in diff


def test_named_sources_and_formats_alone_are_touched() -> None:
    files = MemoryFiles({f"{DIR}/old.protocol.json": "{}"})
    generate_catalog([source(), source("other")], files, GenerateOptions(("shop",), ("protocol",)))
    assert set(files.texts) == {f"{DIR}/old.protocol.json", f"{DIR}/shop.protocol.json"}


def test_a_source_without_streams_has_no_files() -> None:
    files = MemoryFiles({f"{DIR}/shop.protocol.json": "{}"})
    result = generate_catalog([AirbyteSource(Source("shop"), ())], files)
    assert [item.change for item in result.documents] == ["removed"]
    assert result.warnings == ()


@pytest.mark.parametrize(
    ("name", "told"), [("shp", "did you mean 'shop'?"), ("weather", "sources are shop"), ("", "sources are shop")]
)
def test_an_unknown_source_is_named(name: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        generate_catalog([source()], MemoryFiles(), GenerateOptions((name,)))
    assert told in raised.value.message


def test_an_error_of_one_stream_leaves_every_file_as_it_is() -> None:
    files = MemoryFiles()
    result = generate_catalog([source(fields={"id": {"type": "string"}})], files)
    assert result.exit_code == ExitCode.USAGE
    assert [item.stream for item in result.errors] == ["shop/orders"]
    assert files.texts == {}


def test_what_a_person_should_know_is_said() -> None:
    loose = source(discovery=None, landing_path="raw/orders")
    result = generate_catalog([loose], MemoryFiles())
    assert result.warnings == (
        "streams/shop/orders.yml: landing_path is 'raw/orders', but the generated connection writes to shop/orders",
        "shop: not checked against the connector; run lotuslake discover shop",
    )


def test_an_empty_discovery_keeps_what_was_known() -> None:
    files = MemoryFiles({"streams/shop/_discovered.json": "before"})
    with pytest.raises(ConfigError, match="offers no stream"):
        keep_discovery("streams/shop/_discovered.json", DISCOVERY, Discovery("airbyte-source-shop", "2", {}), files)
    assert files.texts == {"streams/shop/_discovered.json": "before"}


def test_a_discovery_is_written_once() -> None:
    files = MemoryFiles()
    assert keep_discovery("d.json", None, DISCOVERY, files).is_written
    again = keep_discovery("d.json", DISCOVERY, DISCOVERY, files)
    assert (again.is_written, again.is_new, again.changes) == (False, False, ())


PATHS = ("streams/shop/orders.yml", "models/processed/int_shop__orders.sql", "models/processed/int_shop__orders.yml")


def reload(*sources: AirbyteSource) -> Callable[[], Sequence[AirbyteSource]]:
    return lambda: sources


def test_a_new_stream_brings_its_files_and_catalogs() -> None:
    files = MemoryFiles()
    result = add_stream("shop/orders", DISCOVERY, Wishes(), files, reload(source()))
    assert result.paths == PATHS
    assert files.written[:3] == list(PATHS)
    assert len(result.generated.stale) == 4


@pytest.mark.parametrize("path", [*PATHS, "streams/shop/orders.json"])
def test_nothing_is_overwritten(path: str) -> None:
    files = MemoryFiles({path: "mine"})
    with pytest.raises(ConfigError, match="is there already; nothing was written"):
        add_stream("shop/orders", DISCOVERY, Wishes(), files, reload(source()))
    assert files.texts == {path: "mine"}


def test_nothing_is_left_behind_when_the_project_cannot_take_it() -> None:
    files = MemoryFiles()
    with pytest.raises(ConfigError, match=r"fields\.id"):
        add_stream("shop/orders", DISCOVERY, Wishes(), files, reload(source(fields={"id": {"type": "string"}})))
    assert files.texts == {}


@pytest.mark.parametrize(
    ("stream", "discovery", "told"),
    [
        ("shop/orders", None, "run lotuslake discover shop first"),
        ("shop/ordrs", DISCOVERY, "airbyte-source-shop 1.0.0 has no stream 'ordrs'; did you mean 'orders'?"),
        ("shop/weather", DISCOVERY, "has no stream 'weather'; it has orders"),
    ],
)
def test_a_stream_that_is_not_offered_is_not_added(stream: str, discovery: Discovery | None, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        add_stream(stream, discovery, Wishes(), MemoryFiles(), reload(source()))
    assert told in raised.value.message
