"""Seasons: days of trade at full speed, with the engine's own auction, predictor, book and controllers.

`World → plan_of → Arm → play → Course`. Source: docs/algorithms/lab.md.
"""

from fieldline.lab.season.arm import PLAIN, POLICY, Arm, Life, Shock
from fieldline.lab.season.course import Course, told
from fieldline.lab.season.opening import Opening
from fieldline.lab.season.organic import Other, Policies
from fieldline.lab.season.plan import START, Plan, plan_of, releases
from fieldline.lab.season.play import TICK, open_season, play, sold
from fieldline.lab.season.pooling import Pool

__all__ = [
    "PLAIN", "POLICY", "START", "TICK", "Arm", "Course", "Life", "Opening", "Other", "Plan", "Policies", "Pool",
    "Shock", "open_season", "plan_of", "play", "releases", "sold", "told",
]  # fmt: skip
