"""manifests/airbyte: the attributes are those that the provider documents, and the expressions give what Airbyte wants.

The provider itself comes from a registry, which many machines cannot reach: `terraform validate` runs where it can be
had. What is checked everywhere: the format, every attribute's name against the provider's documentation, and the values,
which Terraform works out from our locals without any provider.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest

AIRBYTE = Path(__file__).parents[2] / "manifests" / "airbyte"

# docs/index.md and docs/resources/{source,destination,connection}.md of airbytehq/terraform-provider-airbyte: the
# provider, source and destination as of 1.3.0; the connection from examples/resources of the first version with
# selected_fields, whose names the later ones kept. A trailing ! marks what must be given.
PROVIDER_VERSION = "1.3.0"
PROVIDER = "bearer_auth client_id client_secret password server_url token_url username"
RESOURCES = {
    "airbyte_source": "configuration! name! workspace_id! definition_id resource_allocation secret_id",
    "airbyte_destination": "configuration! name! workspace_id! definition_id resource_allocation",
    "airbyte_connection": (
        "source_id! destination_id! configurations data_residency name namespace_definition namespace_format "
        "non_breaking_schema_updates_behavior prefix schedule status tags"
    ),
}
READ_ONLY = {
    "airbyte_source": "source_id",
    "airbyte_destination": "destination_id",
    "airbyte_connection": "connection_id",
}
SCHEDULE = {"schedule_type", "cron_expression"}
STREAM = {"name", "sync_mode", "cursor_field", "primary_key", "selected_fields", "mappers"}
CHOICES = {
    "namespace_definition": {"source", "destination", "custom_format"},
    "non_breaking_schema_updates_behavior": {"ignore", "disable_connection", "propagate_columns", "propagate_fully"},
    "status": {"active", "inactive", "deprecated"},
}
SYNC_MODES = {"full_refresh_overwrite", "full_refresh_append", "incremental_append", "incremental_deduped_history"}
# docs/resources/destination_s3.md of the same provider (0.x has typed resources, and with them the names).
S3 = {
    *("access_key_id", "file_name_pattern", "format", "role_arn", "s3_bucket_name", "s3_bucket_path"),
    *("s3_bucket_region", "s3_endpoint", "s3_path_format", "secret_access_key"),
}
PARQUET = {
    *("format_type", "compression_codec", "block_size_mb", "dictionary_encoding", "dictionary_page_size_kb"),
    *("max_padding_size_mb", "page_size_kb"),
}
CODECS = {"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD"}
# What `spec` of the two connectors asks for (klaviyo 2.13.1, shopify 4.3.0).
SETTINGS = {
    "klaviyo": {"api_key", "start_date", "disable_fetching_predictive_analytics", "num_workers"},
    "shopify": {"shop", "start_date", "credentials", "bulk_window_in_days", "fetch_transactions_user_id"},
}
# Ways to say that an attribute belongs to Terraform, not to the provider.
META = {"for_each", "lifecycle", "depends_on", "provider", "count"}

VARIABLES = {
    "airbyte_server_url": "https://airbyte.example/api/public/v1",
    "airbyte_client_id": "id",
    "airbyte_client_secret": "client-secret",
    "workspace_id": "00000000-0000-0000-0000-000000000000",
    "landing_bucket": "lake",
    "landing_access_key_id": "access-key",
    "landing_secret_access_key": 's3 "secret"',
    "shopify_api_password": 'shop "secret" \\ ${x}',
    "klaviyo_api_key": "klaviyo-secret",
}


def blocks(kind: str) -> Iterator[Any]:
    for path in sorted(AIRBYTE.glob("*.tf")):
        with path.open(encoding="utf-8") as file:
            yield from hcl2.load(file).get(kind, [])


def plain(name: str) -> str:
    return name.strip('"')


def attributes(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if not name.startswith("__")}


def resources() -> dict[str, dict[str, Any]]:
    return {
        plain(kind): attributes(body)
        for block in blocks("resource")
        for kind, named in block.items()
        for body in named.values()
    }


def variables() -> dict[str, dict[str, Any]]:
    return {plain(name): attributes(body) for block in blocks("variable") for name, body in block.items()}


def test_the_provider_is_the_official_one_in_a_version_with_generic_resources() -> None:
    (block,) = blocks("terraform")
    (required,) = block["required_providers"]
    assert plain(required["airbyte"]["source"]) == "airbytehq/airbyte"
    # Exactly: without a lock file a range would be another provider from one run to the next.
    assert plain(required["airbyte"]["version"]) == PROVIDER_VERSION


def test_the_lock_file_has_the_provider_that_is_asked_for() -> None:
    """`make lock-terraform` writes it where the registry can be reached; its hashes are the registry's, never ours."""
    path = AIRBYTE / ".terraform.lock.hcl"
    if not path.is_file():
        pytest.skip("there is no .terraform.lock.hcl: `make lock-terraform` needs registry.terraform.io")
    with path.open(encoding="utf-8") as file:
        (provider,) = hcl2.load(file)["provider"]
    ((address, lock),) = provider.items()
    assert plain(address) == "registry.terraform.io/airbytehq/airbyte"
    assert plain(lock["version"]) == PROVIDER_VERSION
    assert len(lock["hashes"]) >= 3


def test_the_provider_takes_what_it_is_given() -> None:
    (block,) = blocks("provider")
    assert set(attributes(block['"airbyte"'])) <= set(PROVIDER.split())


@pytest.mark.parametrize("kind", RESOURCES)
def test_every_attribute_is_documented_and_none_is_missing(kind: str) -> None:
    documented = RESOURCES[kind].split()
    given = set(resources()[kind]) - META
    assert given <= {name.rstrip("!") for name in documented}
    assert {name.rstrip("!") for name in documented if name.endswith("!")} <= given


def test_there_are_no_other_resources() -> None:
    assert set(resources()) == set(RESOURCES)


def test_fixed_choices_are_documented_ones() -> None:
    connection = resources()["airbyte_connection"]
    for name, allowed in CHOICES.items():
        if not str(connection[name]).startswith("${"):
            assert plain(connection[name]) in allowed, name
    assert set(attributes(connection["schedule"])) <= SCHEDULE
    assert plain(connection["non_breaking_schema_updates_behavior"]) == "ignore"


def test_streams_carry_documented_attributes_only() -> None:
    text = (AIRBYTE / "main.tf").read_text()
    body = re.search(r"streams = \[\s*for stream in [^:]+: \{(.*?)\n      \}", text, re.DOTALL)
    assert body is not None
    given = set(re.findall(r"^\s+(\w+)\s+=", body[1], re.MULTILINE))
    assert given <= STREAM
    for path in sorted((AIRBYTE / "generated").glob("*.terraform.json")):
        for stream in json.loads(path.read_text())["configurations"]["streams"]:
            assert set(stream) <= given, f"{path.name}: main.tf must pass on every key"
            assert stream["sync_mode"] in SYNC_MODES


def test_outputs_name_attributes_that_there_are() -> None:
    text = (AIRBYTE / "outputs.tf").read_text()
    used = set(re.findall(r"in (airbyte_\w+)\.this : name => \w+\.(\w+)", text))
    assert used == set(READ_ONLY.items())


def test_every_secret_is_a_variable_marked_sensitive_without_a_default() -> None:
    secret = re.compile(r"(secret|password|api_key|access_key|access_key_id|token)$")
    found = {name for name in variables() if secret.search(name)}
    assert len(found) == 5
    for name in found:
        assert variables()[name]["sensitive"] is True
        assert "default" not in variables()[name]


def test_every_variable_is_described_used_and_given() -> None:
    text = "".join(path.read_text() for path in AIRBYTE.glob("*.tf") if path.name != "variables.tf")
    for name, body in variables().items():
        assert plain(body["description"])
        assert f"var.{name}" in text, name
        assert ("default" in body) != (name in VARIABLES), name


def test_no_file_holds_a_secret() -> None:
    for path in sorted(AIRBYTE.rglob("*")):
        if path.is_file():
            values = re.findall(r'(?:password|secret|api_key|access_key)\w*"?\s*[=:]\s*"([^"$]+)"', path.read_text())
            assert set(values) <= {"api_password"}, path


def test_every_source_of_the_project_has_its_block() -> None:
    (block,) = blocks("locals")
    generated = {path.name.split(".")[0] for path in (AIRBYTE / "generated").glob("*.terraform.json")}
    assert set(block["sources"]) == generated
    assert {plain(source["destination"]) for source in block["sources"].values()} <= set(block["destinations"])


@pytest.fixture(scope="module")
def terraform() -> str:
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("there is no terraform on PATH: format and values of manifests/airbyte were not checked")
    return program


def run(program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    given = {f"TF_VAR_{name}": value for name, value in VARIABLES.items()}
    return subprocess.run(
        [program, *arguments], cwd=folder, env=environ | given, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_format_is_terraforms_own(terraform: str) -> None:
    checked = run(terraform, AIRBYTE, "fmt", "-check", "-recursive", "-diff")
    assert checked.returncode == 0, checked.stdout


PROBE = """
# As the resources use them: for_each over the same values, the same jsonencode.
resource "terraform_data" "source" {
  for_each = local.sources
  input    = jsonencode(local.source_configurations[each.key])
}

resource "terraform_data" "destination" {
  for_each = local.destinations
  input    = jsonencode(each.value.configuration)
}

output "configurations" {
  value = nonsensitive(jsonencode({
    sources      = { for name, item in terraform_data.source : name => jsondecode(item.output) }
    destinations = { for name, item in terraform_data.destination : name => jsondecode(item.output) }
  }))
}
"""


@pytest.fixture(scope="module")
def configurations(terraform: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Terraform makes of our locals; `terraform_data` is built in, so no provider is needed."""
    return evaluate(terraform, copy_of_locals(tmp_path_factory.mktemp("terraform")))


def copy_of_locals(folder: Path) -> Path:
    for name in ("locals.tf", "variables.tf"):
        shutil.copy(AIRBYTE / name, folder)
    shutil.copytree(AIRBYTE / "generated", folder / "generated")
    (folder / "probe.tf").write_text(PROBE)
    return folder


def evaluate(terraform: str, folder: Path) -> dict[str, Any]:
    for arguments in (("init", "-input=false"), ("apply", "-auto-approve", "-input=false")):
        done = run(terraform, folder, *arguments)
        assert done.returncode == 0, done.stderr
        assert VARIABLES["airbyte_client_secret"] not in done.stdout
    output = run(terraform, folder, "output", "-raw", "configurations")
    values = json.loads(output.stdout)
    assert isinstance(values, dict)
    return values


def documented(page: str) -> list[str]:
    """The HCL that a page of docs/ shows."""
    text = (AIRBYTE.parents[1] / "docs" / page).read_text(encoding="utf-8")
    return [textwrap.dedent(block) for block in re.findall(r"```hcl\n(.*?)```", text, re.DOTALL)]


def test_another_source_and_another_destination_are_one_block_each(terraform: str, tmp_path: Path) -> None:
    folder = copy_of_locals(tmp_path)
    generated = json.loads((folder / "generated" / "klaviyo.terraform.json").read_text())
    (folder / "generated" / "stripe.terraform.json").write_text(json.dumps(generated | {"configuration": {"a": 1}}))
    source, secret = documented("adding-a-source.md")
    (destination,) = documented("adding-a-destination.md")
    text = (folder / "locals.tf").read_text()
    for head, block in (("  sources = {\n", source), ("  destinations = {\n", destination)):
        assert text.count(head) == 1
        text = text.replace(head, head + block)
    (folder / "locals.tf").write_text(text)
    names = ("stripe_client_secret", "archive_access_key_id", "archive_secret_access_key")
    more = [f'variable "{name}" {{\n  sensitive = true\n}}\n' for name in names[1:]]
    (folder / "more.tf").write_text("\n".join([secret, *more]))
    (folder / "terraform.tfvars.json").write_text(json.dumps({name: f"the {name}" for name in names}))
    made = evaluate(terraform, folder)
    assert set(made["sources"]) == {"klaviyo", "shopify", "stripe"}
    assert made["sources"]["stripe"] == {"a": 1, "client_secret": "the stripe_client_secret"}
    archive = made["destinations"]["archive"]
    assert set(archive) == set(made["destinations"]["lake"]), "the page shows every setting"
    assert archive["secret_access_key"] == "the archive_secret_access_key"
    assert archive["s3_path_format"] == made["destinations"]["lake"]["s3_path_format"]
    assert archive["file_name_pattern"] == made["destinations"]["lake"]["file_name_pattern"]


def test_a_source_gets_its_settings_with_the_secrets_put_in(configurations: dict[str, Any]) -> None:
    sources = configurations["sources"]
    assert sources["klaviyo"] == {"api_key": "klaviyo-secret", "start_date": "2020-01-01T00:00:00Z"}
    assert sources["shopify"] == {
        "shop": "example",
        "start_date": "2020-01-01",
        "credentials": {"auth_method": "api_password", "api_password": VARIABLES["shopify_api_password"]},
    }
    for name, settings in sources.items():
        assert set(settings) <= SETTINGS[name]


def test_the_destination_writes_parquet_by_source_stream_and_day(configurations: dict[str, Any]) -> None:
    lake = configurations["destinations"]["lake"]
    assert set(lake) <= S3
    assert set(lake["format"]) <= PARQUET
    assert lake["format"]["format_type"] == "Parquet"
    assert lake["format"]["compression_codec"] in CODECS
    assert lake["file_name_pattern"] == "{sync_id}_{part_number}{format_extension}"
    assert lake["s3_path_format"] == "${NAMESPACE}/${STREAM_NAME}/year=${YEAR}/month=${MONTH}/day=${DAY}/"
    assert lake["secret_access_key"] == VARIABLES["landing_secret_access_key"]
    assert lake["s3_bucket_path"] == "landing"


@pytest.mark.parametrize("prefix", ["", "/", "landing/", "/landing"])
def test_a_prefix_with_slashes_is_refused(terraform: str, tmp_path: Path, prefix: str) -> None:
    shutil.copy(AIRBYTE / "variables.tf", tmp_path)
    run(terraform, tmp_path, "init", "-input=false")
    planned = run(terraform, tmp_path, "plan", "-input=false", "-var", f"landing_prefix={prefix}")
    assert planned.returncode == 1
    assert "Write the prefix without a slash at its ends" in planned.stderr


def test_the_provider_takes_the_whole(terraform: str, tmp_path: Path) -> None:
    shutil.copytree(AIRBYTE, tmp_path / "airbyte", ignore=shutil.ignore_patterns(".terraform*"))
    begun = run(terraform, tmp_path / "airbyte", "init", "-backend=false", "-input=false", "-no-color")
    if begun.returncode != 0:
        reason = " ".join(begun.stderr.replace("│", " ").split())[:300]
        pytest.skip(f"terraform validate was not run: the provider airbytehq/airbyte cannot be had here ({reason})")
    validated = run(terraform, tmp_path / "airbyte", "validate", "-no-color")
    assert validated.returncode == 0, validated.stderr
