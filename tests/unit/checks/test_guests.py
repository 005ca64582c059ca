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

"""Errors in the file that Trove copies to the guests."""

from tests.unit.checks import installation
from trove_pxc.checks import guests
from trove_pxc.checks import site as sites

BROKER = 'rabbit://USER:PASSWORD@HOST:5672/.'


class FileTest(installation.InstallationTestCase):

    def test_there(self) -> None:
        self.assertEqual([], self.texts(guests.file(self.site())))

    def test_not_there(self) -> None:
        found = sites.Site(self.options(''))
        self.assertEqual(
            [f'fatal: [DEFAULT] guest_config = {self.guest_file}: it does not '
             'exist. Trove copies this file to every guest. Create it, or '
             'write the path of an existing one.'],
            self.texts(guests.file(found)))

    def test_a_value_that_cannot_be_read(self) -> None:
        self.assertEqual([], self.texts(guests.values(self.site())))
        fault, = self.texts(guests.values(self.site(
            guest='report_interval = often\n')))
        self.assertTrue(fault.startswith(
            f'fatal: {self.guest_file}: [DEFAULT] report_interval is '
            'invalid: '), fault)


class MessageBusTest(installation.InstallationTestCase):

    def faults(self, url: str) -> list[str]:
        return self.texts(guests.message_bus(self.site(
            guest=f'transport_url = {url}\n')))

    def test_hosts_that_a_guest_reaches(self) -> None:
        for url in ('rabbit://a:b@10.0.0.2:5672/',
                    'rabbit://a:b@one:5672,a:b@two:5672/x'):
            self.assertEqual([], self.faults(url))

    def test_no_url(self) -> None:
        self.assertEqual(
            [f'fatal: {self.guest_file}: [DEFAULT] transport_url cannot be '
             f'parsed. Write: transport_url = {BROKER}'],
            self.faults('a broker'))

    def test_a_url_without_a_host(self) -> None:
        missing = [
            f'fatal: {self.guest_file} has no [DEFAULT] transport_url, so '
            'guests cannot find the message broker. Write: transport_url = '
            f'{BROKER}']
        self.assertEqual(missing, self.faults('rabbit://'))
        self.assertEqual(missing, self.texts(
            guests.message_bus(self.site())))

    def test_hosts_that_are_the_guest_itself(self) -> None:
        for host in ('localhost', '127.0.0.1', '[::1]', ''):
            fault, = self.faults(f'rabbit://a:b@{host}:5672/')
            self.assertEqual(
                f'fatal: {self.guest_file}: [DEFAULT] transport_url names the '
                f'host "{host.strip("[]")}", which in a guest is the guest '
                'itself. Write the address at which guests can reach the '
                'broker.', fault)

    def test_one_of_several(self) -> None:
        self.assertEqual(1, len(self.faults(
            'rabbit://a:b@one:5672,a:b@localhost:5672/')))


class MetricsTest(installation.InstallationTestCase):

    def faults(self, tcp_ports: str, **guest: object) -> list[str]:
        return self.texts(guests.metrics(self.site(
            f'{installation.MARIADB}tcp_ports = {tcp_ports}\n',
            '[mariadb]\n' + ''.join(
                f'{name} = {value}\n' for name, value in guest.items()))))

    def test_open_to_users(self) -> None:
        self.assertEqual(
            ['doubt: [mariadb] tcp_ports opens 9104, the metrics_port in '
             f'{self.guest_file}, so users can read the metrics of members '
             'without a password. Remove it from tcp_ports, and allow '
             'Prometheus with management_security_groups.'],
            self.faults('3306, 9000-9200', metrics_port=9104,
                        metrics_address='0.0.0.0'))

    def test_closed_to_users(self) -> None:
        for ports, guest in (
                ('3306', {'metrics_port': 9104,
                          'metrics_address': '0.0.0.0'}),
                ('3306, 9104', {'metrics_port': 9104}),
                ('3306, 9104', {'metrics_port': 9104,
                                'metrics_address': '::1'}),
                ('0-9104', {'metrics_port': 0,
                            'metrics_address': '0.0.0.0'})):
            self.assertEqual([], self.faults(ports, **guest))


class DatabaseImagesTest(installation.InstallationTestCase):

    def faults(self, image: str) -> list[str]:
        return self.texts(guests.database_images(self.site(
            installation.MARIADB,
            f'[mariadb]\ndocker_image = {image}\n')))

    def test_without_a_tag(self) -> None:
        for image in ('mariadb', 'library/mariadb', 'host:5000/a/mariadb',
                      ''):
            self.assertEqual([], self.faults(image))

    def test_with_a_tag(self) -> None:
        for image, bare in (
                ('mariadb:10.11', 'mariadb'),
                ('host:5000/a/mariadb:10.11', 'host:5000/a/mariadb'),
                ('host:5000/mariadb@sha256:0a', 'host:5000/mariadb'),
                ('mariadb@sha256:0a', 'mariadb'),
                ('host:5000/mariadb:10@sha256:0a', 'host:5000/mariadb')):
            self.assertEqual(
                [f'fatal: {self.guest_file}: [mariadb] docker_image = {image} '
                 'has a tag. The guest uses the version number of the '
                 'datastore version as the tag. Write: docker_image = '
                 f'{bare}.'],
                self.faults(image))
