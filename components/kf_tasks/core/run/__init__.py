"""What a run is made from, and how it ends."""
