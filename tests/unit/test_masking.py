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

import logging

import fixtures
import testtools
from trove.common import cfg

from trove_pxc import masking

PASSWORD = "o'p\\a\"s s"
STATEMENTS = (
    "ALTER USER 'root'@'%' IDENTIFIED BY {};",
    'CREATE USER :user@:host IDENTIFIED BY {}',
    "GRANT ALL ON *.* TO 'a'@'%' IDENTIFIED BY {} WITH GRANT OPTION",
    "CREATE USER 'a' IDENTIFIED WITH mysql_native_password BY {}",
    "SET PASSWORD FOR 'a'@'%' = PASSWORD({})",
    "set password = {}",
)


class MaskingTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        masking.install()
        self.logged = self.useFixture(fixtures.FakeLogger(
            level=logging.DEBUG))

    def test_no_statement_gives_its_password_away(self) -> None:
        literals = ("'" + PASSWORD.replace('\\', '\\\\').replace(
            "'", "''") + "'", "'simple'", '"double"')
        for statement in STATEMENTS:
            for literal in literals:
                hidden = masking.masked(statement.format(literal))
                self.assertEqual(statement.format('***'), hidden)

    def test_other_statements_stay_as_they_are(self) -> None:
        for statement in ("SELECT 'a' FROM t WHERE password = 1",
                          "DROP USER 'a'@'%'"):
            self.assertEqual(statement, masking.masked(statement))

    def test_trove_s_guest_logs_no_password(self) -> None:
        logging.getLogger('trove.guestagent.utils.mysql').debug(
            'Execute SQL: %s', "CREATE USER 'a' IDENTIFIED BY 'geheim'")
        self.assertIn("CREATE USER 'a' IDENTIFIED BY ***",
                      self.logged.output)
        self.assertNotIn('geheim', self.logged.output)

    def test_the_key_of_an_instance_is_not_logged(self) -> None:
        logging.getLogger('trove.instance.models').debug(
            'Generated unique RPC encryption key for instance. key = %s',
            'geheim')
        self.assertNotIn('geheim', self.logged.output)
        self.assertIn('key = ***', self.logged.output)

    def test_keys_among_the_options_are_secret(self) -> None:
        secret = {option.name for option in cfg.common_opts
                  if option.secret}
        self.assertLessEqual(
            {'instance_rpc_encr_key', 'inst_rpc_key_encr_key',
             'taskmanager_rpc_encr_key'}, secret)
