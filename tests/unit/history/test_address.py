"""The address in the value of a secret, and the certificates that prove its server."""

import json
from pathlib import Path

import certifi
import pytest
from psycopg.conninfo import conninfo_to_dict

from chalicelib.history import address
from chalicelib.history.address import address_in, check_verified, with_certificates
from chalicelib.history.connection import InvalidAddressError

URL = "postgresql://user:hunter2@db.example.com:6432/orders"
VERIFIED = f"{URL}?sslmode=verify-full"
RDS = {
    "engine": "postgres",
    "host": "db.example.com",
    "port": 6432,
    "dbname": "orders",
    "username": "user",
    "password": "hunter2",
    "dbInstanceIdentifier": "orders-1",
}


@pytest.fixture(autouse=True)
def no_certificates_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)


@pytest.mark.parametrize("secret", [URL, f"{URL}\n", json.dumps({"url": URL}), f" {json.dumps({'url': URL})}"])
def test_a_secret_holds_the_address_as_text_or_as_json(secret: str) -> None:
    assert address_in(secret) == URL


def test_a_secret_of_amazon_rds_is_an_address_that_verifies_the_server() -> None:
    assert conninfo_to_dict(address_in(json.dumps(RDS))) == conninfo_to_dict(VERIFIED)


def test_a_password_of_amazon_rds_may_have_any_character() -> None:
    password = "a b'\\\"@/?#%{}"
    assert conninfo_to_dict(address_in(json.dumps(RDS | {"password": password})))["password"] == password


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("", "is not the address of a database"),
        ("hunter2", "is not the address of a database"),
        ('{"url": "hunter2"}', "is not the address of a database"),
        ("{hunter2", "is neither the address of a database nor JSON"),
        ('{"username": "user", "password": "hunter2"}', "has neither url nor dbname, host$"),
        (json.dumps(RDS | {"host": None}), "has neither url nor host$"),
    ],
)
def test_a_secret_without_an_address_is_refused_without_showing_it(secret: str, why: str) -> None:
    with pytest.raises(InvalidAddressError, match=why) as refused:
        address_in(secret)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("parameters", ["", "?sslmode=require", "?sslmode=verify-ca", "?sslrootcert=system"])
def test_an_address_that_leaves_the_server_unproved_is_refused_with_what_to_write(parameters: str) -> None:
    with pytest.raises(InvalidAddressError, match=r"write sslmode=verify-full, as in .*/name\?sslmode=verify-full$"):
        check_verified(f"{URL}{parameters}")
    check_verified(VERIFIED)


@pytest.mark.parametrize("parameters", ["", "&sslrootcert=system"])
def test_public_authorities_prove_the_server_by_default(parameters: str) -> None:
    parts = conninfo_to_dict(with_certificates(VERIFIED + parameters))
    assert parts == conninfo_to_dict(VERIFIED) | {"sslrootcert": certifi.where()}


def test_certificates_in_the_package_replace_the_public_authorities(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packed, given = tmp_path / "packed.pem", tmp_path / "given.pem"
    monkeypatch.setattr(address, "OWN_CERTIFICATES", packed)
    assert conninfo_to_dict(with_certificates(VERIFIED))["sslrootcert"] == certifi.where()
    packed.touch()
    assert conninfo_to_dict(with_certificates(VERIFIED))["sslrootcert"] == str(packed)
    assert conninfo_to_dict(with_certificates(VERIFIED, given))["sslrootcert"] == str(given)


def test_an_address_that_names_its_certificates_or_verifies_nothing_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for url in (URL, f"{URL}?sslmode=require", f"{VERIFIED}&sslrootcert=/etc/ca.pem"):
        assert with_certificates(url) == url
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/ca.pem")
    assert with_certificates(VERIFIED) == VERIFIED
