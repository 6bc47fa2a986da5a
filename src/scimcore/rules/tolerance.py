"""Tolerance: the named answers to what the RFC leaves open and clients disagree on (docs/decisions.md).

A rule takes a Tolerance as a value; which one applies is for a Dialect to say. What can be read in only one way is
always accepted and has no setting here.
"""

from typing import Final

import attrs


@attrs.frozen(kw_only=True, cache_hash=True)
class Tolerance:
    """How far a rule goes to meet a client; the defaults break the fewest, `STRICT` is the letter of the RFC."""

    create_unmatched_element: bool = True
    """PATCH add/replace `emails[type eq "work"].value` with no such element creates it, once (Entra); else noTarget."""

    remove_listed_values: bool = True
    """PATCH remove with a `value` removes the listed elements only (Entra, OneLogin, JumpCloud); else 400."""

    empty_string_unassigns: bool = True
    """`""` for an optional attribute means "no value" (Entra); else it is a value."""

    strings_as_booleans: bool = True
    """`"True"` and `"False"`, in any case, stand for booleans (Entra), in payloads and filters; else 400."""

    bare_values: bool = True
    """A string for a complex attribute with a `value` stands for that value; one object for a list of one; else 400."""

    ignore_read_only: bool = True
    """readOnly attributes in a path-less PATCH value, but for another `id`, are ignored and reported; else 400."""

    ignore_unknown: bool = True
    """Unknown attributes in a body or a path-less PATCH value are ignored and reported; else 400."""

    first_primary_wins: bool = True
    """Of several elements with `primary: true` in one payload the first stays primary; else 400."""

    put_keeps_linkage: bool = True
    """PUT that omits a group's `members` or an `externalId` keeps them; else they are cleared like the rest."""

    unique_group_names: bool = True
    """A group's displayName is unique, ignoring case (Entra's validator, authentik); else only what schemas declare."""

    schemas_optional: bool = True
    """A body without `schemas` is read as what the endpoint expects; unknown URNs in it are ignored; else 400."""

    unserved_lists_are_empty: bool = True
    """GET on /Users or /Groups that the provider does not serve is an empty list (Entra asks for both); else 404."""

    free_canonical_values: bool = True
    """A value outside an attribute's canonicalValues is accepted (RFC 7643 §2.3.1 leaves it open); else 400."""


DEFAULT: Final = Tolerance()
STRICT: Final = Tolerance(**{field.name: False for field in attrs.fields(Tolerance)})
