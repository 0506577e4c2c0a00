"""Who is told how a run ended: endpoints, events, and which of them are owed."""
