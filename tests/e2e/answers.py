"""Records the examples of answers for the reference page.

python -m tests.e2e.answers         play the story and the samples on a new local stack, and write the answers
"""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import requests

from chalicelib.codec.exact_json import dumps, loads
from chalicelib.http.contract import DIRECTORY
from infra.contract.documents import POSTMAN_FILE
from infra.contract.page_documents import Call, Document, merged
from infra.contract.page_samples import request_of
from infra.contract.page_text import laid_out
from infra.contract.postman_story import STORY
from infra.contract.recorded import FILE
from tests.e2e.client import PATIENCE_SECONDS
from tests.e2e.conftest import STACK_SETTINGS
from tests.support.postman import run
from tests.support.stack import running_stack

#: The address that the samples of the page name.
_SHOWN = "localhost:8000"
#: A ticket, whose random part the page does not show: tools that look for secrets would find it.
_TICKET = re.compile(r"\boet_\w+")
_SHOWN_TICKET = "oet_aTicketForOneSocket"


def main() -> int:
    with tempfile.TemporaryDirectory() as state_dir, running_stack(Path(state_dir), STACK_SETTINGS) as stack:
        answers = record(stack.endpoints["http"])
    FILE.write_text(laid_out(answers) + "\n")
    print(f"{sum(map(len, answers.values()))} answers recorded. Now: make contract")
    return 0


def record(base: str) -> dict[str, dict[str, Any]]:
    """The longest answer of each call with each status, of the story and of the samples of the other calls."""
    documents = (loads((DIRECTORY / name).read_text()) for name in ("openapi.json", "asyncapi.json"))
    document = merged(*documents)
    ids, found = {call.name: call.id for call in document.calls()}, dict[str, dict[str, Any]]()
    calls = {step.name: step.call for step in STORY}
    for done in run(json.loads((DIRECTORY / POSTMAN_FILE).read_text()), baseUrl=base):
        if done.failures:
            raise SystemExit(f"{done.name}: {done.failures}")
        _keep(found, base, ids[calls[done.name]], done.answer)
    for call in document.calls():
        if call.id not in found and not {"Contract", "Page"} & set(call.operation["tags"]):
            _keep(found, base, call.id, _sent(document, call, base))
    return found


def _sent(document: Document, call: Call, base: str) -> requests.Response:
    sample = request_of(document, call)
    return requests.request(
        sample.method,
        base + sample.path,
        params=dict(sample.query),
        headers=dict(sample.headers),
        json=None if sample.body is None else json.loads(laid_out(sample.body)),
        timeout=PATIENCE_SECONDS,
    )


def _keep(found: dict[str, dict[str, Any]], base: str, call: str, answer: requests.Response) -> None:
    text, status = answer.text.replace(base.partition("://")[2], _SHOWN), str(answer.status_code)
    text = _TICKET.sub(_SHOWN_TICKET, text)
    known = found.setdefault(call, {})
    known[status] = max(known.get(status), loads(text), key=lambda body: len(dumps(body)))


if __name__ == "__main__":
    sys.exit(main())
