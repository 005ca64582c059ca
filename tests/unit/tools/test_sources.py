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

"""The tree's files, and the bases of classes."""

import testtools

from tests.unit.tools.loading import modules
from tests.unit.tools.loading import sources


class ClassesTest(testtools.TestCase):

    def test_the_longest_chain_goes_through_modules_and_other_names(self):
        found = sources.Classes(modules(
            one='class A:\n    x = 1\n',
            two='''
                from trove_pxc import one
                Other = one.A
                class B(Other): pass
                class C(B[int]): pass
                ''',
            three='''
                from trove_pxc.two import C
                import abc
                class D(abc.ABC, C): pass
                '''))
        self.assertEqual(
            ('trove_pxc.one.A', 'trove_pxc.two.B', 'trove_pxc.two.C',
             'trove_pxc.three.D'), found.longest())

    def test_a_foreign_base_may_be_the_last_one(self):
        found = sources.Classes(modules(
            one='''
                from trove import models
                class A(models.Cluster): pass
                class B(A): pass
                class C(Exception): pass
                '''))
        self.assertTrue(found.has_foreign_base('trove_pxc.one.B'))

    def test_all_that_a_class_derives_from(self):
        found = sources.Classes(modules(one='''
            from trove import models
            class A(models.Cluster): pass
            class B: pass
            class C(A, B): pass
            class D(C): pass
            '''))
        self.assertEqual({f'trove_pxc.one.{name}' for name in 'ABC'},
                         found.family('trove_pxc.one.C'))
