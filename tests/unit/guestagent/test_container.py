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

"""The container of the database server, with a fake Docker engine."""

import dataclasses
import datetime

from docker import errors as docker_errors

from trove_pxc import exceptions
from trove_pxc.guestagent import container

from tests.unit.guestagent import fakes

SPECIFICATION = container.Specification(
    image=fakes.IMAGE, user='1001:1001', entrypoint=('/bin/sh', '/start'),
    mounts=(container.Mount('/data', '/data'),
            container.Mount('/etc/mysql', '/etc/mysql', read_only=True),
            container.Mount('/run/x', '/run/x', required=False)),
    stop_seconds=120)


class ContainerTest(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.engine = fakes.Engine()
        self.container = container.DatabaseContainer(self.engine.client)

    def created(self) -> object:
        self.container.ensure_created(SPECIFICATION)
        return self.engine.known['database']

    def test_it_is_made_as_specified(self) -> None:
        self.created()
        made = self.engine.created
        self.assertEqual('database', made['name'])
        self.assertEqual('1001:1001', made['user'])
        self.assertEqual(['/bin/sh', '/start'], made['entrypoint'])
        self.assertEqual([], made['command'])
        self.assertEqual({'test': ['NONE']}, made['healthcheck'])
        self.assertEqual(120, made['stop_timeout'])
        self.assertNotIn('environment', made)

    def test_the_guest_is_its_network_and_docker_starts_it_again(
            self) -> None:
        self.created()
        host = self.engine.client.api.create_host_config.call_args.kwargs
        self.assertEqual('host', host['network_mode'])
        self.assertEqual({'Name': 'unless-stopped'}, host['restart_policy'])
        self.assertEqual({'/run/x': {'bind': '/run/x', 'mode': 'rw'}},
                         host['binds'])
        self.assertEqual(
            [('/data', '/data', False), ('/etc/mysql', '/etc/mysql', True)],
            [(mount['Source'], mount['Target'], mount['ReadOnly'])
             for mount in host['mounts']])
        self.assertIn('max-size', host['log_config'].config)

    def test_the_same_container_is_kept(self) -> None:
        self.created()
        self.created()
        self.engine.client.api.create_container.assert_called_once()

    def test_another_image_of_the_same_name_makes_it_anew(self) -> None:
        old = self.created()
        self.engine.client.images.get.return_value.id = 'sha256:2'
        self.assertIsNot(old, self.created())
        old.stop.assert_called_once_with(timeout=120)  # type: ignore
        old.remove.assert_called_once()  # type: ignore

    def test_other_mounts_make_it_anew(self) -> None:
        old = self.created()
        self.container.ensure_created(
            dataclasses.replace(SPECIFICATION, mounts=()))
        self.assertIsNot(old, self.engine.known['database'])

    def test_an_image_that_is_there_is_not_pulled(self) -> None:
        self.container.ensure_image(fakes.IMAGE)
        self.engine.client.images.pull.assert_not_called()

    def test_an_image_is_pulled_by_its_tag(self) -> None:
        self.engine.client.images.get.side_effect = (
            docker_errors.ImageNotFound('no'))
        self.container.ensure_image('registry:5000/mariadb:10.11')
        self.engine.client.images.pull.assert_called_once_with(
            'registry:5000/mariadb', tag='10.11')

    def test_an_image_that_is_nowhere_is_named(self) -> None:
        self.engine.client.images.get.side_effect = (
            docker_errors.ImageNotFound('no'))
        self.engine.client.images.pull.side_effect = (
            docker_errors.APIError('manifest unknown'))
        failure = self.assertRaises(
            exceptions.ImageUnusable, self.container.ensure_image,
            fakes.IMAGE)
        self.assertIn(fakes.IMAGE, str(failure))
        self.assertIn('manifest unknown', str(failure))

    def test_a_start_that_docker_refuses_tells_why(self) -> None:
        self.engine.holds().start.side_effect = docker_errors.APIError(
            'no such folder')
        failure = self.assertRaises(
            exceptions.ServerStartFailed, self.container.start)
        self.assertIn('no such folder', str(failure))

    def test_stopping_what_is_not_there_is_no_error(self) -> None:
        self.container.stop(5)
        self.container.remove()

    def test_stopping_and_removing(self) -> None:
        present = self.engine.holds(status='running')
        self.container.stop(5)
        present.stop.assert_called_once_with(timeout=5)
        self.container.remove()
        present.remove.assert_called_once_with(v=True, force=True)

    def test_what_is_seen(self) -> None:
        self.assertEqual('absent', self.container.look().status)
        for status, running, loop, at_work in (
                ('created', False, False, False),
                ('running', True, False, True),
                ('restarting', False, True, True),
                ('paused', False, False, True),
                ('exited', False, False, False)):
            self.engine.holds(status=status, exit_code=3, restarts=2)
            seen = self.container.look()
            self.assertEqual((running, loop, at_work), (
                seen.running, seen.in_restart_loop, seen.at_work), status)
            self.assertEqual((3, 2), (seen.exit_code, seen.restarts))

    def test_what_runs_in_it(self) -> None:
        self.assertEqual([], self.container.programs())
        present = self.engine.holds(status='running')
        present.top.return_value = {
            'Titles': ['UID', 'PID', 'CMD'],
            'Processes': [['999', '1', 'mariadbd --x'], ['999', '7', 'sh']]}
        self.assertEqual(['mariadbd --x', 'sh'], self.container.programs())
        present.top.return_value = {'Titles': [], 'Processes': None}
        self.assertEqual([], self.container.programs())

    def test_what_runs_in_it_may_not_be_told(self) -> None:
        present = self.engine.holds(status='running')
        present.top.side_effect = docker_errors.APIError('no ps')
        self.assertEqual([], self.container.programs())

    def test_how_long_it_is_up(self) -> None:
        seen = container.Seen(
            'running', started_at='2026-01-01T00:00:00.123456789Z')
        now = datetime.datetime(2026, 1, 1, 0, 0, 7,
                                tzinfo=datetime.timezone.utc)
        self.assertEqual(7, seen.seconds_up(now))

    def test_the_end_of_the_log(self) -> None:
        self.assertEqual([], self.container.last_lines(5))
        self.engine.holds(log='one\ntwo\n')
        self.assertEqual(['one', 'two'], self.container.last_lines(5))


class HelperTest(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.engine = fakes.Engine()
        self.container = container.DatabaseContainer(self.engine.client)

    def test_it_prints_and_is_gone(self) -> None:
        self.engine.known['database-helper'] = fakes.Container().spec
        self.assertEqual(fakes.SAID,
                         self.container.run_helper(SPECIFICATION, 'version'))
        made = self.engine.client.containers.create.call_args.kwargs
        self.assertEqual('none', made['network_mode'])
        self.assertEqual(['version'], made['command'])
        self.engine.known['database-helper'].remove.assert_called()

    def test_a_failure_quotes_the_telling_line(self) -> None:
        self.engine.helper_prints('a\nmysqld: [ERROR] no space\nb\n', 1)
        failure = self.assertRaises(
            exceptions.ServerStartFailed, self.container.run_helper,
            SPECIFICATION, 'recover')
        self.assertIn('mysqld: [ERROR] no space', str(failure))

    def test_what_docker_refuses_is_told(self) -> None:
        self.engine.client.containers.create.side_effect = (
            docker_errors.APIError('no sh in the image'))
        failure = self.assertRaises(
            exceptions.ServerStartFailed, self.container.run_helper,
            SPECIFICATION, 'version')
        self.assertIn('no sh in the image', str(failure))
