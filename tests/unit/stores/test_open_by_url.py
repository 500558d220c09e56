"""Stores are chosen by URL."""

from collections.abc import Callable

import pytest

from fieldline.errors import Refused
from fieldline.stores import open_ledger, open_log, open_records, open_snapshots


@pytest.mark.parametrize("url", ["", "redis://x/1", "file:", "file://host/dir", "sqlite://", "memory"])
@pytest.mark.parametrize("opener", [open_log, open_snapshots, open_records, open_ledger])
def test_an_unknown_url_is_refused(opener: Callable[[str], object], url: str) -> None:
    """A URL that no store has is refused, and the refusal names it."""
    with pytest.raises(Refused) as refusal:
        opener(url)
    assert refusal.value.field == "url"
    assert repr(url) in refusal.value.reason
