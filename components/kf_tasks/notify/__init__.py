"""Events on their way: claimed on the run, and sent to the endpoints."""
