"""docs/backup-and-restore.md from top to bottom: every command as written, on real Postgres and SeaweedFS.

There is no cluster: a `kubectl` stands in for its API server. What it is told to do to the cluster happens to the lake here:
a backup is a copy of the database, a Cluster that is ready is that copy under another name, and a Job runs the program with
the arguments that its manifest has. `kubectl patch --local` is the real one.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from psycopg import sql

from tests.drills.conftest import fill
from tests.drills.table import drill
from tests.faults.conftest import MakeLake
from tests.support.fault_lake import FCT_ITEMS, ServiceLake, items, path_of
from tests.support.manifests import ROOT, build, cron_jobs
from tests.support.pages import blocks
from tests.support.programs import BIN

PAGE = ROOT / "docs" / "backup-and-restore.md"
KUBECTL = """#!/bin/sh
printf '%s\\n' "$*" >> {folder}/calls
case "$*" in
    *"create job --from"*) cat {folder}/job.yaml ;;
    "patch --local"*) exec {kubectl} "$@" ;;
    *"create -f -"*) cat > {folder}/created.yaml ;;
    *"get secret"*) cat {folder}/state.yaml ;;
    *"apply -f -"*) cat > {folder}/applied.yaml ;;
esac
"""
# Encryption has a test of its own (tests/manifests/test_restore.py).
SOPS = '#!/bin/sh\nif [ "$1" = encrypt ]; then cat > "$5"; else cat "$2"; fi\n'
STATE = "kind: Secret\nmetadata:\n  name: tfstate\n  uid: 0a1b\n"


@dataclass
class Cluster:
    """The lake, its databases by the name of their Cluster, and the folder in which the commands are typed."""

    lake: ServiceLake
    folder: Path
    ended: dict[str, int] = field(default_factory=dict)

    def type(self, command: str) -> None:
        """One command in bash; what it changes of the cluster then happens."""
        calls = self.folder / "calls"
        calls.write_text("")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in {0, 5}, f"$ {command}\n{done.stdout}{done.stderr}"
        self.ended[command] = done.returncode
        for call in calls.read_text().splitlines():
            self._happens(call)

    def _environment(self) -> dict[str, str]:
        path = f"{self.folder}/bin:{BIN}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": os.environ["HOME"], "LOTUSLAKE_PROJECT_DIR": str(self.lake.root)} | (
            self.lake.environment
        )

    def _happens(self, call: str) -> None:
        if call.startswith("cnpg backup"):
            self._copy(self._database, f"{self._database}_backup")
            self._go_on_and_break()
        elif "wait --for=condition=Ready cluster/lotuslake-postgres-2" in call:
            self._copy(f"{self._database}_backup", f"{self._database}_2")
            self.lake.url = f"{self.lake.url}_2"
            self.lake.environment["LOTUSLAKE_CATALOG_URL"] = self.lake.url
        elif "create -f -" in call:
            job = yaml.safe_load((self.folder / "created.yaml").read_text())
            assert self._maintain() == 2, "until the new catalog has taken over, it deletes nothing"
            (container,) = job["spec"]["template"]["spec"]["containers"]
            program, *arguments = container["args"]
            assert program == "lotuslake"
            self.lake.run(*arguments, expect=[0])
            before = {"LOTUSLAKE_CATALOG_URL": self.lake.url.removesuffix("_2")}
            assert self._maintain(**before) == 2, "nor does the old one from then on"

    def _maintain(self, **changed: str) -> int:
        return self.lake.run("maintain", expect=[0, 2], **changed).exit_code

    def _go_on_and_break(self) -> None:
        """Two days and nights after the backup, then the disaster: the Cluster takes no connection any more."""
        for day in range(2):
            self.lake.put(path_of(f"later {day}"), items(5 + 10 * day, 10, version=2 + day))
            self.lake.settle()
            self.lake.run("maintain", expect=[0])

    @property
    def _database(self) -> str:
        return self.lake.url.rpartition("/")[2]

    def _copy(self, source: str, target: str) -> None:
        with self.lake.postgres.admin() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                [source],
            )
            names = sql.Identifier(target), sql.Identifier(source)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))


@pytest.fixture
def cluster(make_lake: MakeLake, tmp_path: Path) -> Cluster:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed: the runbook was not walked")
    lake = make_lake("services")
    assert isinstance(lake, ServiceLake)
    # The runbook's last command reads it.
    (lake.root / "models" / "enriched" / "fct_sales.sql").write_text(FCT_ITEMS)
    fill(lake)
    folder = tmp_path / "desk"
    (folder / "bin").mkdir(parents=True)
    shutil.copytree(ROOT / "manifests", folder / "manifests", ignore=shutil.ignore_patterns(".terraform"))
    for name, text in {"kubectl": KUBECTL.format(folder=folder, kubectl=kubectl), "sops": SOPS}.items():
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    for name in ("flux", "tfctl"):
        (folder / "bin" / name).symlink_to("/bin/true")
    nightly = cron_jobs(build("overlays/prod"))["maintain"]["spec"]["jobTemplate"]["spec"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "take-over"}, "spec": nightly}
    (folder / "job.yaml").write_text(yaml.safe_dump(job))
    (folder / "state.yaml").write_text(STATE)
    return Cluster(lake, folder)


@drill("the runbook, from top to bottom", "exact", "docs/backup-and-restore.md, every command as written")
def test_every_command_of_the_page_in_its_order(cluster: Cluster) -> None:
    commands = [command for block in blocks(PAGE) if block.info.startswith("console") for command in block.commands]
    assert {shlex.split(command)[0] for command in commands} >= {"kubectl", "flux", "lotuslake", "tfctl", "sops"}
    for command in commands:
        cluster.type(command)
    assert cluster.lake.url.endswith("_2"), "the page has led the program to the restored catalog"
    assert (cluster.folder / "created.yaml").exists()
    assert cluster.ended["lotuslake transform"] == 0
    cluster.lake.check()
    cluster.lake.run("ingest-check", "--full-sweep", expect=[0])
    applied = (cluster.folder / "applied.yaml").read_text()
    assert applied == "".join(line for line in STATE.splitlines(keepends=True) if "uid" not in line)
