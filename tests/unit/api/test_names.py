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

"""Names in paths become one part each, without a loss."""

from typing import Any
from urllib import parse

import webob
import webob.dec

from tests.unit.api import base
from trove_pxc.api import names

NAMES = ('joe', 'joe@10.0.0.1', 'a.b', 'x.json', 'b\xfcser', 'a/b', '/', '..',
         'new', 'a%41', '100%', "o'neil", 'a\\b', '\u6f22', 'a b', '#', '?')


class NamesTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.member = self.members(self.add_cluster())[0]
        self.path = f'/instances/{self.member.id}'
        self.seen = ''
        self.raw: str | None = None

    def after(self, path: str) -> str:
        """Return the path of a request behind the filter."""
        @webob.dec.wsgify
        def application(request: Any) -> webob.Response:
            self.seen = request.environ['PATH_INFO']
            return webob.Response(status=203)

        request = base.request('GET', path)
        if self.raw is not None:
            request.environ['RAW_PATH_INFO'] = self.raw
        response = request.get_response(names.Names(application))
        self.assertEqual(203, response.status_int)
        return self.seen.removeprefix(f'/{base.PROJECT}{self.path}')

    def parts(self, kind: str, *name: str) -> list[str]:
        """Return the path of a member with names, quoted as by clients."""
        quoted = '/databases/'.join(parse.quote(one) for one in name)
        after = self.after(f'{self.path}/{kind}/{quoted}')
        self.assertTrue(after.isascii())
        self.assertNotIn('.', after)
        first, *rest = after.removeprefix(f'/{kind}/').split('/databases/')
        for one in (first, *rest):
            self.assertNotIn('/', one)
        return [names.decoded(one) for one in (first, *rest)]

    def test_users(self) -> None:
        for name in NAMES:
            self.assertEqual([name], self.parts('users', name))

    def test_databases(self) -> None:
        for name in (*NAMES, 'a/databases/b'):
            self.assertEqual(name, '/databases/'.join(
                self.parts('databases', name)))

    def test_databases_of_users(self) -> None:
        for name in NAMES:
            for database in NAMES:
                self.assertEqual([name, database], self.parts(
                    'users', name, database))
        self.assertEqual('/users/%61/databases',
                         self.after(f'{self.path}/users/a/databases'))

    def test_several_slashes(self) -> None:
        """paste.urlmap, which comes before, merges them."""
        for name in ('http://x', '//', 'a//', 'a/', '/databases//'):
            self.raw = (f'/v1.0/{base.PROJECT}{self.path}/databases/'
                        f'{parse.quote(name)}')
            self.assertEqual(
                [name], [names.decoded(self.after(
                    f'{self.path}/databases/{parse.quote("http:/x")}'
                ).removeprefix('/databases/'))])

    def test_a_server_that_knows_no_path_as_it_was_sent(self) -> None:
        for self.raw in ('', '/v1.0/p/instances/other/users/joe'):
            self.assertEqual(['a/b'], self.parts('users', 'a/b'))

    def test_other_paths_stay(self) -> None:
        for rest in ('', '/users', '/databases', '/users/', '/root',
                     '/action', '/x/users/a'):
            self.assertEqual(rest, self.after(f'{self.path}{rest}'))

    def test_other_instances_stay(self) -> None:
        for instance in ('none', self.unknown()):
            path = f'/instances/{instance}/users/a.b'
            self.after(path)
            self.assertEqual(f'/{base.PROJECT}{path}', self.seen)

    def unknown(self) -> str:
        self.member.update(deleted=True)
        return str(self.member.id)

    def refused(self, path: str, more: str = '') -> str:
        request = base.request('GET', f'{self.path}/{path}')
        request.environ['PATH_INFO'] += more
        response = request.get_response(names.Names(None))
        self.assertEqual(400, response.status_int)
        return str(response.json['badRequest']['message'])

    def test_what_is_not_utf_8(self) -> None:
        self.assertEqual('The path of the request is not UTF-8.',
                         self.refused('users/a', '\x80'))

    def test_what_no_fault_could_quote(self) -> None:
        """Trove's tables are utf8mb3; storing the fault would fail."""
        for path in ('users/%F0%90%80%80/databases', 'databases/a%00',
                     'users/joe/databases/%F0%9F%90%98'):
            self.assertIn('cannot be stored', self.refused(path))
