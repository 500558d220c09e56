"""Facts: every frozen thing that crosses a border (HTTP, the log, a store), and nothing else.

A fact says what happened and when. Unknown fields are refused, so a typing error is an error. The engine's
state is the fold of the log's facts; nothing else changes it.
"""

from fieldline.facts.behaviour import (
    Assumed,
    Behaviour,
    Click,
    Follow,
    Hate,
    Impression,
    Lead,
    Like,
    LongView,
    Order,
    Outcome,
    Redemption,
    Refund,
    Watched,
)
from fieldline.facts.catalogue import CatalogueEntry, Creator, LiveRoom, Merchant, Product, Video, Viewer
from fieldline.facts.choices import Chosen, IntentCorrected, IntentsReset, Personalised, Stage, ViewerErased
from fieldline.facts.deciding import Decision, Request, Slot
from fieldline.facts.log import API_VERSION, LOG_VERSION, AnyFact, Tick, Typed, decode, encode
from fieldline.facts.policy import Policy, Scene, Sources
from fieldline.facts.wishes import Leased, Wish, WishEnded, WishPaused
from fieldline.facts.words import Fact, Id, Money, Name, Place, Share, Time, Word

__all__ = [
    "API_VERSION",
    "LOG_VERSION",
    "AnyFact",
    "Assumed",
    "Behaviour",
    "CatalogueEntry",
    "Chosen",
    "Click",
    "Creator",
    "Decision",
    "Fact",
    "Follow",
    "Hate",
    "Id",
    "Impression",
    "IntentCorrected",
    "IntentsReset",
    "Lead",
    "Leased",
    "Like",
    "LiveRoom",
    "LongView",
    "Merchant",
    "Money",
    "Name",
    "Order",
    "Outcome",
    "Personalised",
    "Place",
    "Policy",
    "Product",
    "Redemption",
    "Refund",
    "Request",
    "Scene",
    "Share",
    "Slot",
    "Sources",
    "Stage",
    "Tick",
    "Time",
    "Typed",
    "Video",
    "Viewer",
    "ViewerErased",
    "Watched",
    "Wish",
    "WishEnded",
    "WishPaused",
    "Word",
    "decode",
    "encode",
]
