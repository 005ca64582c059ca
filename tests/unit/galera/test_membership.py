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

"""The configuration of a member."""

import json

import testtools

from trove_pxc.galera.membership import Membership

from tests.unit.guestagent import fakes


class MembershipTest(testtools.TestCase):

    def test_it_survives_the_wire(self):
        for certificate in (None, fakes.certificate()):
            one = Membership(fakes.facts(), fakes.secrets(), certificate)
            wire = json.loads(json.dumps(one.to_dict()))
            self.assertEqual(one, Membership.from_dict(wire))

    def test_what_an_older_agent_kept_has_no_identity(self):
        kept = fakes.membership().to_dict()
        del kept['identity']
        del kept['secrets']['authorities']
        one = Membership.from_dict(kept)
        self.assertIsNone(one.certificate)
        self.assertFalse(one.secrets.encrypted)
