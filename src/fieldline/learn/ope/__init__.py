"""Off-policy evaluation: what another policy would have earned, from a log whose randomised share has propensities.

`read_table` (a plain log) or `replayed` → `slates` (a data folder's log) → `Sample` → `evaluate` → `Evaluation`.
Source: docs/algorithms/ope.md, ADR 0016.
"""

from fieldline.learn.ope.estimators import Estimate, Evaluation, Sample, evaluate

__all__ = ["Estimate", "Evaluation", "Sample", "evaluate"]
