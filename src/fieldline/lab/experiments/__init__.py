"""Named experiments: arms that share every random number, figures with intervals over seeds, a table and a plot.

`storewide.storewide` is the first; `lab.recorded` holds the one on recorded auctions.
"""
