"""The composition root: an engine on the real adapters, of which nothing is called before it is needed."""

from chalicelib.bootstrap import build_engine, connect
from tests.contract.stores.aws import settings


def test_an_engine_is_built_on_the_real_outside() -> None:
    assert build_engine(settings(), connect(settings())).settings == settings()
