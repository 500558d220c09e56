"""Whose an object is: the operator may do all, others what is their own."""

from starlette.requests import Request

from fieldline.serve.body import user_of
from fieldline.serve.problem import Fault, HttpError

OPERATOR = "local"
"""Who a request comes from where nobody is named."""


def is_own(request: Request, *owners: str | None) -> bool:
    """Return whether a request comes from the operator or from one of the owners."""
    return user_of(request) in (OPERATOR, *owners)


def only(request: Request, *owners: str | None) -> None:
    """Admit the operator and the owners.

    Raises:
        HttpError: 403, the request comes from somebody else.
    """
    if not is_own(request, *owners):
        said = "is neither the operator nor the owner" if owners else "is not the operator"
        raise HttpError(403, "forbidden", (Fault("x-fieldline-user", said),))
