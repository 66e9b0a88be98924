# Secrets have no default and stand in no file: give them as TF_VAR_… or from your secret store.

variable "airbyte_server_url" {
  description = "Public API of Airbyte: https://api.airbyte.com/v1, or https://AIRBYTE/api/public/v1 on your own."
  type        = string
}

variable "airbyte_token_url" {
  description = "Where tokens are given out, such as https://AIRBYTE/api/public/v1/applications/token; null: the provider's default."
  type        = string
  default     = null
}

variable "airbyte_client_id" {
  description = "Client id of an Airbyte application."
  type        = string
}

variable "airbyte_client_secret" {
  description = "Client secret of the same application."
  type        = string
  sensitive   = true
}

variable "workspace_id" {
  description = "The Airbyte workspace that everything is made in."
  type        = string
}

variable "landing_bucket" {
  description = "Bucket of LOTUSLAKE_LANDING_URL."
  type        = string
}

variable "landing_prefix" {
  description = "Path within the bucket, as in LOTUSLAKE_LANDING_URL; Airbyte wants one."
  type        = string
  default     = "landing"

  validation {
    condition     = trim(var.landing_prefix, "/") == var.landing_prefix && var.landing_prefix != ""
    error_message = "Write the prefix without a slash at its ends, such as landing."
  }
}

variable "landing_region" {
  description = "Region of the bucket; empty for a store that knows none."
  type        = string
  default     = ""
}

variable "landing_endpoint" {
  description = "URL of an S3-compatible store; empty for AWS."
  type        = string
  default     = ""
}

variable "landing_access_key_id" {
  description = "Key that may write below the prefix."
  type        = string
  sensitive   = true
}

variable "landing_secret_access_key" {
  description = "Secret of that key."
  type        = string
  sensitive   = true
}

variable "shopify_api_password" {
  description = "Admin API access token of the shop's custom app."
  type        = string
  sensitive   = true
}

variable "klaviyo_api_key" {
  description = "Private API key."
  type        = string
  sensitive   = true
}
