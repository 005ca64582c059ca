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

"""Changes the server and the volume of a member that is stopped.

Imported by resize. Trove's own methods sleep for fixed times, restart the
database with Trove's templates, and cannot be resumed. These steps check the
state first, and report the last state of Nova or Cinder.
"""

from collections.abc import Callable
import dataclasses
from typing import Any

from novaclient import exceptions as nova_exceptions
from trove.common import cfg

from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import rolling
from trove_pxc import waiting

CONF = cfg.CONF

Member = members.Member
Rolling = rolling.Rolling

_HAS_ANOTHER = 'VERIFY_RESIZE'


def _server(member: Member) -> Any:
    """Get the server of a member.

    :raises MemberFailed: if the server is in an error state.
    """
    server_id = member.row().compute_instance_id
    member.check_server(server_id)
    return member.nova.servers.get(server_id)


def _ask(change: Callable[[], object]) -> None:
    """Request a change from Nova; the caller checks the state before, again.

    A request whose answer was lost may still be in progress. Then Nova
    refuses a second one with 409, or with 404 for a detached volume.
    """
    try:
        change()
    except (nova_exceptions.Conflict, nova_exceptions.NotFound) as refusal:
        raise waiting.NotYet(
            f'Nova refuses the request now: {refusal}') from refusal


def _has_flavor(server: Any, flavor: Any) -> bool:
    """Compare by name, as Nova returns no id since microversion 2.47."""
    shown = server.flavor
    if 'original_name' in shown:
        return bool(shown['original_name'] == flavor.name)
    return str(shown['id']) == str(flavor.id)


def _flavor(operation: Rolling, member: Member) -> Any:
    """The new flavor."""
    return operation.found.flavor or member.nova.flavors.get(
        operation.change.order.value)


def _flavor_found(operation: Rolling, member: Member) -> bool:
    return operation.found.flavor is not None


def _find_flavor(operation: Rolling, member: Member) -> Found:
    return dataclasses.replace(
        operation.found, flavor=_flavor(operation, member))


def _resized(operation: Rolling, member: Member) -> bool:
    server = _server(member)
    return (_has_flavor(server, _flavor(operation, member))
            and server.status in ('ACTIVE', _HAS_ANOTHER))


def _resize(operation: Rolling, member: Member) -> None:
    asked: list[str] = []

    def probe() -> None:
        if _resized(operation, member):
            return
        server = _server(member)
        if server.status == 'ACTIVE':
            if asked:
                raise member.failed(
                    f'Nova did not change the flavor of its server '
                    f'{server.id}; see the events of the server')
            _ask(lambda: server.resize(operation.change.order.value))
            asked.append(server.id)
        raise waiting.NotYet(f'its server is {server.status}')
    operation.wait(probe, interval=member.options.cloud_poll_interval)


def _confirmed(operation: Rolling, member: Member) -> bool:
    return bool(member.row().flavor_id == operation.change.order.value
                and _server(member).status == 'ACTIVE')


def _confirm(operation: Rolling, member: Member) -> None:
    _end_resize(operation, member, lambda server: server.confirm_resize)
    member.has_flavor(operation.change.order.value)


def _end_resize(operation: Rolling, member: Member,
                answer: Callable[[Any], Callable[[], Any]]) -> None:
    """Confirm or revert a resize once, and wait until it has ended.

    :param answer: returns the method of a server that confirms or reverts.
    """
    asked: list[str] = []

    def probe() -> None:
        server = _server(member)
        if server.status == 'ACTIVE':
            return
        if server.status == _HAS_ANOTHER and not asked:
            _ask(answer(server))
            asked.append(server.id)
        raise waiting.NotYet(f'its server is {server.status}')
    operation.wait(probe, interval=member.options.cloud_poll_interval)


def _reverted(operation: Rolling, member: Member) -> bool:
    server = _server(member)
    return bool(server.status == 'ACTIVE'
                and not _has_flavor(server, _flavor(operation, member)))


def _revert(operation: Rolling, member: Member) -> Found | None:
    """Revert to the old flavor; a confirmed resize keeps the new one."""
    _end_resize(operation, member, lambda server: server.revert_resize)
    if not _has_flavor(_server(member), _flavor(operation, member)):
        return None
    member.has_flavor(operation.change.order.value)
    return dataclasses.replace(operation.found, keeps_flavor=False)


def _volume(member: Member) -> Any:
    volume = member.cinder.volumes.get(member.row().volume_id)
    if volume.status.startswith('error'):
        raise member.failed(f'its volume {volume.id} is {volume.status}')
    return volume


def _detached(operation: Rolling, member: Member) -> bool:
    return bool(CONF.online_volume_resize
                or _volume(member).status == 'available')


def _detach(operation: Rolling, member: Member) -> None:
    def unmount() -> None:
        member.guest.unmount_volume(
            device_path=member.options.device_path,
            mount_point=member.options.mount_point)

    def probe() -> None:
        volume = _volume(member)
        if volume.status == 'available':
            return
        if volume.status == 'in-use':
            rolling.persist(operation, member, unmount)
            server_id = member.row().compute_instance_id
            _ask(lambda: member.nova.volumes.delete_server_volume(
                server_id, volume.id))
        raise waiting.NotYet(f'its volume is {volume.status}')
    operation.wait(probe, interval=member.options.cloud_poll_interval)


def _extended(operation: Rolling, member: Member) -> bool:
    volume = _volume(member)
    return (volume.size >= int(operation.change.order.value)
            and volume.status in ('available', 'in-use'))


def _extend(operation: Rolling, member: Member) -> None:
    asked: list[str] = []

    def probe() -> None:
        if _extended(operation, member):
            return
        volume = _volume(member)
        if volume.status in ('available', 'in-use'):
            if asked:
                raise member.failed(
                    f'Cinder did not extend its volume {volume.id} of '
                    f'{volume.size} GB; see the messages of the volume')
            member.cinder.volumes.extend(
                volume.id, int(operation.change.order.value))
            asked.append(volume.id)
        raise waiting.NotYet(
            f'its volume is {volume.status}, {volume.size} GB')
    operation.wait(probe, interval=member.options.cloud_poll_interval)


def _attach(operation: Rolling, member: Member) -> None:
    """Attach and mount the volume, and extend its file system."""
    device = {'device_path': member.options.device_path,
              'mount_point': member.options.mount_point}

    def probe() -> Any:
        volume = _volume(member)
        if volume.status == 'in-use':
            return volume
        if volume.status == 'available':
            server_id = member.row().compute_instance_id
            _ask(lambda: member.nova.volumes.create_server_volume(
                server_id, volume.id, member.options.device_path))
        raise waiting.NotYet(f'its volume is {volume.status}')
    volume = operation.wait(
        probe, interval=member.options.cloud_poll_interval)

    def grow() -> None:
        online = bool(CONF.online_volume_resize)
        member.guest.resize_fs(online=online, **device)
        if not online:
            member.guest.mount_volume(**device)
    rolling.persist(operation, member, grow)
    member.has_volume(int(volume.size))


FIND_FLAVOR = workflow.Step(
    'find the flavor', 'to have a flavor that Nova knows',
    'server_resize_timeout', _flavor_found, _find_flavor)
RESIZE = workflow.Step(
    'resize the server', 'to have a server of the new flavor',
    'server_resize_timeout', _resized, _resize)
CONFIRM = workflow.Step(
    'confirm', 'to have its new flavor confirmed',
    'server_resize_timeout', _confirmed, _confirm)
REVERT = workflow.Step(
    'revert', 'to have its old flavor',
    'server_resize_timeout', _reverted, _revert)
DETACH = workflow.Step(
    'detach the volume', 'to have its volume detached',
    'volume_resize_timeout', _detached, _detach)
EXTEND = workflow.Step(
    'extend the volume', 'to have a larger volume',
    'volume_resize_timeout', _extended, _extend)
ATTACH = workflow.Step(
    'attach the volume', 'to have its volume mounted',
    'volume_resize_timeout', workflow.never, _attach)
