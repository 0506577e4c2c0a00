"""A Cloud Foundry manifest: fields, values, findings, the whole."""
