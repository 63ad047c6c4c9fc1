"""Ports of a local stack: given ports are used, all are different, and an invalid one is named."""

import socket

import pytest

from infra.local import ports
from infra.local.config import config_from
from infra.local.errors import LocalStackError
from infra.settings import InvalidSettingError

ANY = {"PORT": "0", "AWS_PORT": "0", "POSTGRES_PORT": "0"}


def test_free_ports_are_different_ones_even_if_the_system_offers_one_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    offers = iter([4001, 4001, 4002, 4001, 4002, 4003])
    monkeypatch.setattr(ports, "bound", lambda *_: next(offers))
    asked = config_from(ANY)
    assert (asked.port, asked.aws_port, asked.postgres_port) == (4001, 4002, 4003)


def test_a_port_that_is_given_twice_is_refused() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with pytest.raises(LocalStackError, match=f"Port {port} is for the front door: choose another with AWS_PORT"):
        config_from({**ANY, "PORT": port, "AWS_PORT": port})


@pytest.mark.parametrize("name", ANY)
@pytest.mark.skipif(not ports.has_ipv6(), reason="this machine has no IPv6")
def test_a_port_that_another_server_has_on_the_ipv6_address_alone_is_in_use(name: str) -> None:
    with socket.socket(socket.AF_INET6) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind(("::1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalStackError, match=f"Port {port} .* cannot be used .*{name}="):
            config_from({**ANY, name: str(port)})


@pytest.mark.parametrize("given", ["x", "-1", "65536", "80.5", "\u0668\u0660", "8_0", " 80"])
def test_a_value_that_is_not_a_port_is_refused_by_its_name(given: str) -> None:
    with pytest.raises(InvalidSettingError, match=f"POSTGRES_PORT={given} is not a port"):
        config_from({**ANY, "POSTGRES_PORT": given})
