"""The composition root: it builds an engine on the real adapters without a call to AWS or PostgreSQL."""

from chalicelib.adapters import connect
from chalicelib.bootstrap import build_engine
from tests.contract.stores.aws import settings


def test_an_engine_is_built_on_the_real_adapters() -> None:
    assert build_engine(settings(), connect(settings())).settings == settings()
