"""The documents of the contract as they are committed and served."""

import json
from typing import Any

from chalicelib.streaming.actions import ACTIONS
from infra.aws.front_door import rules
from infra.contract.asyncapi import asyncapi
from infra.contract.llms import llms
from infra.contract.openapi import Routes, openapi
from infra.contract.page import page
from infra.contract.page_documents import merged
from infra.contract.postman import postman
from infra.contract.recorded import recorded_answers

#: The collection is for people who have the sources, and is not served.
POSTMAN_FILE = "../../docs/postman_collection.json"


def documents(routes: Routes) -> dict[str, str]:
    """The text of each document by the name of its file; ``routes`` are those of the app.

    :raises UndescribedError: for a part of the contract without words.
    """
    http, stream = openapi(routes), asyncapi(rules().streams, list(ACTIONS))
    both = merged(http, stream)
    return {
        "openapi.json": _text(http),
        "asyncapi.json": _text(stream),
        "docs.html": page(both, recorded_answers()),
        "llms.txt": llms(both),
        POSTMAN_FILE: postman(both),
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
