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

"""Violations of each rule of the project are found."""

import configparser
import pathlib
import re
import textwrap

import fixtures
import testtools

from tests.unit.tools import loading


house = loading.tool('house')
HEADER = f'# {house.LICENCE}; you may\n"""What it is for."""\n'


class TestHouse(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (self.top / 'requirements.txt').write_text('')

    def write(self, path, code, header=HEADER, tested=True):
        """Write a file, and the unit test that a module needs."""
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(header + textwrap.dedent(code))
        if tested and path.startswith('trove_pxc/'):
            folder, _, name = path.removeprefix('trove_pxc/').rpartition('/')
            self.write(f'tests/unit/{folder}/test_{name}', '')

    def check(self, *expected):
        """Check that the findings are these, by their beginnings."""
        found = sorted(house.findings(self.top))
        self.assertEqual(len(expected), len(found), found)
        for beginning, finding in zip(sorted(expected), found):
            self.assertTrue(finding.startswith(beginning), finding)

    def test_a_tree_in_order(self):
        self.write('trove_pxc/galera/view.py', '''
            import dataclasses
            from trove_pxc.galera import errors
            ''')
        self.write('tests/unit/galera/test_view_tables.py', '')
        self.check()

    def test_galera_does_no_io_and_knows_no_trove(self):
        self.write('trove_pxc/galera/plan.py', '''
            import socket
            from trove_pxc import waiting
            from oslo_log import log
            ''')
        (self.top / 'requirements.txt').write_text('oslo.log>=1\n')
        self.check('trove_pxc/galera/plan.py:4 ',
                   'trove_pxc/galera/plan.py:5 ',
                   'trove_pxc/galera/plan.py:6 ')

    def test_what_a_run_has_found_out_is_replaced_by_the_engine(self):
        code = '''
            class Run:
                def __init__(self):
                    self.found = 1

                def look(self):
                    self.found = self.found + 1
            '''
        for module in ('engine/workflow', 'steps/look'):
            self.write(f'trove_pxc/taskmanager/{module}.py', code)
        self.check('trove_pxc/taskmanager/steps/look.py:9 ')

    def test_the_api_knows_the_guests_api_alone(self):
        self.write('trove_pxc/api/cluster.py', '''
            from trove_pxc.guestagent import api
            from trove_pxc.guestagent import service
            from trove_pxc.taskmanager.operations import create
            ''')
        self.check('trove_pxc/api/cluster.py:5 ',
                   'trove_pxc/api/cluster.py:6 ')

    def test_levels_of_the_taskmanager(self):
        folder = 'trove_pxc/taskmanager'
        imports = textwrap.dedent('''
            from trove_pxc.taskmanager.cloud import members
            from trove_pxc.taskmanager.engine import lease
            from trove_pxc.taskmanager.steps import join
            from trove_pxc.taskmanager.operations import grow
            from trove_pxc.taskmanager import tasks
            from trove_pxc.taskmanager.watchers import automatic
            from trove_pxc.taskmanager import manager
            STEPS = ()
            ''')
        lines = {'cloud/ports.py': range(5, 11),
                 'engine/runner.py': range(6, 11),
                 'steps/verify.py': range(7, 11),
                 'operations/create.py': range(7, 11),
                 'tasks.py': (9, 10), 'watchers/discovery.py': (10,)}
        for name in lines:
            self.write(f'{folder}/{name}', imports)
        self.check(*(f'{folder}/{name}:{line} ' for name in lines
                     for line in lines[name]))

    def test_operations_use_no_sql(self):
        (self.top / 'requirements.txt').write_text(
            'oslo.messaging\nSQLAlchemy\n')
        for level in ('cloud', 'engine', 'steps', 'operations'):
            self.write(f'trove_pxc/taskmanager/{level}/module.py',
                       'import oslo_messaging\nimport sqlalchemy\n'
                       'STEPS = ()\n')
        self.check(*(f'trove_pxc/taskmanager/{level}/module.py:{line} '
                     for level in ('engine', 'steps', 'operations')
                     for line in (3, 4)))

    def test_an_operation_tells_its_phases_first(self):
        folder = 'trove_pxc/taskmanager/operations'
        late = '\n' * house.FIRST_SCREEN
        for name, code in (
                ('create', 'STEPS: tuple = ()'), ('delete', 'def run(): x'),
                ('resize', 'FLAVOR_STEPS = ()'), ('grow', 'X = 1'),
                ('shrink', f'{late}STEPS = ()')):
            self.write(f'{folder}/{name}.py', code + '\n')
        self.write(f'{folder}/__init__.py', '', tested=False)
        self.check(f'{folder}/grow.py has no STEPS',
                   f'{folder}/shrink.py has no STEPS')

    def test_production_does_not_import_tests(self):
        self.write('trove_pxc/conf.py', 'from tests.unit import base\n')
        self.write('lab/up.py', 'from tests.unit import base\n')
        (self.top / 'requirements.txt').write_text('tests\n')
        self.check('lab/up.py:3 ', 'trove_pxc/conf.py:3 ')

    def test_only_waiting_sleeps(self):
        text = '''
            import time
            def f():
                time.sleep(1)
            '''
        self.write('trove_pxc/waiting.py', text)
        self.write('trove_pxc/exceptions.py', text)
        self.write('tests/e2e/base.py',
                   'from time import sleep\nsleep(1)\n')
        self.check('tests/e2e/base.py:4 ', 'trove_pxc/exceptions.py:6 ')

    def test_rooms_are_small(self):
        body = '    x = 1\n' * house.FUNCTION_LINES
        self.write('trove_pxc/conf.py', f'def f():\n{body}')
        self.write('lab/up.py', '\n' * house.MODULE_LINES['lab'])
        self.check('lab/up.py has ', 'trove_pxc/conf.py:3 f has ')

    def test_nothing_is_swallowed(self):
        self.write('tests/base.py', '''
            try:
                x = 1
            except ValueError:
                pass
            ''')
        self.check('tests/base.py:6 ignores the exception')

    def test_broad_handlers_raise_at_the_entries_alone(self):
        code = '''
            try:
                x = 1
            except (ValueError, Exception):
                x = 2
                {}
            '''
        self.write('trove_pxc/taskmanager/engine/runner.py',
                   code.format('raise'))
        self.write('trove_pxc/guestagent/manager.py', code.format('x = 3'))
        self.write('trove_pxc/waiting.py', code.format('raise'))
        self.check(
            'trove_pxc/guestagent/manager.py:6 a broad except that does not',
            'trove_pxc/waiting.py:6 a broad except outside')

    def test_options_are_read_late(self):
        self.write('trove_pxc/waiting.py', '''
            CONF = {}
            LIMIT = CONF.pxc.limit
            def f(seconds=CONF.pxc.limit):
                return CONF.pxc.limit
            ''')
        self.check('trove_pxc/waiting.py:5 ', 'trove_pxc/waiting.py:6 ')

    def test_a_file_says_its_licence_and_its_responsibility(self):
        self.write('trove_pxc/conf.py', 'X = 1\n', header='')
        self.write('trove_pxc/__init__.py', '', header='', tested=False)
        self.check('trove_pxc/conf.py has no docstring',
                   'trove_pxc/conf.py has no licence')

    def test_nothing_is_put_off(self):
        mark = 'TO' + 'DO'
        self.write('lab/up.py', f'X = 1  # {mark}: more\n')
        self.check('lab/up.py:3 has a mark of unfinished work')

    def test_documentation_names_files_that_there_are(self):
        for path in ('trove_pxc/conf.py', 'trove_pxc/api/cluster.py',
                     'trove_pxc/taskmanager/engine/lease.py'):
            self.write(path, '')
        for path in ('doc/source/contributor/index.rst', 'README.rst'):
            self.write(path, '''
                ``trove_pxc/conf.py``, ``api/cluster.py``, ``lease.py``,
                ``engine/lease.py``, ``trove/quota/quota.py``,
                ``api/clusters.py``
                ''')
        self.check('README.rst names api/clusters.py: no such file',
                   'doc/source/contributor/index.rst names api/clusters.py')

    def test_unit_tests_mirror_the_tree(self):
        self.write('tests/unit/galera/test_lost.py', '')
        self.write('lab/guest/boot.py', '')
        self.write('tests/unit/lab/guest/test_boot.py', '')
        self.check('tests/unit/galera/test_lost.py mirrors no')

    def test_each_module_has_its_unit_test(self):
        self.write('trove_pxc/conf.py', '', tested=False)
        self.write('trove_pxc/galera/plan.py', '', tested=False)
        self.write('lab/up.py', '')
        self.write('tests/unit/test_plan.py', '')
        self.check(
            'tests/unit/test_plan.py mirrors no trove_pxc/plan.py',
            'trove_pxc/conf.py has no unit test tests/unit/test_conf.py',
            'trove_pxc/galera/plan.py has no unit test '
            'tests/unit/galera/test_plan.py')

    def test_a_unit_test_of_an_aspect_is_one(self):
        self.write('trove_pxc/galera/plan.py', '', tested=False)
        self.write('tests/unit/galera/test_plan_stories.py', '')
        self.check()

    def test_a_unit_test_is_the_one_of_the_longest_name(self):
        for module in ('plan', 'plan_of', 'planet'):
            self.write(f'trove_pxc/galera/{module}.py', '', tested=False)
        self.write('tests/unit/galera/test_plan_of_stories.py', '')
        self.check('trove_pxc/galera/plan.py has no unit test',
                   'trove_pxc/galera/planet.py has no unit test')

    def test_an_init_module_needs_a_test_for_its_code_alone(self):
        self.write('trove_pxc/api/__init__.py', '', tested=False)
        self.check()
        self.write('trove_pxc/api/__init__.py', 'X = 1\n', tested=False)
        self.check('trove_pxc/api/__init__.py has no unit test '
                   'tests/unit/api/test___init__.py')
        self.write('tests/unit/api/test___init__.py', '')
        self.check()

    def test_a_shell_program_has_the_test_that_the_table_names(self):
        path, test = next(iter(house.SHELL_TESTS.items()))
        self.write(path, '', tested=False)
        self.write('trove_pxc/guestagent/program.py', '')
        self.check(f'{path} has no unit test {test}')
        self.write(test, '')
        self.check()
        self.write('trove_pxc/guestagent/other.sh', '', tested=False)
        self.check('trove_pxc/guestagent/other.sh has no unit test in SHELL')

    def test_requirements_are_what_is_imported(self):
        self.write('trove_pxc/conf.py', '''
            import pymysql
            import novaclient
            ''')
        (self.top / 'requirements.txt').write_text(
            'PyMySQL>=1.0.2 # MIT\noslo.log\n')
        self.check('requirements.txt lacks the package of novaclient',
                   'requirements.txt names oslo.log')

    def test_the_clients_libraries_are_an_extra(self):
        self.write('trove_pxc/osc/cluster.py', '''
            import osc_lib
            import cliff
            from trove_pxc import conf
            ''')
        (self.top / 'setup.cfg').write_text(
            '[extras]\nosc =\n    osc-lib>=3\n    python-troveclient\n')
        self.check('the extra osc of setup.cfg lacks the package of cliff',
                   'the extra osc of setup.cfg names python-troveclient',
                   'trove_pxc/osc/cluster.py:6 ')

    def test_what_others_do_not_offer_is_in_compat(self):
        text = '''
            import rpc
            def f():
                return rpc._driver
            '''
        self.write('trove_pxc/compat/broker.py', text)
        self.write('trove_pxc/api/broker.py', text)
        self.write('trove_pxc/api/masks.py', '''
            from trove_pxc import masking
            masking.install()
            ''')
        (self.top / 'requirements.txt').write_text('rpc\n')
        self.check('trove_pxc/api/broker.py:6 rpc._driver: a private name',
                   'trove_pxc/api/masks.py:5 masking.install(): is called')

    def test_trove_api_loads_no_driver_of_the_broker(self):
        for path, count in (('api/x.py', 1), ('taskmanager/api.py', 1),
                            ('taskmanager/cloud/queues.py', 0)):
            self.write(f'trove_pxc/{path}',
                       'from trove_pxc.compat import rabbit_queues\n')
            self.assertEqual(count, len(list(house.findings(self.top))), path)
            (self.top / 'trove_pxc' / path).write_text('')

    def test_the_project_has_the_same_urls_everywhere(self):
        parser = configparser.ConfigParser()
        parser.read(loading.TOP / 'setup.cfg')
        urls = dict(line.split(' = ') for line in parser[
            'metadata']['project_urls'].split('\n') if line)
        page = (loading.TOP / 'doc' / 'source' / 'conf.py').read_text()
        readme = (loading.TOP / 'README.rst').read_text()
        for name, option in (
                ('Source Code', 'openstackdocs_repo_name'),
                ('Bug Tracker', 'openstackdocs_bug_project')):
            part = re.search(f"{option} = '(.*)'", page)[1]
            self.assertTrue(urls[name].endswith(f'/{part}'), urls[name])
            self.assertIn(urls[name], readme)
        self.assertIn(urls['Documentation'], readme)
        self.assertEqual(urls['Documentation'],
                         parser['metadata']['home_page'])

    def test_this_very_tree_has_what_the_table_names(self):
        for room in house.ROOMS:
            if room.path.endswith('/'):
                self.assertTrue((loading.TOP / room.path).is_dir(), room.path)
        for path in house.SHELL_TESTS:
            self.assertTrue((loading.TOP / path).is_file(), path)
