"""What every test shares."""

from hypothesis import settings

settings.register_profile("fieldline", deadline=None, derandomize=True)
settings.load_profile("fieldline")
