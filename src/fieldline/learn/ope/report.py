"""What a data folder's log says of another policy, reward by reward and assumption by assumption."""

import msgspec

from fieldline.errors import Conflict
from fieldline.learn.ope.estimators import Estimate, Evaluation, evaluate
from fieldline.learn.ope.replayed import REWARDS, Log, Reward
from fieldline.learn.ope.slates import ASSUMPTIONS, Assumption, gain_of, sample_of


class Gain(msgspec.Struct, frozen=True):
    """What the other policy would earn a request beyond the served one."""

    ips: Estimate
    dr: Estimate


class Scored(msgspec.Struct, frozen=True):
    """What a log says of a policy; the first figures are of one reward under one assumption."""

    ips: Estimate
    snips: Estimate
    dr: Estimate
    switch: Estimate
    logged: Estimate
    """What the draw itself earned."""
    effective_sample: float
    n: int
    groups: int
    """Viewers."""
    threshold: float
    served: Evaluation
    """What the policy that wrote the log would earn as it serves all other requests."""
    gain: Gain
    """Over it."""
    rewards: dict[Reward, dict[Assumption, Evaluation]]
    supported: float
    """Share of the other policy's looks at items that the draw could have shown; of the rest only DR and switch
    say something, by the model alone."""
    decisions: int
    randomised: int
    not_drawn_again: int
    too_young: int
    reward: Reward
    assumption: Assumption

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what the figures rest on, as lines of text."""
        return (
            f"{self.decisions:,} decisions, {self.randomised:,} randomised; left out: {self.not_drawn_again:,} that "
            f"the log does not draw again, {self.too_young:,} too young",
            f"the draw reaches {self.supported:.1%} of the policy's looks",
            f"beyond the served policy (DR): {self.gain.dr.value:+.5g}, "
            f"{self.gain.dr.low:+.5g} to {self.gain.dr.high:+.5g}",
        )


def scored(log: Log, reward: Reward = "clicks", assumption: Assumption = "looks") -> Scored:
    """Return what a log says of the other policy.

    Args:
        log: replayed.
        reward: what the first figures are of.
        assumption: on what they rest.

    Raises:
        Conflict: no randomised decision is left to judge by.
    """
    drawn = log.drawn
    if not drawn:
        raise Conflict(
            "data",
            f"has no randomised decision to judge by ({log.decisions} decisions, {log.randomised} randomised, "
            f"{log.not_drawn_again} not drawn again, {log.too_young} too young); see the dial random_share",
        )
    rewards = {
        one: {other: evaluate(sample_of(drawn, one, other)) for other in ASSUMPTIONS} for one in REWARDS
    }
    chosen = rewards[reward][assumption]
    gain = evaluate(gain_of(drawn, reward, assumption))
    looks = sum(one.aim.looks for one in drawn)
    return Scored(
        ips=chosen.ips,
        snips=chosen.snips,
        dr=chosen.dr,
        switch=chosen.switch,
        logged=chosen.logged,
        effective_sample=chosen.effective_sample,
        n=chosen.n,
        groups=chosen.groups,
        threshold=chosen.threshold,
        served=evaluate(sample_of(drawn, reward, assumption, served=True)),
        gain=Gain(gain.ips, gain.dr),
        rewards=rewards,
        supported=sum(one.aim.supported for one in drawn) / looks if looks else 0.0,
        decisions=log.decisions,
        randomised=log.randomised,
        not_drawn_again=log.not_drawn_again,
        too_young=log.too_young,
        reward=reward,
        assumption=assumption,
    )
