"""The child process that speaks to a provider: orders on standard input, results on standard output. Knows nothing of
SPAK.

Run as `python -m spak.handlers.live_child`. Each line is an order or a result. The order is JSON with `name`, `model`,
`endpoint`, `sampling`, `messages` and `config`; the result is either `{text, finish, model, tokens_in, tokens_out,
cost, tries}` or `{error: {code, message, hint}}`. The process ends when its standard input does, at work or not.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import queue
import random
import re
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from spak.handlers.retry import may_retry, pause, retry_after

# Before litellm is imported: it must not fetch a price list, read a .env file, or report home.
ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    "LITELLM_TELEMETRY": "False",
    "DISABLE_AIOHTTP_TRANSPORT": "True",
}


@dataclass(eq=False)
class Failure(Exception):
    """A call that failed: a code of the catalogue, and whether another try may help (with the pause the server asks
    for).
    """

    code: str
    message: str
    hint: str = ""
    again: bool = False
    wanted: float | None = None


def main() -> None:
    """Answer one order after another."""
    os.environ.update(ENVIRONMENT)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # litellm prints; only results may reach standard output
    orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_take_orders, args=(orders,), daemon=True).start()
    while True:
        out.write(json.dumps(_answer(json.loads(orders.get()))) + "\n")
        out.flush()


def _take_orders(orders: queue.SimpleQueue[bytes]) -> None:
    for line in sys.stdin.buffer:
        orders.put(line)
    os._exit(0)  # whoever asked has gone; litellm's threads have nothing to say any more


def _answer(order: dict[str, Any]) -> dict[str, Any]:
    try:
        return persist(order)
    except Failure as failure:
        return {"error": {"code": failure.code, "message": failure.message, "hint": failure.hint}}


def persist(order: dict[str, Any]) -> dict[str, Any]:
    """Try until there is an answer, the failure is final, or the tries are used up. Raises Failure."""
    config = order["config"]
    tries = config["retries"] + 1
    for tried in range(1, tries + 1):
        try:
            return {**call(order), "tries": tried}
        except Failure as failure:
            if not failure.again:
                raise
            if tried == tries:
                times = f" ({tries} tries)" if tries > 1 else ""
                raise Failure(failure.code, failure.message + times, failure.hint) from None
            seconds = pause(
                tried, random.random(), first=config["backoff"], longest=config["backoff_max"], wanted=failure.wanted
            )
            say(order, f"{failure.message}; next try in {seconds:.1f} s ({tried} of {tries - 1})")
            time.sleep(seconds)
    raise AssertionError("not reached: the last try returns or raises")


def call(order: dict[str, Any]) -> dict[str, Any]:
    """One try. Raises Failure."""
    litellm = _library()
    litellm.suppress_debug_info = True
    litellm.drop_params = False  # a parameter that the provider does not take is an error: it is part of the request
    config = order["config"]
    arguments: dict[str, Any] = {
        **order["sampling"],
        "model": order["model"],
        "messages": order["messages"],
        "timeout": config["timeout"],
        "num_retries": 0,
        "max_retries": 0,
        "stream": config["stream"],
        **_route(litellm, order),
    }
    if config["stream"]:
        arguments["stream_options"] = {"include_usage": True}
    try:
        answer = litellm.completion(**arguments)
        got = _drain(answer, order) if config["stream"] else _whole(answer)
    except Failure:
        raise
    except (
        Exception
    ) as error:  # whatever litellm raises is classified: an unknown class must not look like a crash of ours
        raise _classify(litellm, error, config) from None
    return _finish(litellm, got, order)


@functools.cache
def _library() -> Any:
    """litellm. What its import makes stays for good: looking through it for garbage would take a third of the time."""
    gc.disable()
    try:
        import litellm
    finally:
        gc.freeze()
        gc.enable()
    return litellm


def _route(litellm: Any, order: dict[str, Any]) -> dict[str, Any]:
    """Endpoint, provider and key. A model without a known provider at an endpoint of one's own speaks the OpenAI
    protocol.
    """
    route: dict[str, Any] = {}
    provider = ""
    try:
        provider = litellm.get_llm_provider(order["model"])[1]
    except Exception:  # litellm raises its BadRequestError here, which needs the provider it cannot find
        if order["endpoint"]:
            provider = route["custom_llm_provider"] = "openai"
    if order["endpoint"]:
        route["api_base"] = order["endpoint"]
    name = order["config"]["key"]
    if name:
        if not os.environ.get(name):
            raise Failure(
                "SPK336", f"the environment variable {name} is not set", "export it: it holds the provider's key"
            )
        route["api_key"] = os.environ[name]
    elif provider == "openai" and order["endpoint"] and not os.environ.get("OPENAI_API_KEY"):
        route["api_key"] = "none"  # local servers need no key, but the client insists on one
    return route


@dataclass(slots=True)
class Got:
    """What came: text, why it ended, the provider's own words for a refusal, and its token counts."""

    text: str = ""
    finish: str = ""
    refusal: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None


def _whole(answer: Any) -> Got:
    choices = getattr(answer, "choices", None)
    if not choices:
        raise Failure("SPK341", "the provider's answer has no choices", _BASE_URL, again=True)
    message = choices[0].message
    got = Got(message.content or "", choices[0].finish_reason or "", _refusal(message))
    _count(got, getattr(answer, "usage", None))
    return got


def _drain(answer: Any, order: dict[str, Any]) -> Got:
    """Read a stream, saying how far it is every two seconds. The time-out holds for the whole of it.

    Why it ended and what it cost are read from the provider's own chunks: litellm makes up a finish reason of "stop"
    for a stream that broke off, counts tokens itself where the provider did not, and drops refusals.
    """
    raw = _Watched(answer)
    parts, length = [], 0
    started = said = time.monotonic()
    limit = order["config"]["timeout"]
    for chunk in answer:
        now = time.monotonic()
        if now - started > limit:
            raise Failure("SPK339", f"no complete answer within {limit:g} s", _SLOW, again=True)
        for choice in getattr(chunk, "choices", None) or ():
            parts.append(choice.delta.content or "")
            length += len(parts[-1])
        if now - said >= 2:
            said = now
            say(order, f"{length} characters in {now - started:.0f} s")
    raw.got.text = "".join(parts)
    return raw.got


class _Watched:
    """Stands between litellm and a provider's stream, and notes what passes."""

    def __init__(self, answer: Any) -> None:
        self.got = Got()
        self.stream = answer.fetch_sync_stream()
        answer.completion_stream = self

    def __iter__(self) -> _Watched:
        return self

    def __next__(self) -> Any:
        chunk = next(self.stream)
        for part in (chunk, *(_field(chunk, "choices") or ())):
            self.got.finish = _field(part, "finish_reason") or self.got.finish
            self.got.refusal += _refusal(_field(part, "delta"))
        _count(self.got, _field(chunk, "usage"))
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _field(thing: Any, name: str) -> Any:
    """A chunk is an object of the provider's client or a dictionary of litellm's."""
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)


def _refusal(message: Any) -> str:
    extra = _field(message, "provider_specific_fields") or {}
    return _field(message, "refusal") or _field(extra, "refusal") or ""


def _count(got: Got, usage: Any) -> None:
    """Take the counts over; a prompt of no tokens is litellm's way of saying that the provider gave none."""
    if _field(usage, "prompt_tokens"):
        got.tokens_in = int(_field(usage, "prompt_tokens"))
        got.tokens_out = int(_field(usage, "completion_tokens") or 0)


def _finish(litellm: Any, got: Got, order: dict[str, Any]) -> dict[str, Any]:
    """The result, unless the answer ended for another reason than being complete."""
    if got.refusal or got.finish in ("content_filter", "refusal"):
        words = f": {got.refusal[:300]}" if got.refusal else f" ({got.finish})"
        raise Failure("SPK324", f"the model refused to answer{words}", "reword the spec or choose another model")
    if got.finish in ("length", "max_tokens"):
        hint = "raise `max_tokens` under [model.sampling], or choose a model with a larger output limit"
        raise Failure("SPK323", f"the reply was cut short after {got.tokens_out or '?'} tokens", hint)
    if not got.finish:
        raise Failure("SPK341", "the provider's answer broke off before its end", _BASE_URL, again=True)
    return {
        "text": got.text,
        "finish": "stop",
        "model": order["model"],
        "tokens_in": got.tokens_in,
        "tokens_out": got.tokens_out,
        "cost": _cost(litellm, got, order),
    }


def _cost(litellm: Any, got: Got, order: dict[str, Any]) -> float | None:
    """US dollars, by the configured prices or litellm's own list; None when either the counts or the prices are
    unknown.
    """
    if got.tokens_in is None or got.tokens_out is None:
        return None
    config = order["config"]
    if config["price_in"] is not None and config["price_out"] is not None:
        return round(float(got.tokens_in * config["price_in"] + got.tokens_out * config["price_out"]) / 1e6, 9)
    try:
        prices = litellm.cost_per_token(
            model=order["model"], prompt_tokens=got.tokens_in, completion_tokens=got.tokens_out
        )
    except Exception:  # an unknown model: litellm raises several classes
        return None
    return round(float(sum(prices)), 9) or None


_BASE_URL = "is `endpoint` the base URL of an OpenAI-compatible server, for example http://localhost:8000/v1?"
_SLOW = "raise `timeout` under [model] for a slow model"


def _classify(litellm: Any, error: Exception, config: dict[str, Any]) -> Failure:
    """A failed call as a code of the catalogue. litellm maps every provider's errors to OpenAI's classes and
    statuses.
    """
    message = _words(error)
    status = getattr(error, "status_code", None)
    if isinstance(error, litellm.Timeout):
        return Failure("SPK339", f"no answer within {config['timeout']:g} s", _SLOW, again=True)
    if isinstance(error, litellm.ContentPolicyViolationError):
        hint = "reword the spec or choose another model"
        return Failure("SPK324", f"the provider refused the request: {message}", hint)
    if status in (401, 403):
        return Failure("SPK336", f"the provider refused the key: {message}", "set its key in the environment")
    if _unreachable(error):
        hint = "check `endpoint` and the network"
        return Failure("SPK338", f"no connection to the provider: {message}", hint, again=True)
    if isinstance(status, int) and 400 <= status < 500 and not may_retry(status):
        hint = "check `name` and `sampling` under [model]"
        return Failure("SPK340", f"the provider rejected the request ({status}): {message}", hint)
    wanted = retry_after(_headers(error), datetime.now(UTC))
    if not _has_error_status(error):
        return Failure(
            "SPK341", f"the provider's answer cannot be read: {message}", _BASE_URL, again=True, wanted=wanted
        )
    return Failure("SPK337", f"the provider failed ({status}): {message}", "try again later", again=True, wanted=wanted)


def _words(error: Exception) -> str:
    """The provider's own message: litellm prefixes it with the names of its classes, one after another."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0]
    return re.sub(r"^((litellm\.)?\w+(Error|Exception)( - |: ))+", "", first)[:500]


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found


def _unreachable(error: Exception) -> bool:
    return any(
        type(one).__name__ in ("ConnectError", "ConnectTimeout", "ConnectionRefusedError") for one in _causes(error)
    )


def _has_error_status(error: Exception) -> bool:
    """Whether the server itself answered with an error: litellm calls an answer it cannot read a 500 as well."""
    clients = [one for one in _causes(error) if not type(one).__module__.startswith("litellm")]
    responses = [getattr(one, "response", None) for one in clients]
    return any((getattr(response, "status_code", 0) or 0) >= 400 for response in responses)


def _headers(error: Exception) -> dict[str, str]:
    for source in (
        getattr(error, "litellm_response_headers", None),
        getattr(getattr(error, "response", None), "headers", None),
    ):
        if source:
            return dict(source)
    return {}


def say(order: dict[str, Any], text: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"spak: {order['name']}: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
