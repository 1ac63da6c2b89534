"""Objects that failed: they are put aside and retried in later cycles, ever less often."""

from collections.abc import Iterator
from contextlib import contextmanager

from mfmanage.entra.client import RequestFailed
from mfmanage.entra.context import INVALID_ANCHOR, Context, key
from mfmanage.entra.results import ObjectResult, Status
from mfmanage.entra.service import GROUPS, USERS, Kind
from mfmanage.entra.state import Escrow
from mfmanage.entra.timing import backed_off, stamp


@contextmanager
def escrowed(context: Context, kind: Kind, result: ObjectResult) -> Iterator[None]:
    """Turn a failed request into a failed step, and stop the work on this object only."""
    try:
        yield
    except RequestFailed as error:
        if error.code == INVALID_ANCHOR:
            context.forget(kind, result.id)
        result.add(Status.FAILURE, f"{error.detail} {_outlook(context, result)}", error.code)


def settle(context: Context, result: ObjectResult) -> ObjectResult:
    """Put an object that failed into escrow, take one that did not out of it."""
    before = context.state.escrows.pop(result.key, None)
    if result.status is Status.FAILURE:
        failure = next(step for step in result.steps if step.status is Status.FAILURE)
        attempts = before.attempts + 1 if before else 1
        retry_at = stamp(context.at + backed_off(attempts))
        context.state.escrows[result.key] = Escrow(
            attempts, failure.code, failure.detail, retry_at, is_reference=result.is_reference
        )
    return result


def _outlook(context: Context, result: ObjectResult) -> str:
    """Say it in Entra's words (Microsoft Learn, *how-provisioning-works*, errors and retries)."""
    before = context.state.escrows.get(result.key)
    retried = before.attempts if before else 0
    again = stamp(context.at + backed_off(retried + 1))
    return f"This operation was retried {retried} times. It will be retried again after this date: {again}"


def forget_the_gone(context: Context) -> None:
    """Drop the escrows of objects that are neither in the source nor in the target any more."""
    known = set(context.state.seen)
    known |= {key(kind, source_id) for kind in (USERS, GROUPS) for source_id in context.anchors(kind)}
    for name in context.state.escrows.keys() - known:
        del context.state.escrows[name]
