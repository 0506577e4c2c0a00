"""The decisions: pure functions over plain data, without Pulumi and without Kubernetes."""
