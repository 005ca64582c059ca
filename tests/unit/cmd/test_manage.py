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

"""The arguments of trove-pxc-manage, its output and its exit status."""

import argparse
import contextlib
import io
import pathlib
from typing import Any

import fixtures
import mock
from oslo_config import cfg
from oslo_db import exception as db_exceptions
from sqlalchemy import exc as sql_exceptions
import testtools
from trove.common import exception

from trove_pxc.cmd import manage
from trove_pxc import conf
from trove_pxc.galera import errors
from trove_pxc import registration

NO_FILE = ('--config-file', '/dev/null')
SHORT = ('--manager', 'pxc', '--version', '8.0', '--image', 'image-1')


def parsed(*words: str) -> Any:
    parser = argparse.ArgumentParser()
    manage.add_arguments(parser)
    return parser.parse_args(words)


class ManageTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.out, self.err = io.StringIO(), io.StringIO()
        for stream, buffer in (('stdout', self.out), ('stderr', self.err)):
            self.useFixture(fixtures.MonkeyPatch(f'sys.{stream}', buffer))
        self.db = self.useFixture(fixtures.MockPatchObject(
            manage, 'get_db_api', autospec=True)).mock
        self.register = self.useFixture(fixtures.MockPatchObject(
            registration, 'register', autospec=True,
            return_value=['datastore pxc created', 'version pxc 8.0 created'])
        ).mock


class ArgumentsTest(ManageTestCase):

    def refused(self, *words: str) -> str:
        with contextlib.suppress(SystemExit):
            parsed(*words)
            self.fail('it was taken')
        return self.err.getvalue()

    def test_what_is_needed(self) -> None:
        self.assertIn('required: --manager, --version', self.refused(
            '--image', 'x'))
        self.assertIn('one of the arguments --image --image-tags',
                      self.refused('--manager', 'pxc', '--version', '8.0'))

    def test_what_excludes_each_other(self) -> None:
        self.assertIn('not allowed with', self.refused(
            *SHORT, '--image-tags', 'a,b'))
        self.assertIn('not allowed with', self.refused(
            *SHORT, '--default', '--inactive'))

    def test_managers(self) -> None:
        self.assertIn("invalid choice: 'mysql'", self.refused(
            '--manager', 'mysql', *SHORT[2:]))


class AddTest(ManageTestCase):

    def added(self, *words: str) -> registration.Registration:
        self.assertEqual(0, manage.add(parsed(*words)))
        self.db.return_value.configure_db.assert_called_once_with()
        (wanted,), _ = self.register.call_args
        return wanted

    def test_names_and_rules_by_default(self) -> None:
        self.assertEqual(registration.Registration(
            manager='pxc', datastore='pxc', name='8.0', version='8.0',
            image_id='image-1', image_tags=None,
            rules=registration.troves_rules('pxc'), active=True,
            is_default=False), self.added(*SHORT))

    def test_all_words(self) -> None:
        self.assertEqual(registration.Registration(
            manager='mariadb', datastore='d', name='stable',
            version='10.11.19', image_id=None, image_tags='a,b',
            rules=pathlib.Path('/rules'), active=True, is_default=True),
            self.added(
                '--manager', 'mariadb', '--version', '10.11.19',
                '--image-tags', 'a,b', '--datastore', 'd', '--name',
                'stable', '--rules', '/rules', '--default'))

    def test_inactive(self) -> None:
        self.assertFalse(self.added(*SHORT, '--inactive').active)

    def test_changes_are_told(self) -> None:
        self.added(*SHORT)
        self.assertEqual('datastore pxc created\nversion pxc 8.0 created\n',
                         self.out.getvalue())

    def test_none_is_told_too(self) -> None:
        self.register.return_value = []
        self.added(*SHORT, '--name', 'stable')
        self.assertEqual('datastore version pxc stable is already registered '
                         'with these values\n', self.out.getvalue())


class RunTest(ManageTestCase):

    def failure(self, error: Exception) -> str:
        action = mock.Mock(side_effect=error)
        self.assertEqual(1, manage.run(action, 'options'))
        action.assert_called_once_with('options')
        return self.err.getvalue()

    def test_what_an_action_ends_with(self) -> None:
        for code in (0, 1):
            self.assertEqual(code, manage.run(lambda options: code, None))
        self.assertEqual('', self.err.getvalue())

    def test_the_driver_says_why(self) -> None:
        inner = sql_exceptions.OperationalError(
            'SELECT', {}, ConnectionError('no route'))
        self.assertEqual(
            'trove-pxc-manage: the database of [database] connection: no '
            'route\n', self.failure(db_exceptions.DBConnectionError(inner)))

    def test_what_has_no_driver_is_named(self) -> None:
        self.assertEqual(
            'trove-pxc-manage: the database of [database] connection: '
            'DBNonExistentTable\n',
            self.failure(db_exceptions.DBNonExistentTable('x')))

    def test_a_file(self) -> None:
        self.assertEqual(
            'trove-pxc-manage: /rules: No such file or directory\n',
            self.failure(FileNotFoundError(
                2, 'No such file or directory', '/rules')))

    def test_a_refusal(self) -> None:
        for error in (errors.UnsupportedVersion('why'),
                      registration.NoRules('why'),
                      exception.TroveError('why')):
            self.assertEqual('trove-pxc-manage: why\n', self.failure(error))
            self.err.truncate(0)
            self.err.seek(0)

    def test_a_mistake_of_ours_is_not_hidden(self) -> None:
        self.assertRaises(KeyError, manage.run,
                          mock.Mock(side_effect=KeyError('x')), None)


class MainTest(ManageTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.options = cfg.ConfigOpts()
        for manager in conf.MANAGERS:
            self.options.register_group(cfg.OptGroup(manager))
        self.useFixture(fixtures.MockPatchObject(
            manage, 'CONF', self.options))

    def main(self, *words: str) -> int:
        return manage.main([*NO_FILE, *words])

    def test_a_version_is_added(self) -> None:
        self.assertEqual(0, self.main('datastore', 'add', *SHORT))
        self.assertEqual('8.0', self.register.call_args.args[0].version)
        self.assertIn('datastore pxc created', self.out.getvalue())

    def test_options_of_this_package_are_known(self) -> None:
        self.main('datastore', 'add', *SHORT)
        self.assertEqual(0, self.options.pxc.metrics_port)

    def test_it_reads_what_trove_reads(self) -> None:
        self.main('datastore', 'add', *SHORT)
        self.assertEqual('trove', self.options.project)

    def test_the_words_of_the_command_line(self) -> None:
        self.useFixture(fixtures.MonkeyPatch('sys.argv', [
            'trove-pxc-manage', *NO_FILE, 'datastore', 'add', *SHORT]))
        self.assertEqual(0, manage.main())
        self.register.assert_called_once()

    def test_no_command(self) -> None:
        self.assertRaises(SystemExit, self.main)
        self.assertIn('arguments are required', self.err.getvalue())

    def test_half_a_command(self) -> None:
        self.assertRaises(SystemExit, self.main, 'datastore')
        self.assertIn('required: COMMAND', self.err.getvalue())

    def test_help_has_examples(self) -> None:
        self.assertRaises(SystemExit, self.main, 'datastore', 'add', '-h')
        shown = self.out.getvalue()
        self.assertIn('trove-pxc-manage datastore add --manager pxc '
                      '--version 8.0 --image IMAGE_ID\n', shown)
        self.assertIn('trove-manage datastore_update DATASTORE ""\n', shown)
