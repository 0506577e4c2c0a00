"""A real Kubernetes, Tekton, registry and Pulumi toolchain on one bare machine.

The project is worth nothing on a simulated cluster, so its default is a true one: the
programs themselves, started as plain processes inside one network namespace.
"""
