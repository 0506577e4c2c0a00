"""What stands in states: the names that the inputs and records of our resources have there for ever."""

from __future__ import annotations

RECORD = (
    "run", "task_id", "state", "reason", "exit_code", "started_at", "finished_at",
    "duration", "log", "log_digest", "log_lines", "results", "cluster_uid",
)  # fmt: skip
