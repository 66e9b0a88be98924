"""`python -m tools.services up|down|clean [--dir FOLDER]`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tools.services.service import ServiceError
from tools.services.stack import STORES, Stack

DEFAULT_FOLDER = Path(".lotuslake/services")


def main() -> int:
    """Do what the command line says; one line and 3 when a service does not come up."""
    parser = argparse.ArgumentParser(prog="python -m tools.services", description=__doc__)
    parser.add_argument("action", choices=("up", "down", "clean"))
    parser.add_argument("--dir", type=Path, default=DEFAULT_FOLDER, help=f"where they live (default: {DEFAULT_FOLDER})")
    parser.add_argument(
        "--store", choices=tuple(STORES), help="what serves S3 (default: what is there, else seaweedfs)"
    )
    arguments = parser.parse_args()
    try:
        stack = Stack(arguments.dir, arguments.store)
        match arguments.action:
            case "up":
                stack.up()
                _tell_up(stack)
            case "down":
                _tell_stopped(stack.down(), "their data stay; `make services-clean` removes them")
            case _:
                _tell_stopped(stack.clean(), "their data are removed")
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 3
    return 0


def _tell_up(stack: Stack) -> None:
    for service, where in (
        (stack.storage, stack.storage.endpoint),
        (stack.postgres, f"127.0.0.1:{stack.postgres.port}"),
    ):
        print(f"{service.name:<10} {where}   pid {service.pid}   log {_short(service.log)}")
    print("To work on them in this shell:")
    print(f"  . {_short(stack.env_file)}")
    print("  .venv/bin/lotuslake ingest-check")
    print("`make services-down` stops them.")


def _tell_stopped(names: list[str], then: str) -> None:
    print(f"Stopped {' and '.join(names)}; {then}." if names else f"Nothing was running; {then}.")


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


if __name__ == "__main__":
    sys.exit(main())
