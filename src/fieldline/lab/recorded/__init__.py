"""Auctions that a market recorded: the controllers outside this project's own market.

`auctions` reads them, `calibrate` mends the predicted chances, `bidders` bid, `measure` tunes on a campaign's first
half and measures on its second, `report` prints.
"""
