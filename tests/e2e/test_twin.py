"""The twin on a made log of two days: what it says of a campaign that is not there yet, and what it refuses."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.made import POLICY, START, answers, catalogue, wish
from typer.testing import CliRunner, Result

from fieldline import engine
from fieldline.cli.twin import twin as command
from fieldline.contracts.horizon import day_of, day_start
from fieldline.errors import Conflict, DataFolderError, Refused, Unknown
from fieldline.facts import AnyFact, Decision, Impression, Request, Tick, encode
from fieldline.lab.twin import Answer, asked_of, twin
from fieldline.stores import open_log
from fieldline.stores.folder import DataFolder
from fieldline.stores.reading import read_facts
from fieldline.units import DAY, MINUTE, YUAN

SLOW = msgspec.structs.replace(POLICY, tick_ms=30 * MINUTE)
FIRST = day_start(day_of(START) + 1)
SECOND = day_of(START) + 2
TERMS = {"merchant": "merchant-2", "budget": 3 * YUAN, "goal": 1.0, "holdout": 0.0}


def campaign(**changed: object) -> bytes:
    """A campaign as its file has it."""
    asked = {"id": "new", "offer": "storewide", "owner": "merchant-2", "terms": TERMS}
    return msgspec.json.encode(asked | changed)


def played() -> Iterator[AnyFact]:
    """Two days and a few minutes, one request every six minutes, with one storewide campaign."""
    state = engine.State(policy=SLOW)
    terms = {
        "merchant": "merchant-0",
        "budget": 50 * YUAN,
        "goal": 1.0,
        "start": FIRST,
        "end": FIRST + 3 * DAY,
    }
    opening: list[AnyFact] = [
        SLOW,
        *catalogue(),
        Tick(FIRST),
        wish("shop-0", "storewide", "merchant-0", terms, at=FIRST),
    ]
    for fact in opening:
        engine.reduce(state, fact)
        yield fact
    for number in range(490):
        at = FIRST + number * 6 * MINUTE
        scene = ("video", "follow", "mall")[number % 3]
        facts: list[AnyFact] = [Tick(at)] if number and number % 5 == 0 else []
        for fact in facts:
            engine.reduce(state, fact)
        decision = engine.decide(state, Request(f"r-{number}", f"viewer-{number % 30}", scene, at=at))
        for fact in (decision, *answers(decision)):
            engine.reduce(state, fact)
            facts.append(fact)
        yield from facts


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the made log."""
    path = tmp_path_factory.mktemp("twin") / "data"
    with DataFolder.open(path, create=True) as folder:
        log = open_log(folder.log_url)
        log.append([encode(fact) for fact in played()]).wait()
        log.close()
    return path


@pytest.fixture(scope="module")
def answer(data: Path) -> Answer:
    """What the twin says of the campaign on the last whole day."""
    return twin(lambda: read_facts(data), asked_of(campaign()))


def test_it_plays_the_last_whole_day(answer: Answer) -> None:
    """The day is the second of the log, of 240 requests; the nine requests of the third are left out."""
    assert (answer.day, answer.requests) == ("2022-04-27", 240)


def test_its_figures_fit_together(answer: Answer) -> None:
    """Spend is that of its hours and within the budget, bands hold their values, and looks bought are looks lost."""
    assert 0.0 < answer.spend.value <= answer.budget == 3.0
    assert sum(answer.spend_by_hour) == pytest.approx(answer.spend.value)
    for band in (answer.spend, answer.attributed_gmv, answer.storewide_gmv):
        assert 0.0 <= band.low < band.value <= band.high
    assert answer.spend.high <= answer.budget
    assert answer.attributed_gmv.value <= answer.storewide_gmv.value
    moved = answer.displaced
    gained = moved.own_paid_looks + moved.own_organic_looks
    assert moved.own_paid_looks > 0.0
    assert gained > 0.0
    assert moved.own_organic_looks < moved.own_paid_looks
    assert gained + moved.others_paid_looks + moved.others_organic_looks == pytest.approx(0.0, abs=2.0)


def test_it_says_whose_outcomes_they_are(data: Path, tmp_path: Path) -> None:
    """The command prints that outcomes are the model's, and the JSON beside it says the same as the function."""
    file, out = tmp_path / "campaign.json", tmp_path / "answer.json"
    file.write_bytes(campaign())
    result = run(file, data, "--json", str(out))
    assert result.exit_code == 0, result.output
    assert "Outcomes are the model's" in " ".join(result.output.split())
    told = msgspec.json.decode(out.read_bytes(), type=Answer)
    assert told == twin(lambda: read_facts(data), asked_of(campaign()))
    assert told.outcomes == "the model's"


def test_more_budget_spends_more_and_a_higher_goal_less(data: Path, answer: Answer) -> None:
    """A tenth of the budget spends less; a goal of 100 spends less than one of 1."""
    small = twin(lambda: read_facts(data), asked_of(campaign(terms=TERMS | {"budget": 3 * YUAN // 10})))
    dear = twin(lambda: read_facts(data), asked_of(campaign(terms=TERMS | {"goal": 100.0})))
    assert small.spend.value <= 0.3
    assert small.spend.value < answer.spend.value
    assert dear.spend.value < answer.spend.value


def test_a_campaign_that_runs_for_days_has_a_days_part_of_its_budget(data: Path) -> None:
    """Ten yuan over five days are two on the day that is played."""
    terms = TERMS | {"budget": 10 * YUAN, "start": FIRST, "end": FIRST + 5 * DAY}
    assert twin(lambda: read_facts(data), asked_of(campaign(terms=terms))).budget == 2.0


def test_without_rendered_places_nothing_is_spent(data: Path) -> None:
    """In a log whose requests had no impression the campaign spends nothing and has no ROI."""

    def blind() -> list[AnyFact]:
        return [fact for fact in read_facts(data) if not isinstance(fact, Impression)]

    told = twin(blind, asked_of(campaign()))
    assert (told.spend.value, told.attributed_roi, told.impressions) == (0.0, None, 0)


@pytest.mark.parametrize(
    ("changed", "error", "field"),
    [
        ({"terms": TERMS | {"merchant": "nobody"}}, Unknown, "terms.merchant"),
        ({"terms": TERMS | {"budget": 0}}, Refused, "terms.budget"),
        ({"terms": TERMS | {"goal": 1e9}}, Refused, "terms.goal"),
        ({"terms": TERMS | {"gaol": 1}}, Refused, "terms.gaol"),
        ({"offer": "nothing"}, Unknown, "offer"),
        ({"id": "shop-0"}, Conflict, "id"),
        ({"offer": "cold_start", "terms": {"creator": "creator-0", "items": ["video-0"], "looks": 5.0}}, Refused,
         "offer"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_by_its_field(
    data: Path, changed: dict[str, object], error: type[Refused], field: str
) -> None:
    """A campaign that the engine would refuse is refused here by the same field."""
    with pytest.raises(error) as refused:
        twin(lambda: read_facts(data), asked_of(campaign(**changed)))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("text", "field"),
    [(b"{", "campaign"), (b'{"id": "a"}', "campaign"), (b'{"id": 1}', "id"), (campaign(more=1), "campaign")],
)
def test_a_malformed_file_is_refused(text: bytes, field: str) -> None:
    """What is no campaign is refused by the field that is wrong, or as a whole."""
    with pytest.raises(Refused) as refused:
        asked_of(text)
    assert refused.value.field == field


def test_a_day_or_a_log_that_is_not_there_is_refused(data: Path, tmp_path: Path) -> None:
    """A day before the log, a log of half a day, an empty one, and a folder that is none."""
    with pytest.raises(Refused, match="day"):
        twin(lambda: read_facts(data), asked_of(campaign()), SECOND + 9)
    with pytest.raises(Refused, match="no whole day"):
        twin(lambda: [POLICY, Tick(FIRST + MINUTE), Tick(FIRST + DAY)], asked_of(campaign()))
    with pytest.raises(Refused, match="log"):
        twin(lambda: [POLICY], asked_of(campaign()))
    with DataFolder.open(tmp_path / "empty", create=True) as folder:
        open_log(folder.log_url).close()
    with pytest.raises(DataFolderError, match="empty"):
        list(read_facts(tmp_path / "empty"))
    with pytest.raises(DataFolderError, match="not a Fieldline data folder"):
        list(read_facts(tmp_path))


def test_a_log_is_read_while_it_is_written(data: Path) -> None:
    """With the folder locked by an engine its facts are read all the same, and nothing in it changes."""
    files = {path: path.stat().st_mtime_ns for path in sorted(data.rglob("*"))}
    before = sum(1 for _ in read_facts(data))
    assert {path: path.stat().st_mtime_ns for path in sorted(data.rglob("*"))} == files
    with DataFolder.open(data, create=False):
        assert sum(1 for _ in read_facts(data)) == before
    assert any(isinstance(fact, Decision) for fact in read_facts(data))


def run(*words: object) -> Result:
    """Run the command with a file, a folder and options."""
    import typer

    app = typer.Typer()
    app.command()(command)
    file, log, *options = words
    return CliRunner().invoke(app, [str(file), "--log", str(log), *map(str, options)])
