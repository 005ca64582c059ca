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

"""Which calls of Trove's code are retried, and the checks before."""

import types
from typing import Any

from cinderclient import exceptions as cinder
import fixtures
from keystoneauth1 import exceptions as keystone
from keystoneauth1 import session
from neutronclient.common import exceptions as neutron
from novaclient import exceptions as nova
import testtools
from trove.common import cfg
from trove.common import clients

from tests.unit import clock
from trove_pxc import conf
from trove_pxc import retries

CONF = cfg.CONF
ID = '0a1b2c3d-0000-4000-8000-00000000000a'
NAME = f'trove-{ID}'
LOST = keystone.ConnectTimeout('timed out')
BUSY = nova.ClientException(503, 'busy')

_MADE: dict[str, Any] = {}


def _make(service: str) -> Any:
    return lambda context, region_name=None: _MADE[service]


nova_client, neutron_client, cinder_client, glance_client = (
    _make(service) for service in ('nova', 'neutron', 'cinder', 'glance'))


class Thing(types.SimpleNamespace):
    """An object in the cloud."""


class Calls:
    """Returns, or raises, the results that a test sets."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name not in self.__dict__.get('answers', {}):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            answers = self.answers[name]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer
        return call


class RetriesTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.useFixture(fixtures.FakeLogger())
        for service in ('nova', 'neutron', 'cinder', 'glance'):
            option = f'remote_{service}_client'
            CONF.set_override(option, f'{__name__}.{service}_client')
            self.addCleanup(CONF.clear_override, option)

    def client(self, service: str, made: Any, seconds: float = 60) -> Any:
        _MADE[service] = made
        with retries.repeated(seconds):
            return getattr(clients, f'create_{service}_client')(None)


class RepeatedTest(RetriesTest):

    def test_reading(self) -> None:
        servers = Calls(get=[BUSY, LOST, 'it'], list=[BUSY, []])
        client = self.client('nova', Thing(servers=servers))
        self.assertEqual('it', client.servers.get('x'))
        self.assertEqual([], client.servers.list())
        self.assertEqual(['get'] * 3 + ['list'] * 2, servers.calls)

    def test_a_list_that_is_read_later(self) -> None:
        def images() -> Any:
            answers = iter([BUSY, 'it'])

            def read() -> Any:
                answer = next(answers)
                if isinstance(answer, Exception):
                    raise answer
                yield answer
            return read
        read = images()
        client = self.client('glance', Thing(images=Thing(
            list=lambda: read())))
        self.assertEqual(['it'], client.images.list())

    def test_it_ends_with_the_last_error(self) -> None:
        servers = Calls(get=[BUSY])
        client = self.client('nova', Thing(servers=servers), 3)
        self.assertIs(BUSY, self.assertRaises(
            nova.ClientException, client.servers.get, 'x'))
        self.assertIsNone(BUSY.__cause__)
        self.assertEqual(3, self.clock.now)

    def test_an_error_that_stays(self) -> None:
        servers = Calls(get=[nova.NotFound(404)])
        client = self.client('nova', Thing(servers=servers))
        self.assertRaises(nova.NotFound, client.servers.get, 'x')
        self.assertEqual(['get'], servers.calls)

    def test_outside_of_the_block_nothing_is(self) -> None:
        retries.install()
        _MADE['nova'] = Thing(servers=Calls(get=[BUSY]))
        self.assertIs(_MADE['nova'], clients.create_nova_client(None))
        self.assertIs(_MADE['nova'], self.client('nova', _MADE['nova'], 0))

    def test_a_client_that_is_kept_repeats_wherever_it_is_used(self) -> None:
        """Trove polls in green threads outside the block."""
        client = self.client('nova', Thing(servers=Calls(get=[BUSY, 1])))
        self.assertEqual(1, client.servers.get('x'))

    def test_installing_twice_does_no_harm(self) -> None:
        retries.install()
        retries.install()
        self.assertEqual('it', self.client('nova', 'it', 0))
        self.assertEqual('trove_pxc.retries.nova', CONF.remote_nova_client)

    def test_what_is_no_call_is_as_it_was(self) -> None:
        wrapped = Thing(api_version=7, servers=Calls())
        client = self.client('nova', wrapped)
        self.assertEqual(7, client.api_version)
        self.assertEqual(str(wrapped), str(client))

    def test_a_session_gets_a_time_limit(self) -> None:
        own, given = session.Session(), session.Session(timeout=7)
        for made in (Thing(client=Thing(session=own)),
                     Thing(httpclient=Thing(session=given))):
            self.client('nova', made, 0)
        self.assertEqual((60.0, 7.0), (own.timeout, given.timeout))
        self.assertEqual(60, CONF[conf.OWN_GROUP].cloud_call_timeout)


class DeleteTest(RetriesTest):

    def test_what_is_gone_then_was_deleted(self) -> None:
        for service, error in (('nova', nova.NotFound(404)),
                               ('cinder', cinder.NotFound(404))):
            volumes = Calls(delete=[LOST, error])
            client = self.client(service, Thing(volumes=volumes))
            self.assertIsNone(client.volumes.delete('x'))
        ports = Calls(delete_port=[LOST, neutron.PortNotFoundClient()])
        self.assertIsNone(self.client('neutron', ports).delete_port('x'))

    def test_what_was_gone_before_is_told(self) -> None:
        ports = Calls(delete_port=[neutron.PortNotFoundClient()])
        self.assertRaises(neutron.NotFound,
                          self.client('neutron', ports).delete_port, 'x')


class MakeTest(RetriesTest):
    """A lost answer: the object is found, or created if it does not exist."""

    def made_once(self, service: str, wrap: Any, look: str, found: Any,
                  nothing: Any, *args: Any, make: str = 'create',
                  **kwargs: Any) -> Any:
        """:returns: the result of the call that was retried."""
        for answers, calls in (
                ([found], [make, look]),
                ([nothing], [make, look, make])):
            cloud = Calls(**{make: [LOST, 'new'], look: answers})
            client = wrap(self.client(service, wrap.of(cloud)))
            given = getattr(client, make)(*args, **kwargs)
            self.assertEqual(calls, cloud.calls)
            if len(calls) == 2:
                first = given
            else:
                self.assertEqual('new', given)
        return first

    def test_a_server_by_the_id_of_its_instance(self) -> None:
        wanted = Thing(metadata={'trove_instance_id': ID})
        other = Thing(metadata={'trove_instance_id': 'other'})
        self.assertIs(wanted, self.made_once(
            'nova', Part('servers'), 'list', [other, wanted], [other],
            'products-1', 'image', '1', meta={'trove_instance_id': ID}))

    def test_a_server_group_whose_name_has_an_id(self) -> None:
        wanted = Thing(name=f'locality_{ID}')
        self.assertIs(wanted, self.made_once(
            'nova', Part('server_groups'), 'list',
            [Thing(name='other'), wanted], [], name=f'locality_{ID}',
            policies=['affinity']))

    def test_a_name_that_another_may_have_is_not_looked_for(self) -> None:
        """The request is not retried; it could create a second object."""
        groups = Calls(create=[LOST, 'new'], list=[[
            Thing(name='locality_products')]])
        client = self.client('nova', Thing(server_groups=groups))
        self.assertRaises(
            keystone.ConnectTimeout, client.server_groups.create,
            name='locality_products', policies=['affinity'])
        self.assertEqual(['create'], groups.calls)

    def test_a_volume_by_name_and_description(self) -> None:
        wanted = Thing(name=NAME, description='data')
        self.assertIs(wanted, self.made_once(
            'cinder', Part('volumes'), 'list',
            [Thing(name=NAME, description='root'), wanted], [],
            name=NAME, description='data', size=1))

    def test_a_port_by_name_and_description(self) -> None:
        wanted = {'id': 'p', 'name': NAME, 'description': 'User port'}
        self.assertEqual({'port': wanted}, self.made_once(
            'neutron', Whole(), 'list_ports',
            {'ports': [dict(wanted, description='Management'), wanted]},
            {'ports': []}, make='create_port', body={'port': dict(
                wanted, network_id='net')}))

    def test_a_security_group(self) -> None:
        group = {'id': 'g', 'name': f'trove_sg-{ID}'}
        self.assertEqual({'security_group': group}, self.made_once(
            'neutron', Whole(), 'list_security_groups',
            {'security_groups': [group]}, {'security_groups': []},
            make='create_security_group', body={'security_group': group}))

    def test_a_rule(self) -> None:
        wanted = {
            'security_group_id': ID, 'ethertype': 'IPv4',
            'protocol': 'tcp', 'port_range_min': 3306,
            'port_range_max': 3306, 'remote_ip_prefix': '0.0.0.0/0'}
        kept = dict(wanted, id='r', remote_ip_prefix=None)
        others = [dict(kept, protocol='udp'), dict(kept, ethertype='IPv6'),
                  dict(kept, remote_ip_prefix='10.0.0.0/8'),
                  dict(kept, port_range_max=3307)]
        self.assertEqual({'security_group_rule': kept}, self.made_once(
            'neutron', Whole(), 'list_security_group_rules',
            {'security_group_rules': [*others, kept]},
            {'security_group_rules': others},
            {'security_group_rule': wanted},
            make='create_security_group_rule'))

    def test_a_floating_address_of_a_port(self) -> None:
        self.assertEqual({'floatingip': 'f'}, self.made_once(
            'neutron', Whole(), 'list_floatingips',
            {'floatingips': ['f']}, {'floatingips': []},
            {'floatingip': {'port_id': ID}}, make='create_floatingip'))

    def test_many_rules_at_once_are_asked_for_again(self) -> None:
        rules = Calls(create_security_group_rule=[
            LOST, neutron.Conflict()])
        client = self.client('neutron', rules)
        self.assertRaises(
            neutron.Conflict, client.create_security_group_rule,
            {'security_group_rules': [{'security_group_id': ID}]})

    def test_what_it_cannot_look_for_is_not_repeated(self) -> None:
        servers = Calls(resize=[BUSY, None])
        client = self.client('nova', Thing(servers=servers))
        self.assertRaises(nova.ClientException, client.servers.resize, ID)
        self.assertEqual(['resize'], servers.calls)


class Whole:
    """A client that has its calls itself."""

    def of(self, calls: Calls) -> Any:
        return calls

    def __call__(self, client: Any) -> Any:
        return client


class Part(Whole):
    """A client with managers."""

    def __init__(self, manager: str) -> None:
        self._manager = manager

    def of(self, calls: Calls) -> Any:
        return Thing(**{self._manager: calls})

    def __call__(self, client: Any) -> Any:
        return getattr(client, self._manager)
