"""The guardrails of a platform: tokens that change without an outage, a record of everything, suspension that holds."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from sqlalchemy import create_engine, text
from tests.stories.conftest import ACCOUNT, Client, Platform

from scimcore import ScimProvider
from scimcore.dialects import ENTRA, OKTA
from scimcore.engine.immediate import finish
from scimcore.provisioning import Connection
from scimcore.provisioning.adoption import Adoption
from scimcore.provisioning.guard import Guard
from scimcore.provisioning.leaving import Leaving
from scimcore.provisioning.members import UnknownMembers
from scimcore.provisioning.ownership import Ownership
from scimcore.provisioning.provenance import PROVISIONED_GROUP, PROVISIONED_USER, PROVISIONING_URN
from scimcore.rules.filter import parse_filter
from scimcore.storage.protocol import Record

BASE: Final = "/scim/v2"
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
AUTOMATION: Final = 'userType eq "automation"'


def is_automation(record: Record) -> bool:
    return record.document.get("userType") == "automation"


def connection(name: str) -> Connection:
    """Automation accounts are no provider's business: it neither sees nor links them."""
    return Connection(
        name=name,
        tenant=ACCOUNT,
        dialect=OKTA if name == "okta" else ENTRA,
        policies=(
            Adoption(on_existing="take_over", match=("userName",), is_privileged=is_automation),
            Ownership(),
            UnknownMembers(),
            Leaving(on_deactivate="suspend", on_delete="suspend"),
        ),
        visible={"User": parse_filter(f"not ({AUTOMATION})")},
    )


def served(platform: Platform) -> ScimProvider:
    return ScimProvider(
        platform.storage,
        authenticate=platform.tokens.authenticate,
        resource_types=(PROVISIONED_USER, PROVISIONED_GROUP),
        connections=[connection("okta"), connection("entra")],
        clock=platform.clock,
        on_event=platform.audit,
        on_bug=platform.on_bug,
    )


def person(login: str) -> dict[str, object]:
    return {"schemas": [USER], "userName": login, "displayName": login.partition("@")[0], "active": True}


def created(client: Client, login: str) -> str:
    answer = client.post("/Users", person(login))
    assert answer.status == 201, answer.body
    return answer.id


def set_active(client: Client, id: str, value: bool) -> int:
    return client.patch(f"/Users/{id}", {"op": "replace", "path": "active", "value": value}).status


def test_a_token_is_replaced_while_the_provider_works_and_no_request_fails(platform: Platform) -> None:
    issued = finish(platform.tokens.issue(ACCOUNT, "okta", label="main"))
    with platform.serving(served) as connect:
        old = connect(issued.secret, BASE)

        def work(client: Client, number: int) -> int:
            return client.post("/Users", person(f"person{number}@acme.example")).status

        with ThreadPoolExecutor(4) as workers:
            before = [workers.submit(work, old, number) for number in range(8)]
            rotated = finish(platform.tokens.rotate(ACCOUNT, issued.token.id, overlap=timedelta(hours=1)))
            new = connect(rotated.secret, BASE)
            after = [workers.submit(work, client, 8 + number) for number, client in enumerate([old, new] * 4)]
            statuses = [one.result() for one in (*before, *after)]
        assert statuses == [201] * 16

        # The overlap ends, and with it the old token; the new one goes on.
        platform.now += timedelta(hours=2)
        assert [client.get("/Users", count=1).status for client in (old, new)] == [401, 200]
    (rotation,) = platform.recorded("token rotated")
    assert (rotation["token"]["label"], rotation["replaced"]["id"]) == ("main", issued.token.id)
    assert len(platform.found("userName pr")) == 16


def test_a_token_that_will_expire_is_announced_once_a_day_before_it_does(platform: Platform) -> None:
    secret = platform.secret("okta", lifetime=timedelta(days=30))
    with platform.serving(served) as connect:
        okta = connect(secret, BASE)
        assert okta.get("/Users", count=1).status == 200
        assert platform.recorded("token expiring") == []
        for _ in range(2):
            platform.now += timedelta(days=10)
            assert [okta.get("/Users", count=1).status for _ in range(2)] == [200, 200]
        (warning,) = platform.recorded("token expiring")
        assert warning["connection"] == "okta"
        assert warning["token"]["expires"] > warning["at"]
        platform.now += timedelta(days=1)
        assert okta.get("/Users", count=1).status == 200
        assert len(platform.recorded("token expiring")) == 2
        platform.now += timedelta(days=10)
        assert okta.get("/Users", count=1).status == 401
    assert [entry["reason"] for entry in platform.recorded("token refused")] == ["expired"]


def test_a_revoked_token_opens_nothing_from_the_next_request_on(platform: Platform) -> None:
    issued = finish(platform.tokens.issue(ACCOUNT, "okta"))
    with platform.serving(served) as connect:
        okta = connect(issued.secret, BASE)
        id = created(okta, "ann@acme.example")
        finish(platform.tokens.revoke(ACCOUNT, issued.token.id))
        assert [set_active(okta, id, False), okta.get(f"/Users/{id}").status] == [401, 401]
    assert platform.account(id)["active"] is True
    assert issued.secret not in json.dumps(platform.recorded())


def test_a_token_that_may_read_writes_nothing(platform: Platform) -> None:
    with platform.serving(served) as connect:
        id = created(connect(platform.secret("okta"), BASE), "ann@acme.example")
        reader = connect(platform.secret("okta", scopes=("read",)), BASE)
        assert reader.get(f"/Users/{id}").status == 200
        assert (set_active(reader, id, False), reader.delete(f"/Users/{id}").status) == (403, 403)
    assert platform.account(id)["active"] is True
    assert len(platform.recorded("refused")) == 2


def test_a_suspended_account_is_suspended_for_everybody_at_once(platform: Platform) -> None:
    with platform.serving(served) as connect, platform.serving(served) as connect_elsewhere:
        okta, entra = connect(platform.secret("okta"), BASE), connect_elsewhere(platform.secret("entra"), BASE)
        id = created(okta, "ann@acme.example")
        team = {"schemas": [GROUP], "displayName": "team", "members": [{"value": id}]}
        assert okta.post("/Groups", team).status == 201
        assert set_active(okta, id, False) == 200

        assert okta.get(f"/Users/{id}").body["active"] is False
        assert entra.get(f"/Users/{id}").body["active"] is False
        (shown,) = entra.get("/Users", filter='userName eq "ann@acme.example"').found
        assert shown["active"] is False
        assert entra.get("/Users", filter="active eq true").found == []
        assert (platform.account(id)["active"], platform.found("active eq true")) == (False, [])

        # Nobody brings it back in passing: neither by a PUT that does not say so, nor by a connection without a say.
        body = {name: value for name, value in person("ann@acme.example").items() if name != "active"}
        assert okta.put(f"/Users/{id}", body).body["active"] is False
        assert okta.delete(f"/Users/{id}").status == 204
        assert platform.account(id)["active"] is False
        assert created(okta, "ann@acme.example") == id
        assert platform.account(id)["active"] is True


def test_what_drifted_is_pulled_back_into_line_by_a_new_sync(platform: Platform) -> None:
    with platform.serving(served) as connect:
        okta = connect(platform.secret("okta"), BASE)
        people = {f"p{number}@acme.example": created(okta, f"p{number}@acme.example") for number in range(3)}
        answer = okta.post("/Groups", {"schemas": [GROUP], "displayName": "team", "members": []})
        everybody = [{"value": id} for id in people.values()]
        assert okta.put(f"/Groups/{answer.id}", {**answer.body, "members": everybody}).status == 200
        # Somebody with access to the database has renamed one, suspended one and emptied the group.
        ids = list(people.values())
        platform.changed(ids[0], displayName="somebody else")
        platform.changed(ids[1], active=False)
        platform.changed(answer.id, PROVISIONED_GROUP, members=[])
        for login, id in people.items():
            assert okta.put(f"/Users/{id}", person(login)).status == 200
        assert okta.put(f"/Groups/{answer.id}", {**answer.body, "members": everybody}).status == 200
    assert [platform.account(id)["displayName"] for id in ids] == ["p0", "p1", "p2"]
    assert platform.found("active eq true") == sorted(ids)
    assert platform.members(answer.id) == set(ids)


def test_automation_accounts_are_kept_apart_from_people(platform: Platform) -> None:
    robot = platform.manual_user("deploy@acme.example", "deployer", userType="automation")
    with platform.serving(served) as connect:
        okta = connect(platform.secret("okta"), BASE)
        assert okta.get("/Users", startIndex=1, count=100).found == []
        assert okta.get(f"/Users/{robot}").status == 404
        answer = okta.post("/Users", person("deploy@acme.example"))
        assert (answer.status, robot in json.dumps(answer.body)) == (409, False)
        assert (okta.delete(f"/Users/{robot}").status, set_active(okta, robot, False)) == (404, 404)
    assert PROVISIONING_URN not in platform.account(robot)
    assert platform.role_bindings[robot] == {"deployer"}
    record = platform.record(robot)
    assert record is not None
    Guard().check_edit(record, ["active", "displayName"], "admin@acme.example")


def test_every_identity_operation_is_on_a_record_that_shows_tampering(platform: Platform) -> None:
    manual = platform.manual_user("ann@acme.example")
    with platform.serving(served) as connect:
        okta = connect(platform.secret("okta"), BASE)
        assert created(okta, "ann@acme.example") == manual
        ben = created(okta, "ben@acme.example")
        assert okta.post("/Users", person("ben@acme.example")).status == 409
        strangers = {"schemas": [GROUP], "displayName": "team", "members": [{"value": "stranger"}, {"value": ben}]}
        team = okta.post("/Groups", strangers).id
        assert set_active(okta, ben, False) == 200
        assert okta.delete(f"/Users/{ben}").status == 204
        assert okta.delete(f"/Groups/{team}").status == 204
        assert connect("scimcore-is-not-the-word", BASE).get("/Users").status == 401
    record = platform.recorded()
    assert [entry["happening"] for entry in record] == [
        "token issued",
        "adopted",
        "created",
        "refused",
        "created",
        "patched",
        "retained",
        "deleted",
    ]
    assert platform.noted() == ["taken_over", "skipped", "suspended", "suspended"]
    assert {entry["connection"] for entry in record} == {"okta"}
    assert all(entry["at"] and entry["requestId"] for entry in record[1:])
    # Who has no name is on the record of nobody's tenant.
    assert "unauthenticated" in [entry["happening"] for entry in platform.recorded(tenant="")]

    engine = create_engine(platform.url)
    with engine.begin() as connection:
        forged = "UPDATE scim_audit SET entry = REPLACE(entry, 'refused', 'allowed') WHERE tenant = 'acme'"
        connection.execute(text(forged))
    breaks = finish(platform.audit.verified()).breaks
    assert [(one.tenant, one.number) for one in breaks] == [("acme", 4)]
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM scim_audit WHERE tenant = 'acme'"))
    engine.dispose()
