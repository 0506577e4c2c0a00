"""What holds for all tests: a busy machine is slow, and no property fails for that."""

from hypothesis import settings

settings.register_profile("kf", deadline=None)
settings.load_profile("kf")
