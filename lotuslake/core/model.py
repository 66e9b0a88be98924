"""dbt models as the engine sees them: a graph of tables, each with the hash of what makes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Literal

Layer = Literal["processed", "enriched"]


@dataclass(frozen=True, slots=True)
class Model:
    """``hash`` covers the SQL, the macros it calls and the variables it reads; ``upstreams`` are the models it reads."""

    name: str
    layer: Layer
    hash: str
    upstreams: tuple[str, ...] = ()


def downstream_of(models: Mapping[str, Model], roots: Iterable[str]) -> list[Model]:
    """Enriched models that read any of ``roots``, directly or through others, in an order in which they can be built."""
    reached = set(roots)
    order = TopologicalSorter({model.name: model.upstreams for model in models.values()}).static_order()
    found: list[Model] = []
    for name in order:
        model = models.get(name)
        if model is not None and model.layer == "enriched" and reached.intersection(model.upstreams):
            reached.add(name)
            found.append(model)
    return found
