"""Organic prices: what a look at an item is worth to the platform beyond what its viewer and its sale are worth.

One price per item, in yuan per look, is the sum of named ones: the floors of granted contracts, `inclusion`
(creators whom few have seen), `newcomer` (works owed their first looks), the pool that pays for it, and `credit`
(what its paid looks earned). Each is a pure function of arrays; `turn` wires them to the engine's state.
"""
