# Airbyte follows streams/: run `lotuslake generate-catalog` after an edit there, then apply.

provider "airbyte" {
  server_url    = var.airbyte_server_url
  token_url     = var.airbyte_token_url
  client_id     = var.airbyte_client_id
  client_secret = var.airbyte_client_secret
}

resource "airbyte_source" "this" {
  for_each = local.sources

  name          = each.key
  workspace_id  = var.workspace_id
  definition_id = local.generated[each.key].definition_id
  configuration = jsonencode(local.source_configurations[each.key])
}

resource "airbyte_destination" "this" {
  for_each = local.destinations

  name          = each.key
  workspace_id  = var.workspace_id
  definition_id = each.value.definition_id
  configuration = jsonencode(each.value.configuration)
}

resource "airbyte_connection" "this" {
  for_each = local.sources

  name           = "${each.key} to ${each.value.destination}"
  source_id      = airbyte_source.this[each.key].source_id
  destination_id = airbyte_destination.this[each.value.destination].destination_id
  status         = "active"

  # The first folder below the landing root.
  namespace_definition = local.generated[each.key].namespace_definition
  namespace_format     = local.generated[each.key].namespace_format

  # A field that the source adds waits until a stream file declares it.
  non_breaking_schema_updates_behavior = "ignore"

  schedule = {
    schedule_type   = local.generated[each.key].schedule.schedule_type
    cron_expression = try(local.generated[each.key].schedule.cron_expression, null)
  }

  # `namespace` of a stream is left out: API sources have none. A database source wants it here.
  configurations = {
    streams = [
      for stream in local.generated[each.key].configurations.streams : {
        name            = stream.name
        sync_mode       = stream.sync_mode
        cursor_field    = try(stream.cursor_field, null)
        primary_key     = try(stream.primary_key, null)
        selected_fields = stream.selected_fields
      }
    ]
  }
}
