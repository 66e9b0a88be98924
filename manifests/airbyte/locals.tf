# What differs between sources and between destinations. Another one is another block here, and a variable for its
# secret in variables.tf; docs/adding-a-source.md and docs/adding-a-destination.md say how.

locals {
  # What a source needs beside streams/{source}/_source.yml: its secrets, in the connector's own words, and where it
  # writes to.
  sources = {
    klaviyo = {
      destination = "lake"
      secrets     = { api_key = var.klaviyo_api_key }
    }

    shopify = {
      destination = "lake"
      secrets     = { credentials = { api_password = var.shopify_api_password } }
    }
  }

  # Parquet below one folder per source and stream, one per day below that. File names never come twice: an object that
  # was registered is not written over.
  destinations = {
    lake = {
      definition_id = "4816b78f-1489-44c1-9060-4b19d5fa9362" # S3
      configuration = {
        s3_bucket_name    = var.landing_bucket
        s3_bucket_path    = var.landing_prefix
        s3_bucket_region  = var.landing_region
        s3_endpoint       = var.landing_endpoint
        s3_path_format    = "$${NAMESPACE}/$${STREAM_NAME}/year=$${YEAR}/month=$${MONTH}/day=$${DAY}/"
        file_name_pattern = "{sync_id}_{part_number}{format_extension}"
        access_key_id     = var.landing_access_key_id
        secret_access_key = var.landing_secret_access_key
        format = {
          format_type       = "Parquet"
          compression_codec = "SNAPPY"
        }
      }
    }
  }

  # Written by `lotuslake generate-catalog` from streams/.
  generated = { for name in keys(local.sources) : name => jsondecode(file("${path.module}/generated/${name}.terraform.json")) }

  # The file's settings with the secrets put in; where both have a group of settings, such as credentials, they join.
  source_configurations = {
    for name, source in local.sources : name => merge(
      local.generated[name].configuration,
      { for key, value in source.secrets : key => try(merge(local.generated[name].configuration[key], value), value) },
    )
  }
}
