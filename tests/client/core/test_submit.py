"""Placing orders: once, whatever becomes of the answers."""

import json
import pickle
from datetime import timedelta

import pytest

from orderengine import errors
from tests.client.samples import accepted, health
from tests.client.scripted import START, Answer, Late, Script, answer, lost, problem
from tests.client.shells import Shell

ACCEPTED = answer(202, accepted())


def test_an_order_is_accepted_with_a_key_of_its_own(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(ACCEPTED), user="bot-1", key="secret")
    order = shell(client.submit("SOL", "USDC", "1.50", slippage_bps=50))
    [request] = script.requests
    assert (request.method, request.path) == ("POST", "/api/orders/execute")
    assert script.bodies() == [
        {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": "1.50", "slippageBps": "50", "userId": "bot-1"}
    ]
    assert request.headers["authorization"] == "Bearer secret"
    assert order.key == request.headers["idempotency-key"]
    assert not order.replayed


def test_two_orders_have_two_keys(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(ACCEPTED, ACCEPTED))
    assert shell(client.submit("SOL", "USDC", 1)).key != shell(client.submit("SOL", "USDC", 1)).key


def test_every_retry_sends_the_same_bytes_with_the_same_key(shell: Shell, script: Script) -> None:
    half = answer(202, accepted())
    half = type(half)(202, half.headers, half.body[:40])
    script.then(answer(200, health(), date=START), lost(), problem(503, "UNAVAILABLE"), half)
    script.then(answer(202, accepted(), headers={"idempotent-replayed": "true"}))
    order = shell(shell.client(script).submit("SOL", "USDC", 1, limit_price="300", expires_in="30m"))
    sent = {(one.body, one.headers["idempotency-key"]) for one in script.requests[1:]}
    assert len(script.requests) == 5
    assert len(sent) == 1
    assert order.replayed


@pytest.mark.parametrize("error_of_clock", [timedelta(hours=3), timedelta(hours=-3), timedelta(0)])
def test_a_duration_counts_from_the_time_of_the_engine(
    shell: Shell, script: Script, error_of_clock: timedelta
) -> None:
    script.clock_error = error_of_clock
    script.then(answer(200, health(), date=START), ACCEPTED)
    shell(shell.client(script).submit("SOL", "USDC", 1, limit_price="300", expires_in="30m"))
    assert "2026-11-01T12:29:59.000Z" <= script.bodies()[1]["expiresAt"] <= "2026-11-01T12:30:01.000Z"
    assert script.bodies()[1]["type"] == "limit"


def test_an_order_without_an_answer_is_unknown_and_can_be_settled(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(*[lost()] * 5))
    with pytest.raises(errors.OutcomeUnknown) as caught:
        shell(client.submit("SOL", "USDC", 1))
    assert caught.value.key == script.requests[0].headers["idempotency-key"]
    assert client.counters.unknown_outcomes == 1
    script.then(answer(202, accepted(), headers={"idempotent-replayed": "true"}))
    order = shell(caught.value.resolve())
    assert order.key == caught.value.key
    assert {one.body for one in script.requests} == {script.requests[0].body}


def test_another_process_settles_an_unknown_order_by_its_terms(shell: Shell, script: Script) -> None:
    script.then(answer(200, health(), date=START), *[lost()] * 5)
    launch = {"mint": "M" * 40, "min_liquidity": 500}
    with pytest.raises(errors.OutcomeUnknown) as caught:
        shell(shell.client(script).submit("SOL", "M" * 40, 1, launch=launch, expires_in="1h", slippage="0.5"))
    terms = json.loads(json.dumps(caught.value.terms))
    script.clock += 3000
    shell(shell.client(script.then(ACCEPTED)).submit(**terms))
    first, last = script.requests[1], script.requests[-1]
    assert json.loads(last.body or b"") == json.loads(first.body or b"")
    assert last.headers["idempotency-key"] == first.headers["idempotency-key"]


def test_the_terms_of_an_unknown_order_have_its_user(shell: Shell, script: Script) -> None:
    script.then(*[lost()] * 2)
    client = shell.client(script, user="bot-1", retries=0)
    for given, user in ({}, "bot-1"), ({"user": "bot-3"}, "bot-3"):
        with pytest.raises(errors.OutcomeUnknown) as caught:
            shell(client.submit("SOL", "USDC", 1, **given))
        assert caught.value.terms["user"] == user
        shell(shell.client(script.then(ACCEPTED), user="bot-2").submit(**caught.value.terms))
        assert script.bodies()[-1]["userId"] == user


def test_another_client_settles_an_unknown_order(shell: Shell, script: Script) -> None:
    with pytest.raises(errors.OutcomeUnknown) as caught:
        shell(shell.client(script.then(lost()), user="bot-1", retries=0).submit("SOL", "USDC", 1, launch={}))
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - the test wrote it
    order = shell(shell.client(script.then(ACCEPTED), user="bot-2").resolve(copy))
    assert (order.key, script.requests[1].body) == (caught.value.key, script.requests[0].body)


def test_an_unknown_order_tells_until_when_its_key_counts(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(lost(), lost()), retries=0)
    with pytest.raises(errors.OutcomeUnknown) as caught:
        shell(client.submit("SOL", "USDC", 1))
    script.clock += 3600
    with pytest.raises(errors.OutcomeUnknown) as again:
        shell(caught.value.resolve())
    assert caught.value.valid_until == again.value.valid_until == START + timedelta(hours=23, minutes=50)


def failing(_retry: object) -> None:
    raise LookupError("a hook failed")


def test_a_hook_that_fails_after_an_unanswered_attempt_loses_no_key(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(lost()), on_retry=failing)
    with pytest.raises(errors.OutcomeUnknown, match="a hook failed") as caught:
        shell(client.submit("SOL", "USDC", 1))
    assert isinstance(caught.value.__cause__, LookupError)
    assert caught.value.key == script.requests[0].headers["idempotency-key"]


@pytest.mark.parametrize("first", [problem(429, "RATE_LIMITED"), lost(sent=False)])
def test_a_hook_that_fails_before_an_order_can_exist_ends_the_call(
    shell: Shell, script: Script, first: Answer
) -> None:
    with pytest.raises(LookupError):
        shell(shell.client(script.then(first), on_retry=failing).submit("SOL", "USDC", 1))


def test_a_transport_that_fails_leaves_the_outcome_unknown(shell: Shell, script: Script) -> None:
    with pytest.raises(errors.OutcomeUnknown):
        shell(shell.client(script.then(OSError("broken"))).submit("SOL", "USDC", 1))


def test_a_transport_that_refuses_to_send_leaves_no_order(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(errors.UsageError("this client is closed")))
    with pytest.raises(errors.UsageError, match="closed"):
        shell(client.submit("SOL", "USDC", 1))


def test_all_requests_of_an_order_share_one_timeout(shell: Shell, script: Script) -> None:
    script.then(Late(9, answer(200, health(), date=START)))
    script.forever = Late(9, problem(503, "UNAVAILABLE"))
    with pytest.raises(errors.OutcomeUnknown):
        shell(shell.client(script, retries=100, timeout=12).submit("SOL", "USDC", 1, expires_in="1h"))
    assert script.clock - 1000 <= 12.1


def test_an_order_is_not_sent_once_its_time_has_passed(shell: Shell, script: Script) -> None:
    script.then(Late(5, answer(200, health(), date=START)))
    client = shell.client(script)
    with pytest.raises(errors.Unreachable, match="before the request was sent") as caught:
        shell(client.submit("SOL", "USDC", 1, expires_in="1h", timeout=5))
    assert not caught.value.sent
    assert len(script.requests) == 1


def test_a_call_has_a_timeout_of_its_own(shell: Shell, script: Script) -> None:
    script.forever = Late(3600, ACCEPTED)
    client = shell.client(script, timeout=25)
    with pytest.raises(errors.OutcomeUnknown) as caught:
        shell(client.submit("SOL", "USDC", 1, timeout=2))
    with pytest.raises(errors.OutcomeUnknown):
        shell(client.resolve(caught.value, timeout=1))
    assert script.clock - 1000 <= 3.1


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True])
def test_a_timeout_that_makes_no_sense_is_refused(shell: Shell, script: Script, timeout: object) -> None:
    with pytest.raises(errors.InvalidArgument, match="timeout"):
        shell(shell.client(script).submit("SOL", "USDC", 1, timeout=timeout))
    assert not script.requests


def test_a_key_that_the_engine_may_have_forgotten_is_not_sent_again(shell: Shell, script: Script) -> None:
    with pytest.raises(errors.OutcomeUnknown) as caught:
        shell(shell.client(script.then(lost()), retries=0).submit("SOL", "USDC", 1))
    script.clock += 24 * 3600
    with pytest.raises(errors.UsageError, match="too old"):
        shell(caught.value.resolve())
    assert len(script.requests) == 1


def test_an_unknown_outcome_survives_pickle_without_its_client(shell: Shell, script: Script) -> None:
    with pytest.raises(errors.OutcomeUnknown) as caught:
        shell(shell.client(script.then(*[lost()] * 5)).submit("SOL", "USDC", 1))
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - the test wrote it
    assert (copy.key, copy.terms, str(copy)) == (caught.value.key, caught.value.terms, str(caught.value))
    with pytest.raises(errors.UsageError, match="another process"):
        copy.resolve()


def test_a_refusal_after_an_unanswered_try_is_no_proof(shell: Shell, script: Script) -> None:
    script.then(lost(), problem(422, "INVALID_ORDER"))
    with pytest.raises(errors.OutcomeUnknown):
        shell(shell.client(script).submit("SOL", "USDC", 1))


@pytest.mark.parametrize(
    "failure", [problem(429, "RATE_LIMITED"), problem(401, "EXPIRED_CREDENTIAL"), lost(sent=False)]
)
def test_resolve_stays_unknown_until_the_engine_speaks_of_the_order(
    shell: Shell, script: Script, failure: object
) -> None:
    client = shell.client(script.then(lost()), retries=0)
    with pytest.raises(errors.OutcomeUnknown) as caught:
        shell(client.submit("SOL", "USDC", 1))
    script.then(failure)  # type: ignore[arg-type]
    with pytest.raises(errors.OutcomeUnknown) as again:
        shell(caught.value.resolve())
    assert again.value.key == caught.value.key
    assert shell(again.value.resolve() if script.then(ACCEPTED) else None).id == accepted()["orderId"]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (problem(422, "IDEMPOTENCY_KEY_REUSED"), errors.KeyReused),
        (problem(422, "INVALID_ORDER"), errors.Invalid),
        (problem(409, "POOL_ALREADY_LIVE"), errors.PoolAlreadyLive),
    ],
)
def test_resolve_ends_when_the_engine_refuses_the_terms(
    shell: Shell, script: Script, failure: object, kind: type[Exception]
) -> None:
    with pytest.raises(errors.OutcomeUnknown) as caught:
        shell(shell.client(script.then(lost()), retries=0).submit("SOL", "USDC", 1))
    script.then(failure)  # type: ignore[arg-type]
    with pytest.raises(kind):
        shell(caught.value.resolve())


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([lost(sent=False)] * 5, errors.Unreachable),
        ([problem(422, "INVALID_ORDER")], errors.Invalid),
        ([problem(429, "OPEN_ORDERS_FULL")], errors.RateLimited),
        ([problem(429, "RATE_LIMITED")] * 5, errors.RateLimited),
    ],
)
def test_an_order_that_cannot_exist_is_no_unknown_outcome(
    shell: Shell, script: Script, answers: list[object], kind: type[Exception]
) -> None:
    client = shell.client(script.then(*answers))  # type: ignore[arg-type]
    with pytest.raises(kind):
        shell(client.submit("SOL", "USDC", 1))
    assert client.counters.unknown_outcomes == 0
    assert not script.answers


@pytest.mark.parametrize(
    "last", [problem(503, "UNAVAILABLE"), problem(500, "INTERNAL_ERROR"), lost(), answer(202, {"orderId": 1})]
)
def test_an_order_that_may_exist_is_an_unknown_outcome(shell: Shell, script: Script, last: object) -> None:
    client = shell.client(script.then(last), retries=0)  # type: ignore[arg-type]
    with pytest.raises(errors.OutcomeUnknown):
        shell(client.submit("SOL", "USDC", 1))


def test_the_users_own_key_is_sent(shell: Shell, script: Script) -> None:
    client = shell.client(script.then(ACCEPTED))
    assert shell(client.submit("SOL", "USDC", 1, idempotency_key="bot-1/42 a")).key == "bot-1/42 a"


@pytest.mark.parametrize("key", ["", " a", "a ", "a\n", "ключ", "x" * 256, "a\x00b"])
def test_a_key_that_no_header_can_have_is_refused_before_anything_is_sent(
    shell: Shell, script: Script, key: str
) -> None:
    with pytest.raises(errors.InvalidArgument, match="idempotency_key"):
        shell(shell.client(script).submit("SOL", "USDC", 1, idempotency_key=key))


@pytest.mark.parametrize(
    ("terms", "hint"),
    [
        ({"limit_price": 300.5}, "Decimal"),
        ({"slippage": 0.5}, "Decimal"),
        ({"slippage_bps": 50.0}, "Decimal"),
        ({"limit_price": "300", "launch": {"mint": "M"}}, "not both"),
        ({"expires_at": "2026-11-01T12:00:00Z", "expires_in": "1h", "limit_price": 1}, "not both"),
        ({"launch": {"min_liquidity": 0.1}}, "min_liquidity"),
        ({"launch": {"liquidity": 1}}, "liquidity"),
        ({"launch": "mint"}, "LaunchTerms"),
        ({"limitPrice": 1}, "limit_price"),
        ({"client_order_id": "\ud800"}, "JSON"),
        ({"side": object()}, "JSON"),
        ({"expires_in": "soon", "limit_price": 1}, "30m"),
    ],
)
def test_terms_that_no_order_can_have_are_refused_before_anything_is_sent(
    shell: Shell, script: Script, terms: dict[str, object], hint: str
) -> None:
    for call in ("submit", "preview"):
        with pytest.raises(errors.UsageError, match=hint):
            shell(getattr(shell.client(script), call)("SOL", "USDC", 1, **terms))
    assert not script.requests


def test_a_float_amount_is_refused_with_the_text_to_write(shell: Shell, script: Script) -> None:
    with pytest.raises(errors.FloatAmount, match=r"write '1\.5' or Decimal\('1\.5'\)"):
        shell(shell.client(script).submit("SOL", "USDC", 1.5))
