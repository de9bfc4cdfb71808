"""What all tests share: Hypothesis measures no time, for a busy machine is no failure."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("imaplus", deadline=None)
settings.load_profile("imaplus")
