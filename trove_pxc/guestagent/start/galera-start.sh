#!/bin/sh
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

# Starts a member's database server inside its container, in this order:
# take the one-shot order, initialise if the order says so, recover the
# position, run the server and read its log along. What differs between
# servers stands in galera-start.conf beside this file; the agent writes both.
#
# galera-start.sh            start the server
# galera-start.sh recover    print what the server recovers, and end
# galera-start.sh version    print the server's version and what the image
#                            lacks for each way of state transfer, and end

set -eu
umask 027

. "$(dirname "$0")/galera-start.conf"

ORDER_FILE=$ORDER_DIR/next-start
INITIAL_SQL=$ORDER_DIR/initialise.sql
INITIAL_LOG=$ORDER_DIR/initialise.log
# The accounts and the time zones: it holds passwords as the first one does.
WHOLE_SQL=$ORDER_DIR/initialise-all.sql
# MySQL initialises a folder only if nothing but hidden files is in it.
UNFINISHED=$DATA_DIR/.galera-initialising
# Docker may have made the folder of orders anew, for root alone.
RECOVER_LOG=${TMPDIR:-/tmp}/galera-recover.log
# Since the guest booted, a server was started here.
LAST_ORDER=$ORDER_DIR/last-order
# A state transfer that may not be on the disk yet: the mark stays when the
# power goes, its twin in memory does not.
UNSYNCED=$TRANSFER_DIR/unsynced
SINCE_BOOT=$ORDER_DIR/unsynced
# The server was voted out, and may have committed what nobody else has.
CAST_OUT=$TRANSFER_DIR/cast-out
LOG_PIPE=${TMPDIR:-/tmp}/galera-log
SERVER_ENDED='galera-start: the server ended'
# Longer than evs.suspect_timeout, after which the others count the server
# that died as gone.
FORGET_SECONDS=6
# Longer than any change of a component that brings the next one.
SILENCE_SECONDS=10
# Longer than a process takes to end that has closed all its files.
END_SECONDS=10
NO_POSITION=00000000-0000-0000-0000-000000000000:-1

# The first process of a container gets no default for it.
trap 'exit 143' TERM

say() {
    echo "galera-start: $*" >&2
}

die() {
    echo "galera-start: [ERROR] $*" >&2
    exit 1
}

find_server() {
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
    # A build from source lies wherever its builder wanted it.
    for folder in /usr/local/*/bin /usr/local/*/sbin /opt/*/bin /opt/*/sbin
    do
        PATH=$PATH:$folder
    done
    for name in $SERVER_COMMANDS; do
        if server=$(command -v "$name"); then
            server=$(readlink -f "$server")
            basedir=${server%/*bin/*}
            basedir_option=${NEEDS_BASEDIR:+--basedir=$basedir}
            # Where a 5.6 from source keeps mysql_install_db.
            export PATH="$PATH:$basedir/bin:$basedir/scripts"
            return 0
        fi
    done
    die "the image has none of the programs $SERVER_COMMANDS;" \
        "check docker_image and the datastore version's name"
}

find_provider() {
    for provider in $PROVIDER_PATHS; do
        if [ -e "$provider" ]; then
            return 0
        fi
    done
    die "the image has none of Galera's libraries $PROVIDER_PATHS;" \
        "check docker_image and the datastore version's name"
}

# What the image lacks for an SST method; nothing if it lacks nothing.
sst_lacks() {
    for need in $(sst_needs "$1"); do
        found=
        for program in $(echo "$need" | tr '|' ' '); do
            if command -v "$program" > /dev/null; then
                found=yes
            fi
        done
        [ -n "$found" ] || printf ' %s' "$need"
    done
}

# Whether the quickest state transfer may form the cluster: where members
# encrypt what they say, it must be encrypted as well.
may_form() {
    method=$FORMATION_SST
    if [ -e "$IDENTITY_DIR/key.pem" ]; then
        method=$FORMATION_SST+tls
        case " $CAN_ENCRYPT " in
        *" $method "*) ;;
        *) return 1 ;;
        esac
    fi
    [ -z "$(sst_lacks "$method")" ]
}

# An order that could not be removed would be followed again by a restart.
take_order() {
    order=
    if [ -e "$ORDER_FILE" ]; then
        read -r order < "$ORDER_FILE" || die "the order in $ORDER_FILE" \
            "is not readable or not a whole line; nothing was started"
        rm -f "$ORDER_FILE" || say "cannot remove $ORDER_FILE"
        if [ -e "$ORDER_FILE" ]; then
            die "the order in $ORDER_FILE could not be removed;" \
                "nothing was started, make $ORDER_DIR writable for $(id -u)"
        fi
    fi
    decided=
    case $order in
    '' | bootstrap | form) ;;
    'continue '*)
        decided=$(echo "${order#continue }" | tr A-F a-f)
        order=continue
        ;;
    *) die "unknown order '$order' in $ORDER_FILE; nothing was started" ;;
    esac
}

drop_initial_sql() {
    for path in "$INITIAL_SQL" "$WHOLE_SQL"; do
        rm -f "$path" || say "cannot remove $path"
        if [ -e "$path" ]; then
            die "the file of passwords $path could not be removed;" \
                "nothing was started, make $ORDER_DIR writable for $(id -u)"
        fi
    done
}

sync_data() {
    sync -f "$DATA_DIR" 2> /dev/null || sync
}

has_database() {
    [ -d "$DATA_DIR/mysql" ]
}

# A server that dislikes a statement quotes it, with its password.
initialisation_log() {
    sed -e 's/near .*//' -e '/IDENTIFIED/d' "$INITIAL_LOG"
}

# Docker starts what failed again, and what counts is what failed first. The
# log of one that ended well, or was cut short, has no cause: its end is not
# told as one.
tell_initialisation() {
    [ -e "$INITIAL_LOG" ] || return 0
    initialisation_log >&2
}

# Not every server's programs say of their last words that they are an error.
note_failure() {
    initialisation_log | grep -q "$LOG_ERROR" ||
        say "[ERROR] $(initialisation_log | tail -n 1)" 2>> "$INITIAL_LOG"
}

# Only what our own unfinished initialisation left is ever deleted.
clear_unfinished() {
    if [ -e "$UNFINISHED" ]; then
        if [ "$order" != bootstrap ]; then
            tell_initialisation
            die "$DATA_DIR could not be initialised, nothing was started"
        fi
        say "clearing an initialisation that did not come to its end"
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
            die "bootstrap refused: $DATA_DIR holds $name but no whole" \
                "database; look at what it is before anything is started"
        fi
    done
}

initialise_with() {
    # shellcheck disable=SC2034 # initialise_data_dir reads it
    SQL_FILE=$1
    initialise_data_dir > "$INITIAL_LOG" 2>&1 && return
    note_failure
    return 1
}

# The first error, for others follow from it.
initialisation_error() {
    initialisation_log | sed -n "s/.*$LOG_ERROR *//p" | head -n 1
}

# One line for each statement, as the manual of init_file asks for. Of a zone
# named Factory an old program tells an abbreviation that is too long for its
# column (MySQL bug 20545). InnoDB would sync the disk for each of the 9,000
# statements if they were not one transaction.
time_zones() {
    echo "USE mysql;"
    echo "SET autocommit = 0;"
    "$1" "$ZONEINFO_DIR" 2> /dev/null | sed -e ':a' -e '/;$/!{N;ba' -e '}' \
        -e 's/\n/ /g' \
        -e 's/Local time zone must be set--see zic manual page/FCTY/'
    echo "COMMIT;"
    echo "SET autocommit = 1;"
}

# The accounts, then the zones; nothing if the image has none.
write_whole_sql() {
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

# A server without the tables of time zones knows none by its name, and
# CONVERT_TZ gives NULL. Joiners get them by state transfer.
initialise_with_time_zones() {
    if ! write_whole_sql; then
        say "the image has no time zones in $ZONEINFO_DIR or none of the" \
            "programs $TIME_ZONE_COMMANDS; its server will know no zone by" \
            "its name"
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
    [ -e "$INITIAL_SQL" ] || die "bootstrap refused: the accounts to" \
        "create are not in $INITIAL_SQL, for it was cut short before"
    say "initialising $DATA_DIR"
    : > "$UNFINISHED"
    if ! initialise_with_time_zones && ! initialise_with "$INITIAL_SQL"; then
        tell_initialisation
        drop_initial_sql
        die "the data directory could not be initialised"
    fi
    rm -f "$INITIAL_LOG"
    sync_data
    rm -f "$UNFINISHED"
}

try_recovery() {
    rm -f "$RECOVER_LOG"
    # shellcheck disable=SC2086 # none or several options
    "$server" --defaults-file="$DEFAULTS_FILE" \
        ${basedir_option:+"$basedir_option"} --wsrep-recover $RECOVER_OPTIONS \
        "$@" --log-error="$RECOVER_LOG" >&2 && return
    [ ! -e "$RECOVER_LOG" ] || cat "$RECOVER_LOG" >&2
    return 1
}

# With one, it is the binary log that decides on what was prepared.
has_binary_log() {
    cat "$DEFAULTS_FILE" "$INCLUDE_DIR"/*.cnf 2> /dev/null | grep -Eq \
        '^[[:space:]]*(loose[-_])?log[-_]bin[[:space:]]*(=|$)'
}

left_prepared() {
    [ -n "$PREPARED" ] && grep -qsF "$LOG_PREPARED" "$RECOVER_LOG" &&
        ! has_binary_log
}

# Some servers go on and tell the position, some end when they have rolled
# back, and tell it when they are asked once more.
recover_prepared() {
    say "the server was killed with transactions that were prepared and not" \
        "committed; they are undone by --tc-heuristic-recover=$PREPARED"
    try_recovery --tc-heuristic-recover="$PREPARED" || try_recovery ||
        die "the position could not be recovered, though the transactions" \
            "that were prepared have been rolled back"
}

recover() {
    try_recovery && return
    left_prepared || die "the position could not be recovered; the data is" \
        "untouched"
    recover_prepared
}

# To meet the others without a position, while they have one, is a silent
# divergence: what cannot be recovered is not started.
recovered_position() {
    recover
    position=$(sed -n \
        "s/.*$LOG_POSITION\([0-9a-fA-F-]\{36\}:-*[0-9]*\).*/\1/p" \
        "$RECOVER_LOG" | tail -n 1)
    [ -n "$position" ] || die "the server did not tell its position;" \
        "nothing was started, see $RECOVER_LOG"
    rm -f "$RECOVER_LOG"
    if [ "$position" = "$NO_POSITION" ]; then
        position=
    fi
}

# While it arrives, or before all of it was on the disk.
transfer_was_interrupted() {
    [ -e "$DATA_DIR/sst_in_progress" ] || {
        [ -e "$UNSYNCED" ] && [ ! -e "$SINCE_BOOT" ]
    }
}

# What is spoiled must neither count as having a position nor help to restore
# the last view.
set_spoiled_aside() {
    case $order in
    bootstrap | continue)
        die "$order refused: $1, what lies in $DATA_DIR is spoiled" ;;
    esac
    say "$1: asking for a whole one"
    rm -f "$DATA_DIR/gvwstate.dat"
    if [ -e "$DATA_DIR/grastate.dat" ]; then
        mv -f "$DATA_DIR/grastate.dat" "$DATA_DIR/grastate.dat.spoiled"
    fi
}

# A whole copy would fail where it has no room, and have burdened its donor.
refuse_without_room() {
    # shellcheck disable=SC2046
    set -- $(df -Pk "$DATA_DIR" | tail -n 1)
    [ "$4" -ge "$ROOM_KIB" ] || die "this member was cast out of its cluster" \
        "and needs a whole copy of the data, but its volume has only $4 KiB" \
        "of room; it starts when there are $ROOM_KIB"
}

# One line's value in grastate.dat.
saved() {
    sed -n "s/^$1:[[:space:]]*\([^[:space:]]*\)[[:space:]]*\$/\1/p" \
        "$DATA_DIR/grastate.dat" | tr A-F a-f | tail -n 1
}

# A clean stop leaves the position in grastate.dat, where Galera takes it
# from; after anything else it is the recovered one.
refuse_undecided() {
    [ -s "$DATA_DIR/grastate.dat" ] || die "continue refused: $DATA_DIR" \
        "has no grastate.dat"
    history=$(saved uuid)
    case $history in
    "${decided%%:*}" | "${NO_POSITION%%:*}") ;;
    *) die "continue refused: $DATA_DIR is of the history $history, not" \
        "at $decided as was decided" ;;
    esac
    case $(saved seqno) in
    '' | -*) standing=$(echo "$position" | tr A-F a-f) ;;
    *) standing=$history:$(saved seqno) ;;
    esac
    [ "$standing" = "$decided" ] || die "continue refused: $DATA_DIR" \
        "stands at ${standing:-no position}, not at $decided as was decided"
}

# Galera bootstraps from data only where this says that it is safe.
mark_safe() {
    sed -e "s/^uuid:.*/uuid:    ${decided%%:*}/" \
        -e 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' \
        "$DATA_DIR/grastate.dat" > "$DATA_DIR/grastate.dat.new"
    mv -f "$DATA_DIR/grastate.dat.new" "$DATA_DIR/grastate.dat"
    sync_data
}

continue_history() {
    has_database || die "continue refused: $DATA_DIR holds no whole database"
    recovered_position
    refuse_undecided
    mark_safe
    position=$decided
}

# A server that comes back at once fights with its own ghost: measured, 13 to
# 37 s; if the others forgot the one that died, 8 to 9 s with this wait.
let_others_forget() {
    if [ -z "$order" ] && [ -e "$DATA_DIR/gvwstate.dat" ] &&
            [ -n "$started_before" ]; then
        say "the server did not stop cleanly: waiting $FORGET_SECONDS s"
        sleep "$FORGET_SECONDS" &
        wait $!
    fi
}

# rsync and its kind leave the data to the page cache, which writes it within
# half a minute: until then a loss of power tears files of a member that was
# Synced. No transfer is shorter than the second that its script sleeps. What
# fails is tried again: a full volume is emptied, and after a boot the folder
# of orders is root's until the agent has come.
watch_transfers() {
    set +e
    arrives=
    while kill -0 $$ 2> /dev/null; do
        if [ -e "$DATA_DIR/sst_in_progress" ]; then
            arrives=yes
            [ -e "$SINCE_BOOT" ] || mark_unsynced
        elif [ -n "$arrives" ] || [ -e "$SINCE_BOOT" ]; then
            settle_transfer && arrives=
        fi
        sleep 0.5
    done
}

mark_unsynced() {
    touch "$UNSYNCED" 2> /dev/null || return
    sync "$UNSYNCED" "$TRANSFER_DIR" 2> /dev/null || sync
    touch "$SINCE_BOOT" 2> /dev/null
}

settle_transfer() {
    sync_data && rm -f "$UNSYNCED" "$CAST_OUT" || return
    sync "$TRANSFER_DIR" 2> /dev/null || sync
    rm -f "$SINCE_BOOT" || return
    say "what the state transfer brought is on the disk"
}

# The first of a new component names the exchange of states to the others. If
# it has 1 MB to send already, it does not, and nobody asks: all are Primary,
# Synced and ready, and take no write until the component changes again
# (Galera 26.4.23, core_handle_comp_msg). A server so stuck hears no SIGTERM.
end_silence() {
    sleep "$SILENCE_SECONDS"
    say "[ERROR] the members of the new component take no writes, for this" \
        "one has not begun their exchange of states; its server is killed"
    kill -KILL "$server_pid"
}

# Seen with PXC 5.6.21, after a start that failed: the process stays, nobody
# listens, and Docker does not start it anew. Its data is closed by then.
end_shut_down() {
    sleep "$END_SECONDS"
    say "[ERROR] the server did not end though it has shut down; it is killed"
    kill -KILL "$server_pid"
}

# Galera has a server that is voted out leave in order, and skips what the
# others wrote meanwhile. What its own clients still wait for it certifies
# without that, and tells them that it is committed, though the others refused
# it (Galera 26.4.23, GcsActionSource::process). It does so when it has left,
# and has to wait for its network first, 10 ms at least: time to kill it.
watch_log() {
    set +e
    voted_out=
    silence_pid=
    end_pid=
    while IFS= read -r line; do
        case $line in *"$SERVER_ENDED"*) break ;; esac
        read_log_line "$line"
        case $event in
        voted-out) voted_out=yes ;;
        left) [ -z "$voted_out" ] || kill -KILL "$server_pid" ;;
        component)
            [ -z "$silence_pid" ] || kill "$silence_pid"
            silence_pid=
            ;;
        silent)
            end_silence &
            silence_pid=$!
            ;;
        shut-down)
            end_shut_down &
            end_pid=$!
            ;;
        esac
        printf '%s\n' "$line" >&2
    done
    [ -z "$end_pid" ] || kill "$end_pid" 2> /dev/null
    [ -z "$voted_out" ] || mark_cast_out
}

# Anybody's words may stand in a log; but this Galera writes for itself. With
# repl.force_sst_after_inconsistency, of PXC 8.4.11, it removes the file instead
# (release notes of 8.4.11-11).
mark_cast_out() {
    [ ! -e "$DATA_DIR/grastate.dat" ] ||
        [ "$(saved uuid)" = "${NO_POSITION%%:*}" ] || return
    touch "$CAST_OUT"
    sync "$CAST_OUT" "$TRANSFER_DIR" 2> /dev/null || sync
    say "[ERROR] this member was cast out of its cluster; its server was" \
        "killed before it told clients what the others did not agree to"
}

# The shell stays the first process of the container: a server that is the
# first one could not be killed from here.
run_server() {
    rm -f "$LOG_PIPE"
    mkfifo -m 600 "$LOG_PIPE"
    exec 3<> "$LOG_PIPE"
    rm -f "$LOG_PIPE"
    "$server" "$@" 2>&3 3>&- &
    server_pid=$!
    watch_log <&3 3>&- &
    log_pid=$!
    # Not before: a shell that was forked just now loses what it is sent.
    trap 'kill -TERM "$server_pid" 2> /dev/null' TERM
    ended=0
    wait "$server_pid" || ended=$?
    # A signal ends the wait, not the server.
    while kill -0 "$server_pid" 2> /dev/null; do
        ended=0
        wait "$server_pid" || ended=$?
    done
    echo "$SERVER_ENDED" >&3
    wait "$log_pid" || say "its log was not read to the end"
    exit "$ended"
}

prepare_data() {
    position=
    clear_unfinished
    if transfer_was_interrupted; then
        set_spoiled_aside "a state transfer was interrupted"
    elif [ -e "$CAST_OUT" ]; then
        refuse_without_room
        set_spoiled_aside "this member was cast out of its cluster"
    elif [ "$order" = continue ]; then
        continue_history
    elif has_database; then
        recovered_position
    elif [ "$order" = bootstrap ]; then
        initialise
    fi
    drop_initial_sql
}

start() {
    # Asked first: after a boot the agent, too, notes that it was here.
    started_before=
    [ ! -e "$LAST_ORDER" ] || started_before=yes
    take_order
    find_server
    find_provider
    prepare_data
    let_others_forget
    set -- --defaults-file="$DEFAULTS_FILE" \
        ${basedir_option:+"$basedir_option"} --wsrep_provider="$provider"
    if [ -n "$position" ]; then
        set -- "$@" --wsrep_start_position="$position"
    fi
    case $order in
    bootstrap | continue) set -- "$@" --wsrep-new-cluster ;;
    form)
        if ! has_database && may_form; then
            set -- "$@" --wsrep_sst_method="$FORMATION_SST"
        fi
        ;;
    esac
    watch_transfers < /dev/null > /dev/null &
    say "starting $server, position ${position:-none}, order ${order:-none}"
    run_server "$@"
}

case ${1:-start} in
start) start ;;
recover)
    find_server
    recover
    cat "$RECOVER_LOG"
    rm -f "$RECOVER_LOG"
    ;;
version)
    find_server
    find_provider
    "$server" --no-defaults --version
    for method in $SST_METHODS; do
        echo "SST method $method: lacks$(sst_lacks "$method")"
    done
    ;;
*) die "unknown word '$1'" ;;
esac
