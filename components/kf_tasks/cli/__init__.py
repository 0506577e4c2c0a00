"""The `kf` command: Kf's task commands, with Kf's flags, messages and exit codes."""
