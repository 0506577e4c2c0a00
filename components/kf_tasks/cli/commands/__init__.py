"""What `kf` can do: one module a command."""
