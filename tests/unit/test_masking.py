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

import io
import json
import logging
import threading
import time
from urllib import parse

import fixtures
from oslo_log import formatters
import testtools
from trove.common import cfg
import webob

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

    def test_an_error_that_ends_a_thread_is_logged_without_it(self) -> None:
        """Python prints such an error, and nothing masks what it prints."""
        printed = self.useFixture(fixtures.StringStream('stderr')).stream
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', printed))

        def fail() -> None:
            raise ValueError("ALTER USER 'a' IDENTIFIED BY 'geheim'")
        thread = threading.Thread(target=fail, name='the work')
        thread.start()
        thread.join()
        printed.seek(0)
        self.assertEqual('', printed.read())
        self.assertIn('An unexpected error ended the work\nTraceback',
                      self.logged.output)
        self.assertIn("ValueError: ALTER USER 'a' IDENTIFIED BY ***",
                      self.logged.output)

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

    def test_what_is_named_a_password_in_a_request_or_its_repr(self) -> None:
        for form in (str({'_password': PASSWORD, 'name': 'a'}),
                     json.dumps({'password': PASSWORD, 'name': 'a'}),
                     str({'root_password': "p'w"})):
            self.assertIn("password': ***", masking.masked(form).replace(
                '"', "'"))
            self.assertNotIn('s s', masking.masked(form))

    def test_passwords_of_a_request(self) -> None:
        self.assertEqual(['a', 'b', 'c'], sorted(masking.passwords_in({
            'users': [{'name': 'x', 'password': 'a'},
                      {'_password': 'b', '_host': None}],
            'root_password': 'c', 'password': None})))

    def test_what_has_no_form_of_a_password(self) -> None:
        self.assertEqual(['12345678', '5', 'a', 'b'], sorted(
            masking.passwords_in({'users': [
                {'password': 12345678}, {'Password': {'x': ['a', 5]}},
                ['password', 'c'], {'admin_password': ('b',)}]})))

    def test_a_literal_that_was_cut(self) -> None:
        for line in ("CREATE USER 'a' IDENTIFIED BY 'geheim", "SET PASSWORD "
                     "= PASSWORD('geheim\\'geheim", '{"password": "geheim'):
            self.assertNotIn('geheim', masking.masked(line))

    def test_the_token_of_a_request(self) -> None:
        """Trove logs the whole request that enables root."""
        request = webob.Request.blank('/', headers={
            'X-Auth-Token': 'geheim', 'X-Service-Token': 'geheim',
            'X-Role': 'member'})
        logging.getLogger('trove.extensions.common.service').info(
            "req : '%s'\n\n", request)
        self.assertNotIn('geheim', self.logged.output)
        self.assertIn('X-Auth-Token: ***', self.logged.output)
        self.assertIn('X-Role: member', self.logged.output)


class HidingTest(testtools.TestCase):
    """Passwords are masked in all forms, whatever logs them."""

    def setUp(self) -> None:
        super().setUp()
        masking.install()
        self.written = io.StringIO()
        self.handler = logging.StreamHandler(self.written)
        self.logger = logging.getLogger('some.library')
        self.logger.setLevel(logging.DEBUG)
        self.addCleanup(self.logger.setLevel, logging.NOTSET)
        self.logger.addHandler(self.handler)
        self.addCleanup(self.logger.removeHandler, self.handler)

    def forms(self) -> tuple[str, ...]:
        return (PASSWORD, repr(PASSWORD), json.dumps(PASSWORD),
                repr(str({'x': PASSWORD})), PASSWORD.replace("'", "''"),
                PASSWORD.replace('\\', '\\\\').replace("'", "\\'"))

    def test_every_form_is_hidden_while_it_is_at_work(self) -> None:
        with masking.hiding(PASSWORD, None, '', 5):
            for form in self.forms():
                self.logger.debug('near %s, at %r', form, [form])
        self.assertNotIn('s s', self.written.getvalue())
        self.assertIn('near ***', self.written.getvalue())
        self.logger.debug(PASSWORD)
        self.assertIn(PASSWORD, self.written.getvalue())

    def test_every_character(self) -> None:
        for character in (*map(chr, range(1, 127)), '\x7f', '\u00e4',
                          '\u6f22', '\U0001f600', '\\\\', '\\"', "\\'"):
            password = f'geh{character}eim{character}s s'
            for form in (password, ascii(password), repr([repr(password)]),
                         json.dumps(json.dumps(password)), repr(str(
                             {'x': password})),
                         parse.quote(password), parse.quote_plus(password)):
                with masking.hiding(password):
                    hidden = masking.masked(f'near {form}.')
                self.assertNotIn('eim', hidden)
                self.assertIn('***', hidden)

    def test_it_takes_no_time(self) -> None:
        """For any password and any line."""
        passwords = ('\\' * 90 + "'" * 60 + '\\"' * 50 + 'a' * 9,
                     "'" * 60 + 'b', '"' * 60, '\\x' * 60)
        lines = ('\\', "'", "'\\", '\\"', '"', 'a', 'IDENTIFIED ',
                 "IDENTIFIED BY '", "IDENTIFIED \\'", 'IDENTIFIED \\"',
                 "'password': '\\'", "PASSWORD('\\'")
        started = time.process_time()
        for password in passwords:
            with masking.hiding(password):
                for line in lines:
                    masking.masked(line * 10000)
        self.assertLess(time.process_time() - started, 20)

    def test_a_long_line_and_many_passwords(self) -> None:
        passwords = [f'{number}x\'y"{number}z' for number in range(100)]
        started = time.process_time()
        with masking.hiding(*passwords, 'a\\' * 50000, "b'" * 50000):
            self.assertEqual('near *** ***', masking.masked(
                'near ' + 'a\\' * 50000 + ' ' + repr("b'" * 50000)[1:-1]))
            self.assertEqual('near ' * 200000, masking.masked(
                'near ' * 200000))
        self.assertLess(time.process_time() - started, 5)

    def test_two_requests_with_one_password(self) -> None:
        with masking.hiding(PASSWORD):
            with masking.hiding(PASSWORD):
                pass
            self.assertEqual('***', masking.masked(PASSWORD))

    def test_tracebacks_too_of_whichever_formatter(self) -> None:
        for formatter in (
                logging.Formatter(), formatters.JSONFormatter(),
                formatters.ContextFormatter(fmt='%(message)s',
                                            config=cfg.CONF)):
            self.handler.setFormatter(formatter)
            with masking.hiding(PASSWORD):
                try:
                    try:
                        raise KeyError(PASSWORD)
                    finally:
                        raise ValueError('after it')
                except ValueError:
                    self.logger.exception('Exception during %s', [
                        PASSWORD, {'password': 's s'}])
            self.assertIn('ValueError: after it', self.written.getvalue())
        self.assertNotIn('s s', self.written.getvalue())

    def test_an_error_that_is_the_cause_of_its_cause(self) -> None:
        first, second = ValueError('one'), ValueError('Secret-2')
        first.__cause__, second.__cause__ = second, first
        self.assertIs(first, masking.masked_error(first))
        with masking.hiding('Secret-2'):
            self.assertIsNot(first, masking.masked_error(first))

    def test_short_ones_are_hidden_where_they_are_quoted(self) -> None:
        with masking.hiding('a'):
            self.assertEqual("a cat says '***'", masking.masked(
                "a cat says 'a'"))
