# shellcheck shell=sh
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

# Initialises a database in an empty data directory, with its accounts and the
# time zones of the image. One member of a cluster does this, once.

INITIAL_SQL=$ORDER_DIR/initialise.sql
INITIAL_LOG=$ORDER_DIR/initialise.log
# The accounts and the time zones; like INITIAL_SQL, it contains passwords.
WHOLE_SQL=$ORDER_DIR/initialise-all.sql
# A hidden file, because MySQL ignores hidden files when it checks that the
# folder is empty.
UNFINISHED=$DATA_DIR/.galera-initialising
ZONES=${TMPDIR:-/tmp}/galera-zones

drop_initial_sql() {
    for path in "$INITIAL_SQL" "$WHOLE_SQL"; do
        rm -f "$path" || say "cannot remove $path"
        if [ -e "$path" ]; then
            die "the file with passwords $path could not be removed;" \
                "the server was not started. Make $ORDER_DIR writable for" \
                "$(id -u)"
        fi
    done
}

sync_data() {
    sync -f "$DATA_DIR" 2> /dev/null || sync
}

has_database() {
    [ -d "$DATA_DIR/mysql" ]
}

# Without the statements that a server quotes: they contain passwords.
initialisation_log() {
    sed -e 's/near .*//' -e '/IDENTIFIED/d' "$INITIAL_LOG"
}

# Docker starts the container again after a failure. Each start prints the log
# of the initialisation that failed, so that its cause is not lost.
tell_initialisation() {
    [ -e "$INITIAL_LOG" ] || return 0
    initialisation_log >&2
}

# Some servers do not mark the last line as an error. Only for a log without an
# error line.
note_failure() {
    initialisation_log | grep -q "$LOG_ERROR" ||
        say "[ERROR] $(initialisation_log | tail -n 1)" 2>> "$INITIAL_LOG"
}

# Deletes only the files of an unfinished initialisation by this program.
clear_unfinished() {
    if [ -e "$UNFINISHED" ]; then
        if [ "$order" != bootstrap ]; then
            tell_initialisation
            die "$DATA_DIR could not be initialised; the server was not" \
                "started"
        fi
        say "deleting the files of an unfinished initialisation"
        clear_data_dir
        rm -f "$UNFINISHED"
    fi
}

clear_data_dir() {
    for path in "$DATA_DIR"/* "$DATA_DIR"/.[!.]*; do
        case $path in
        "$UNFINISHED" | */lost+found) ;;
        *) rm -rf "$path" ;;
        esac
    done
}

refuse_history() {
    for name in grastate.dat sst_in_progress ibdata1; do
        if [ -e "$DATA_DIR/$name" ]; then
            die "bootstrap refused: $DATA_DIR contains $name but no" \
                "complete database. Find out whose data it is before you" \
                "start the server"
        fi
    done
}

initialise_with() {
    # shellcheck disable=SC2034 # initialise_data_dir reads it
    SQL_FILE=$1
    run_bounded "the initialisation" initialise_data_dir \
        > "$INITIAL_LOG" 2>&1 && return
    note_failure
    return 1
}

# The first error, which causes the later ones.
initialisation_error() {
    initialisation_log | sed -n "s/.*$LOG_ERROR *//p" | head -n 1
}

# Distributions install each zone up to three times: also below posix, where
# it is the same, and below right, where it counts leap seconds. The first
# start of a cluster would take half a second longer to load all of them.
# The programs of the servers follow a link to a folder.
link_zones() {
    [ -d "$ZONEINFO_DIR" ] && rm -rf "$ZONES" && mkdir "$ZONES" || return
    for path in "$ZONEINFO_DIR"/*; do
        case ${path##*/} in
        posix | right) ;;
        *) ln -s "$path" "$ZONES" || return ;;
        esac
    done
}

# One line for each statement, as the manual of init_file requires. For the
# zone Factory an old program writes an abbreviation that is too long for its
# column (MySQL bug 20545). One transaction: otherwise InnoDB syncs the disk
# for each of the 9,000 statements.
time_zones() {
    echo "USE mysql;"
    echo "SET autocommit = 0;"
    "$1" "$ZONES" 2> /dev/null | sed -e ':a' -e '/;$/!{N;ba' -e '}' \
        -e 's/\n/ /g' \
        -e 's/Local time zone must be set--see zic manual page/FCTY/'
    echo "COMMIT;"
    echo "SET autocommit = 1;"
}

# The accounts, then the time zones. Fails if the image has no time zones.
write_whole_sql() {
    link_zones || return
    for command in $TIME_ZONE_COMMANDS; do
        if command -v "$command" > /dev/null; then
            (umask 077 && { cat "$INITIAL_SQL" && time_zones "$command"; } \
                > "$WHOLE_SQL")
            [ "$(wc -l < "$WHOLE_SQL")" -gt 100 ]
            return
        fi
    done
    return 1
}

# A server with empty tables of time zones does not know any named zone, and
# CONVERT_TZ returns NULL. Joiners get the tables by state transfer.
initialise_with_time_zones() {
    if ! write_whole_sql; then
        say "the image has no time zones in $ZONEINFO_DIR or none of the" \
            "programs $TIME_ZONE_COMMANDS; its server will not have named" \
            "time zones"
        return 1
    fi
    initialise_with "$WHOLE_SQL" && return
    say "initialising with the time zones of the image failed, trying" \
        "without: $(initialisation_error)"
    clear_data_dir
    return 1
}

initialise() {
    refuse_history
    [ -e "$INITIAL_SQL" ] || die "bootstrap refused: $INITIAL_SQL with the" \
        "accounts to create is missing: an earlier bootstrap was interrupted"
    say "initialising $DATA_DIR"
    # The program may not sync what it writes. So the mark has to be on the
    # disk before the data, and the data before the mark is removed.
    : > "$UNFINISHED"
    sync_data
    if ! initialise_with_time_zones && ! initialise_with "$INITIAL_SQL"; then
        tell_initialisation
        drop_initial_sql
        die "the data directory could not be initialised"
    fi
    rm -f "$INITIAL_LOG"
    sync_data
    rm -f "$UNFINISHED"
}
