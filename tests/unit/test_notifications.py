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

"""Notifications that Trove can create from their names."""

import testtools
from trove.common import notification
from trove.common import serializable_notification

from trove_pxc import notifications


class NameTest(testtools.TestCase):

    def test_they_survive_the_way_to_the_taskmanager(self) -> None:
        for kind, event in (
                (notifications.ClusterResizeFlavor, 'cluster_resize_flavor'),
                (notifications.ClusterResizeVolume, 'cluster_resize_volume'),
                (notifications.ClusterRotateCertificates,
                 'cluster_rotate_certificates')):
            sent = kind(None, request_id='r', server_type='api')
            plain = (serializable_notification.SerializableNotification
                     .serialize(None, sent))
            made = (serializable_notification.SerializableNotification
                    .deserialize(None, plain))
            self.assertIsInstance(made, kind)
            self.assertIsInstance(made, notification.DBaaSAPINotification)
            self.assertEqual(event, made.event_type())
