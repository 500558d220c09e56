"""Laws of previews: what a dial of trust may do, whatever it is set to."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import made
from tests.unit.traffic.test_preview import asked, market

from fieldline import engine
from fieldline.facts import Request
from fieldline.traffic.explain import CONTENDER
from fieldline.traffic.preview import Dialled, view_of
from fieldline.traffic.preview.views import trust_by_item

share = st.floats(0.0, 1.0).map(lambda x: round(x, 3))


def gained(weight: float) -> float:
    """Σ looks·value·(2T − 1) of what is shown, capless and unsold, at a weight of trust."""
    state, sample = market()
    dials = {"trust_weight": weight, "merchant_cap": 60, "category_cap": 60, "random_share": 0.0}
    view = view_of(state, Dialled(msgspec.structs.replace(state.policy, **dials)), 0)
    total = 0.0
    for one in sample[:12]:
        again = engine.decide(view, Request(one.id, one.viewer, one.scene, state.now), paid=False)
        rows = np.frombuffer(again.contenders, CONTENDER)[: len(again.slots)]
        value = (rows["viewer_value"] + rows["goods_value"]).astype(np.float64)
        lean = 2.0 * np.nan_to_num(trust_by_item(state)[rows["item"]], nan=0.5) - 1.0
        total += float(np.array(again.looks) @ (value * lean))
    return total


@settings(max_examples=15, deadline=None)
@given(st.tuples(share, share))
def test_more_weight_of_trust_never_shows_less_trusted_value(weights: tuple[float, float]) -> None:
    """Where nothing but the score decides, value leaning towards trust never falls as trust weighs more."""
    low, high = sorted(weights)
    assert gained(high) >= gained(low) - 1e-6


@settings(max_examples=6, deadline=None)
@given(st.sampled_from(["trust_weight", "gini", "ad_load", "exploration"]), st.floats(0.3, 0.9))
def test_looks_are_moved_not_made(dial: str, value: float) -> None:
    """Whatever is asked, the figures add up: changed − today = difference, within the limits of what there is."""
    found = asked((dial, str(round(value, 2))))
    for figure in found.figures:
        assert figure.changed - figure.today == pytest.approx(figure.difference)
        assert figure.low <= figure.high
    assert 0.0 <= found.moved_looks <= 1_000.0 * max(len(scene.looks) for scene in made.POLICY.scenes)
