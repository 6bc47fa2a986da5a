"""The company that the storage contract works on, and what its searches find."""

from typing import Final

from scimcore.schema.standard import ENTERPRISE_USER, GROUP, USER
from scimcore.testing.sessions import group, instant, user

ALICE: Final = user(
    "u1",
    "Alice",
    second=1,
    externalId="EXT-1",
    displayName="Alice A",
    title="Engineer",
    active=True,
    emails=[
        {"value": "alice@work.example", "type": "work", "primary": True},
        {"value": "alice@home.example", "type": "home"},
    ],
    **{ENTERPRISE_USER.id: {"employeeNumber": "100", "department": "Research"}},
)
BOB: Final = user(
    "u2",
    "bob",
    second=2,
    active=False,
    name={"familyName": "Bee"},
    emails=[{"value": "bob@work.example", "type": "work"}],
)
CAROL: Final = user("u3", "carol", second=3, title="engineer", nickName="Straße")
TEAM: Final = group("g1", "Team", ["u1", "u2"], second=4)
NESTED: Final = group("g2", "Nested", ["g1"], second=5)
EMPTY: Final = group("g3", "Empty", second=6)

_URN: Final = ENTERPRISE_USER.id

USER_FILTERS: Final = [
    ('userName eq "ALICE"', ["u1"]),
    ('userName eq "alice" and active eq true', ["u1"]),
    ('userName eq "alice" and active eq false', []),
    ('userName eq "alice" and externalId eq "EXT-2"', []),
    ('userName eq "bob" or externalId eq "EXT-1"', ["u1", "u2"]),
    ('userName eq "alice" or title eq "ENGINEER"', ["u1", "u3"]),
    ('userName eq "nobody" or (displayName eq "alice a" and active eq true)', ["u1"]),
    ('not (userName eq "alice")', ["u2", "u3"]),
    ('userName ne "alice"', ["u2", "u3"]),
    ('not (userName eq "alice" and active eq false)', ["u1", "u2", "u3"]),
    ('externalId eq "ext-1"', []),
    ('externalId eq "EXT-1"', ["u1"]),
    ("externalId pr", ["u1"]),
    ('title ne "engineer"', ["u2"]),
    ("not (title pr)", ["u2"]),
    ("title eq null", ["u2"]),
    ('externalId eq null and userName sw "c"', ["u3"]),
    ('userName gt "alice"', ["u2", "u3"]),
    ('userName co "o"', ["u2", "u3"]),
    ('nickName eq "STRASSE"', ["u3"]),
    ('id eq "u2"', ["u2"]),
    ('id eq "U2"', []),
    ('name.familyName eq "bee"', ["u2"]),
    ('emails.value eq "alice@home.example"', ["u1"]),
    ('emails eq "Bob@Work.Example"', ["u2"]),
    ('emails[type eq "work" and value eq "alice@home.example"]', []),
    ('emails[type eq "home" and value eq "alice@home.example"]', ["u1"]),
    ('emails.type eq "work" and emails.value eq "alice@home.example"', ["u1"]),
    ('emails[value eq "bob@work.example" or type eq "home"]', ["u1", "u2"]),
    ('emails[type eq "work" and value co "@work"]', ["u1", "u2"]),
    ('emails[not (value eq "alice@work.example")]', ["u1", "u2"]),
    ('not (emails[type eq "home"])', ["u2", "u3"]),
    ('schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"', ["u1", "u2", "u3"]),
    (f'schemas eq "{_URN}"', ["u1"]),
    (f'{_URN}:employeeNumber eq "100"', ["u1"]),
    (f'not ({_URN}:department sw "Res")', ["u2", "u3"]),
    ('meta.resourceType eq "User"', ["u1", "u2", "u3"]),
    (f'meta.created gt "{instant(1)}"', ["u2", "u3"]),
    (f'meta.lastModified le "{instant(2)}" and userName sw "b"', ["u2"]),
    ('meta.version eq "W/\\"1\\""', ["u1", "u2", "u3"]),
]

GROUP_FILTERS: Final = [
    ('displayName eq "TEAM"', ["g1"]),
    ('members.value eq "u1"', ["g1"]),
    ('members eq "g1"', ["g2"]),
    ('members.value eq "u3"', []),
    ("members pr", ["g1", "g2"]),
    ('members[value eq "u2"]', ["g1"]),
    ('members.value eq "u1" or displayName eq "empty"', ["g1", "g3"]),
    ('members.value eq "u1" and members.value eq "u2"', ["g1"]),
    ('members[value eq "u1" and value eq "u2"]', []),
    ('members[value eq "u1" or value eq "g1"]', ["g1", "g2"]),
    ('members[not (value eq "u1")]', ["g1", "g2"]),
    ('members[type pr and value eq "u1"]', []),
    ('members.value sw "u" and not (members.value eq "u1")', []),
    ('not (members.value eq "u1" or members.value eq "g1")', ["g3"]),
    ('not (members.value eq "u1")', ["g2", "g3"]),
    ('displayName eq "Empty" and not (members pr)', ["g3"]),
]

MEMBERSHIP_FILTERS: Final = [
    ('groups.value eq "g1"', ["u1", "u2"]),
    ('groups eq "g2"', []),
    ('groups.display eq "team"', ["u1", "u2"]),
    ('groups[value eq "g1" and type eq "direct"]', ["u1", "u2"]),
    ('userName eq "alice" and groups.value eq "g1"', ["u1"]),
    ('userName eq "carol" or groups.value eq "g1"', ["u1", "u2", "u3"]),
    ("not (groups pr)", ["u3"]),
]

ROOT_FILTERS: Final = [
    ("userName pr", ["u1", "u2", "u3"]),
    ("not (userName pr)", ["g1", "g2", "g3"]),
    ('displayName eq "team"', ["g1"]),
    ('meta.resourceType eq "Group"', ["g1", "g2", "g3"]),
    ('userName eq "alice" or members.value eq "g1"', ["u1", "g2"]),
    ('displayName eq "alice a" or displayName eq "empty"', ["u1", "g3"]),
]

# What is asked, of which types, what the caller sees of them, and what it finds.
SIGHTS: Final = [
    (None, (USER,), {"User": "active eq true"}, ["u1"]),
    (None, (USER,), {"User": 'userName eq "bob"'}, ["u2"]),
    (None, (USER,), {"Group": "not (displayName pr)"}, ["u1", "u2", "u3"]),
    (None, (USER,), {"User": f"not ({_URN}:department pr)"}, ["u2", "u3"]),
    (None, (USER,), {"User": f'meta.created gt "{instant(1)}" and schemas pr'}, ["u2", "u3"]),
    ('userName eq "alice"', (USER,), {"User": "active eq true"}, ["u1"]),
    ('userName eq "alice"', (USER,), {"User": "active eq false"}, []),
    ('userName eq "alice"', (USER,), {"User": 'userName eq "bob"'}, []),
    ('userName eq "alice"', (USER,), {"User": 'not (emails[type eq "home"])'}, []),
    ('userName eq "alice"', (USER,), {"User": f'meta.created gt "{instant(1)}"'}, []),
    ('userName eq "carol"', (USER,), {"User": f'meta.created gt "{instant(1)}"'}, ["u3"]),
    ('userName eq "nobody"', (USER,), {"User": "userName pr"}, []),
    ('userName eq "bob" or externalId eq "EXT-1"', (USER,), {"User": "title pr"}, ["u1"]),
    ('userName eq "bob" or title eq "engineer"', (USER,), {"User": 'userName ne "carol"'}, ["u1", "u2"]),
    ('emails[type eq "work" and value eq "bob@work.example"]', (USER,), {"User": "active eq true"}, []),
    ('emails[type eq "work" and value eq "bob@work.example"]', (USER,), {"User": "not (title pr)"}, ["u2"]),
    ('id eq "u2"', (USER,), {"User": "title pr"}, []),
    ('not (userName eq "alice")', (USER,), {"User": "title pr"}, ["u3"]),
    ('userName co "o"', (USER,), {"User": 'userName co "r" or title pr'}, ["u3"]),
    ('displayName eq "team"', (GROUP,), {"Group": 'not (members.value eq "u1")'}, []),
    ('displayName eq "team"', (GROUP,), {"Group": 'members[value eq "u2"]'}, ["g1"]),
    ('members.value eq "u1"', (GROUP,), {"Group": 'members.value eq "u3"'}, []),
    ("members pr", (GROUP,), {"Group": 'not (members.value eq "g1")'}, ["g1"]),
    (None, (USER, GROUP), {"User": "title pr"}, ["u1", "u3", "g1", "g2", "g3"]),
    (None, (USER, GROUP), {"User": "title pr", "Group": "members pr"}, ["u1", "u3", "g1", "g2"]),
    (None, (USER, GROUP), {"User": "not (id pr)", "Group": "not (id pr)"}, []),
    ('displayName eq "team" or userName eq "bob"', (USER, GROUP), {"Group": "not (members pr)"}, ["u2"]),
    ('displayName eq "alice a"', (USER, GROUP), {"User": "active eq false"}, []),
    ("not (userName pr)", (USER, GROUP), {"Group": 'displayName eq "team"'}, ["g1"]),
]

ORDERS: Final = [
    ((USER,), "userName", False, ["u1", "u2", "u3"]),
    ((USER,), "userName", True, ["u3", "u2", "u1"]),
    ((USER,), "title", False, ["u1", "u3", "u2"]),
    ((USER,), "title", True, ["u2", "u1", "u3"]),
    ((USER,), "emails", False, ["u1", "u2", "u3"]),
    ((USER,), "meta.created", True, ["u3", "u2", "u1"]),
    ((USER, GROUP), "displayName", False, ["u1", "g3", "g2", "g1", "u2", "u3"]),
    ((USER, GROUP), "userName", False, ["u1", "u2", "u3", "g1", "g2", "g3"]),
]
