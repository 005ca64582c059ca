# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The container of the database server: Docker only, no SQL.

The service and the manager use it.
"""

from collections.abc import Mapping
import dataclasses
import datetime
import hashlib
import json
import os
from typing import Any

import docker
from docker import errors as docker_errors
from oslo_log import log as logging

from trove.common import constants
from trove.guestagent.utils import docker as trove_docker

from trove_pxc import exceptions
from trove_pxc.galera import serverlog

LOG = logging.getLogger(__name__)

NAME = 'database'  # as Trove names it
_HELPER = 'database-helper'
_LABEL = 'trove-pxc.specification'
_LOGS = {'max-size': '20m', 'max-file': '3'}


@dataclasses.dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the guest that is mounted in the container.

    :ivar required: True: the container does not start while the folder is
        missing (a volume that is not mounted yet). False: Docker creates it
        (a folder in memory, after a reboot).
    """

    source: str
    target: str
    read_only: bool = False
    required: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Specification:
    """How to create the container; it holds no secret.

    :ivar user: 'uid:gid' of the server.
    :ivar stop_seconds: how long a clean stop may take before Docker kills
        the server.
    """

    image: str
    user: str
    entrypoint: tuple[str, ...]
    mounts: tuple[Mount, ...]
    stop_seconds: int
    isolated_network: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What Docker reports for the container at one moment.

    :ivar status: as Docker reports it, or 'absent'.
    :ivar started_at: time of the last start, in UTC, as Docker writes it.
    :ivar restarts: restarts by Docker since the last start by the agent.
    """

    status: str
    exit_code: int | None = None
    started_at: str = ''
    restarts: int = 0
    error: str = ''

    @property
    def running(self) -> bool:
        return self.status == 'running'

    @property
    def in_restart_loop(self) -> bool:
        return self.status == 'restarting'

    def seconds_up(self, now: datetime.datetime) -> float:
        """Seconds since the last start; Docker writes nanoseconds and a Z."""
        started = datetime.datetime.fromisoformat(self.started_at[:19])
        return (now - started.replace(
            tzinfo=datetime.timezone.utc)).total_seconds()

    @property
    def at_work(self) -> bool:
        """Whether the server runs, or Docker is about to start it."""
        return self.status in ('running', 'restarting', 'paused')


def isolated_network() -> bool:
    """Whether Trove gave the guest a port that only the container uses."""
    return os.path.exists(constants.ETH1_CONFIG_PATH)


Client = docker.DockerClient


class DatabaseContainer:
    """The container of the member's server."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def ensure_image(self, image: str) -> None:
        """Pull the image from the registry if the guest does not have it.

        :raises trove_pxc.exceptions.ImageUnusable: if that fails.
        """
        try:
            self._client.images.get(image)
            return
        except docker_errors.ImageNotFound:
            LOG.info('Pulling the database image %s', image)
        repository, _, tag = image.rpartition(':')
        try:
            self._client.images.pull(repository, tag=tag)
        except docker_errors.APIError as error:
            raise exceptions.ImageUnusable(
                f'the database image {image} is not in the guest, and '
                'Docker cannot pull it from a registry: '
                f'{error.explanation or error}. '
                'Check docker_image and the datastore version\'s name, or '
                'add the image to the guest image.') from error

    def ensure_created(self, specification: Specification) -> None:
        """Create the container, without starting it; replace another one."""
        wanted = self._fingerprint(specification)
        present = self._get()
        if present is not None:
            if present.labels.get(_LABEL) == wanted:
                return
            LOG.info('Recreating the container %s: its image or its '
                     'mounts changed', NAME)
            present.stop(timeout=specification.stop_seconds)
            present.remove(v=True, force=True)
        self._create(specification, wanted)

    def start(self) -> None:
        """Start the container if it does not run.

        :raises trove_pxc.exceptions.ServerStartFailed: with the message of
            Docker.
        """
        try:
            self._client.containers.get(NAME).start()
        except docker_errors.APIError as error:
            raise exceptions.ServerStartFailed(
                f'Docker cannot start the container {NAME}: '
                f'{error.explanation or error}. Look at "docker inspect '
                f'{NAME}" in the guest.') from error

    def stop(self, seconds: int) -> None:
        """Stop it cleanly; kill it after so many seconds."""
        present = self._get()
        if present is not None:
            present.stop(timeout=seconds)

    def remove(self) -> None:
        """Remove it, even if it runs; the data is not removed."""
        present = self._get()
        if present is not None:
            present.remove(v=True, force=True)

    def look(self) -> Seen:
        """The state of the container."""
        present = self._get()
        if present is None:
            return Seen('absent')
        state: Mapping[str, Any] = present.attrs['State']
        return Seen(
            status=str(state['Status']),
            exit_code=int(state['ExitCode']),
            started_at=str(state['StartedAt']),
            restarts=int(present.attrs.get('RestartCount', 0)),
            error=str(state.get('Error', '')))

    def last_lines(self, number: int) -> list[str]:
        """The end of the server's log."""
        present = self._get()
        if present is None:
            return []
        text: bytes = present.logs(tail=number)
        return text.decode(errors='replace').splitlines()

    def programs(self) -> list[str]:
        """The command lines of its processes; [] if they are not known."""
        present = self._get()
        if present is None:
            return []
        try:
            listed: Mapping[str, Any] = present.top()
        except docker_errors.APIError as error:
            LOG.debug('Cannot list the processes of %s: %s', NAME, error)
            return []
        return [str(row[-1]) for row in listed['Processes'] or ()]

    def run_helper(self, specification: Specification, word: str) -> str:
        """Run the start program once with a word, without a network.

        :returns: what it printed, on both outputs.
        :raises trove_pxc.exceptions.ServerStartFailed: if it failed.
        """
        self._remove_helper()
        try:
            helper = self._client.containers.create(
                specification.image, name=_HELPER, command=[word],
                entrypoint=list(specification.entrypoint),
                user=specification.user, network_mode='none',
                volumes=binds(specification.mounts),
                mounts=mounts(specification.mounts),
                healthcheck={'test': ['NONE']})
            helper.start()
            code = helper.wait()['StatusCode']
            text = helper.logs().decode(errors='replace')
        except docker_errors.APIError as error:
            raise exceptions.ServerStartFailed(
                f'Docker cannot run the image {specification.image}: '
                f'{error.explanation or error}') from error
        finally:
            self._remove_helper()
        if code:
            raise exceptions.ServerStartFailed(
                f'"{word}" of the start program ended with {code} in the '
                f'image {specification.image}: '
                f'{serverlog.telling_line(text)}')
        return str(text)

    def _remove_helper(self) -> None:
        try:
            self._client.containers.get(_HELPER).remove(v=True, force=True)
        except docker_errors.NotFound:
            LOG.debug('There is no container %s to remove', _HELPER)

    def _get(self) -> Any:
        try:
            return self._client.containers.get(NAME)
        except docker_errors.NotFound:
            return None

    def _fingerprint(self, specification: Specification) -> str:
        image_id = self._client.images.get(specification.image).id
        plain = json.dumps([image_id, dataclasses.asdict(specification)])
        return hashlib.sha256(plain.encode()).hexdigest()

    def _create(self, specification: Specification,
                fingerprint: str) -> None:
        # The high-level client cannot set the address of a container.
        api = self._client.api
        host_config = api.create_host_config(
            binds=binds(specification.mounts),
            mounts=mounts(specification.mounts),
            restart_policy={'Name': 'unless-stopped'},
            log_config=docker.types.LogConfig(
                type='json-file', config=_LOGS),
            security_opt=['no-new-privileges'],
            network_mode=(constants.DOCKER_NETWORK_NAME
                          if specification.isolated_network else 'host'))
        api.create_container(
            specification.image, name=NAME, user=specification.user,
            entrypoint=list(specification.entrypoint), command=[],
            healthcheck={'test': ['NONE']},
            stop_timeout=specification.stop_seconds,
            labels={_LABEL: fingerprint}, host_config=host_config,
            networking_config=(self._own_address()
                               if specification.isolated_network else None))

    def _own_address(self) -> Any:
        """The network and address of the port that Trove created for it."""
        trove_docker.create_network(
            self._client, constants.DOCKER_NETWORK_NAME)
        with open(constants.ETH1_CONFIG_PATH) as described:
            port = json.load(described)
        addresses = {key: port[key] for key in
                     ('ipv4_address', 'ipv6_address') if port.get(key)}
        api = self._client.api
        return api.create_networking_config({
            constants.DOCKER_NETWORK_NAME:
                api.create_endpoint_config(**addresses)})


def binds(mounts: tuple[Mount, ...]) -> dict[str, dict[str, str]]:
    return {mount.source: {'bind': mount.target,
                           'mode': 'ro' if mount.read_only else 'rw'}
            for mount in mounts if not mount.required}


def mounts(mounts: tuple[Mount, ...]) -> list[docker.types.Mount]:
    return [docker.types.Mount(mount.target, mount.source, type='bind',
                               read_only=mount.read_only)
            for mount in mounts if mount.required]
