"""The image registry: upload, digests, credentials."""
