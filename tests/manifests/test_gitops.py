"""What Flux is told: every path, name and variable that it mentions is there."""

import re

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


def test_the_overlays_tag_is_set_by_a_policy(documents: list[Document], name: str) -> None:
    text = (MANIFESTS / "overlays" / name / "kustomization.yaml").read_text(encoding="utf-8")
    (image,) = yaml.safe_load(text)["images"]
    (marker,) = re.findall(r'newTag: \S+ # \{"\$imagepolicy": "flux-system:([a-z-]+):tag"\}', text)
    assert marker in named(documents, "ImagePolicy")
    (repository,) = named(documents, "ImageRepository").values()
    assert image["name"] == repository["spec"]["image"]
    (automation,) = named(documents, "ImageUpdateAutomation").values()
    assert automation["spec"]["update"]["path"] == f"./manifests/overlays/{name}"


def test_a_release_reaches_prod_by_a_person(documents: list[Document], name: str) -> None:
    (automation,) = named(documents, "ImageUpdateAutomation").values()
    assert automation["spec"]["git"]["push"]["branch"] == {"dev": "main", "prod": "image-updates"}[name]


def test_the_tags_of_the_workflow_fit_the_policies(documents: list[Document]) -> None:
    pattern = named(documents, "ImagePolicy")["lotuslake-dev"]["spec"]["filterTags"]["pattern"].replace("?P<", "?P<")
    assert re.fullmatch(pattern, "main-123-0a1b2c3")
    workflow = (ROOT / ".github" / "workflows" / "image.yml").read_text(encoding="utf-8")
    assert "tag=main-$GITHUB_RUN_NUMBER-$(git rev-parse --short=7 HEAD)" in workflow


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
    assert (seen or [None])[0] == expected


def holds(expression: str, conditions: list[dict[str, str]]) -> bool:
    """CEL, as far as it is used here: one `status.conditions.exists(c, …)` of comparisons."""
    found = re.fullmatch(r"status\.conditions\.exists\(c, (.+)\)", expression)
    assert found, expression
    python = re.sub(r"\bc\.(\w+)", r"c['\1']", found[1]).replace("&&", "and").replace("||", "or")
    return any(bool(eval(python, {"__builtins__": {}}, {"c": condition})) for condition in conditions)  # noqa: S307 - our own text
