"""How JumpCloud provisions: one replace for each attribute; its activation creates and deletes a user and a group."""

from typing import Final

from scimcore.dialects.dialect import Dialect
from scimcore.dialects.shared import LISTED_MEMBERS_LEAVE, REPEATED_MEMBERS

JUMPCLOUD: Final = Dialect.of("jumpcloud", LISTED_MEMBERS_LEAVE, REPEATED_MEMBERS)
