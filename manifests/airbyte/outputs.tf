output "source_ids" {
  description = "Airbyte's id of each source."
  value       = { for name, source in airbyte_source.this : name => source.source_id }
}

output "destination_ids" {
  description = "Airbyte's id of each destination."
  value       = { for name, destination in airbyte_destination.this : name => destination.destination_id }
}

output "connection_ids" {
  description = "Airbyte's id of each connection, by source."
  value       = { for name, connection in airbyte_connection.this : name => connection.connection_id }
}
