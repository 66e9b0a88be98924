"""What Flux is told: every path, name and variable that it mentions is there."""

import re
from fnmatch import fnmatch
from typing import Any

import hcl2
import pytest
import yaml

from tests.support.manifests import MANIFESTS, OVERLAYS, ROOT, TARGETS, Document, build, named


@pytest.fixture(params=OVERLAYS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def documents(name: str) -> list[Document]:
    return build(f"gitops/{name}")


def test_each_cluster_follows_its_own_folders(documents: list[Document], name: str) -> None:
    paths = {key: one["spec"]["path"] for key, one in named(documents, "Kustomization").items()}
    assert paths == {
        "lotuslake-foundation": f"./manifests/foundation/{name}",
        "lotuslake": f"./manifests/overlays/{name}",
        "lotuslake-airbyte": f"./manifests/gitops/airbyte/{name}",
    }
    assert {path.removeprefix("./manifests/") for path in paths.values()} <= set(TARGETS)
    assert [path for path in paths.values() if not (ROOT / path / "kustomization.yaml").is_file()] == []


def test_the_foundation_comes_first_and_is_never_pruned(documents: list[Document]) -> None:
    kustomizations = named(documents, "Kustomization")
    assert kustomizations["lotuslake-foundation"]["spec"]["prune"] is False
    assert kustomizations["lotuslake-foundation"]["spec"]["decryption"]["provider"] == "sops"
    for other in ("lotuslake", "lotuslake-airbyte"):
        assert kustomizations[other]["spec"]["dependsOn"] == [{"name": "lotuslake-foundation"}]


def test_every_health_check_looks_at_something_that_is_applied(documents: list[Document]) -> None:
    for one in named(documents, "Kustomization").values():
        applied = build(one["spec"]["path"].removeprefix("./manifests/"))
        for check in one["spec"].get("healthChecks", ()):
            found = named(applied, check["kind"]).get(check["name"])
            assert found is not None, check
            assert (found["apiVersion"], found["metadata"]["namespace"]) == (check["apiVersion"], check["namespace"])


def test_devs_tag_is_set_by_a_policy() -> None:
    documents = build("gitops/dev")
    text = (MANIFESTS / "overlays" / "dev" / "kustomization.yaml").read_text(encoding="utf-8")
    (image,) = yaml.safe_load(text)["images"]
    (marker,) = re.findall(r'newTag: \S+ # \{"\$imagepolicy": "flux-system:([a-z-]+):tag"\}', text)
    assert set(named(documents, "ImagePolicy")) == {marker}
    (repository,) = named(documents, "ImageRepository").values()
    assert image["name"] == repository["spec"]["image"]
    (automation,) = named(documents, "ImageUpdateAutomation").values()
    assert automation["spec"]["update"]["path"] == "./manifests/overlays/dev"


def workflow(name: str) -> dict[str, Any]:
    # YAML reads the key `on` as true.
    document = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


def is_started_by(push: dict[str, Any], branch: str, paths: list[str]) -> bool:
    """Whether a push starts a workflow with these filters: GitHub's "Workflow syntax", `on.push`."""
    ignored = push.get("paths-ignore", [])
    return branch in push["branches"] and not all(any(fnmatch(path, one) for one in ignored) for path in paths)


def test_devs_automation_does_not_start_itself() -> None:
    """Neither by its branch nor by the paths that it writes: a tag would make an image, which would make a tag."""
    (automation,) = named(build("gitops/dev"), "ImageUpdateAutomation").values()
    git, written = automation["spec"]["git"], "manifests/overlays/dev/kustomization.yaml"
    assert written.startswith(automation["spec"]["update"]["path"].removeprefix("./"))
    push = workflow("image.yml")["on"]["push"]
    for branch, paths in ((git["push"]["branch"], ["lotuslake/a.py", written]), ("main", [written])):
        assert not is_started_by(push, branch, paths)
    assert is_started_by(push, "main", ["lotuslake/a.py", written])
    assert is_started_by(push, "main", ["models/a.sql"])


def test_dev_follows_main_with_the_tag_put_in() -> None:
    documents = build("gitops/dev")
    (automation,) = named(documents, "ImageUpdateAutomation").values()
    git = automation["spec"]["git"]
    assert git["checkout"]["ref"] == {"branch": "main"}
    assert git["push"]["branch"] not in {"main", "master"}
    (repository,) = named(documents, "GitRepository").values()
    assert repository["spec"]["ref"] == {"branch": git["push"]["branch"]}
    assert "verify" not in repository["spec"]


# Tags by which somebody could try to lead prod, and whether it would look at them at all.
TAGS = {
    "2026.12.1": True,
    "v2026.12.1": True,
    "v0.1.0": False,
    "0.9.9": False,
    "main-12-0a1b2c3": False,
    "latest": False,
}


def test_prod_follows_tags_that_a_maintainer_has_signed_and_nothing_else() -> None:
    """dev's key may write any branch and any tag: prod looks at no branch, and takes no tag without a signature."""
    documents = build("gitops/prod")
    (repository,) = named(documents, "GitRepository").values()
    (wanted,) = repository["spec"]["ref"].values()
    assert list(repository["spec"]["ref"]) == ["semver"]
    lowest = re.fullmatch(r">=(\d+)\.(\d+)\.(\d+)", wanted)
    assert lowest
    for tag, is_taken in TAGS.items():
        found = re.fullmatch(r"v?(\d+)\.(\d+)\.(\d+)", tag)
        at_least = tuple(int(part) for part in lowest.groups())
        assert bool(found and tuple(int(part) for part in found.groups()) >= at_least) is is_taken
    assert repository["spec"]["verify"] == {"mode": "Tag", "secretRef": {"name": "lotuslake-signers"}}


def test_prod_writes_nothing_to_git() -> None:
    kinds = {document["kind"] for document in build("gitops/prod")}
    assert kinds == {"GitRepository", "Kustomization"}
    text = (MANIFESTS / "overlays" / "prod" / "kustomization.yaml").read_text(encoding="utf-8")
    assert "$imagepolicy" not in text


def test_the_tags_of_the_workflow_fit_the_policy() -> None:
    pattern = named(build("gitops/dev"), "ImagePolicy")["lotuslake-dev"]["spec"]["filterTags"]["pattern"]
    assert re.fullmatch(pattern, "main-123-0a1b2c3")
    text = (ROOT / ".github" / "workflows" / "image.yml").read_text(encoding="utf-8")
    assert "tag=main-$GITHUB_RUN_NUMBER-$(git rev-parse --short=7 HEAD)" in text


def test_airbyte_gets_every_variable_and_none_that_is_not_there(name: str) -> None:
    (terraform,) = build(f"gitops/airbyte/{name}")
    assert (ROOT / terraform["spec"]["path"]).is_dir()
    with (ROOT / terraform["spec"]["path"] / "variables.tf").open(encoding="utf-8") as file:
        blocks = hcl2.load(file)["variable"]
    declared = {key.strip('"'): body for block in blocks for key, body in block.items()}
    secrets = named(build(f"foundation/{name}"), "Secret")["lotuslake-airbyte"]["stringData"]
    given = {one["name"] for one in terraform["spec"]["vars"]} | set(secrets)
    assert given <= set(declared)
    assert {key for key, body in declared.items() if "default" not in body} <= given


def test_airbyte_writes_where_the_overlay_reads(name: str) -> None:
    (terraform,) = build(f"gitops/airbyte/{name}")
    given = {one["name"]: one["value"] for one in terraform["spec"]["vars"]}
    settings = named(build(f"overlays/{name}"), "ConfigMap")["lotuslake-settings"]["data"]
    assert settings["LOTUSLAKE_LANDING_URL"] == f"s3://{given['landing_bucket']}/{given['landing_prefix']}"
    assert settings["AWS_REGION"] == given["landing_region"]
    # From Airbyte's namespace a Service wants its own named.
    endpoint = settings["AWS_ENDPOINT_URL_S3"].replace("//seaweedfs:", "//seaweedfs.lotuslake:")
    assert endpoint == given["landing_endpoint"]


READY = "Ready"
# The Ready conditions that tofu-controller sets (api/v1alpha2/terraform_types.go): status, reason, what Flux must see.
STATES = [
    ("True", "TerraformOutputsWritten", "current"),
    ("True", "TerraformPlannedNoChanges", "current"),
    ("Unknown", "TerraformPlannedWithChanges", "current"),
    ("Unknown", "Progressing", None),
    ("Unknown", "TerraformAppliedSucceed", None),
    ("False", "TFExecPlanFailed", "failed"),
    ("False", "TFExecApplyFailed", "failed"),
]


@pytest.mark.parametrize(("status", "reason", "expected"), STATES)
def test_a_plan_that_waits_is_healthy_and_one_that_fails_is_not(
    documents: list[Document], status: str, reason: str, expected: str | None
) -> None:
    (check,) = named(documents, "Kustomization")["lotuslake-airbyte"]["spec"]["healthCheckExprs"]
    (terraform,) = build("gitops/airbyte/dev")
    assert (check["apiVersion"], check["kind"]) == (terraform["apiVersion"], terraform["kind"])
    conditions = [
        {"type": "Plan", "status": "True", "reason": reason},
        {"type": READY, "status": status, "reason": reason},
    ]
    # In the order in which Flux looks.
    seen = [word for word in ("inProgress", "failed", "current") if word in check and holds(check[word], conditions)]
    assert next(iter(seen), None) == expected


def holds(expression: str, conditions: list[dict[str, str]]) -> bool:
    """CEL, as far as it is used here: one `status.conditions.exists(c, …)` of comparisons."""
    found = re.fullmatch(r"status\.conditions\.exists\(c, (.+)\)", expression)
    assert found, expression
    python = re.sub(r"\bc\.(\w+)", r"c['\1']", found[1]).replace("&&", "and").replace("||", "or")
    return any(bool(eval(python, {"__builtins__": {}}, {"c": condition})) for condition in conditions)  # noqa: S307 - our own text
