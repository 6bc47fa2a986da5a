"""Accounts, organisations and projects."""

import pytest

from scimcore.errors import InvalidValueError
from scimcore.provisioning.scopes import Scope, account_scope, parse_scopes


@pytest.mark.parametrize("names", [("",), ("a", ""), ("a:b",), ("a,b",), ("a", None, "p"), ("a b",), ("a/b",)])
def test_a_name_that_cannot_stand_in_a_list_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"account|organisation"):
        Scope(*names)


@pytest.mark.parametrize("tenant", ["acme", "acme:eu", "a,b", "", "é", "Scope 1"])
def test_every_tenant_is_an_account(tenant: str) -> None:
    scope = account_scope(tenant)
    assert parse_scopes(str(scope), scope) == (scope,)


@pytest.mark.parametrize(
    ("one", "other", "is_inside"),
    [
        (Scope("a"), Scope("a"), True),
        (Scope("a"), Scope("a", "b", "c"), True),
        (Scope("a", "b"), Scope("a", "b", "c"), True),
        (Scope("a", "b"), Scope("a"), False),
        (Scope("a", "b"), Scope("a", "c"), False),
        (Scope("a"), Scope("ab"), False),
    ],
)
def test_a_scope_contains_those_below_it(one: Scope, other: Scope, is_inside: bool) -> None:
    assert (other in one) is is_inside


def test_every_fault_of_a_list_is_named() -> None:
    with pytest.raises(InvalidValueError) as refusal:
        parse_scopes("acc:emea,other,acc::", Scope("acc"))
    assert len(refusal.value.problems) == 2


def test_a_list_says_each_scope_once() -> None:
    assert parse_scopes("acc:b, acc:a ,acc:b", Scope("acc")) == (Scope("acc", "a"), Scope("acc", "b"))
