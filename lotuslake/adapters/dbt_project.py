"""dbt in this process: the project parsed once, models run and tests counted, nothing on stdout."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import yaml

from lotuslake.adapters.dbt_environment import hide_dbt_variables
from lotuslake.adapters.dbt_errors import DbtError
from lotuslake.adapters.dbt_folder import DbtFolder
from lotuslake.adapters.dbt_hashes import hash_model
from lotuslake.adapters.dbt_known_models import KnownModels
from lotuslake.adapters.duckdb_errors import translate_text
from lotuslake.adapters.duckdb_instance import LAKE, DuckDbInstance
from lotuslake.adapters.folders import replace_file
from lotuslake.core.errors import ConfigError, InvalidModelError
from lotuslake.core.finding import TestOutcome
from lotuslake.core.model import Layer, Model

PROFILE = "lotuslake"
PARSED = "partial_parse.msgpack"
STATUSES = frozenset({"pass", "warn", "fail"})
_MACRO = re.compile(r"{%-?\s*macro\s+(\w+)")


class DbtProject:
    """The dbt project in ``folder``. Its profile opens the instance's named database, so it holds no secret.

    dbt takes its orders from here alone: variables such as DBT_EMPTY are taken out of the process's environment.
    """

    def __init__(self, folder: Path, state_dir: Path, instance: DuckDbInstance) -> None:
        hide_dbt_variables()
        self._folder = folder
        self._walked = DbtFolder(folder, state_dir)
        self._state_dir = state_dir
        self._instance = instance
        self._warming: Future[Any] | None = None

    def warm_up(self) -> None:
        """Import dbt and parse the project in a thread, while the caller does something else."""
        if self._warming is None:
            self._warming = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dbt").submit(self._load_manifest)

    @cached_property
    def manifest(self) -> Any:
        """dbt's manifest, parsed at the first use and from `partial_parse.msgpack` where nothing changed."""
        return self._warming.result() if self._warming is not None else self._load_manifest()

    def close(self) -> None:
        """Close dbt's connection: while it is open, the instance's database lives on, and with it the hold on a catalog."""
        connections = sys.modules.get("dbt.adapters.duckdb.connections")
        if connections is not None:
            connections.DuckDBConnectionManager.close_all_connections()
        self._walked.close()

    def _load_manifest(self) -> Any:
        kept = self._load_kept()
        if kept is not None:
            return kept
        manifest = self._parse()
        self._known[0].save(self._models_of(manifest), self._parsed)
        return manifest

    def _load_kept(self) -> Any:
        """The manifest of the last parsing, where every file is as it was then: to find that out takes dbt a second.

        Two things are left as dbt does them, since no file tells of them: a model's `env_var`, and a first parsing.
        """
        self._take_up_parsing()
        # Read once: another program may be parsing.
        parsed = self._parsed.read_bytes() if self._parsed.is_file() else b""
        if not any(known.are_parsed(parsed) for known in self._known):
            return None
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        manifest = Manifest.from_msgpack(parsed, decoder=extended_mashumuro_decoder)
        if manifest.env_vars:
            return None
        manifest.build_parent_and_child_maps()
        manifest.build_flat_graph()
        self._write_profile()
        return manifest

    def _parse(self) -> Any:
        if not (self._folder / "dbt_project.yml").is_file():
            raise ConfigError(f"there is no dbt project in {self._folder}: dbt_project.yml is missing")
        self._write_profile()
        result = self._runner(None).invoke(["parse", *self._flags()])
        _raise_system_error(result.exception)
        if not result.success:
            raise InvalidModelError(f"the dbt project does not parse: {_short(result.exception or result.result)}")
        return result.result

    def _take_up_parsing(self) -> None:
        """Begin with what was parsed when the image was built: it lies in the project's own target folder."""
        kept = self._folder / "target" / PARSED
        if kept.is_file() and not self._parsed.exists():
            self._parsed.parent.mkdir(parents=True, exist_ok=True)
            replace_file(self._parsed, kept.read_bytes())

    @property
    def _parsed(self) -> Path:
        return self._state_dir / "target" / PARSED

    @cached_property
    def _known(self) -> tuple[KnownModels, KnownModels]:
        """What is known of the project's files: beside what was parsed when the image was built lies what was found then."""
        return KnownModels(self._folder, self._state_dir), KnownModels(self._folder, self._folder / "target")

    @cached_property
    def models(self) -> dict[str, Model]:
        """Models of the folders processed/ and enriched/ by name; read without dbt while no file of the project changed."""
        for known in self._known:
            models = known.load()
            if models is not None:
                return models
        return self._models_of(self.manifest)

    def _models_of(self, manifest: Any) -> dict[str, Model]:
        nodes = [node for node in manifest.nodes.values() if node.resource_type == "model"]
        return {
            node.name: Model(
                name=node.name,
                layer=cast("Layer", node.schema),
                hash=hash_model(node, manifest.macros, self._folder / "dbt_project.yml"),
                upstreams=tuple(sorted(self._models_among(node.depends_on.nodes))),
            )
            for node in nodes
            if node.schema in {"processed", "enriched"}
        }

    @cached_property
    def macros(self) -> frozenset[str]:
        """Names of the macros in the project's own folder for them, read without dbt."""
        files = (self._folder / "macros").rglob("*.sql")
        return frozenset(name for file in files for name in _MACRO.findall(file.read_text(encoding="utf-8")))

    def run(self, model: str) -> None:
        """Build one model.

        Raises:
            DbtError: with dbt's message; the caller tells races, outages and faults of the model apart by its text.
        """
        result = self._runner(self.manifest).invoke(["run", "--select", model, "--no-populate-cache", *self._flags()])
        outcomes = list(result.result or ())
        _raise_system_error(result.exception)
        if not result.success or len(outcomes) != 1:
            raise DbtError(outcomes[0].message if outcomes else str(result.exception))

    def test(self, models: Sequence[Model]) -> list[TestOutcome]:
        """Run the data tests whose models are all among these or above them.

        Raises:
            UnreachableError: an outage, or a full disk, kept a test from running: nothing is known of its model.
        """
        if not models:
            return []
        names = [model.name for model in models]
        result = self._runner(self.manifest).invoke(
            ["test", "--select", *names, "--indirect-selection", "buildable", "--resource-type", "test", *self._flags()]
        )
        _raise_system_error(result.exception)
        if result.exception is not None:
            raise InvalidModelError(f"the data tests could not run: {_short(result.exception)}")
        return [self._outcome(entry) for entry in result.result]

    def _outcome(self, entry: Any) -> TestOutcome:
        tested = self._models_among(entry.node.depends_on.nodes)
        attached = getattr(entry.node, "attached_node", None)
        if entry.status.value not in STATUSES:
            known = translate_text(entry.message or "", f"testing {', '.join(sorted(tested))}")
            if known is not None:
                raise known
        return TestOutcome(
            test=entry.node.name,
            model=attached.split(".")[-1] if attached else ", ".join(sorted(tested)),
            streams=tuple(sorted(self._streams_above(tested))),
            status=entry.status.value if entry.status.value in STATUSES else "error",
            failures=entry.failures or 0,
            message="" if entry.status.value in STATUSES else _short(entry.message),
        )

    def _streams_above(self, models: Iterable[str]) -> set[str]:
        known = self.models
        streams: set[str] = set()
        waiting = [known[name] for name in models if name in known]
        while waiting:
            model = waiting.pop()
            if model.layer == "processed":
                streams.add(model.name.removeprefix("int_").replace("__", "/", 1))
            waiting += [known[name] for name in model.upstreams]
        return streams

    def _models_among(self, unique_ids: Iterable[str]) -> list[str]:
        return [unique_id.split(".")[-1] for unique_id in unique_ids if unique_id.startswith("model.")]

    def _runner(self, manifest: Any) -> Any:
        # Deferred: dbt takes seconds to import, which only a transform has to pay.
        from dbt.cli.main import dbtRunner

        return dbtRunner(manifest=manifest)

    def _flags(self) -> list[str]:
        target = self._state_dir / "target"
        return [
            *("--project-dir", str(self._walked.prepare()), "--profiles-dir", str(self._state_dir)),
            *("--target-path", str(target), "--log-path", str(self._state_dir / "logs")),
            *("--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors"),
            *("--no-send-anonymous-usage-stats", "--no-version-check", "--no-write-json"),
        ]

    def _write_profile(self) -> None:
        output = {
            "type": "duckdb",
            "path": self._instance.name,
            "database": LAKE,
            "schema": "main",
            # More threads read freed memory with DuckLake; see docs/architecture.md.
            "threads": 1,
            "keep_open": True,
            # The instance has attached the lake, so dbt attaches nothing; it only has to know of what kind the lake is.
            # Nothing here differs from one lake to another: what dbt has parsed once serves for all of them.
            "attach": [{"path": "ducklake:attached-by-lotuslake", "alias": LAKE, "is_ducklake": True}],
        }
        self._state_dir.mkdir(parents=True, exist_ok=True)
        profile = {PROFILE: {"target": "lake", "outputs": {"lake": output}}}
        replace_file(self._state_dir / "profiles.yml", yaml.safe_dump(profile).encode())


def _raise_system_error(error: BaseException | None) -> None:
    """dbt hands on what it could not write, such as its target folder, as it came."""
    if isinstance(error, OSError):
        raise error


def _short(error: object) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3])[:300]
