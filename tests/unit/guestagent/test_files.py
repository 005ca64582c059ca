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

"""Files that only their owner may read."""

import os
import pathlib

import fixtures
import mock
from oslo_concurrency import processutils

from trove_pxc.guestagent import files

from tests.unit.guestagent import fakes


class HostFilesTest(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.path = f'{self.root}/a file'

    def test_a_file_that_is_not_there_is_none(self) -> None:
        self.assertIsNone(self.files.read(self.path))

    def test_what_was_written_is_read(self) -> None:
        text = 'a "quoted" $text with \\ and \'\n'
        self.files.write(self.path, text, 0o600)
        self.assertEqual(text, self.files.read(self.path))

    def test_a_private_file_replaces_one_that_all_could_read(self) -> None:
        pathlib.Path(self.path).write_text('old')
        os.chmod(self.path, 0o644)
        self.files.write(self.path, 'new', 0o600,
                         f'{os.getuid()}:{os.getgid()}')
        self.assertEqual(0o600, self.mode(self.path))
        self.assertEqual('new', self.text(self.path))

    def test_writing_leaves_nothing_beside_the_file(self) -> None:
        self.files.write(self.path, 'text', 0o600)
        self.assertEqual(['a file'], [
            name for name in os.listdir(self.root) if name != 'volume'])

    def test_a_write_that_fails_leaves_the_old_file(self) -> None:
        self.files.write(self.path, 'old', 0o600)
        self.assertRaises(processutils.ProcessExecutionError,
                          self.files.write, self.path, 'new',
                          0o600, 'no-such-user:no-such-group')
        self.assertEqual('old', self.text(self.path))

    def test_several_files_are_written_by_one_process(self) -> None:
        run = self.useFixture(fixtures.MockPatchObject(
            processutils, 'execute', wraps=processutils.execute)).mock
        wanted = {f'{self.root}/one': ('first: \xe4\u20ac', 0o600),
                  f'{self.root}/none': ('', 0o644),
                  self.path: ('last\n\n', 0o640)}
        self.files.write_all(*(files.File(path, text, mode)
                               for path, (text, mode) in wanted.items()))
        self.assertEqual(1, run.call_count)
        self.assertEqual(wanted, {
            path: (self.text(path), self.mode(path)) for path in wanted})

    def test_no_file_is_replaced_if_one_cannot_be_written(self) -> None:
        self.files.write(self.path, 'old', 0o600)
        self.assertRaises(
            processutils.ProcessExecutionError, self.files.write_all,
            files.File(self.path, 'new', 0o600),
            files.File(f'{self.root}/no folder/file', 'new', 0o600))
        self.assertEqual('old', self.text(self.path))

    def test_the_text_of_a_file_is_not_shown(self) -> None:
        self.assertNotIn('secret', repr(files.File('a', 'secret', 0o600)))

    def test_folders_are_made_with_their_modes(self) -> None:
        self.files.ensure_folders(
            files.Folder(f'{self.root}/a/b', 0o750),
            files.Folder(f'{self.root}/c', 0o755,
                         f'{os.getuid()}:{os.getgid()}'))
        self.assertEqual(0o750, self.mode(f'{self.root}/a/b'))
        self.assertEqual(0o755, self.mode(f'{self.root}/c'))

    def test_a_folder_that_is_there_gets_its_mode(self) -> None:
        os.mkdir(self.path, 0o777)
        self.files.ensure_folders(files.Folder(self.path, 0o750))
        self.assertEqual(0o750, self.mode(self.path))

    def no_process(self) -> None:
        self.useFixture(fixtures.MockPatchObject(
            processutils, 'execute', side_effect=AssertionError('a process')))

    def test_folders_that_are_right_need_no_process(self) -> None:
        folders = (files.Folder(f'{self.root}/a', 0o750),
                   files.Folder(f'{self.root}/b', 0o700,
                                f'{os.getuid()}:{os.getgid()}'))
        self.files.ensure_folders(*folders)
        self.no_process()
        self.files.ensure_folders(*folders)
        for other in (files.Folder(f'{self.root}/a', 0o755),
                      files.Folder(f'{self.root}/b', 0o700, '1:1'),
                      files.Folder(f'{self.root}/c', 0o700)):
            self.assertRaises(AssertionError, self.files.ensure_folders,
                              *folders, other)

    def test_a_folder_is_cleared(self) -> None:
        for name in ('a/b/c', 'lost+found', '.hidden'):
            (self.root / 'data' / name).mkdir(parents=True)
        (self.root / 'data' / 'a file').touch()
        self.files.clear(f'{self.root}/data')
        self.assertEqual(['lost+found'], os.listdir(self.root / 'data'))
        self.files.clear(f'{self.root}/missing')

    def test_files_are_removed_by_their_names(self) -> None:
        for name in ('xtrabackup_info', 'ibdata1', 'x y'):
            (self.root / 'volume' / name).touch()
        self.files.remove_matching(f'{self.root}/volume', 'xtrabackup_*',
                                   'x y')
        self.assertEqual(['ibdata1'], os.listdir(self.root / 'volume'))

    def test_the_bytes_of_a_tree(self) -> None:
        for name, size in (('ibdata1', 5), ('ib_logfile0', 7), ('s/t', 11)):
            path = self.root / 'volume' / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b'x' * size)
        folder = f'{self.root}/volume'
        self.assertEqual(23, self.files.tree_bytes(folder))
        self.assertEqual(11, self.files.tree_bytes(
            folder, 'ib_logfile*', 'ibdata1'))
        self.files.settle(folder)

    def test_a_link_gives_way_and_its_target_stays(self) -> None:
        target = pathlib.Path(f'{self.root}/target')
        target.write_text('kept')
        os.symlink(target, self.path)
        self.files.drop_link(self.path)
        self.assertFalse(os.path.lexists(self.path))
        self.assertEqual('kept', target.read_text())

    def test_a_file_is_no_link(self) -> None:
        self.files.write(self.path, 'kept', 0o600)
        self.files.drop_link(self.path)
        self.assertEqual('kept', self.text(self.path))

    def test_present_tells_which(self) -> None:
        self.files.write(self.path, '', 0o600)
        self.assertEqual(
            frozenset({self.path}),
            self.files.present(self.path, f'{self.root}/none'))

    def test_removing_what_is_not_there_is_no_error(self) -> None:
        self.files.write(self.path, '', 0o600)
        self.files.remove(self.path, f'{self.root}/none')
        self.assertFalse(os.path.exists(self.path))

    def test_a_link_without_a_target_is_removed(self) -> None:
        os.symlink(f'{self.root}/none', self.path)
        self.files.remove(self.path)
        self.assertFalse(os.path.lexists(self.path))

    def test_removing_nothing_needs_no_process(self) -> None:
        self.no_process()
        self.files.remove(self.path, f'{self.root}/none')

    def test_root_removes_what_is_hidden(self) -> None:
        pathlib.Path(self.path).touch()
        with mock.patch.object(os, 'stat', side_effect=PermissionError):
            self.files.remove(self.path)
        self.assertFalse(os.path.lexists(self.path))

    def test_what_everybody_may_see_needs_no_process(self) -> None:
        pathlib.Path(self.path).touch()
        self.no_process()
        self.assertEqual({self.path}, self.files.present(
            self.path, f'{self.root}/none', f'{self.path}/below-a-file'))

    def test_root_looks_for_what_is_hidden(self) -> None:
        pathlib.Path(self.path).touch()
        self.useFixture(fixtures.MockPatchObject(
            os, 'stat', side_effect=PermissionError))
        self.assertEqual({self.path}, self.files.present(
            self.path, f'{self.root}/none'))


class UsedBytesTest(fakes.GuestTestCase):

    def test_it_grows_with_the_data(self) -> None:
        self.assertGreater(files.used_bytes(str(self.root)), 0)
