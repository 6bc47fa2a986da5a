"""Question: what becomes of a group that is to have members who do not exist?

Identity providers push a group before all of its people are there, or refer to people whom the application never got.
"""

from typing import Literal

import attrs

from scimcore.errors import InvalidValueError, Problem
from scimcore.provisioning.intent import Intent, Note
from scimcore.storage.protocol import Session

_SHOWN = 100


@attrs.frozen
class UnknownMembers:
    """The policy for new members that do not exist: they are left out and put on record, or nothing is written.

    `skip` is the default because one unknown id must not lose a whole push, which Okta would not repeat.
    """

    policy: Literal["skip", "refuse"] = "skip"

    async def decided(self, intent: Intent, session: Session) -> Intent:  # noqa: ARG002 - the shape of a policy
        """*intent* with a note for each unknown member.

        Raises:
            InvalidValueError: There are unknown members and they are refused; it names them all.
        """
        if not intent.unknown_members:
            return intent
        shown = [f'no resource has the id "{id[:_SHOWN]}"' for id in intent.unknown_members]
        if self.policy == "refuse":
            raise InvalidValueError(Problem("members", message) for message in shown)
        return intent.noting(*(Note("skipped", f"members: {message}") for message in shown))
