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

"""All differences between .zuul.yaml and tox.ini are found."""

import pathlib
import textwrap

import fixtures
import testtools

from tests.unit.tools import loading

jobs = loading.tool('jobs')
TOX = '''
    [tox]
    env_list =
        pep8
        py3{11,12}
        functional-py311
    [testenv]
    description =
        !functional: unit tests
        trove25: (with Trove 25)
    deps =
        trove25: trove>=25.0.0,<26
    commands = stestr run
    [testenv:pep8]
    [testenv:e2e]
    [testenv:venv]
    '''
ZUUL = '''
    - job:
        name: lab
        parent: openstack-tox-with-sudo
        abstract: true
        run: playbooks/lab.yaml
    - job:
        name: lab-e2e
        parent: lab
        vars: {tox_envlist: e2e}
    - job:
        name: functional-old
        parent: openstack-tox-functional-py311
        vars: {tox_envlist: functional-py311-trove25}
    - project:
        queue: one
        check:
          jobs:
            - openstack-tox-pep8
            - openstack-tox-py311
            - openstack-tox-py312
            - openstack-tox-functional-py311: {timeout: 3600}
            - lab-e2e
        gate:
          jobs: [openstack-tox-pep8, openstack-tox-py311]
        experimental:
          jobs: [functional-old, openstack-tox-functional-py313]
    '''


class JobsTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (self.top / 'playbooks').mkdir()
        (self.top / 'playbooks' / 'lab.yaml').touch()

    def found(self, before: str = '', after: str = '',
              tox: str = TOX) -> list[str]:
        """The findings when a text of .zuul.yaml is replaced."""
        self.assertIn(before, ZUUL)
        (self.top / 'tox.ini').write_text(textwrap.dedent(tox))
        (self.top / '.zuul.yaml').write_text(
            textwrap.dedent(ZUUL.replace(before, after, 1)))
        return list(jobs.findings(self.top))

    def check(self, words: str, *changed: str, tox: str = TOX) -> None:
        found = self.found(*changed, tox=tox)
        self.assertEqual(1, len(found), found)
        self.assertIn(words, found[0])

    def test_what_fits_together(self) -> None:
        self.assertEqual([], self.found())

    def test_a_job_whose_environment_is_not_there(self) -> None:
        self.check('tox.ini has no e2f, which the job lab-e2e runs',
                   'tox_envlist: e2e}', 'tox_envlist: e2f}',
                   tox=TOX.replace('[testenv:e2e]', ''))

    def test_a_part_of_a_name_that_tox_does_not_know(self) -> None:
        self.check('tox.ini has no functional-py311-trove24',
                   'py311-trove25', 'py311-trove24')

    def test_a_standard_job_whose_environment_is_not_there(self) -> None:
        self.check('tox.ini has no docs', '[functional-old,',
                   '[openstack-tox-docs, functional-old,')

    def test_an_environment_without_a_job(self) -> None:
        self.check('no job in a pipeline that runs faults',
                   tox=f'{TOX}[testenv:faults]\n')
        self.check('no job in a pipeline that runs py314',
                   tox=TOX.replace('py3{11,12}', 'py3{11,12,14}'))

    def test_an_environment_whose_job_is_in_no_pipeline(self) -> None:
        found = self.found('            - lab-e2e\n')
        self.assertIn('.zuul.yaml has no job in a pipeline that runs e2e',
                      found)
        self.assertIn('.zuul.yaml: the job lab-e2e is in no pipeline', found)

    def test_a_job_that_runs_nobody_knows_what(self) -> None:
        found = self.found('vars: {tox_envlist: e2e}', 'vars: {}')
        self.assertEqual([
            '.zuul.yaml has no job in a pipeline that runs e2e',
            '.zuul.yaml: the environment of the job lab-e2e is not known'],
            sorted(found))

    def test_a_parent_that_is_not_known(self) -> None:
        found = self.found('parent: lab\n', 'parent: lob\n')
        self.assertIn('.zuul.yaml: the job lab-e2e has no known base job; its '
                      'last parent is lob', found)

    def test_a_job_that_is_its_own_parent(self) -> None:
        found = self.found('parent: openstack-tox-with-sudo', 'parent: lab')
        self.assertIn('last parent is lab', found[0])

    def test_a_playbook_that_is_not_there(self) -> None:
        self.check('the playbook playbooks/lob.yaml of the job lab does not',
                   'lab.yaml', 'lob.yaml')

    def test_a_gate_without_a_vote(self) -> None:
        self.check('openstack-tox-py311 is in the gate without a vote',
                   'openstack-tox-pep8, openstack-tox-py311]',
                   'openstack-tox-py311: {voting: false}]')
        found = self.found('abstract: true', 'voting: false')
        self.assertEqual([], found)
        self.assertFalse(jobs.Zuul(
            (self.top / '.zuul.yaml').read_text()).votes('check', 'lab-e2e'))

    def test_a_gate_for_what_was_not_checked(self) -> None:
        self.check('the job functional-old is in the gate, not the check',
                   'gate:\n          jobs: [',
                   'gate:\n          jobs: [functional-old, ')

    def test_names_with_braces(self) -> None:
        self.assertEqual(['py311', 'py313'], jobs.expanded('py3{11,13}'))
        self.assertEqual(['a-c', 'a-d', 'b-c', 'b-d'],
                         jobs.expanded('{a,b}-{c,d}'))
        self.assertEqual(['e2e'], jobs.expanded('e2e'))

    def test_this_very_tree(self) -> None:
        self.assertEqual([], list(jobs.findings(loading.TOP)))
