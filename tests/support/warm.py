"""Preloaded by the process that programs are forked from: dbt has parsed a project there once.

What dbt makes at its first use, schemas and codecs of its own dataclasses, then is made in every fork already. Nothing is begun
that has threads, which would not live on in a fork: no database, and not dbt's static parser.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from lotuslake.adapters.dbt_project import DbtProject
from lotuslake.adapters.duckdb_instance import DuckDbInstance
from lotuslake.adapters.instance_options import InstanceOptions
from lotuslake.config.starter import starter_dir


def warm_up() -> None:
    """Parse the models that every project begins with, twice: the second time from what the first has kept."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        options = InstanceOptions(str(state / "catalog"), str(state / "data"), 2**28, 1, state / "temp")
        for _ in range(2):
            instance = DuckDbInstance(options)
            project = DbtProject(starter_dir() / "models", state / "dbt", instance)
            project._write_profile()
            assert project._runner(None).invoke(["parse", *project._flags(), "--no-static-parser"]).success
            project.close()
            instance.close()
    assert threading.active_count() == 1, threading.enumerate()


warm_up()
