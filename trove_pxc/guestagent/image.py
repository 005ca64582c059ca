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

"""Checks a database image: its server and its SST methods.

The service uses it. It reads what the start program printed for the image.
"""

import dataclasses
import re

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.galera import dialect as dialects
from trove_pxc.galera import settings

LOG = logging.getLogger(__name__)

_SST_LINE = re.compile(
    r'^SST method (?P<method>\S+): lacks(?P<lacks>.*)$', re.MULTILINE)


def usable_sst_methods(dialect: dialects.Dialect, image: str,
                       said: str) -> tuple[str, ...]:
    """The SST methods that the image has the programs for.

    A method that it can encrypt is listed twice, for example 'rsync' and
    'rsync+tls'.

    :param said: what the start program printed for the word VERSION.
    :raises trove_pxc.exceptions.ImageUnusable: if it holds another server,
        or the programs of no SST method.
    """
    refusal = dialect.refusal(said)
    if refusal is not None:
        raise exceptions.ImageUnusable(refusal)
    lacks = {found['method']: found['lacks'].strip()
             for found in _SST_LINE.finditer(said)}
    usable = tuple(method for method in lacks if not lacks[method])
    if not any(method in dialect.sst_methods for method in usable):
        missing = '; '.join(f'{programs} for the SST method {method}'
                            for method, programs in lacks.items()
                            if method in dialect.sst_methods)
        raise exceptions.ImageUnusable(
            f'the database image {image} has no complete SST method. It '
            f'lacks {missing}. Provide an image with the programs of at '
            'least one method.')
    return usable


def with_sst_method(dialect: dialects.Dialect, facts: settings.MemberFacts,
                    in_image: tuple[str, ...] | None,
                    encrypted: bool = False) -> settings.MemberFacts:
    """The facts, with the best SST method that this image supports.

    All members of a cluster run the same image, and so choose the same.

    :param in_image: its usable methods; None if they are not known.
    :param encrypted: whether to prefer a method that can be encrypted.
    :raises trove_pxc.galera.errors.UnsupportedVersion: if the image lacks
        the programs of the configured method.
    """
    method = dialect.sst_method(facts.sst_method, in_image, encrypted)
    if method == dialect.sst_method(facts.sst_method):
        return facts
    LOG.warning('The image lacks the programs of the SST method %s; using '
                '%s', dialect.default_sst_method, method)
    return dataclasses.replace(facts, sst_method=method)
