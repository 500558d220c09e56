"""Fieldline: what to show, for every request, organic and paid in one decision, at one set of prices."""

__version__ = "0.1.0"
