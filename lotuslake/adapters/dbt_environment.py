"""What of this process's environment dbt may see: everything but its own variables."""

from __future__ import annotations

import os

# Each of dbt's flags is a variable too, by two names: `--empty` is DBT_EMPTY and DBT_ENGINE_EMPTY, and builds empty
# tables. Some are no flag at all. Every one begins so; `dbt.env_vars` and dbt's options list them.
PREFIX = "DBT_"


def hide_dbt_variables() -> None:
    """Take dbt's variables out of this process's environment, for good: nothing else in it reads them.

    They are not put back after a run of dbt, since another thread may be reading the environment then.
    """
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
