"""Values as attributes of items, without loss."""

from decimal import Context, Decimal

from hypothesis import given, strategies

from chalicelib.domain.money import MAX_BASE_UNITS, to_base_units, to_human_units
from chalicelib.ports.streams import Subscriber
from chalicelib.stores.models import DecimalAttribute
from chalicelib.stores.subscribers import from_set, to_set

#: DynamoDB's numbers: 38 significant digits.
DYNAMODB = Context(prec=38)
attribute = DecimalAttribute()


@given(strategies.decimals(allow_nan=False, allow_infinity=False, min_value=0, max_value=10**20, places=18))
def test_a_decimal_survives_the_round_trip_unchanged(number: Decimal) -> None:
    text = attribute.serialize(number)
    assert attribute.deserialize(text) == number
    assert attribute.deserialize(text).as_tuple() == number.as_tuple()
    assert "E" not in text.upper()


@given(strategies.integers(0, MAX_BASE_UNITS), strategies.integers(0, 9))
def test_every_token_amount_fits_into_a_dynamodb_number(base_units: int, decimals: int) -> None:
    text = attribute.serialize(to_human_units(base_units, decimals))
    number = attribute.deserialize(text)
    assert DYNAMODB.create_decimal(text) == number, "more digits than DynamoDB keeps"
    assert to_base_units(number, decimals) == base_units


@given(
    strategies.frozensets(
        strategies.builds(Subscriber, strategies.text(min_size=1), strategies.booleans(), strategies.booleans())
    )
)
def test_a_subscriber_with_any_connection_id_survives_the_round_trip(subscribers: frozenset[Subscriber]) -> None:
    assert len(to_set(subscribers)) == len(subscribers)
    assert from_set(to_set(subscribers)) == subscribers
