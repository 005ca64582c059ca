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

"""Uses of internals of other packages are found."""

import testtools

from tests.unit.tools.loading import modules
from tests.unit.tools.loading import seams


class PrivateNamesTest(testtools.TestCase):

    def found(self, **texts):
        return sorted(finding.what for finding in seams.private_names(
            modules(**texts)))

    def test_private_modules_and_attributes(self):
        self.assertEqual(
            ['engine._driver', "getattr(engine, '_other')",
             'import oslo._drivers.rabbit'],
            self.found(one='''
                from oslo._drivers import rabbit
                import rpc as engine
                def f():
                    return engine._driver, getattr(engine, '_other')
                '''))

    def test_what_is_foreign_has_no_name_of_ours(self):
        self.assertEqual(['engine._lock'], self.found(one='''
            import engine
            class A:
                def __init__(self):
                    self._lock = 1
                def f(self, other):
                    return self._lock, other._lock, engine._lock
            '''))

    def test_named_tuples_have_public_names_like_that(self):
        self.assertEqual([], self.found(one='x = y._asdict()'))

    def test_methods_that_a_foreign_base_calls(self):
        self.assertEqual(
            ['overrides A._delete', 'super()._delete'],
            self.found(one='''
                from trove import models
                class A(models.Cluster):
                    def _delete(self):
                        super()._delete()
                    def _own(self): pass
                    def f(self):
                        return self._own()
                '''))

    def test_attributes_that_a_foreign_base_sets_or_calls(self):
        self.assertEqual(
            ['overrides A._steps', 'self._cast', 'self._lock'],
            self.found(one='''
                from trove import tasks
                class Base(tasks.API):
                    def _own(self): pass
                class A(Base):
                    _steps = ()
                    _upgrade_checks = ()
                    def f(self):
                        self._seen = 1
                        self._own()
                        self._cast(self._lock, self._seen)
                ''', other='''
                class Other:
                    def __init__(self):
                        self._cast = self._lock = self._steps = None
                '''))

    def test_the_seams_may(self):
        self.assertEqual([], self.found(
            compat__queues='import rpc\nrpc._driver = None\n'))

    def test_where(self):
        found, = seams.findings(modules(one='import rpc\nrpc._driver\n'))
        self.assertEqual('trove_pxc/one.py:2', found.place)
        self.assertIn('only trove_pxc/compat/', found.what)


class PatchesTest(testtools.TestCase):

    def found(self, **texts):
        return [finding.what for finding in seams.patches(modules(**texts))]

    def test_modules_and_what_is_in_them(self):
        self.assertEqual(
            ['common.ENGINE is set', 'CONF.x is set', 'option.secret is set',
             "setattr(common, 'NAME', 1)", 'common.NAMES[0] is set',
             'common.ENGINE is set'],
            self.found(one='''
                from trove import common
                from trove.common import cfg
                CONF = cfg.CONF
                common.ENGINE = None
                def f():
                    CONF.x = 1
                    for option in cfg.options:
                        option.secret = True
                    setattr(common, 'NAME', 1)
                    common.NAMES[0] = 2
                class A:
                    def f(self):
                        del common.ENGINE
                '''))

    def test_what_is_of_ours_or_was_made_for_us(self):
        self.assertEqual([], self.found(one='''
            from trove import api
            from trove_pxc import conf
            conf.x = 1
            def f(client, option):
                made = api.API()
                made.client = client
                option.secret = client.x = True
            def g():
                option = api.option
                print(option.secret)
            '''))

    def test_the_seams_may(self):
        self.assertEqual([], self.found(
            compat__engine='import common\ncommon.ENGINE = None\n'))


class CallsAtImportTest(testtools.TestCase):

    def test_options_are_registered_and_nothing_else_is_done(self):
        found = seams.calls_at_import(modules(one='''
            """A docstring."""
            from trove_pxc import conf
            from trove_pxc import masking
            LOG = logging.getLogger(__name__)
            conf.register(CONF)
            masking.install()
            if __name__ == '__main__':
                main()
            '''))
        self.assertEqual(['masking.install()'],
                         [finding.what for finding in found])
