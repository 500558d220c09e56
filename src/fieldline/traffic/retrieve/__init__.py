"""Retrieval: which items compete for a request.

Sources are small functions from what a request may use to the items that they offer (`sources`); they are
merged in one order, each within its share of the candidates (`merge`). Items stand in contiguous partitions of
one scene, category or geo cell, scanned exactly (`partitions`); what is trending and what is fresh is ranked at
ticks (`ranked`); a partition of more than 100,000 items is searched through an index instead (`pool`).
"""

from fieldline.traffic.retrieve.cells import cell_of, cells_within
from fieldline.traffic.retrieve.merge import Scratch, brought, retrieve, source_of
from fieldline.traffic.retrieve.partitions import (
    NOTHING,
    Partition,
    Partitions,
    enter,
    gathered,
    index,
    keys_of,
    leave,
    refresh,
)
from fieldline.traffic.retrieve.pool import Key, Pool, Pools
from fieldline.traffic.retrieve.ranked import rank
from fieldline.traffic.retrieve.sources import LATELY, SOURCES, Ask, Circle

__all__ = [
    "LATELY",
    "NOTHING",
    "SOURCES",
    "Ask",
    "Circle",
    "Key",
    "Partition",
    "Partitions",
    "Pool",
    "Pools",
    "Scratch",
    "brought",
    "cell_of",
    "cells_within",
    "enter",
    "gathered",
    "index",
    "keys_of",
    "leave",
    "rank",
    "refresh",
    "retrieve",
    "source_of",
]
