"""Deployments over one another, and back, while orders are in flight and others are accepted."""

import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2

from infra.aws.package import package
from infra.aws.stack import DeploymentError
from infra.local import caddy
from infra.local.app import LocalApp, deploy_app
from infra.local.config import LocalConfig
from infra.project import BUILD
from infra.settings import parameters_from
from tests.faults.app_versions import INDEX, ROUTE, SETTING, Version, Versions
from tests.faults.durations import distribution
from tests.faults.effort import Effort
from tests.faults.followers import Followers
from tests.faults.order_flow import OrderFlow, Posted, accepted
from tests.faults.processes import UNAVAILABLE, part_of
from tests.faults.result import Result
from tests.faults.stack_under_test import DEFAULT_TIMES, StackUnderTest, a_stack_under_test, is_terminal
from tests.faults.trials.kills import an_order_of_any_kind, judge_cancels, lives_of
from tests.faults.trials.messages import wait_until_empty

_USER = "updated"
#: Orders that are not over when a deployment begins.
_IN_FLIGHT = 200
#: Every so many orders have a client on a socket.
_FOLLOWED = 5
_PATIENCE_SECONDS = 1800
_MAX_FILLS = 10
_ROUNDS = 2


def updates(_: Effort) -> Result:
    """Deploy other versions over one another while orders are in flight, have one fail, and return to the first.

    The emulator ends running invocations at an update, where AWS lets them finish: that may lose nothing either.
    There are 200 orders in flight at each of 14 deployments, whatever the effort.
    """
    result = Result("updated and rolled back under load", skipped=UNAVAILABLE)
    if result.skipped:
        return result
    settings = {**DEFAULT_TIMES, "VENUE_TIME_SCALE": "1"}
    with a_stack_under_test(settings) as site, tempfile.TemporaryDirectory() as directory:
        versions = Versions(package("local", BUILD / "local", dependencies=False), Path(directory))
        _Trial(site, settings, result).run(_sequence(versions))
    return result


def _sequence(versions: Versions) -> Iterator[Version]:
    for number in range(1, _ROUNDS + 1):
        yield from (versions.code(number), versions.route(number), versions.index(number), versions.setting(number))
        yield from (versions.everything(number), versions.failing(number), versions.base)


class _Trial:
    def __init__(self, site: StackUnderTest, settings: Mapping[str, str], result: Result) -> None:
        self._settings = settings
        self._site, self._result = site, result
        ports = {name: urlsplit(site.stack.endpoints[name]).port or 0 for name in ("http", "aws")}
        self._config = LocalConfig(site.stack.state_dir, ports["http"], ports["aws"], 0, None, None, {}, {})
        self._flow = OrderFlow(site.client, an_order_of_any_kind, seed=14, clients=6, mean_pause_seconds=2)
        self._followers = Followers(site.client.ws, _PATIENCE_SECONDS)
        self._posted: list[Posted] = []
        self._seconds: list[float] = []
        self._present: Version | None = None

    def run(self, versions: Iterator[Version]) -> None:
        with self._flow.running():
            for version in versions:
                self._fill()
                self._update(version)
        began = time.monotonic()
        posted = [*self._posted, *self._flow.posted]
        ids = accepted(posted)
        unanswered = [one for one in posted if one.unanswered]
        self._result.violations += [f"key {one.key} is not answered: {one.answer}" for one in unanswered]
        refused = Counter(one.answer[:3] for one in posted if one.refused)
        self._result.notes.append(f"{len(ids)} orders accepted; refused, such as after their expiry: {dict(refused)}")
        self._site.wait_until_finalized(ids)
        self._result.recovered(time.monotonic() - began)
        judge_cancels(posted, lives_of(self._site, posted), self._result)
        self._judge_streams()
        wait_until_empty(self._site, "DEAD_LETTERS", self._result)
        self._site.judge(ids, self._result)
        self._site.examine(self._result, len(posted))
        self._result.notes.append(f"{len(self._seconds)} deployments: {distribution(self._seconds)}")

    def _fill(self) -> None:
        """Place orders until enough of them are in flight, and follow some."""
        for _ in range(_MAX_FILLS):
            if (wanted := _IN_FLIGHT - self._count_in_flight()) <= 0:
                return
            # Some end while others are placed.
            requests = [Posted(str(uuid4()), {"userId": _USER}) for _ in range(wanted + _IN_FLIGHT // 4)]
            list(self._site.threads.map(lambda one: one.post_until_answered(self._site.client), requests))
            self._posted += requests
            for order_id in accepted(requests)[::_FOLLOWED]:
                self._followers.follow(order_id)

    def _count_in_flight(self) -> int:
        ids = [*accepted(self._posted), *self._flow.accepted]
        return sum(not is_terminal(item) for item in self._site.items(ids).values())

    def _update(self, version: Version) -> None:
        before, flowed, began = self._count_in_flight(), len(self._flow.accepted), time.monotonic()
        parameters = parameters_from(self._settings, local=True) | version.parameters
        config = LocalConfig(**{**vars(self._config), "parameters": parameters})
        try:
            app = deploy_app(config, version.package, self._site.stack.endpoints["postgres"])
        except DeploymentError as error:
            if not version.fails:
                self._result.violations.append(f"{version.name} is not deployed: {error}")
        else:
            if version.fails:
                self._result.violations.append(f"{version.name} is deployed, and CloudFormation had to refuse it")
            self._lead_to(app)
            self._present = version
        self._seconds.append(time.monotonic() - began)
        during, after = len(self._flow.accepted) - flowed, self._count_in_flight()
        self._result.faults += 1
        times = f"{self._seconds[-1]:.1f} s"
        self._result.notes.append(f"{version.name}: {times}, {before} in flight, {during} accepted, then {after}")
        if self._present:
            self._expect(self._present)

    def _lead_to(self, app: LocalApp) -> None:
        """Lead the front door to the API, whose address the emulator changes with its routes; AWS keeps it."""
        assert self._site.stack.launcher is not None
        caddy.configure(self._config, app)
        door = part_of(self._site.stack.launcher.pid, "/caddy run")
        assert door is not None
        os.kill(door.pid, signal.SIGUSR1)

    def _expect(self, version: Version) -> None:
        """Expect the deployed version to be the one that runs, with everything that belongs to it."""
        found: dict[str, Any] = {}
        wanted = {
            "version": version.reported,
            "route": version.has_route,
            "index": version.has_index,
            "setting": version.parameters.get(SETTING.parameter, ""),
        }

        def is_present() -> bool:
            site = self._site
            health = site.client.get("/health")
            found["version"] = health.json().get("version") if health.status_code == 200 else health.text
            # The contract, which the client holds every answer against, has no such call.
            found["route"] = httpx2.get(site.client.http + ROUTE, timeout=30).status_code == 200
            table = site.orders.meta.client.describe_table(TableName=site.orders.name)["Table"]
            found["index"] = any(index["IndexName"] == INDEX for index in table["GlobalSecondaryIndexes"])
            handler = site.functions.get_function_configuration(FunctionName=site.function_name("RunLooks"))
            found["setting"] = handler["Environment"]["Variables"][SETTING.env]
            return found == wanted

        if not self._site.wait_until(is_present):
            self._result.violations.append(f"{version.name}: {found} instead of {wanted}")

    def _judge_streams(self) -> None:
        followers = self._followers.finished()
        for follower in followers:
            self._result.violations += follower.violations
            listed = self._site.client.get(f"/api/orders/{follower.order_id}/events").json()["events"]
            if follower.events != listed:
                self._result.violations.append(f"{follower.order_id}: {len(follower.events)} of {len(listed)} events")
        cuts = sum(follower.cuts for follower in followers)
        self._result.notes.append(f"{len(followers)} orders followed on sockets, cut {cuts} times; every event came")
