"""Policies without pulumi-policy: readers and rules are functions of what they are given."""
