"""Plays a season: requests in compiled ticks of five minutes, the controller and the forecast between them."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
from numpy.typing import NDArray

from fieldline.contracts import book as accounts
from fieldline.contracts.book import Book
from fieldline.draws import key_of
from fieldline.facts import Policy
from fieldline.lab.season import links, others, pooling, staged, trusting
from fieldline.lab.season.arm import PLAIN, POLICY, Arm, Life
from fieldline.lab.season.columns import (
    ARM_BUYERS,
    ARM_GMV,
    ARM_ORDERS,
    ATTRIBUTED,
    ATTRIBUTED_BACK,
    COUNTED,
    DAY_ATTRIBUTED,
    DAY_BACK,
    DAY_GMV,
    DAY_ORDERS,
    DAY_ROW,
    DAY_SPEND,
    EXPECTED,
    EXPECTED_GMV,
    FORETOLD,
    IMPRESSIONS,
    MOVED,
    ORGANIC,
    PAID_LOOKS,
    PAID_ORDERS,
    PRODUCT,
    QUICK,
    SIGN_COUNT,
    SIGNS,
    SLOW,
    SPENT,
    SQUARES,
    STOREWIDE,
    STOREWIDE_BACK,
    TICK_PAID,
    TICK_REQUESTS,
    TICK_SAMPLES,
    TWENTIETH,
    VALUE,
    WHOLE_ORGANIC,
    Accounts,
    Moment,
)
from fieldline.lab.season.course import Course
from fieldline.lab.season.kernel import run
from fieldline.lab.season.market import (
    CLICKS,
    SLOTS,
    declared,
    desk_of,
    turn,
    words_of,
)
from fieldline.lab.season.opening import WAITING, Opening, fresh, mean_price, rooms_in, stage_of
from fieldline.lab.season.organic import follow, opened, price
from fieldline.lab.season.plan import START, Plan
from fieldline.lab.season.study import explore, fold_all, pool_sales
from fieldline.lab.world import LOCAL_TIME, World
from fieldline.lab.world.days import possible
from fieldline.lab.world.goods import STAGE as HALF_HOUR
from fieldline.lab.world.rooms import OFFER, sessions
from fieldline.lab.world.words import SCENES
from fieldline.scenes import Curve, estimate
from fieldline.traffic import forecast, pace
from fieldline.traffic.domains.mix import Mixes
from fieldline.traffic.pace import REST, Prices
from fieldline.traffic.prospect import typical_of
from fieldline.units import DAY, HOUR, MINUTE, YUAN, Instant

TICK = 5 * MINUTE
WARM = 2
"""Days before the season in which the predictor and the forecast learn from organic traffic."""
AFTERWARDS = 60 * DAY
"""How long after the end orders and refunds are waited for."""
OnTick = Callable[[int, int], None]
"""(ticks done, ticks in all)."""


def open_season(
    world: World,
    *,
    seed: int | None = None,
    warm: int = WARM,
    start: Instant = START,
    policy: Policy = POLICY,
    released: NDArray[np.int64] | None = None,
    life: Life = PLAIN,
) -> Opening:
    """Return a market after some days without contracts, alike for all arms of a seed.

    Args:
        world: the market.
        seed: of requests and outcomes; None: the world's.
        warm: how many days.
        start: when the season begins, a midnight of the market's clock.
        policy: the dials.
        released: as in the season's plan.
        life: what of viewers' lives the market plays.
    """
    own = world.seed if seed is None else seed
    opening = fresh(world, own, warm, Instant(start - warm * DAY), policy, life)
    if warm:
        plan = Plan((), np.zeros(0, np.int32), Instant(start - warm * DAY), warm, released)
        season = _Season(world, plan, Arm("organic", policy=policy), opening, -warm)
        season.play(None)
        opening.score = season.prices.score
        opening.waiting.rows[:, DAY_ROW] = -1
    return opening


def sold(world: World, opening: Opening) -> NDArray[np.int64]:
    """Return the orders of each merchant [M] in the days before the season."""
    made = opening.waiting.rows[: opening.waiting.sizes[1], PRODUCT]
    return np.bincount(world.products.merchant[made], minlength=world.size.merchants)


def play(
    world: World,
    plan: Plan,
    arm: Arm,
    *,
    seed: int | None = None,
    opening: Opening | None = None,
    on_tick: OnTick | None = None,
) -> Course:
    """Return the course of a season under an arm; the same arguments give the same bits.

    Args:
        world: the market.
        plan: the contracts, the first day and how many days.
        arm: who controls, and what is done to the market.
        seed: of requests and outcomes; None: the world's.
        opening: `open_season` of the same world and seed, not changed; None: made anew.
        on_tick: called after every tick.
    """
    before = (
        open_season(world, seed=seed, start=plan.start, policy=arm.policy) if opening is None else opening
    )
    season = _Season(world, plan, arm, deepcopy(before), 0)
    season.play(on_tick)
    return season.course()


class _Season:
    """One run: the compiled stage and, around it, the engine's own book, prices and forecast."""

    def __init__(self, world: World, plan: Plan, arm: Arm, opening: Opening, first: int) -> None:
        self.world, self.plan, self.arm, self.opening = world, plan, arm, opening
        self.count = max(len(plan.contracts), 1)
        self.book, self.prices, self.traffic = Book(), Prices(), opening.traffic
        for number, contract in enumerate(plan.contracts):
            accounts.put(self.book, contract.wish, 1, (contract,))
            pace.init(self.prices, number, contract)
            price = mean_price(world, int(plan.merchants[number]))
            self.book.typical[number] = typical_of(contract, price)
        accounts.enforce(self.book, plan.start)
        policy = arm.policy
        self.told = rooms_in(world, plan, opening.life)
        self.stage = stage_of(world, plan, arm, opening, self.book, self.told, first)
        self.stage.tallies.score[0] = self.prices.score = opening.score
        self.mixes = Mixes()
        self.desk = desk_of(world, policy.candidate_limit, policy.explained)
        if arm.policies.staged is not None and not opening.life.rooms:
            raise ValueError("the market was opened without stays in live rooms")
        if arm.policies.pool is not None and (policy.earned.per_click or policy.earned.per_order):
            raise ValueError("an arm plays a pool or credit, not both")
        self.organic = opened(len(world.items.kind), world.size.creators, plan.released)
        self.learned = trusting.nothing_learned(world.size.merchants, WAITING if arm.policies.learned else 0)
        if arm.policies.learned:
            trusting.apply(self.learned.trust, self.stage.machine, world.items.merchant, policy)
        self.ticks = plan.days * DAY // TICK
        self.others = others.opened(arm.policies.others, world.size.creators, self.ticks)
        shape = (self.ticks, self.count)
        self.spend = np.zeros(shape, np.int64)
        self.value, self.alpha = np.zeros(shape), np.zeros(shape)
        self.gini = np.zeros(self.ticks)
        self.by_day = np.zeros((plan.days + 1, *self.stage.tallies.items.shape))
        self.sampled = self.requests = 0

    def play(self, on_tick: OnTick | None) -> None:
        """Play every tick, and then let what is on its way arrive."""
        for tick in range(self.ticks):
            self._tick(tick)
            if on_tick is not None:
                on_tick(tick + 1, self.ticks)
        if self.plan.contracts:
            self.stage.accounts.today[:] = 0.0
            end = Instant(self.plan.start + self.plan.days * DAY)
            after = self._moment(self.ticks, end)._replace(requests=0, length=AFTERWARDS)
            run(self.stage, self.desk, after)
            self.by_day[-1] = self.stage.tallies.items

    def _tick(self, tick: int) -> None:
        begin = Instant(self.plan.start + tick * TICK)
        end = begin + TICK
        stage, prices = self.stage, self.prices
        if begin % (OFFER if len(self.told.offers) else HALF_HOUR) == 0:
            turn(self.world, stage.rooms, stage.shelf.product, stage.machine.rows, self.plan.released, begin)
        if begin % HALF_HOUR == 0:
            fold_all(stage.machine, self.desk.pen.ids)
        if (begin + LOCAL_TIME) % DAY == 0:
            self._midnight(tick * TICK // DAY - 1)
            stage.accounts.today[:] = 0.0
            accounts.turn(self.book, begin)
        if stage.waiting.sizes[1] > WAITING - 100_000:
            raise RuntimeError("more orders than there is room for")
        if stage.clicks.ends[-1] - stage.clicks.ends[-2] > CLICKS // 2:
            raise RuntimeError("more clicks than there is room for")
        self._offer(tick)
        told = self.arm.policies.staged
        if told is not None:
            goods, rows = self.arm.policy.goods_value, stage.machine.rows
            ahead = staged.due(self.opening.staging, self.told, told, rows, begin, TICK, goods)
            stage = self.stage = stage._replace(ahead=ahead)
        counts = stage.tallies.tick
        counts[:] = 0
        run(stage, self.desk, self._moment(tick, begin))
        pool_sales(stage.machine, stage.shelf.group)
        explore(stage.machine, self.arm.policy)
        if len(self.told.offers):
            staged.learn(self.opening.staging, stage.stays, self.told.first)
        if len(stage.links.follows):
            links.price(stage.links, self.mixes, self.arm.policy)
        self._price(tick, end)
        self.traffic.requests += int(counts[TICK_REQUESTS])
        prices.requests += int(counts[TICK_PAID])
        prices.samples += int(counts[TICK_SAMPLES])
        prices.score = float(stage.tallies.score[0])
        self.requests += int(counts[TICK_PAID])
        self.sampled += int(counts[TICK_SAMPLES])
        forecast.update(self.traffic, end)
        if self.plan.contracts:
            _write(self.book, prices, stage.accounts, self.count)
            accounts.enforce(self.book, end)
            self.spend[tick] = self.book.spent[: self.count]
            self.value[tick] = self.book.value[: self.count]
            if self.arm.standing is None:
                pace.mature(prices, TICK)
                self.arm.controller(prices, self.book, self.traffic, end, TICK)
            prices.samples = prices.requests = 0
        self._look()

    def _midnight(self, day: int) -> None:
        """Learn whom to trust from the day that is over, −1: none is."""
        if day >= 0 and self.arm.policies.learned:
            learned, policy = self.learned, self.arm.policy
            trusting.learn(learned, self.world, self.stage.waiting, policy, self.plan.start, day)
            trusting.apply(learned.trust, self.stage.machine, self.world.items.merchant, policy)

    def _price(self, tick: int, end: int) -> None:
        """Take what the tick did into the accounts of organic prices, and solve those again."""
        if not self.plan.contracts:
            return
        stage, arm, organic = self.stage, self.arm, self.organic
        if arm.policies.pool is not None:
            self._pool(end)
        follow(organic, arm.policy, arm.policies, stage.tallies, self.world.items.creator, end)
        price(
            organic, arm.policy, arm.policies, stage.machine, stage.shelf, stage.tallies, self.traffic, end, TICK
        )  # fmt: skip
        self.gini[tick] = organic.inclusion.realised
        if self.others.ways:
            score = float(stage.tallies.score[0])
            others.price(self.others, stage.others, arm.policy, stage.machine, score, tick, TICK)
        self.by_day[tick * TICK // DAY] = stage.tallies.items

    def _pool(self, end: int) -> None:
        """Bring the arm's pool up to a tick's end."""
        pool, organic, items = self.arm.policies.pool, self.organic, self.stage.tallies.items
        assert pool is not None
        spent = np.zeros(self.world.size.merchants, np.int64)
        spent[self.plan.merchants] = self.book.spent[: self.count]
        moved = items[:, MOVED] - organic.read[:, MOVED]
        horizon = self.plan.start, self.plan.contracts[0].horizon.end
        pooling.turn(
            organic.pooled, pool, moved, self.world.items.merchant, spent, self.traffic, horizon, end
        )

    def _offer(self, tick: int) -> None:
        """Put the tick's multipliers, what may still be spent and the decayed sums before the kernel."""
        if not self.plan.contracts:
            return
        terms, count, standing = self.stage.terms, self.count, self.arm.standing
        if standing is not None:
            self.prices.alpha[:count] = standing if standing.ndim == 1 else standing[tick]
        terms.alpha[:] = np.where(self.book.in_force[:count], self.prices.alpha[:count], 0.0)
        self.alpha[tick] = terms.alpha
        terms.allowed[:] = [accounts.allowance(self.book, number) for number in range(count)]
        terms.bid_cap[:] = np.where(terms.alpha > REST, terms.allowed / (YUAN * self._most_ads()), 0.0)
        kept = self.stage.accounts
        kept.yuan[ORGANIC] = self.prices.organic[:count]
        kept.yuan[FORETOLD] = self.prices.foretold[:count]
        kept.yuan[[QUICK, SLOW]] = self.prices.young[:count].T
        kept.supply[0] = self.prices.supply_value[:count]
        kept.supply[1] = self.prices.supply_cost[:count]

    def _most_ads(self) -> float:
        return float(max(1, int(self.arm.policy.ad_load * SLOTS + 1e-9)))

    def _moment(self, tick: int, begin: Instant) -> Moment:
        """Return a tick's requests."""
        passed = tick * TICK / HOUR
        factor = 1.0
        for shock in self.arm.shocks:
            factor *= shock.factor if shock.start <= passed < shock.end else 1.0
        local = begin + LOCAL_TIME
        policy = self.arm.policy
        return Moment(
            key=np.uint64(key_of(self.opening.seed, f"{begin}", "season")),
            requests=possible(self.opening.seed, self.world.demand, local, TICK, factor),
            start=int(begin),
            length=TICK,
            day=tick * TICK // DAY,
            hour=local % DAY // HOUR,
            paid=bool(self.plan.contracts),
            random_share=policy.random_share,
            landscape_share=policy.landscape_share,
            most_ads=self._most_ads(),
        )

    def _look(self) -> None:
        """Bring the chance that each slot is looked at up to date, from randomised slates."""
        counted = self.stage.memory.randomised
        for scene in range(len(SCENES)):
            told = declared(scene)
            curve = Curve(told, counted[0, scene], counted[1, scene], told)
            self.stage.shelf.words[scene] = words_of(self.arm.policy, scene, estimate(curve))

    def course(self) -> Course:
        """Return what happened."""
        kept, tallies, count = self.stage.accounts, self.stage.tallies, self.count
        money, yuan, by_day = kept.money, kept.yuan, kept.by_day
        return Course(
            arm=self.arm.name,
            spend=self.spend,
            value=self.value,
            alpha=self.alpha,
            budget=self.book.budget[:count].copy(),
            goal=self.book.goal[:count].copy(),
            counts_organic=self.book.counts_organic[:count].copy(),
            spent=money[SPENT],
            final_value=yuan[VALUE],
            gmv=money[STOREWIDE],
            attributed=money[ATTRIBUTED],
            refunded=money[STOREWIDE_BACK],
            attributed_refunded=money[ATTRIBUTED_BACK],
            orders=by_day[:, DAY_ORDERS].sum(axis=0),
            paid_orders=money[PAID_ORDERS],
            counted_orders=money[COUNTED],
            twentieth=money[TWENTIETH],
            impressions=money[IMPRESSIONS],
            expected=yuan[EXPECTED],
            shown_gmv=kept.shown,
            expected_gmv=yuan[EXPECTED_GMV],
            day_spend=by_day[:, DAY_SPEND],
            day_gmv=by_day[:, DAY_GMV],
            day_attributed=by_day[:, DAY_ATTRIBUTED],
            day_refunded=by_day[:, DAY_BACK],
            day_orders=by_day[:, DAY_ORDERS],
            day_value=kept.value_by_day,
            arm_gmv=kept.arms[..., ARM_GMV],
            arm_orders=kept.arms[..., ARM_ORDERS],
            arm_buyers=kept.arms[..., ARM_BUYERS],
            arm_squares=kept.squares,
            scene_gmv=kept.scenes[..., 0],
            scene_orders=kept.scenes[..., 1],
            total=tallies.total,
            by_scene=tallies.by_scene,
            feed_viewers=tallies.feed_viewers,
            feed_items=tallies.feed_items,
            supply_value=kept.supply[2],
            supply_cost=kept.supply[3],
            organic=yuan[WHOLE_ORGANIC],
            sampled=self.sampled,
            requests=self.requests,
            chances=tallies.chances,
            items=self.by_day,
            gini=self.gini,
            others=self.stage.others.came,
            others_gini=self.others.gini,
            sessions=sessions(self.told),
            rooms=tallies.rooms,
            domains=tallies.domains,
            bought=self.stage.waiting.rows[: self.stage.waiting.sizes[1]].copy(),
            met=self.organic.newcomers.met[: len(tallies.items)],
            many=self.organic.many,
            trust=self.learned.trust,
            pool=self.organic.pooled.ledger,
        )


def _write(book: Book, prices: Prices, kept: Accounts, count: int) -> None:
    """Write what a tick's requests did into the engine's own book and prices."""
    money = kept.money
    book.today[:count] += money[SPENT] - book.spent[:count]
    book.spent[:count] = money[SPENT]
    book.value[:count] = kept.yuan[VALUE]
    book.orders[:count] = money[PAID_ORDERS]
    book.attributed[:count] = money[ATTRIBUTED] - money[ATTRIBUTED_BACK]
    book.storewide[:count] = money[STOREWIDE] - money[STOREWIDE_BACK]
    book.impressions[:count] = money[IMPRESSIONS]
    book.paid_looks[:count] = kept.yuan[PAID_LOOKS]
    book.value_squares[:count] = kept.yuan[SQUARES]
    book.valued[:count] = money[COUNTED]
    book.signs[:count] = kept.yuan[SIGNS]
    book.sign_count[:count] = kept.yuan[SIGN_COUNT]
    prices.organic[:count] = kept.yuan[ORGANIC]
    prices.foretold[:count] = kept.yuan[FORETOLD]
    prices.young[:count] = kept.yuan[[QUICK, SLOW]].T
    prices.supply_value[:count] = kept.supply[0]
    prices.supply_cost[:count] = kept.supply[1]
