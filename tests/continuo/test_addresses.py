"""Which addresses are of the internet, however they are written; one is asked at the number that was checked."""

import socket
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from continuo.errors import InputError
from continuo.protection.addresses import direct, is_public, number_of, numbers_of

FOURS = st.integers(0, 2**32 - 1).map(IPv4Address)


@pytest.mark.parametrize("number", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_an_address_of_the_internet_is_public(number: str) -> None:
    assert is_public(number)


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:db8::1", "::127.0.0.1", "fd00:ec2::254",
        "100.100.100.200", "192.0.0.192", "168.63.129.16", "::ffff:168.63.129.16", "64:ff9b:1::1", "fec0::1", "4000::1",
    ],
)  # fmt: skip
def test_an_address_of_the_inside_of_a_network_is_not(number: str) -> None:
    assert not is_public(number)


@given(FOURS)
def test_an_address_is_public_in_version_6_only_as_it_is_in_version_4(four: IPv4Address) -> None:
    assert is_public(f"::ffff:{four}") == is_public(str(four))
    inside = (f"::{four}", f"64:ff9b::{four}", str(IPv6Address((0x2002 << 112) | (int(four) << 80))))
    assert [is_public(number) for number in inside] == [False] * 3


@given(FOURS)
def test_no_public_address_is_private_loopback_link_local_multicast_or_reserved(four: IPv4Address) -> None:
    inside = four.is_private or four.is_loopback or four.is_link_local or four.is_multicast or four.is_reserved
    assert not (is_public(str(four)) and inside)


@given(FOURS)
def test_a_number_is_known_however_it_is_written(four: IPv4Address) -> None:
    number = int(four)
    first, rest = number >> 24, number & 0xFFFFFF
    parts = [int(part) for part in str(four).split(".")]
    octal = ".".join(f"0{part:o}" for part in parts)
    written = [str(four), str(number), hex(number), f"{first}.{rest}", f"0x{first:x}.{rest}", octal]
    assert {number_of(host) for host in written} == {str(four)}


@pytest.mark.parametrize("host", ["example.com", "localhost", "1.2.3.4.example", "", "münchen.example"])
def test_a_name_is_no_number(host: str) -> None:
    assert number_of(host) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_what_is_inside_is_seen_when_it_is_asked_for_and_given_where_it_is_allowed(host: str) -> None:
    url = urlsplit(f"https://{host}/x")
    with pytest.raises(InputError, match="which is no public address"):
        await numbers_of(url)
    assert not any(map(is_public, await numbers_of(url, private=True)))


async def test_a_host_without_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(InputError, match=r"nowhere.example has no address"):
        await numbers_of(urlsplit("https://nowhere.example"))


def test_a_request_goes_to_the_number_by_the_hosts_own_name() -> None:
    request = direct(urlsplit("https://hook.example/a?b=1#c"), "2606:2800::1")
    assert request.url == "https://[2606:2800::1]:443/a?b=1"
    assert (request.headers, request.extensions) == ({"Host": "hook.example"}, {"sni_hostname": "hook.example"})
    assert direct(urlsplit("http://hook.example:8000"), "1.2.3.4").url == "http://1.2.3.4:8000"
