"""For those who write policies: what a stack declares and what an update of it does, as typed records.

    def no_mails_on_fridays(args, report_violation):
        for run in runs(args):
            if run.task == "mails" and run.starts:
                report_violation(f"{run}: not on a Friday")

Each reader takes the arguments of a resource policy or those of a stack policy of `pulumi_policy`, and gives what it
finds in them. What is not known yet in a preview is None, and never an error. The ready rules are `kf-policies`.
"""

from .readers import App, Deletion, Run, Space, Task, apps, deletions, runs, spaces, tasks

__all__ = ["App", "Deletion", "Run", "Space", "Task", "apps", "deletions", "runs", "spaces", "tasks"]
