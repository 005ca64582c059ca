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

"""Contract: how oslo.messaging creates an exception again in the caller."""

import contextlib

from oslo_messaging._drivers import common
import testtools
from trove.common import exception

from trove_pxc.compat import remote_errors


def again(made: Exception) -> Exception:
    """Return the exception that the caller of a guest gets."""
    with contextlib.suppress(Exception):
        raise made
    sent = common.serialize_remote_exception(
        (type(made), made, made.__traceback__))
    received: Exception = common.deserialize_remote_exception(
        sent, [exception.__name__])
    return received


class TextTest(testtools.TestCase):

    def test_without_the_guest_s_traceback(self) -> None:
        for made, told in (
                (KeyError('secret'), "'secret'"),
                (ValueError('two\nlines'), 'two\nlines'),
                (exception.BadRequest('100 %% of it'), '100 % of it'),
                (exception.UserNotFound(uuid='joe'),
                 'User joe cannot be found on the instance.')):
            received = again(made)
            self.assertIn('Traceback', str(received))
            self.assertEqual(told, remote_errors.text_of(received))

    def test_missing_or_of_this_process(self) -> None:
        for raised in (KeyError('secret'), ValueError(),
                       exception.BadRequest('no')):
            self.assertIsNone(remote_errors.text_of(raised))
