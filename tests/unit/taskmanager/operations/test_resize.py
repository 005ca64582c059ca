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

"""The order of the steps of a resize."""

from novaclient import exceptions as nova_exceptions
import testtools

from tests.unit.taskmanager import fakes
from trove_pxc.taskmanager.operations import resize
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import machine
from trove_pxc.taskmanager.steps import rolling


class StoryTest(testtools.TestCase):

    def test_a_server_is_confirmed_only_when_its_member_is_back(self) -> None:
        (phase,) = resize.FLAVOR_STEPS
        steps = phase.steps
        self.assertLess(steps.index(machine.RESIZE),
                        steps.index(rolling.RETURN))
        self.assertLess(steps.index(rolling.RETURN),
                        steps.index(machine.CONFIRM))

    def test_a_server_boots_with_its_settings(self) -> None:
        (phase,) = resize.FLAVOR_STEPS
        steps = phase.steps
        self.assertLess(steps.index(configure.CONFIGURE),
                        steps.index(machine.RESIZE))

    def test_the_flavor_is_known_before_a_member_is_taken_out(self) -> None:
        (phase,) = resize.FLAVOR_STEPS
        self.assertLess(phase.steps.index(machine.FIND_FLAVOR),
                        phase.steps.index(rolling.TAKE_OUT))

    def test_every_way_back_ends_with_a_member_that_serves(self) -> None:
        for way in (resize.FLAVOR_WAY_BACK, resize.VOLUME_WAY_BACK):
            self.assertIs(rolling.RETURN, way[-1])


class FlavorGoneTest(fakes.ClusterTestCase):
    """The flavor was deleted in Nova after the request."""

    def test_nobody_is_taken_out(self) -> None:
        def get(flavor: str) -> object:
            raise nova_exceptions.NotFound(404, f'no flavor {flavor}')
        self.complete()
        for guest in self.guests.values():
            guest.enters()
        self.cloud.nova.flavors.get = get
        operation = resize.FLAVOR.state(
            None, self.cluster, [self.id_of(2)], '7')
        self.assertRaises(
            nova_exceptions.NotFound, resize.run_flavor, operation)
        self.assertEqual('c-2', operation.subject.name)
        resize.FLAVOR.put_back(operation)
        self.assertEqual([], self.galera.told)
