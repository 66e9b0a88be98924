"""Airbyte's real connectors, each in an environment of its own."""
