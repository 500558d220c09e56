"""Off-policy evaluation by hand: a plain log, its faults, a Plackett–Luce draw, a data folder's log."""

from itertools import permutations
from pathlib import Path

import duckdb
import msgspec
import numpy as np
import pytest
from tests.made import POLICY, START, catalogue, play
from typer.testing import CliRunner

from fieldline import engine
from fieldline.cli import app
from fieldline.draws import key_of, unit_of
from fieldline.errors import Conflict, Refused
from fieldline.facts import AnyFact, Click, Impression, Policy, Request, Tick, ViewerErased
from fieldline.learn.ope import evaluate
from fieldline.learn.ope.luce import chances_of, places_of, rates_of
from fieldline.learn.ope.replayed import Log, changed, dials_of, replayed
from fieldline.learn.ope.report import scored
from fieldline.learn.ope.slates import ASSUMPTIONS, sample_of
from fieldline.learn.ope.table import read_table
from fieldline.learn.ope.table import sample_of as sample_of_table
from fieldline.scenes import DEFAULT_LOOKS
from fieldline.units import MINUTE

LOOKS = DEFAULT_LOOKS["video"]

HEAD = "propensity,reward,target_propensity"
ROWS = ("0.5,1,1.0", "0.5,0,0.0", "0.25,1,0.5", "1.0,0,0.5")


def written(folder: Path, *lines: str) -> Path:
    path = folder / "log.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_plain_log_by_hand(tmp_path: Path) -> None:
    """Weights 2, 0, 2, ½: IPS (2 + 2)/4 = 1, SNIPS 4/4½, logged ½, effective sample 4½²/8¼; the model being the mean
    reward ½, DR = ½ + (1 + 1 − ¼)/4."""
    told = evaluate(sample_of_table(read_table(written(tmp_path, HEAD, *ROWS))))
    assert told.ips.value == pytest.approx(1.0)
    assert told.snips.value == pytest.approx(4.0 / 4.5)
    assert told.logged.value == pytest.approx(0.5)
    assert told.effective_sample == pytest.approx(4.5**2 / 8.25)
    assert told.dr.value == pytest.approx(0.5 + 1.75 / 4.0)
    assert told.n == 4
    half = (
        1.6448536 * np.sqrt(4.0 / 3.0 * (1.0 + 1.0 + 1.0 + 1.0)) / 4.0
    )  # IPS: each round is 1 from its mean
    assert told.ips.high - told.ips.value == pytest.approx(half)


def test_parquet_predictions_actions_and_groups(tmp_path: Path) -> None:
    """A Parquet log with actions instead of propensities, a model and groups: DR corrects the model."""
    path = tmp_path / "log.parquet"
    duckdb.execute(
        "COPY (SELECT * FROM (VALUES (0.5, 1.0, 'a', 'a', 0.4, 0.4, 'u'), (0.5, 0.0, 'a', 'b', 0.4, 0.2, 'u'),"
        " (0.5, 1.0, 'b', 'b', 0.2, 0.2, 'v'))"
        ' AS t(propensity, reward, action, target_action, q_logged, q_target, "group"))'
        f" TO '{path}' (FORMAT parquet)"
    )
    table = read_table(path)
    assert table.target.tolist() == [1.0, 0.0, 1.0]
    assert table.group.tolist() == [0, 0, 1]
    told = evaluate(sample_of_table(table))
    assert told.dr.value == pytest.approx(((0.4 + 2 * 0.6) + 0.2 + (0.2 + 2 * 0.8)) / 3.0)
    assert told.groups == 2


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ((HEAD, "0.5,1,1", "0,1,1"), ("log.csv", "column propensity, row 2", "'0'")),
        ((HEAD, "0.5,1,1", "1.5,1,1"), ("column propensity, row 2", "(0, 1]")),
        ((HEAD, "0.5,nan,1"), ("column reward, row 1", "finite")),
        ((HEAD, "0.5,yes,1"), ("column reward, row 1", "'yes'")),
        ((HEAD, "0.5,,1"), ("column reward, row 1", "an empty cell")),
        ((HEAD, "0.5,1,-0.1"), ("column target_propensity, row 1", "[0, 1]")),
        (("propensity,target_propensity", "0.5,1"), ("column reward", "missing")),
        (("propensity,reward", "0.5,1"), ("column target_propensity", "target_action")),
        (("propensity,reward,target_propensity,q_target", "0.5,1,1,0.3"), ("column q_logged", "missing")),
        ((HEAD,), ("log.csv", "no rows")),
    ],
)
def test_a_fault_names_file_column_and_row(
    tmp_path: Path, lines: tuple[str, ...], named: tuple[str, ...]
) -> None:
    """Each fault is refused in words that say where it is."""
    with pytest.raises(Refused) as refusal:
        read_table(written(tmp_path, *lines))
    for words in named:
        assert words in str(refusal.value)


def test_the_command_writes_the_figures(tmp_path: Path) -> None:
    """`learn ope` on a plain log exits 0 and writes the keys that scripts read; on another folder it refuses."""
    written(tmp_path, HEAD, *ROWS)
    out = tmp_path / "out.json"
    done = CliRunner().invoke(app, ["learn", "ope", "--data", str(tmp_path), "--json", str(out)])
    assert done.exit_code == 0, done.output
    figures = msgspec.json.decode(out.read_bytes())
    assert {"ips", "snips", "dr", "switch", "logged", "effective_sample", "n"} <= set(figures)
    assert figures["ips"]["value"] == pytest.approx(1.0)
    empty = tmp_path / "empty"
    empty.mkdir()
    refused = CliRunner().invoke(app, ["learn", "ope", "--data", str(empty)])
    assert isinstance(refused.exception, Refused)
    assert "log.parquet" in str(refused.exception)


def test_a_draw_by_enumeration() -> None:
    """Of five candidates each one's chance at each of three places is the sum over all 60 ordered triples."""
    rates = np.array([1.0, 0.5, 0.3, 0.01, 1e-5])
    found = np.zeros((5, 3))
    for triple in permutations(range(5), 3):
        for place, item in enumerate(triple):
            found[item, place] += chances_of(rates, np.array(triple)).prod()
    assert places_of(rates, 3) == pytest.approx(found, abs=1e-12)


def test_rates_are_those_of_the_draw() -> None:
    """Scores .2 and .1 at temperature .5 give rates 1 and e^(−.1/(.5·.2)) = 1/e."""
    assert rates_of(np.array([0.2, 0.1]), 0.5) == pytest.approx([1.0, np.exp(-1.0)])


@pytest.fixture(scope="module")
def facts() -> list[AnyFact]:
    return play(300, msgspec.structs.replace(POLICY, random_share=0.3))[1]


def test_what_was_logged_is_drawn_again(facts: list[AnyFact]) -> None:
    """Every randomised decision of a log is found with the chance that was logged, and with its clicks."""
    log = replayed(facts, {})
    assert log.not_drawn_again == 0
    assert log.randomised == len(log.drawn) + log.too_young > 50
    ids = {one.id for one in log.drawn}
    clicks = {
        (fact.decision, fact.item) for fact in facts if isinstance(fact, Click) and fact.decision in ids
    }
    assert sum(one.rewards[:, 0].sum() for one in log.drawn) == len(clicks)


def test_the_draw_itself_has_weights_of_one(facts: list[AnyFact]) -> None:
    """Judged as the policy that logged, drawn, every assumption gives the logged mean and counts every round."""
    log = replayed(facts, {}, drawn=True)
    for assumption in ASSUMPTIONS:
        told = evaluate(sample_of(log.drawn, "clicks", assumption))
        assert told.ips.value == pytest.approx(told.logged.value, rel=1e-6), assumption
        assert told.effective_sample == pytest.approx(told.n, rel=1e-6), assumption


def test_the_fewer_is_assumed_the_less_a_log_says(facts: list[AnyFact]) -> None:
    """For a served slate the effective sample falls from looks over slot and cascade to the whole slate."""
    log = replayed(facts, {})
    sizes = [evaluate(sample_of(log.drawn, "clicks", name)).effective_sample for name in ASSUMPTIONS]
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.1 * sizes[-1]


def test_only_caps_lead_past_what_the_draw_can_show(facts: list[AnyFact]) -> None:
    """With caps that bind nobody, the served slate is the first of the twenty that the draw picks from; a policy that
    is the same gains nothing."""
    told = scored(replayed(facts, {"merchant_cap": 50, "category_cap": 50}))
    assert told.supported == pytest.approx(1.0)
    same = scored(replayed(facts, {}))
    assert same.supported < 1.0
    assert (same.gain.dr.low, same.gain.dr.high) == (0.0, 0.0)
    assert same.served.dr == same.dr


def test_an_erased_viewer_is_not_judged_by(facts: list[AnyFact]) -> None:
    """After an erasure no round of that viewer is left."""
    viewer = replayed(facts, {}).drawn[0].viewer
    log = replayed([*facts, ViewerErased(viewer, START + 400 * MINUTE)], {})
    assert viewer not in {one.viewer for one in log.drawn}


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"[1]", "policy"),
        (b'{"seed": 2}', "policy: seed"),
        (b'{"colour": 2}', "policy: colour"),
        (b'{"viewer_value": -1}', "policy: viewer_value"),
    ],
)
def test_dials_that_cannot_be_are_named(data: bytes, named: str) -> None:
    """What is no dial, or cannot have the value, is refused by name."""
    with pytest.raises(Refused) as refusal:
        dials_of(data)
    assert refusal.value.field == named


def test_a_log_without_randomised_decisions_says_so() -> None:
    """There is nothing to judge by, and the refusal names the dial."""
    with pytest.raises(Conflict, match="random_share"):
        scored(Log(decisions=5))


def market(policy: Policy, requests: int) -> tuple[list[AnyFact], float]:
    """A market without contracts in which one kind of video in three is clicked at .6 a look and the others at .1; its
    facts, and the clicks a request that the served slates truly earn."""
    state, facts, earned = engine.State(policy=policy), list[AnyFact](), list[float]()

    def take(fact: AnyFact) -> None:
        facts.append(fact)
        engine.reduce(state, fact)

    for fact in (policy, Tick(START), *catalogue()):
        take(fact)
    for number in range(requests):
        at = START + number * MINUTE
        if number % 5 == 4:
            take(Tick(at))
        decision = engine.decide(state, Request(f"r-{number}", f"viewer-{number % 30}", "video", at=at))
        take(decision)
        chances = [0.1 if int(slot.item[6:]) % 3 else 0.6 for slot in decision.slots]
        clicks = [look * chance for chance, look in zip(chances, LOOKS, strict=True)]
        if not decision.randomised:
            earned.append(sum(clicks))
        for slot, chance in zip(decision.slots, clicks, strict=True):
            name = f"{decision.id}/{slot.item}"
            take(Impression(f"{name}/impression", at, decision.id, slot.item))
            if unit_of(key_of(1, name, "click")) < chance:
                take(Click(f"{name}/click", at + 900, decision.id, slot.item))
    return facts, float(np.mean(earned))


def test_policies_are_worth_what_they_earn_where_they_serve() -> None:
    """By the randomised half of one market's log, the policy that served the other half, and one that cares for sales
    alone, are within three standard errors of what each truly earned where it served."""
    dials = {"viewer_value": 0.0, "goods_value": 1.0}
    policy = msgspec.structs.replace(
        POLICY, random_share=0.5, random_temperature=1.0, merchant_cap=50, category_cap=50
    )
    facts, served = market(policy, 400)
    _, sold = market(changed(policy, dials), 400)
    told = scored(replayed(facts, dials))
    for found, truth in ((told.served, served), (told, sold)):
        for estimate in (found.ips, found.snips, found.dr, found.switch):
            assert abs(estimate.value - truth) < 3.0 * (estimate.high - estimate.value) / 1.645


def test_changed_dials_leave_the_others() -> None:
    """Only what is named differs."""
    other = changed(POLICY, {"trust_weight": 0.9})
    assert other == msgspec.structs.replace(POLICY, trust_weight=0.9)
