"""Which runs stay, and what is said of those that go."""
