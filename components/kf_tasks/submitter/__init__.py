"""A pod: starts the run of one scheduled time; standard library only, Python 3.9 upwards."""
