"""How an image is built from source."""
