"""What of a task's log is shown while it runs: `log=` of a Task."""

FOLLOW = "follow"  # its lines as they come, within bounds
TAIL = "tail"  # its last lines, when it has ended
NONE = "none"  # nothing; the outcome alone is told
