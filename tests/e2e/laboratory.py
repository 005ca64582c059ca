# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The lab as end-to-end tests use it: its program and Trove's API.

Every test of this folder imports it. The lab has to be up; "tox -e e2e" starts
it, and ``tests.e2e.labs`` selects the lab.
"""

from collections.abc import Iterable, Iterator, Mapping
import contextlib
import json
import os
import subprocess
import time
from typing import Any
import unittest

from lab import api
from lab.cloud import seed
from lab import errors
from lab import home as lab_home
from lab import sql as lab_sql
from lab import waiting
from tests.e2e import labs

Record = dict[str, Any]

TOP = labs.TOP
PROGRAM = labs.PROGRAM
NETWORK = seed.NETWORK_ID
DATASTORE = 'mariadb'
VERSION = '10.11'
FLAVOR = '2'
READY_TIMEOUT = 300
DELETE_TIMEOUT = 30
#: "show" asks all members, which takes a tenth of a second of a core.
SHOW_INTERVAL = 1
GOOD = ('ACTIVE', 'HEALTHY')
BAD = ('ERROR', 'FAILED')


class Refused(Exception):
    """A command ended with an error; its text is the error output."""


_LABS = labs.Labs(os.environ)


def home() -> lab_home.Home:
    """The home of this process's lab."""
    _LABS.claim()
    return lab_home.Home.from_environment()


def lab(*words: str, timeout: float = 180) -> str:
    """Run ``lab/lab`` and return its output.

    :raises Refused: with its error output
    """
    return _run(words, timeout).stdout


def lab_error_output(*words: str, timeout: float = 180) -> str:
    """Run ``lab/lab`` and return its progress messages."""
    return _run(words, timeout).stderr


def _run(words: Iterable[str],
         timeout: float) -> subprocess.CompletedProcess[str]:
    _LABS.claim()
    done = subprocess.run([str(PROGRAM), *words], capture_output=True,
                          text=True, timeout=timeout)
    if done.returncode:
        raise Refused((done.stderr or done.stdout).strip())
    return done


def openstack(*words: str) -> str:
    """Run the ordinary client against the lab's Trove."""
    return lab('openstack', *words)


def openstack_json(*words: str) -> Any:
    return json.loads(openstack(*words, '-f', 'json'))


@contextlib.contextmanager
def own_options(name: str, text: str) -> Iterator[None]:
    """Run the taskmanager with additional options while the block runs.

    :param name: of the file that contains them meanwhile.
    """
    path = home().own_options / f'{name}.conf'
    path.write_text(text)
    try:
        _restart_taskmanager()
        yield
    finally:
        path.unlink()
        _restart_taskmanager()


def _restart_taskmanager() -> None:
    for what in ('kill', 'start'):
        lab('service', what, 'taskmanager')


def use_options(tests: type[unittest.TestCase], name: str,
                text: str) -> None:
    """The same for all tests of a class."""
    options = contextlib.ExitStack()
    tests.addClassCleanup(options.close)
    options.enter_context(own_options(name, text))


def status() -> Record:
    return dict(json.loads(lab('status', '--json')))


def member_option(flavor: str = FLAVOR, volume: int | None = 1,
                  network: str = NETWORK) -> str:
    """One value of the client's ``--instance``."""
    size = '' if volume is None else f'volume={volume},'
    return f"flavor={flavor},{size}nic='net-id={network}'"


def create_cluster(name: str, members: Iterable[str] | None = None,
                   version: str = VERSION,
                   datastore: str = DATASTORE) -> str:
    """Request a cluster, by default of three equal members; its ID."""
    words = ['database', 'cluster', 'create', name, datastore, version]
    for member in members or [member_option()] * 3:
        words += ['--instance', member]
    return str(openstack_json(*words)['id'])


def wait_ready(cluster_id: str, timeout: float = READY_TIMEOUT) -> Record:
    """Wait until the cluster has no task and all members are active.

    :raises AssertionError: a member is in error, with its fault
    """
    def ready() -> Record:
        cluster = api.cluster(home(), cluster_id)
        states = {member['name']: member['status']
                  for member in cluster['instances']}
        broken = [member for member in cluster['instances']
                  if member['status'] in BAD]
        if broken:
            raise AssertionError(f'{states}: {_fault(broken[0]["id"])}')
        if (cluster['task']['name'] == 'NONE'
                and all(state in GOOD for state in states.values())):
            return cluster
        raise waiting.NotYet(f'task {cluster["task"]["name"]}, {states}')

    return waiting.until(f'cluster {cluster_id} to be ready', ready,
                         timeout, SHOW_INTERVAL)


def wait_instance(instance_id: str, timeout: float = READY_TIMEOUT) -> Record:
    """Wait until a single instance is active."""
    def ready() -> Record:
        instance = api.instance(home(), instance_id)
        if instance['status'] in BAD:
            raise AssertionError(_fault(instance_id))
        if instance['status'] in GOOD:
            return instance
        raise waiting.NotYet(instance['status'])

    return waiting.until(f'instance {instance_id} to be ready', ready,
                         timeout, SHOW_INTERVAL)


def delete_cluster(cluster_id: str,
                   timeout: float = DELETE_TIMEOUT) -> float:
    """Delete a cluster and wait until Trove no longer has it.

    :returns: the seconds that it took
    """
    began = time.monotonic()
    openstack('database', 'cluster', 'delete', cluster_id)
    wait_gone(f'/clusters/{cluster_id}', timeout)
    return time.monotonic() - began


def wait_gone(path: str, timeout: float = DELETE_TIMEOUT) -> None:
    """Wait until Trove answers 404 to a GET of the path."""
    def gone() -> bool:
        try:
            answer = api.get(home(), path)
        except errors.LabError as error:
            if '404' in str(error):
                return True
            raise
        raise waiting.NotYet(str(answer)[:300])

    waiting.until(f'{path} to be gone', gone, timeout, 0.5)


def sql(member: str, statement: str) -> list[list[str]]:
    """Run a statement on a member's server; rows of columns as text.

    :raises Refused: with the message of the server
    """
    try:
        printed = lab_sql.text(home(), member, statement)
    except errors.LabError as error:
        raise Refused(f'{member}: {error}') from error
    return [line.split('\t') for line in printed.splitlines()]


def wsrep(member: str) -> Mapping[str, str]:
    """The status variables of Galera on a member's server."""
    return {row[0]: row[1] if len(row) > 1 else ''
            for row in sql(member, "SHOW GLOBAL STATUS LIKE 'wsrep_%'")}


def uptime(member: str) -> int:
    """Seconds since the start of the member's server."""
    return int(sql(member, "SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1])


def wait_agreement(members: Iterable[str], uuid: str | None = None,
                   timeout: float = 60) -> str:
    """Wait until all members report one healthy cluster of their number.

    :param uuid: the expected cluster; None: any, but one
    :returns: its UUID
    """
    names = list(members)

    def agreed() -> str:
        told = {}
        for name in names:
            with not_yet(name):
                told[name] = wsrep(name)
        wrong = [
            f'{name}: {status.get("wsrep_cluster_size")} '
            f'{status.get("wsrep_cluster_status")} '
            f'{status.get("wsrep_local_state_comment")}'
            for name, status in told.items()
            if status.get('wsrep_cluster_size') != str(len(names))
            or status.get('wsrep_cluster_status') != 'Primary'
            or status.get('wsrep_local_state_comment') != 'Synced']
        if wrong:
            raise waiting.NotYet('; '.join(wrong))
        uuids = {status['wsrep_cluster_state_uuid']
                 for status in told.values()}
        if len(uuids) != 1 or (uuid is not None and uuids != {uuid}):
            raise AssertionError(f'cluster UUIDs {uuids}, expected {uuid}')
        return uuids.pop()

    return waiting.until(f'{names} to agree', agreed, timeout, 0.5)


@contextlib.contextmanager
def not_yet(who: str) -> Iterator[None]:
    """A command that is refused now may succeed later."""
    try:
        yield
    except Refused as refused:
        raise waiting.NotYet(f'{who}: {refused}') from refused


def _fault(instance_id: str) -> str:
    instance = api.instance(home(), instance_id)
    fault = instance.get('fault') or {}
    return (f'{instance["name"]} is in error: '
            f'{fault.get("message", "no fault")}')
