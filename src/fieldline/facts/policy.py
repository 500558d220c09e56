"""Policy: every dial that an operator sets."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fieldline.facts.words import Domain, Fact, Share, Time, Word


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A surface: its slots and the declared chance that each is looked at, until requests teach a better one."""

    name: Word
    looks: tuple[Share, ...]
    """e_k for slots 0 … K−1, not increasing."""
    shelf: bool = False
    """Whether it shows goods rather than content: retrieval then orders by clicks, not by long views."""
    domain: Domain = "public"
    """Of what it shows that neither comes from whom the viewer follows, nor is near, nor was asked for."""


class Frequency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Most places that one viewer is given in a day (UTC+8), all scenes together; 0: no cap.

    Who opted out of personalisation is not counted, so that no cap holds for them.
    """

    product: Annotated[int, Meta(ge=0, le=1_000)] = 0
    """Of one product, whether its own card, a video or a live room shows it."""
    merchant: Annotated[int, Meta(ge=0, le=1_000)] = 0
    """Of one merchant's items."""
    campaign: Annotated[int, Meta(ge=0, le=1_000)] = 0
    """That one campaign pays for."""


class Mix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of a scene's places that a domain should have, kept by a price on its items."""

    scene: Word
    domain: Literal["private", "circle", "channel"]
    share: Share
    """Of the places of slates for which the domain had a candidate."""
    floor: bool = False
    """Whether it is the least: the price then only lifts, and value may give more."""


class Sources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of a request's candidates that each source may give, in the order in which they are merged.

    An item counts for the first source that offers it; what a source leaves goes to guess-you-like, which has
    no share of its own: it fills the rest. A request with a query is answered by search alone.
    """

    followed: Share = 0.08
    """The newest of the creators that the viewer follows."""
    trending: Share = 0.03
    """What gained most clicks (goods) or long views (content) lately."""
    fresh: Share = 0.03
    """The newest of what few have seen."""
    near: Share = 0.15
    """The best of the place that the viewer is in."""
    channel: Share = 0.25
    """The best of the category that the request names."""
    intent: Share = 0.05
    """The best of the categories that the viewer is surest to be interested in."""
    similar: Share = 0.07
    """The nearest to what the viewer watched long lately."""
    guaranteed: Share = 0.04
    """What an exposure floor owes looks to and is behind with."""
    promoted: Share = 0.25
    """The best of what contracts stand on."""
    staged: Share = 0.02
    """Live rooms that are about to sell what was planned."""

    def __post_init__(self) -> None:
        total = sum(msgspec.structs.astuple(self))
        if total > 1.0 + 1e-9:
            raise ValueError(f"the shares of all sources sum to {total:g}, which is more than 1")


class Earned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What paid clicks and orders earn their items: looks, which decay and are used up."""

    per_click: Annotated[float, Meta(ge=0.0, le=1_000.0)] = 0.0
    """Looks for a valid, well-matched paid click."""
    per_order: Annotated[float, Meta(ge=0.0, le=10_000.0)] = 0.0
    """Looks for an order that is credited to a paid look or click."""
    half_life_hours: Annotated[float, Meta(ge=0.1, le=8_760.0)] = 24.0
    """In which half of a balance expires."""
    cap: Annotated[float, Meta(ge=0.0, le=3.5)] = 0.25
    """The highest price of credit, in mean scores of what is shown."""
    least_match: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.0
    """A click earns where it was at least so many times as likely, as predicted, as its trade's are. 0: any."""


class TrustWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The share of each dimension in a merchant's index; they sum to 1."""

    quality: Share = 0.35
    """Refunds, stars, what reviews say."""
    service: Share = 0.25
    """Deliveries on time, answers, matters solved."""
    content: Share = 0.15
    """Looks that were long, likes, and how few said not to be interested."""
    repeat: Share = 0.25
    """Buyers who bought again."""

    def __post_init__(self) -> None:
        total = sum(msgspec.structs.astuple(self))
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the shares of the dimensions sum to {total:g}, not to 1")


class Policy(Fact, frozen=True, tag="policy"):
    """Every dial of the decision, in one place; changed by a new Policy fact alone."""

    at: Time = 0
    seed: Annotated[int, Meta(ge=0, le=(1 << 63) - 1)] = 1
    scenes: tuple[Scene, ...] = ()
    viewer_value: Annotated[float, Meta(ge=0.0)] = 0.05
    """w_view: yuan that a look watched long is worth to the platform."""
    like_value: Annotated[float, Meta(ge=0.0)] = 0.0
    """Yuan that a like is worth to the platform."""
    follow_value: Annotated[float, Meta(ge=0.0)] = 0.0
    """Yuan that a new follower is worth to the platform."""
    hate_cost: Annotated[float, Meta(ge=0.0)] = 0.0
    """Yuan that a viewer's "not interested" costs the platform."""
    minute_value: Annotated[float, Meta(ge=0.0)] = 0.0
    """Yuan that a minute watched is worth to the platform, of five at most."""
    goods_value: Annotated[float, Meta(ge=0.0)] = 0.05
    """w_goods: yuan that a yuan of net GMV is worth to the platform."""
    exploration: Annotated[float, Meta(ge=0.0, le=10.0)] = 0.5
    """Posterior standard deviations of an item's worth that are added to its organic score."""
    trust_weight: Share = 0.3
    """w_T."""
    trust_weights: TrustWeights = TrustWeights()
    """What a merchant's index is made of."""
    ad_price: Annotated[float, Meta(ge=0.0)] = 0.002
    """theta: yuan per look, the price of one more ad to viewers and to the others."""
    ad_load: Share = 0.3
    """Most paid slots of a slate, as a share of its slots (rounded down)."""
    first_ad: Annotated[int, Meta(ge=0)] = 1
    """The first slot (from 0) that may be paid."""
    ad_gap: Annotated[int, Meta(ge=0)] = 2
    """Organic slots between two paid ones."""
    merchant_cap: Annotated[int, Meta(ge=1)] = 2
    """Most slots of one merchant (of one creator where there is no merchant) in a slate."""
    category_cap: Annotated[int, Meta(ge=1)] = 4
    random_share: Share = 0.02
    """Share of requests answered by a Plackett–Luce draw over the top 20; nothing is sold there."""
    random_temperature: Annotated[float, Meta(gt=0.0)] = 0.3
    landscape_share: Share = 0.12
    candidate_limit: Annotated[int, Meta(ge=1, le=20_000)] = 2_000
    sources: Sources = Sources()
    """Who may bring how many of the candidates."""
    frequency: Frequency = Frequency()
    """How often one viewer may meet the same thing in a day."""
    mixes: tuple[Mix, ...] = ()
    """Shares of scenes' places that are kept; a scene and domain without one: by value."""
    circle_km: Annotated[float, Meta(gt=0.0, le=500.0)] = 10.0
    """How near an item must be to its viewer to be of the circle."""
    gini: Annotated[float, Meta(ge=0.3, le=0.95)] | None = None
    """The Gini of creators' exposure that is aimed at from above; None: none."""
    newcomer_looks: Annotated[float, Meta(ge=0.0, le=1_000_000.0)] = 0.0
    """Looks that every approved new work is owed. 0: none."""
    newcomer_hours: Annotated[int, Meta(ge=1, le=720)] = 24
    """Within how many hours."""
    earned: Earned = Earned()
    """What paid exposure earns."""
    relevance_floor: Share = 0.15
    """Nothing less relevant to a query is shown for it, whoever pays."""
    relevance_value: Annotated[float, Meta(ge=0.0)] = 0.5
    """Yuan per look that an item is worth to who searched for it, were it wholly relevant."""
    tick_ms: Annotated[int, Meta(ge=1_000)] = 300_000
    label_window_ms: Annotated[int, Meta(ge=1_000)] = 600_000
    """How long after an impression a missing click or long view counts as none; also how long money stays reserved."""
    order_window_ms: Annotated[int, Meta(ge=1_000)] = 86_400_000
    """How long after a click an order still counts as its outcome, for learning."""
    in_hand: Literal["observed", "corrected", "confident"] = "confident"
    """How contracts count value in hand; see `fieldline.traffic.pace`."""
    learning: Annotated[float, Meta(ge=0.0, le=100.0)] = 0.5
    """Orders' worth of value that a contract may owe before its items sold anything: what learning may cost."""
    click_attribution_ms: Annotated[int, Meta(ge=0)] = 7 * 86_400_000
    view_attribution_ms: Annotated[int, Meta(ge=0)] = 86_400_000
    explained: Annotated[int, Meta(ge=0, le=200)] = 30
    """Most candidates of a decision whose scores are logged for its explanation (its slots always are)."""

    def __post_init__(self) -> None:
        scenes = {scene.name for scene in self.scenes}
        kept = set[tuple[str, str]]()
        for mix in self.mixes:
            if mix.scene not in scenes:
                raise ValueError(f"a mix names scene {mix.scene!r}, which is none of the policy's")
            if (mix.scene, mix.domain) in kept:
                raise ValueError(f"the mix of {mix.domain} in scene {mix.scene!r} is set twice")
            kept.add((mix.scene, mix.domain))
