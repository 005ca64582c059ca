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

"""Contract: where Trove has its options, and what oslo.config hides."""

import logging

import fixtures
import testtools
from trove.common import cfg

from trove_pxc.compat import secret_options

NAME = 'taskmanager_rpc_encr_key'
PLACE = 'trove.common.cfg.common_opts'


class MarkTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        option, = (one for one in cfg.common_opts if one.name == NAME)
        self.addCleanup(setattr, option, 'secret', option.secret)
        option.secret = False

    def options(self) -> str:
        """Return the line that a service logs when it starts."""
        cfg.CONF.log_opt_values(logging.getLogger('trove'), logging.DEBUG)
        line, = (line for line in self.log.output.splitlines()
                 if line.startswith(NAME))
        return line

    def test_a_service_does_not_log_its_value(self) -> None:
        cfg.CONF.set_override(NAME, 'a-secret-key')
        self.addCleanup(cfg.CONF.clear_override, NAME)
        secret_options.mark((NAME,))
        self.assertIn('= ****', self.options())
        self.assertNotIn('a-secret-key', self.log.output)
        self.assertNotIn('has moved', self.log.output)

    def test_it_would_without_it(self) -> None:
        cfg.CONF.set_override(NAME, 'a-secret-key')
        self.addCleanup(cfg.CONF.clear_override, NAME)
        self.assertIn('a-secret-key', self.options())

    def test_missing(self) -> None:
        secret_options.mark((NAME, 'no_such_option'))
        self.assertIn('has moved the options no_such_option', self.log.output)
        self.useFixture(fixtures.MonkeyPatch(
            PLACE, fixtures.MonkeyPatch.delete))
        secret_options.mark((NAME,))
        self.assertIn(f'has moved the options {NAME}', self.log.output)
