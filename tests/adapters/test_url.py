"""What gateways say about a path and a host, and what is made of it."""

from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimcore.adapters.url import base_url, encoded

SEGMENTS = st.lists(st.text(), min_size=1, max_size=4)


@given(segments=SEGMENTS, prefix=st.sampled_from([b"", b"/scim/v2", b"/a%20b", b"http://example.com/x"]))
def test_a_path_keeps_the_encoding_of_the_request_line(segments: list[str], prefix: bytes) -> None:
    path = "".join("/" + quote(segment, safe="") for segment in segments)
    assert encoded(unquote_to_bytes(path), prefix + path.encode()) == path


@given(segments=SEGMENTS)
def test_a_path_without_a_raw_one_is_encoded_anew(segments: list[str]) -> None:
    path = "".join("/" + segment for segment in segments).encode()
    assert unquote_to_bytes(encoded(path, b"")) == path


@pytest.mark.parametrize(
    ("path", "raw", "expected"),
    [
        pytest.param(b"/Users/a b", b"/other/%20", "/Users/a%20b", id="the raw path is another"),
        pytest.param(b"/Users", b"/Us%65rs", "/Us%65rs", id="encoded without need"),
        pytest.param(b"/100%", b"/100%", "/100%", id="a percent sign that encodes nothing stays"),
        pytest.param(b"", b"/scim%20v2", "", id="the mount point itself"),
        pytest.param("/é".encode(), "/é%C3".encode("latin-1"), "/%C3%A9", id="octets that no URL may hold"),
        pytest.param(b"/a:b@c,d", b"", "/a:b@c,d", id="characters that need no encoding"),
    ],
)
def test_a_path_is_what_the_client_meant(path: bytes, raw: bytes, expected: str) -> None:
    assert encoded(path, raw) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("scim.example.com", "https://scim.example.com/v2"),
        ("scim.example.com:8443", "https://scim.example.com:8443/v2"),
        ("my_service:80", "https://my_service:80/v2"),
        ("[2001:db8::1]:80", "https://[2001:db8::1]:80/v2"),
        (None, "https://10.0.0.1:8000/v2"),
        ("", "https://10.0.0.1:8000/v2"),
        ("a, b", "https://10.0.0.1:8000/v2"),
        ("a\n", "https://10.0.0.1:8000/v2"),
        ("user@evil.example", "https://10.0.0.1:8000/v2"),
        ("evil.example/path", "https://10.0.0.1:8000/v2"),
        ("evil.example:80:80", "https://10.0.0.1:8000/v2"),
        ("evil.example?", "https://10.0.0.1:8000/v2"),
        ("<script>", "https://10.0.0.1:8000/v2"),
    ],
)
def test_a_host_that_is_no_host_gives_way_to_the_address_of_the_server(host: str | None, expected: str) -> None:
    assert base_url("https", host, "10.0.0.1", 8000, b"/v2") == expected


@pytest.mark.parametrize(
    ("server", "port", "expected"),
    [
        ("::1", 80, "http://[::1]:80"),
        ("/run/scim.sock", None, "http://localhost"),
        (None, None, "http://localhost"),
    ],
)
def test_a_server_without_an_address_is_localhost(server: str | None, port: int | None, expected: str) -> None:
    assert base_url("http", None, server, port, b"/") == expected


def test_a_mount_point_is_encoded() -> None:
    assert base_url("http", "h", None, None, "/kunde ü".encode()) == "http://h/kunde%20%C3%BC"
