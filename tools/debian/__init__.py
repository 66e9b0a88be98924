"""Programs for the tests that no wheel holds."""
