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
"""Valid and invalid requests for all routes of a member.

Strategies of hypothesis, for functional and e2e tests. This module sends
nothing. No request removes or stops the member.
"""

from collections.abc import Iterator
import json
from typing import Any
from urllib import parse

from hypothesis import strategies as st

from tests.e2e import strategies

#: Part of every password, so that it is found in any text.
MARK = 'S3cret'
#: Names that a path, a statement or a pattern could misinterpret.
NAMES = ('joe', 'b\xfcser', "o'neil", 'a"b', 'a`b', 'a\\b', 'a@b', 'a/b',
         'a.b', 'x.json', 'new', 'edit', 'update_all', 'databases',
         'a/databases', 'a%41', '100%', 'a_b', ' a', 'a;b', 'a,b', '?a=b',
         '#a', '\u6f22', '..', 'a+b', 'a b', "x' OR '1'='1", 'a' * 32)
#: Names that belong to the server, or that no server accepts.
BAD_NAMES = ('', 'root', 'OS_ADMIN', 'mysql.sys', 'mysql', 'SYS',
             'Information_Schema', '#mysql50#mysql', 'a ', 'a\tb',
             '\U0001f418', 'a' * 200, '.' * 60)
HOSTS = ('%', '10.0.0.1', '10.0.0.%', 'app.example.com', 'APP.Example.com',
         '10.0.0.0/255.255.255.0', 'fd00::1')
BAD_HOSTS = ('', 'a@b', 'a b', 'h\xfc', 'a' * 300)
CHARACTER_SETS = ('utf8mb4', 'latin1')

Strategy = st.SearchStrategy[Any]

_printable = st.text(st.characters(
    exclude_categories=('Cc', 'Cs')), max_size=12)
passwords = st.one_of(_printable, st.sampled_from((
    '', "'", '"', ';', '\\', '`', ',', '/', '+=', ' '))).map(MARK.__add__)
bad_passwords = st.sampled_from((f'{MARK}\x07', f'{MARK}\n', MARK * 60))
# The first ones are frequent, so that requested names sometimes exist.
names = st.one_of(
    st.sampled_from(NAMES[:4]), st.sampled_from(NAMES[:4]),
    st.sampled_from(NAMES), st.sampled_from(NAMES),
    st.one_of(st.sampled_from(BAD_NAMES), strategies.texts))
hosts = st.one_of(
    st.sampled_from(HOSTS[:2]), st.sampled_from(HOSTS),
    st.one_of(st.sampled_from(BAD_HOSTS), strategies.texts))


def quoted(name: str, host: str | None = None) -> str:
    """A user as Trove's client writes it into a path.

    :param host: None if it is not given.
    """
    text = name if host is None else f'{name}@{host}'
    return parse.quote(text.encode('utf-8', 'replace')[:300]).replace(
        '.', '%2e')


def users_in(body: bytes) -> Iterator[dict[str, Any]]:
    """The users in a valid body."""
    yield from json.loads(body)['users']


def accounts(member: str) -> Strategy:
    """Valid and invalid requests for users, databases and root.

    :param member: the path of the member.
    """
    paths = st.one_of(
        names.map(quoted), names.map(quoted), names.map(quoted),
        st.builds(quoted, names, hosts), st.builds(quoted, names, hosts),
        st.binary(max_size=4).map(parse.quote))
    user = st.fixed_dictionaries(
        {'name': names, 'password': st.one_of(
            passwords, passwords, bad_passwords)},
        optional={'host': hosts, 'databases': st.lists(
            st.fixed_dictionaries({'name': names}), max_size=2)})
    database = st.fixed_dictionaries({'name': names}, optional={
        'character_set': st.one_of(
            st.sampled_from(CHARACTER_SETS), strategies.texts)})
    users = st.fixed_dictionaries(
        {'users': st.lists(user, min_size=1, max_size=2)})
    change = st.fixed_dictionaries({'user': st.fixed_dictionaries(
        {}, optional={'name': names, 'host': hosts, 'password': passwords})})
    databases = st.fixed_dictionaries(
        {'databases': st.lists(database, min_size=1, max_size=2)})
    reached = st.fixed_dictionaries({'databases': st.lists(
        st.fixed_dictionaries({'name': names}), min_size=1, max_size=2)})

    def place(form: str, *parts: Strategy) -> Strategy:
        return st.builds(form.format, st.just(member), *parts)

    return st.one_of(
        _posts('POST', place('{}/users'), users),
        _posts('POST', place('{}/databases'), databases),
        _posts('PUT', place('{}/users/{}', paths), change),
        _posts('PUT', place('{}/users'), users),
        _posts('PUT', place('{}/users/{}/databases', paths), reached),
        strategies.bare('GET', place('{}/users/{}', paths)),
        strategies.bare('GET', place('{}/users/{}/databases', paths)),
        strategies.bare('DELETE', place('{}/users/{}', paths)),
        strategies.bare('DELETE', place(
            '{}/users/{}/databases/{}', paths, paths)),
        strategies.bare('DELETE', place('{}/databases/{}', paths)),
        strategies.bare('GET', place('{}/databases/{}', paths)),
        strategies.bare('GET', place(
            '{}/{}?{}', st.sampled_from(('users', 'databases')),
            strategies.queries())),
        _posts('POST', place('{}/root'), st.one_of(
            st.just({}), passwords.map(lambda one: {'password': one}))),
        strategies.bare('DELETE', place('{}/root')),
        strategies.bare('GET', place('{}/root')))


def others(member: str, member_id: str) -> Strategy:
    """All other requests for a member."""
    action = st.sampled_from((
        {'restart': {}}, {'resize': {'volume': {'size': 2}}},
        {'resize': {'flavorRef': '2'}}, {'resize': {}}, {'resize': 5},
        {'promote_to_replica_source': {}}, {'eject_replica_source': {}},
        {'reset_status': 5}, {'stop': {}}, {'dance': {}}, {'': None}))
    module = {'modules': [{'id': member_id}]}
    log = {'name': 'general', 'publish': 1}
    ssl = {'ssl': {'mode': 'basic', 'enable': True, 'container_ref': 'x'}}
    backup = {'backup': {'name': 'b', 'instance': member_id,
                         'description': 'd'}}
    change = st.sampled_from((
        {'instance': {'access': {'is_public': True}}},
        {'instance': {'datastore_version': '10.6'}},
        {'instance': {'replica_of': ''}}, {'instance': {'slave_of': ''}},
        {'instance': {'configuration': member_id}}, {'instance': {}},
        {'instance': {'configuration': None}}))
    return st.one_of(
        _posts('POST', st.just(f'{member}/action'), action),
        _posts('PUT', st.just(member), change),
        _posts('PATCH', st.just(member), change),
        _posts('POST', st.just(f'{member}/log'), st.just(log)),
        _posts('POST', st.just(f'{member}/ssl'), st.just(ssl)),
        _posts('POST', st.just(f'{member}/modules'), st.just(module)),
        st.just(strategies.Call(
            'POST', '/backups', strategies.encoded(backup))),
        strategies.bare('DELETE', st.builds(
            f'{member}/modules/{{}}'.format,
            strategies.ids.map(strategies.quoted))),
        strategies.bare('DELETE', st.just(member)),
        strategies.bare('GET', st.builds(
            '{}{}?{}'.format, st.just(member), st.sampled_from((
                '', '/backups', '/configuration', '/log', '/ssl',
                '/modules', '/action', '/x')), strategies.queries())))


def _posts(method: str, paths: Strategy, bodies: Strategy) -> Strategy:
    """Mostly valid bodies, some spoilt ones, and any others."""
    return st.one_of(
        strategies.calls(method, paths, bodies),
        strategies.calls(method, paths, bodies),
        strategies.calls(method, paths, bodies.flatmap(strategies.spoilt)),
        strategies.calls(method, paths, strategies.values))
