"""The program: a Cloud Foundry manifest and a stack's configuration as resources."""
