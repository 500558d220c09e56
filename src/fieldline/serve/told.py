"""What every route that is not hot shares: how a reply is told, and what stands in an address."""

from typing import Annotated

import msgspec
from fastapi import Path, Query
from starlette.responses import Response

Identity = Annotated[str, Path(min_length=1, max_length=128)]
After = Annotated[str, Query(max_length=128, description="The last id of the page before")]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Most things of a page")]

_encode = msgspec.json.Encoder().encode


def told(reply: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a reply as JSON."""
    return Response(_encode(reply), status, headers, "application/json")
