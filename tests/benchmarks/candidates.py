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

"""The settings that a run compares, and the statements that apply them.

Pure. Imported by the settings program. A name with a dot is an option of
Galera ("Galera parameters" of the Galera documentation), any other a variable
of the server ("Server system variables", mariadb.com/kb).
"""

from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import re

NAME = re.compile(r'[a-z][a-z0-9_]*(\.[a-z0-9_]+)?')
VALUE = re.compile(r'[A-Za-z0-9_.:+-]+')
SIZE = re.compile(r'([0-9]+)([KMG])', re.IGNORECASE)
BYTES = {'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30}
SWITCHES = {'on': '1', 'off': '0', 'yes': '1', 'no': '0', 'true': '1',
            'false': '0'}
#: The candidate that changes nothing.
RENDERED = 'rendered'
PROVIDER = 'wsrep_provider_options'
#: The window of a member's own messages must not exceed that of all.
OWN_WINDOW, WINDOW = 'evs.user_send_window', 'evs.send_window'

COMPARISONS: Mapping[str, tuple[str, ...]] = {
    'appliers': tuple(f'wsrep_slave_threads={number}'
                      for number in (2, 4, 8, 16)),
    'fc-limit': tuple(f'gcs.fc_limit={number}'
                      for number in (16, 64, 256, 1024)),
    'fc-factor': tuple(f'gcs.fc_factor={number}' for number in (1.0, 0.8,
                                                                0.5)),
    'windows': tuple(f'{WINDOW}={both},{OWN_WINDOW}={own}'
                     for both, own in ((4, 2), (16, 8), (512, 256))),
    'flush-method': ('innodb_flush_method=fsync',
                     'innodb_flush_method=O_DIRECT'),
    'io-capacity': tuple(f'innodb_io_capacity={number}'
                         for number in (200, 1000, 2000)),
    'redo-log': tuple(f'innodb_log_file_size={size}'
                      for size in ('48M', '112M', '512M')),
    'hash-index': ('innodb_adaptive_hash_index=OFF',
                   'innodb_adaptive_hash_index=ON'),
}

Settings = Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Candidate:
    """Settings that are measured together; none for the rendered ones."""

    name: str
    settings: Settings

    @classmethod
    def parse(cls, text: str) -> 'Candidate':
        """Read ``rendered`` or ``name=value``, several with a comma between.

        :raises ValueError: with the reason
        """
        if text == RENDERED:
            return cls(text, {})
        found: dict[str, str] = {}
        for part in text.split(','):
            name, _, value = part.partition('=')
            if not NAME.fullmatch(name) or not VALUE.fullmatch(value):
                raise ValueError(
                    f'{part} is no setting: give NAME=VALUE, or the name of '
                    f'a comparison: {", ".join(COMPARISONS)}')
            if name in found:
                raise ValueError(f'{text} has {name} twice')
            found[name] = value
        return cls(text, found)

    def completed(self, names: Iterable[str],
                  rendered: Settings) -> 'Candidate':
        """The same with the rendered value of all other settings.

        So nothing of the candidate before stays.

        :param names: those of all candidates
        """
        return dataclasses.replace(self, settings={
            name: self.settings.get(name, rendered[name])
            for name in sorted(names)})


def of_words(words: Sequence[str]) -> list[Candidate]:
    """The candidates of a command line, in their order.

    :raises ValueError: a word is not valid, or there are less than two
    """
    texts = [text for word in words
             for text in COMPARISONS.get(word, (word,))]
    found = [Candidate.parse(text) for text in texts]
    for text in texts:
        if texts.count(text) > 1:
            raise ValueError(f'the candidate {text} is given twice')
    if len(found) < 2:
        raise ValueError(f'{texts[0]} alone cannot be compared: give another '
                         f'candidate, for example "{RENDERED}"')
    return found


def in_short(name: str) -> str:
    """A comparison in one line: its settings, and the values of each."""
    all_settings = [Candidate.parse(text).settings
                    for text in COMPARISONS[name]]
    values = ' '.join(','.join(each.values()) for each in all_settings)
    return f'{",".join(all_settings[0])}: {values}'


def names(candidates: Iterable[Candidate]) -> list[str]:
    """The names of the settings of all candidates."""
    return sorted({name for each in candidates for name in each.settings})


def turns(candidates: Sequence[Candidate], number: int) -> list[Candidate]:
    """The order in a round.

    It alternates, because the load of a machine changes.
    """
    return list(candidates if number % 2 else candidates[::-1])


def provider(text: str) -> dict[str, str]:
    """The options of Galera, from the value of their variable."""
    pairs = (part.partition('=') for part in text.split(';'))
    return {name.strip(): value.strip() for name, _, value in pairs
            if name.strip()}


def fixed(settings: Settings, read_only: Iterable[str]) -> dict[str, str]:
    """The settings that only a restart of the server changes."""
    return {name: settings[name] for name in {*settings} & {*read_only}}


def file_text(settings: Settings, options: str) -> str:
    """An option file with these settings, for the next start of a server.

    :param options: the options of Galera in the other option files, which
        this file replaces
    """
    lines = ['[mysqld]']
    lines += [f'{name} = {value}' for name, value in settings.items()
              if '.' not in name]
    own = [f'{name}={value}' for name, value in settings.items()
           if '.' in name]
    if own:
        lines.append(f'{PROVIDER} = "{"; ".join([options, *own])}"')
    return '\n'.join([*lines, ''])


def statements(settings: Settings, read_only: Iterable[str]) -> list[str]:
    """The statements for settings that a running server can change."""
    dynamic = {name: settings[name]
               for name in sorted({*settings} - {*read_only})}
    found = [f'SET GLOBAL {name} = {literal(value)}'
             for name, value in dynamic.items() if '.' not in name]
    options = [(name, value) for name, value in dynamic.items()
               if '.' in name]
    if OWN_WINDOW in dynamic:
        # Then any common window is possible, which is set before the own one.
        options.insert(0, (OWN_WINDOW, '1'))
    found += [f"SET GLOBAL {PROVIDER} = '{name}={value}'"
              for name, value in options]
    return found


def literal(value: str) -> str:
    """The value of a variable in SQL: a number without quotes."""
    plain = normal(value)
    if value.lower() not in SWITCHES and re.fullmatch(r'[0-9.]+', plain):
        return plain
    return f"'{value}'"


def normal(value: str) -> str:
    """The same text for values that mean the same: 48M and 50331648."""
    size = SIZE.fullmatch(value)
    if size:
        return str(int(size[1]) * BYTES[size[2].upper()])
    plain = SWITCHES.get(value.lower(), value.lower())
    if re.fullmatch(r'[0-9]+\.[0-9]+', plain):
        return f'{float(plain):g}'
    return plain


def differing(settings: Settings, there: Settings) -> dict[str, str]:
    """The settings of which a server has another value, with its value."""
    return {name: there.get(name, 'none') for name, value in settings.items()
            if normal(there.get(name, '')) != normal(value)}
