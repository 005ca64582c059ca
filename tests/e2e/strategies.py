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

"""Valid and invalid requests for the routes of clusters.

Strategies of hypothesis, for functional and e2e tests, and how to run them.
"""

from collections.abc import Callable
import copy
import dataclasses
import json
from typing import Any
from urllib import parse
import uuid

import hypothesis
from hypothesis import strategies as st

JSON = 'application/json'
KINDS = (JSON, JSON, JSON, 'application/xml', 'text/plain', '', 'json',
         'application/json; charset=latin-1', 'multipart/form-data')
ODD_TEXTS = (
    '', ' ', '\0', 'a\0b', '\ud800', '\U0001f418', 'x' * 300, 'x' * 70000,
    '%s%n%(x)s', "'; DROP TABLE clusters; --", '../../etc/passwd', 'null',
    '٣', 'ﬀ', '\u202e', 'a\r\nX-Header: b', '{{7*7}}', 'http://x/y?z#1')
ODD_NUMBERS = (0, -1, 1, 2 ** 31, 2 ** 63, 10 ** 30, -10 ** 30, 1.5, 1e308,
               float('nan'), float('inf'))


@dataclasses.dataclass(frozen=True)
class Call:
    """One request, as it is sent."""

    method: str
    path: str
    body: bytes = b''
    kind: str = JSON

    def __repr__(self) -> str:
        return (f'{self.method} {self.path[:300]} ({self.kind!r}) '
                f'{self.body[:1000]!r}')


texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=12))
numbers = st.one_of(st.sampled_from(ODD_NUMBERS), st.integers())
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(leaves, lambda inner: st.one_of(
    st.lists(inner, max_size=3),
    st.dictionaries(texts, inner, max_size=3)), max_leaves=6)
ids = st.one_of(
    st.uuids(version=4).map(str), texts,
    st.sampled_from(('0', '-1', 'None', str(uuid.UUID(int=0)), 'detail')))
raw_bodies = st.one_of(
    st.binary(max_size=40), st.sampled_from((
        b'', b'{', b'null', b'""', b'[]', b'{}', b'[[]]', b'0', b'NaN',
        b'{"cluster": ', b'[' * 20000, b'{"a":' * 5000, b'\xff\xfe{}',
        b'<cluster/>', b'<a><b>1</b></a>', b'<!DOCTYPE a [<!ENTITY b "c">]>'
        b'<a>&b;</a>', b'1' * 5000, b'{"a": 1, "a": 2}')))


def quoted(text: str) -> str:
    """A text as one part of a path; '?' for what UTF-8 cannot encode."""
    return parse.quote(text.encode('utf-8', 'replace')[:200], safe='')


def encoded(value: Any) -> bytes:
    """As JSON; lone surrogates and NaN in the form that Python reads."""
    return json.dumps(value).encode()


def calls(method: str, paths: st.SearchStrategy[str],
          bodies: st.SearchStrategy[Any]) -> st.SearchStrategy[Call]:
    """Requests, mostly with a JSON body, sometimes with any other."""
    usual = st.builds(Call, st.just(method), paths, bodies.map(encoded))
    odd = st.builds(Call, st.just(method), paths,
                    st.one_of(raw_bodies, bodies.map(encoded)),
                    st.sampled_from(KINDS))
    return st.one_of(usual, usual, usual, odd)


def bare(method: str, paths: st.SearchStrategy[str]
         ) -> st.SearchStrategy[Call]:
    """Requests without a body, sometimes with one that is not expected."""
    plain = st.builds(Call, st.just(method), paths)
    return st.one_of(plain, plain, plain, st.builds(
        Call, st.just(method), paths, raw_bodies, st.sampled_from(KINDS)))


@st.composite
def spoilt(draw: Any, good: Any) -> Any:
    """A valid body in which up to two values are replaced or removed."""
    body = copy.deepcopy(good)
    for _ in range(draw(st.integers(1, 2))):
        places = list(_places(body))
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        change = draw(st.sampled_from(('value', 'value', 'gone', 'more')))
        if change == 'gone':
            del holder[key]
        elif change == 'value' or isinstance(holder, list):
            holder[key] = draw(values)
        else:
            holder[draw(texts)] = draw(values)
    return body


def _places(value: Any) -> Any:
    """Each dict or list in it, with each of its keys."""
    if isinstance(value, dict | list):
        for key in (list(value) if isinstance(value, dict)
                    else range(len(value))):
            yield value, key
            yield from _places(value[key])


@st.composite
def queries(draw: Any) -> str:
    """The query string of a list."""
    names = st.one_of(st.sampled_from((
        'limit', 'limit', 'marker', 'marker', 'include_clustered', 'sort',
        'deleted')), texts)
    limits = st.one_of(st.integers(-3, 200).map(str), numbers.map(str),
                       texts)
    pairs = draw(st.lists(st.tuples(names, st.one_of(limits, ids)),
                          max_size=3))
    return '&'.join(f'{quoted(name)}={quoted(value)}'
                    for name, value in pairs)


def send_each(calls: st.SearchStrategy[Call], number: int, seed: int,
              check: Callable[[Call], None]) -> None:
    """Check this number of requests, the same ones for the same seed.

    :raises AssertionError: with the smallest request that fails the check.
    """
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=number, deadline=None, database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink))
    @hypothesis.given(calls)
    def send(call: Call) -> None:
        check(call)
    send()
