"""The documents that Airbyte and Terraform need, built from the stream files. Nothing here reads or writes."""
