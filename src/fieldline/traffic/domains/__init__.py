"""Domains: public (recommended), private (from whom the viewer follows), and the middle (near, or of a category asked).

`tags` says of which domain an item is to a request, `funnel` holds what came of each domain, `noting` counts it as
facts come, `mix` keeps shares of a scene's places by a price, and `report` tells it.
"""
