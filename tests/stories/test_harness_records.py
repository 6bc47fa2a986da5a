"""The recorded conversations with Harness as the provider, answered by the Harness profile."""

import json
from pathlib import Path
from typing import Final

import pytest
from tests.stories.account import OKTA_APP, served
from tests.stories.conftest import ACCOUNT, Platform

from scimcore.testing.transcripts import play, read_transcript, sent_over_http

HERE: Final = Path(__file__).parent / "harness"
CONVERSATIONS: Final = sorted(path.name for path in HERE.glob("*.json"))
RECORDS: Final = {"165", "166", "167", "168", "169", "172", "173"}


@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_a_recorded_conversation_with_harness_goes_as_it_must(platform: Platform, conversation: str) -> None:
    manual = {
        "manualId": platform.manual_user("jane.doe@example.com"),
        "manualGroupId": platform.manual_group("team-b"),
    }
    with platform.serving(served(OKTA_APP)) as connect:
        names = {"accountId": ACCOUNT, "token": platform.secret("okta"), **manual}
        client = connect("", "")
        play(read_transcript(HERE / conversation), sent_over_http(client.http, client.base_url), names)


def test_every_recording_of_harness_is_played_exactly_once() -> None:
    played = [record for name in CONVERSATIONS for record in read_transcript(HERE / name).records]
    assert sorted(played) == sorted(RECORDS)
    assert all(json.loads((HERE / name).read_text())["client"] == "harness-profile" for name in CONVERSATIONS)
