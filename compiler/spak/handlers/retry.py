"""When to try again, and how long to wait. Knows nothing of HTTP clients; the clock and the dice are the caller's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Statuses that say "later": time-out, conflict, too early, rate limit. Every 5xx counts as well.
_LATER = {408, 409, 425, 429}


def may_retry(status: int | None) -> bool:
    """Whether trying again can help. No status means that there was no answer at all."""
    return status is None or status in _LATER or status >= 500


def pause(tried: int, dice: float, *, first: float, longest: float, wanted: float | None) -> float:
    """Seconds to wait after try number `tried` (from 1).

    What the server wants is honoured up to `longest`. Otherwise "full jitter": uniform in [half, whole] of an
    exponentially growing pause, `dice` being uniform in [0, 1); clients that failed together so do not come back
    together.
    """
    if wanted is not None:
        return min(max(wanted, 0.0), longest)
    whole = min(first * 2.0 ** (tried - 1), longest)
    return whole * (0.5 + 0.5 * dice)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from a `Retry-After` (or `retry-after-ms`) header, None if there is none that can be read."""
    lower = {name.lower(): value for name, value in headers.items()}
    try:
        if "retry-after-ms" in lower:
            return float(lower["retry-after-ms"]) / 1000
        if "retry-after" not in lower:
            return None
        return float(lower["retry-after"])
    except ValueError:
        pass
    try:
        when = parsedate_to_datetime(lower.get("retry-after", ""))
    except ValueError:
        return None
    return (when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds()
