"""What provider and `kf` do with runs: submit, follow, archive, prune."""
