"""What HTTP asks of the wiring."""

from collections.abc import Sequence
from typing import Protocol

from fieldline.app import Recorded
from fieldline.facts import (
    Appeal,
    Behaviour,
    CatalogueEntry,
    Chosen,
    Decision,
    Policy,
    Request,
    Ruling,
    StagedOffer,
    Wish,
)
from fieldline.ports import Commit
from fieldline.traffic.prediction.outside import Models
from fieldline.traffic.state import State
from fieldline.units import Instant


class Deciding(Protocol):
    """The two hot routes' part of it."""

    def decide(self, request: Request, paid: bool = True) -> tuple[Decision, Commit]:
        """Decide a slate, or return the earlier decision of the same request."""

    def record(self, events: Sequence[Behaviour]) -> tuple[Recorded, Commit]:
        """Take a batch of events, all or none."""


class Service(Deciding, Protocol):
    """All of it."""

    state: State
    """The engine's state, only to be read."""
    models: Models
    """What decisions are made with, beside the embedded predictor."""

    def now(self) -> Instant:
        """Return the engine's time."""

    def upsert(self, entries: Sequence[CatalogueEntry]) -> Commit:
        """Insert or replace catalogue entries, all or none."""

    def entry(self, kind: str, id: str) -> CatalogueEntry:
        """Return one catalogue entry."""

    def entries(self, kind: str, after: str = "", limit: int = 100) -> Sequence[CatalogueEntry]:
        """Return catalogue entries of a kind in the order of their ids."""

    def put_contract(
        self, id: str, offer: str, owner: str, terms: bytes, by: str, version: int | None = None
    ) -> Wish:
        """Create or edit a contract through its offer."""

    def pause_contract(self, id: str, paused: bool, by: str) -> None:
        """Pause or resume a contract."""

    def end_contract(self, id: str, by: str) -> None:
        """End a contract for good."""

    def wish(self, id: str) -> tuple[Wish, bool]:
        """Return a contract as it was asked for, and whether it is paused."""

    def wishes(self, after: str = "", limit: int = 100) -> Sequence[tuple[Wish, bool]]:
        """Return contracts in the order of their ids."""

    def policy(self) -> Policy:
        """Return every dial as it stands."""

    def set_policy(self, policy: Policy, by: str) -> Commit:
        """Set every dial."""

    def choose(self, choice: Chosen, by: str) -> Commit:
        """Take what a viewer chose for themselves."""

    def stage(
        self, room: str, offers: tuple[StagedOffer, ...], by: str, version: int | None = None
    ) -> Commit:
        """Plan what a live room is about to sell."""

    def appeal(self, fact: Appeal, by: str) -> Commit:
        """Take what a merchant or creator contests."""

    def rule(self, fact: Ruling, by: str) -> Commit:
        """Take what a person decided on an appeal."""

    def erase_viewer(self, id: str, by: str) -> Commit:
        """Forget a viewer."""

    def decision(self, id: str) -> Decision:
        """Return a logged decision."""

    def recent(self, limit: int) -> Sequence[Decision]:
        """Return the newest decisions, newest first."""

    def tick(self) -> None:
        """Let time pass."""

    def close(self) -> None:
        """Drain, snapshot, and let go of the folder."""
