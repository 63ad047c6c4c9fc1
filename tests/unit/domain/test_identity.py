"""A caller has the rights of its scopes, and access to its own orders unless it operates the engine."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import MissingScopeError
from chalicelib.domain.identity import ANONYMOUS, Caller, Scope, unrestricted

scopes = st.frozensets(st.sampled_from(Scope))
users = st.text(min_size=1, max_size=3)


@given(scopes, st.sampled_from(Scope))
def test_a_caller_has_exactly_the_scopes_of_its_credential(granted: frozenset[Scope], wanted: Scope) -> None:
    caller = Caller("alice", granted)
    if wanted in granted:
        caller.require(wanted)
    else:
        with pytest.raises(MissingScopeError) as caught:
            caller.require(wanted)
        assert caught.value.scope == wanted.value


def test_no_scope_includes_another() -> None:
    for granted, wanted in (*combinations(Scope, 2), *combinations(reversed(Scope), 2)):
        with pytest.raises(MissingScopeError, match=wanted.value):
            Caller("alice", frozenset({granted})).require(wanted)


@given(scopes, users, users)
def test_a_caller_has_access_to_its_own_orders_and_an_operator_to_all(
    granted: frozenset[Scope], user_id: str, owner: str
) -> None:
    caller = Caller(user_id, granted)
    assert caller.may_access(user_id)
    assert caller.may_access(owner) is (owner == user_id or Scope.OPERATE in granted)


@pytest.mark.parametrize("owner", ["Alice", "alice ", "alic", "alicee", "", ANONYMOUS])
def test_a_similar_user_is_another_user(owner: str) -> None:
    assert not Caller("alice", frozenset({Scope.READ, Scope.TRADE})).may_access(owner)


@pytest.mark.parametrize("scope", Scope)
def test_a_deployment_without_authentication_grants_every_scope(scope: Scope) -> None:
    unrestricted().require(scope)
    unrestricted("alice").require(scope)


@pytest.mark.parametrize(("named", "user_id"), [("alice", "alice"), (None, ANONYMOUS), ("", ANONYMOUS)])
def test_a_deployment_without_authentication_believes_the_user_that_a_request_names(
    named: str | None, user_id: str
) -> None:
    caller = unrestricted(named)
    assert caller.user_id == user_id
    assert caller.may_access("bob")
