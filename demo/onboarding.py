"""Two identity providers onboard their people over HTTP, each in its own dialect, against a real `scimcore serve`.

Every step says what it expects; the exit status is 1 if one of them was not met.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
TOKEN: Final = "the-token-of-the-demo"

OKTA_HEADERS: Final = {
    "User-Agent": "Okta SCIM Client 1.0.0",
    "Accept": "application/scim+json",
    "Accept-Charset": "utf-8",
    "Content-Type": "application/scim+json; charset=utf-8",
    "Authorization": f"Bearer {TOKEN}",
}
ENTRA_HEADERS: Final = {
    "Content-Type": "application/scim+json; charset=utf-8",
    "Authorization": f"Bearer {TOKEN}",
}


@attrs.frozen
class Answer:
    """What came back: the status, and the body as JSON, an empty object if there was none."""

    status: int
    body: dict[str, Json]

    def at(self, *names: str | int) -> Json:
        """The value at the end of *names*; None where there is nothing."""
        value: Json = self.body
        for name in names:
            if isinstance(value, dict) and isinstance(name, str):
                value = value.get(name)
            elif isinstance(value, list) and isinstance(name, int) and name < len(value):
                value = value[name]
            else:
                return None
        return value

    @property
    def id(self) -> str:
        return str(self.at("id"))

    @property
    def members(self) -> set[str]:
        members = self.at("members")
        listed = members if isinstance(members, list) else []
        return {str(member["value"]) for member in listed if isinstance(member, dict)}

    def essence(self) -> str:
        """The answer in one line."""
        if self.at("totalResults") is not None:
            return f"{self.at('totalResults')} found"
        if self.at("detail") is not None:
            return f"{self.at('scimType') or 'error'}: {self.at('detail')}"
        shown = [str(self.at(name)) for name in ("userName", "displayName") if self.at(name) is not None]
        if self.at("active") is not None:
            shown.append("active" if self.at("active") else "inactive")
        if self.at("members") is not None:
            shown.append("1 member" if len(self.members) == 1 else f"{len(self.members)} members")
        return ", ".join(shown)


@attrs.define
class Client:
    """One identity provider talking; it prints each step and counts the failures."""

    name: str
    http: httpx.Client
    console: Console
    failures: int = 0

    def step(
        self,
        title: str,
        method: str,
        path: str,
        body: Mapping[str, Json] | None = None,
        *,
        status: int | tuple[int, ...] = 200,
        so: Callable[[Answer], bool] = lambda _: True,
    ) -> Answer:
        """Send one request, print what came back, and check its status and that it is *so*."""
        response = self.http.request(method, path, json=body)
        answer = Answer(response.status_code, response.json() if response.content else {})
        expected = status if isinstance(status, tuple) else (status,)
        fulfilled = answer.status in expected and so(answer)
        mark = "[green]✓[/green]" if fulfilled else "[bold red]✗[/bold red]"
        self.console.print(f"  {mark} {escape(title)}")
        self.console.print(f"      [dim]{method} {escape(path)}[/dim]")
        self.console.print(f"      [cyan]{answer.status}[/cyan] {escape(answer.essence())}")
        if not fulfilled:
            self.failures += 1
            self.console.print(f"      [red]expected {expected}, got {escape(response.text)}[/red]")
        return answer

    def patch(self, title: str, path: str, *operations: Json, so: Callable[[Answer], bool] = lambda _: True) -> Answer:
        """PATCH the resource at *path*, then read it: what is *so* must hold for what is stored."""
        self.step(title, "PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, status=(200, 204))
        return self.step("… and reads it back", "GET", path, so=so)


def finds_nothing(answer: Answer) -> bool:
    return answer.at("totalResults") == 0


def okta(client: Client) -> None:
    """An OIN application: PUT for profiles, path-less PATCH for `active`, one PATCH for members that come and go.

    https://developer.okta.com/docs/api/openapi/okta-scim/guides/scim-20/
    """
    client.step("tests the connection", "GET", "/Users?startIndex=1&count=2")
    grace = _okta_assigns(client, "grace", "Grace", "Hopper")
    alan = _okta_assigns(client, "alan", "Alan", "Turing")

    profile = client.step("reads Grace before an update", "GET", f"/Users/{grace}").body
    profile["name"] = {"givenName": "Grace", "middleName": "Brewster", "familyName": "Hopper"}
    client.step(
        "writes the whole profile back",
        "PUT",
        f"/Users/{grace}",
        profile,
        so=lambda answer: answer.at("name", "middleName") == "Brewster" and answer.id == grace,
    )

    _okta_pushes_a_group(client, grace, alan)
    client.patch(
        "deactivates Alan when he is unassigned",
        f"/Users/{alan}",
        {"op": "replace", "value": {"active": False}},
        so=lambda answer: answer.at("active") is False,
    )
    client.patch(
        "reactivates him: the same account",
        f"/Users/{alan}",
        {"op": "replace", "value": {"active": True}},
        so=lambda answer: answer.at("active") is True and answer.id == alan,
    )


def _okta_assigns(client: Client, login: str, given: str, family: str) -> str:
    """Assign a person to the application; the id of the account."""
    user_name = f"{login}@example.com"
    client.step(
        f"looks for {given} before creating",
        "GET",
        f"/Users?filter=userName%20eq%20%22{login}%40example.com%22&startIndex=1&count=100",
        so=finds_nothing,
    )
    person: dict[str, Json] = {
        "schemas": [USER],
        "userName": user_name,
        "name": {"givenName": given, "familyName": family},
        "emails": [{"primary": True, "value": user_name, "type": "work"}],
        "displayName": f"{given} {family}",
        "locale": "en-US",
        "externalId": f"00u{login}",
        "groups": [],
        "password": "a-placeholder-1X",
        "active": True,
    }
    created = client.step(
        f"creates {given}",
        "POST",
        "/Users",
        person,
        status=201,
        so=lambda answer: answer.at("active") is True and answer.at("password") is None,
    )
    client.step(
        f"creates {given} again by mistake",
        "POST",
        "/Users",
        person,
        status=409,
        so=lambda answer: answer.at("scimType") == "uniqueness",
    )
    return created.id


def _okta_pushes_a_group(client: Client, grace: str, alan: str) -> None:
    client.step(
        "looks for the group it is to push",
        "GET",
        "/Groups?filter=displayName%20eq%20%22Compilers%22&startIndex=1&count=100",
        so=finds_nothing,
    )
    pushed: dict[str, Json] = {"schemas": [GROUP], "displayName": "Compilers", "members": []}
    group = client.step("pushes the group", "POST", "/Groups", pushed, status=201).id
    client.patch(
        "pushes a member, and the name as it always does",
        f"/Groups/{group}",
        {"op": "replace", "value": {"id": group, "displayName": "Compilers"}},
        {"op": "add", "path": "members", "value": [{"value": grace, "display": "grace@example.com"}]},
        so=lambda answer: answer.members == {grace},
    )
    client.patch(
        "swaps members in one request",
        f"/Groups/{group}",
        {"op": "remove", "path": f'members[value eq "{grace}"]'},
        {"op": "add", "path": "members", "value": [{"value": alan, "display": "alan@example.com"}]},
        so=lambda answer: answer.members == {alan},
    )
    client.patch(
        "pushes the membership in full",
        f"/Groups/{group}",
        {"op": "replace", "path": "members", "value": [{"value": grace}, {"value": alan}]},
        so=lambda answer: answer.members == {grace, alan},
    )


def entra(client: Client) -> None:
    """The default flavour: PascalCase operations, booleans as text, `Remove` with a list, elements yet to be made.

    https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
    """
    nobody = "5c8a1f6e-6f0b-4f0e-9d55-0c2f5b1d3c11"
    client.step("tests the connection, users", "GET", f"/Users?filter=userName+eq+%22{nobody}%22", so=finds_nothing)
    client.step(
        "tests the connection, groups",
        "GET",
        f"/Groups?excludedAttributes=members&filter=displayName+eq+%22{nobody}%22",
        so=finds_nothing,
    )
    mary = _entra_provisions(client, "mary", "Mary", "Shaw")
    ada = _entra_provisions(client, "ada", "Ada", "Lovelace")

    client.patch(
        "updates Mary, attribute by attribute",
        f"/Users/{mary}",
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "mary.shaw@example.org"},
        {"op": "Replace", "path": "name.familyName", "value": "Shaw-Garlan"},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "+1 555 0100"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Architecture"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": ada},
        so=lambda answer: (
            answer.at("emails", 0, "value") == "mary.shaw@example.org"
            and answer.at("phoneNumbers", 0, "type") == "mobile"
            and answer.at("name", "givenName") == "Mary"
            and answer.at(ENTERPRISE, "department") == "Architecture"
            and answer.at(ENTERPRISE, "manager", "value") == ada
        ),
    )

    client.patch(
        "updates her as it does with aadOptscim062020: no path, and paths as keys",
        f"/Users/{mary}",
        {"op": "replace", "value": {"displayName": "Mary S.", "name.middleName": "M", f"{ENTERPRISE}:division": "R&D"}},
        so=lambda answer: (
            answer.at("displayName") == "Mary S."
            and answer.at("name", "middleName") == "M"
            and answer.at("name", "givenName") == "Mary"
            and answer.at(ENTERPRISE, "division") == "R&D"
            and answer.at(ENTERPRISE, "department") == "Architecture"
        ),
    )

    _entra_fills_a_group(client, mary, ada)
    client.patch(
        "blocks Mary (soft delete)",
        f"/Users/{mary}",
        {"op": "Replace", "path": "active", "value": "False"},
        so=lambda answer: answer.at("active") is False,
    )
    client.patch(
        "restores her",
        f"/Users/{mary}",
        {"op": "Replace", "path": "active", "value": "True"},
        so=lambda answer: answer.at("active") is True,
    )
    client.patch(
        "blocks Ada for good",
        f"/Users/{ada}",
        {"op": "Replace", "path": "active", "value": "False"},
        so=lambda answer: answer.at("active") is False,
    )
    client.step("deletes Ada, 30 days later", "DELETE", f"/Users/{ada}", status=204)
    client.step("finds her gone", "GET", f"/Users/{ada}", status=404)


def _entra_provisions(client: Client, login: str, given: str, family: str) -> str:
    """Match a person and create the account that is missing; its id."""
    client.step(
        f"matches {given} by user name",
        "GET",
        f'/Users?filter=userName eq "{login}@example.org"',
        so=finds_nothing,
    )
    person: dict[str, Json] = {
        "schemas": [USER, ENTERPRISE],
        "externalId": f"0a21f0f2-{login}",
        "userName": f"{login}@example.org",
        "active": True,
        "displayName": f"{given} {family}",
        "emails": [{"primary": True, "type": "work", "value": f"{login}@example.org"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": f"{given} {family}", "familyName": family, "givenName": given},
        "roles": [],
    }
    return client.step(f"creates {given}", "POST", "/Users", person, status=201).id


def _entra_fills_a_group(client: Client, mary: str, ada: str) -> None:
    pushed: dict[str, Json] = {
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": "8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159",
        "displayName": "Architects",
        "meta": {"resourceType": "Group"},
    }
    group = client.step("creates a group, without members", "POST", "/Groups", pushed, status=201).id
    client.patch(
        "adds members",
        f"/Groups/{group}",
        {"op": "Add", "path": "members", "value": [{"$ref": None, "value": mary}, {"$ref": None, "value": ada}]},
        so=lambda answer: answer.members == {mary, ada},
    )
    client.patch(
        "removes one: a list that RFC 7644 would read as everybody",
        f"/Groups/{group}",
        {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": ada}]},
        so=lambda answer: answer.members == {mary},
    )
    client.step(
        "reads the group without its members",
        "GET",
        f"/Groups/{group}?excludedAttributes=members",
        so=lambda answer: answer.at("members") is None and answer.at("displayName") == "Architects",
    )


def _accounts(http: httpx.Client) -> Table:
    table = Table("userName", "name", "work e-mail", "active", "groups", title="Users", title_justify="left")
    for user in _listed(http, "/Users"):
        groups = user.at("groups")
        table.add_row(
            _text(user.at("userName")),
            f"{_text(user.at('name', 'givenName'))} {_text(user.at('name', 'familyName'))}",
            _text(user.at("emails", 0, "value")),
            "yes" if user.at("active") else "no",
            ", ".join(_text(group.get("display")) for group in groups if isinstance(group, dict))
            if isinstance(groups, list)
            else "",
        )
    return table


def _teams(http: httpx.Client) -> Table:
    names = {user.id: _text(user.at("displayName")) for user in _listed(http, "/Users")}
    table = Table("displayName", "members", "version", title="Groups", title_justify="left")
    for group in _listed(http, "/Groups"):
        members = sorted(names.get(member, member) for member in group.members)
        table.add_row(_text(group.at("displayName")), ", ".join(members), _text(group.at("meta", "version")))
    return table


def _listed(http: httpx.Client, path: str) -> Iterator[Answer]:
    response = http.get(path)
    for resource in response.json()["Resources"]:
        yield Answer(response.status_code, resource)


def _text(value: Json) -> str:
    return "" if value is None else escape(str(value))


@contextmanager
def served() -> Iterator[str]:
    """A `scimcore serve` of its own on a free port; its URL."""
    server = subprocess.Popen(
        [Path(sys.executable).with_name("scimcore"), "serve", "--port", "0", "--database", "memory:"],
        env={**os.environ, "SCIMCORE_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()


def main() -> int:
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 120)
    with served() as url:
        console.print(f"scimcore serves at {url}\n")
        failures = 0
        for name, headers, onboarding in (("Okta", OKTA_HEADERS, okta), ("Entra ID", ENTRA_HEADERS, entra)):
            console.rule(name, align="left")
            with httpx.Client(base_url=url, headers=headers) as http:
                client = Client(name, http, console)
                onboarding(client)
                failures += client.failures
        console.rule("What is stored now", align="left")
        with httpx.Client(base_url=url, headers=ENTRA_HEADERS) as http:
            console.print(_accounts(http))
            console.print(_teams(http))
    if failures:
        console.print(f"[bold red]{failures} steps did not go as expected[/bold red]")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
