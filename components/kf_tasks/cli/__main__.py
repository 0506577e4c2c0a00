"""`python -m kf_tasks.cli`: the same as the script `kf`."""

from .main import start

start()
