"""`python -m tools.image FOLDER`: build the image, run the chain and the demo in it, and tell its size.

Exit 75 when this machine cannot build it; the reason is printed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.image import BASE_SIZE_BYTES, MAX_SIZE_BYTES
from tools.image.build import IMAGE, ROOT, Base, Builder, read_base
from tools.image.container import Container, make_work, size_bytes
from tools.image.machine import UnavailableError, prepare

NOT_TO_BE_HAD = 75
ORDERS = "SELECT count(*) FROM enriched.fct_sales"
SHOP = {"LOTUSLAKE_PROJECT_DIR": "/work/shop", "LOTUSLAKE_THREADS": "2"}
# The image's own project, read-only, on what the demo has landed.
LAKE = {
    "LOTUSLAKE_LANDING_URL": "/work/shop/.lotuslake/landing",
    "LOTUSLAKE_DATA_URL": "/work/data",
    "LOTUSLAKE_CATALOG_URL": "/work/catalog.ducklake",
    "LOTUSLAKE_THREADS": "2",
}


def main(arguments: Sequence[str]) -> int:
    """Build, run, measure, remove."""
    builder = Builder(Path(*arguments).absolute())
    base = read_base((ROOT / "Dockerfile").read_text(encoding="utf-8"))
    try:
        prepare(base.python)
        _show(builder, base)
    except UnavailableError as reason:
        print(f"The image is not to be had here: {reason}")
        return NOT_TO_BE_HAD
    return 0


def _show(builder: Builder, base: Base) -> None:
    # What a killed build has left.
    builder.clean()
    try:
        _timed("packages and the base", lambda: _gather(builder, base))
        _timed("the Dockerfile", lambda: builder.build(base))
        root = builder.unpack(IMAGE)
        _tell_size(root, builder.unpack(base.tag))
        _timed("demo and chain in it, as its user with a read-only root", lambda: _try_out(builder, root))
    finally:
        builder.clean()


def _gather(builder: Builder, base: Base) -> None:
    with ThreadPoolExecutor() as pool:
        for started in [pool.submit(builder.fetch_packages), pool.submit(builder.make_base, base)]:
            started.result()


def _tell_size(image: Path, base: Path) -> None:
    """Raises SystemExit where what stands on the base leaves less room for it than python's own image takes."""
    whole, below = size_bytes(image), size_bytes(base)
    added = whole - below
    print(f"image-build: {_mb(whole)}: the stand-in base {_mb(below)}, on it {_mb(added)}", flush=True)
    if added + BASE_SIZE_BYTES > MAX_SIZE_BYTES:
        raise SystemExit(f"image-build: on its base the image may take {_mb(MAX_SIZE_BYTES - BASE_SIZE_BYTES)}")


def _try_out(builder: Builder, root: Path) -> None:
    configuration = builder.configuration(IMAGE)
    work = make_work(builder.work, configuration["User"])
    container = Container(root, configuration, work)
    if container.run(["touch", "/tmp/x"]).returncode == 0:  # noqa: S108 - a folder that anyone may write to
        raise SystemExit("image-build: the root is not read-only: nothing is shown")
    _run(container, ["sh", "-c", "test $(id -u):$(id -g) = 10001:10001"], {})
    make_work(work / "shop", configuration["User"])
    _run(container, ["lotuslake", "demo", "--scale", "0.05"], SHOP)
    _run(container, ["chain", "shopify", "ingest-check --quiet", "register --quiet", "transform --quiet"], LAKE)
    demo, chain = (json.loads(_run(container, ["lotuslake", "query", ORDERS, "--json"], e)) for e in (SHOP, LAKE))
    if demo["data"]["rows"] != chain["data"]["rows"] or demo["data"]["rows"] == [[0]]:
        raise SystemExit(f"image-build: demo and chain differ: {demo} {chain}")


def _run(container: Container, command: Sequence[str], environment: dict[str, str]) -> str:
    done = container.run(command, **environment)
    if done.returncode != 0:
        raise SystemExit(f"image-build: {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def _timed(name: str, work: Callable[[], None]) -> None:
    began, before = time.monotonic(), os.times()
    work()
    after = os.times()
    used = sum(after[:4]) - sum(before[:4])
    print(f"image-build: {name}: {time.monotonic() - began:.0f} s, {used:.0f} s on a processor", flush=True)


def _mb(size: int) -> str:
    return f"{size / 1000**2:.0f} MB"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
