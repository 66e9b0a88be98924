"""The edge where text becomes values: environment to Settings, YAML to Stream and Source."""
