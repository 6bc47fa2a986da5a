"""How PingFederate and PingOne provision: two products with different clients."""

from typing import Final

from scimcore.dialects.dialect import Dialect
from scimcore.dialects.quirk import Evidence, Example, Quirk, named, user

_PROVISIONER: Final = "https://docs.pingidentity.com/integrations/scim/"
_FILTERS: Final = "PingOne documentation, p1_scim_filter_expressions"

_WHOLE_EMAILS = Quirk(
    name="filter on `emails` itself",
    sent='`emails eq "…"` where work e-mails match users',
    done="`emails.value` is meant (RFC 7644 §3.4.2.2)",
    sources=(_PROVISIONER,),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="GET",
            target='/Users?filter=emails eq "ann@work.example"',
            given=(
                ("/Users", user({"userName": "ann", "emails": [{"value": "ann@work.example", "type": "work"}]})),
                *named("ben"),
            ),
            understood=["1"],
        ),
    ),
)

_TWO_PRIMARIES = Quirk(
    name="two primary e-mails",
    sent="two e-mails, both with `primary: true`",
    done="the first stays primary",
    sources=(_PROVISIONER,),
    evidence=Evidence.VENDOR,
    settings={"first_primary_wins": True},
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "a", "emails": [{"value": "w", "primary": True}, {"value": "h", "primary": True}]}),
            status=201,
            understood={
                "userName": "a",
                "emails": [{"value": "w", "primary": True}, {"value": "h", "primary": False}],
            },
        ),
    ),
)

_BORN_DISABLED = Quirk(
    name="users created disabled",
    sent="POST with `active: false`, if told to provision disabled users",
    done="created, inactive",
    sources=(_PROVISIONER,),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="POST",
            target="/Users",
            body=user({"userName": "ann", "active": False}),
            status=201,
            understood={"userName": "ann", "active": False},
        ),
    ),
)

_CAPITALS = Quirk(
    name="filter in other letters",
    sent='the default template `username Eq "%s"`',
    done="names and operators have no case",
    sources=(_FILTERS,),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="GET", target='/Users?filter=username Eq "ann"', given=named("ann", "annette"), understood=["1"]
        ),
    ),
)

_EMAIL = Quirk(
    name="filter on `email`",
    sent='the template `email Co "%s"`, about an attribute that no schema has',
    done="`invalidFilter`: an empty list would make it create duplicates. Change the template to `emails.value eq`",
    sources=(_FILTERS,),
    evidence=Evidence.VENDOR,
    examples=(
        Example(
            method="GET",
            target='/Users?filter=email Co "ann"',
            given=named("ann"),
            status=400,
            understood="invalidFilter",
        ),
    ),
)

PING_FEDERATE: Final = Dialect.of("ping-federate", _WHOLE_EMAILS, _TWO_PRIMARIES, _BORN_DISABLED)
PING_ONE: Final = Dialect.of("ping-one", _CAPITALS, _EMAIL)
