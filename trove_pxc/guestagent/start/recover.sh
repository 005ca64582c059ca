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

# Finds the position of the data, and bootstraps a cluster from it.

RECOVER_LOG=${TMPDIR:-/tmp}/galera-recover.log
# Longer than evs.suspect_timeout, after which the other members remove a
# server that died from their component.
FORGET_SECONDS=6

try_recovery() {
    rm -f "$RECOVER_LOG"
    # shellcheck disable=SC2086 # none or several options
    run_bounded "the recovery of the position" \
        "$server" --defaults-file="$DEFAULTS_FILE" \
        ${basedir_option:+"$basedir_option"} --wsrep-recover $RECOVER_OPTIONS \
        "$@" --log-error="$RECOVER_LOG" >&2 && return
    [ ! -e "$RECOVER_LOG" ] || cat "$RECOVER_LOG" >&2
    return 1
}

# With a binary log the server commits or rolls back prepared transactions.
has_binary_log() {
    cat "$DEFAULTS_FILE" "$INCLUDE_DIR"/*.cnf 2> /dev/null | grep -Eq \
        '^[[:space:]]*(loose[-_])?log[-_]bin[[:space:]]*(=|$)'
}

left_prepared() {
    [ -n "$PREPARED" ] && grep -qsF "$LOG_PREPARED" "$RECOVER_LOG" &&
        ! has_binary_log
}

# Workaround prepared-transactions. After the rollback some servers print the
# position. Others end, and print it when they are started again.
recover_prepared() {
    say "the server was killed with transactions that were prepared and not" \
        "committed; rolling them back: --tc-heuristic-recover=$PREPARED"
    try_recovery --tc-heuristic-recover="$PREPARED" || try_recovery ||
        die "the position could not be recovered, although the prepared" \
            "transactions were rolled back"
}

recover() {
    try_recovery && return
    left_prepared || die "the position could not be recovered; the data is" \
        "unchanged"
    recover_prepared
}

# A server that has data but starts without its position would diverge from
# the others without any error. So after a failed recovery it is not started.
recovered_position() {
    recover
    position=$(sed -n \
        "s/.*$LOG_POSITION\([0-9a-fA-F-]\{36\}:-*[0-9]*\).*/\1/p" \
        "$RECOVER_LOG" | tail -n 1)
    [ -n "$position" ] || die "the server did not print its position;" \
        "the server was not started, see $RECOVER_LOG"
    rm -f "$RECOVER_LOG"
    if [ "$position" = "$NO_POSITION" ]; then
        position=
    else
        clear_stale_seqno
    fi
}

# Galera prefers the seqno of grastate.dat to its option. A seqno that is
# behind the data is from before the last start: PXC 8.0 leaves it there if it
# is killed during an IST, and would apply the same write sets again. The
# function "combine" in trove_pxc/galera/position.py uses the same rule.
clear_stale_seqno() {
    seqno=$(saved seqno)
    case $seqno in '' | *[!0-9]*) return 0 ;; esac
    [ "$(saved uuid)" = "$(echo "${position%%:*}" | tr A-F a-f)" ] &&
        [ "${position##*:}" -gt "$seqno" ] || return 0
    say "grastate.dat has the seqno $seqno, but the data is at $position;" \
        "using the position of the data"
    write_grastate 's/^seqno:.*/seqno:   -1/'
}

# Edits grastate.dat with these sed expressions.
write_grastate() {
    sed -e "$1" -e "${2:-}" "$DATA_DIR/grastate.dat" \
        > "$DATA_DIR/grastate.dat.new"
    mv -f "$DATA_DIR/grastate.dat.new" "$DATA_DIR/grastate.dat"
    sync_data
}

print_position() {
    find_server
    recover
    cat "$RECOVER_LOG"
    rm -f "$RECOVER_LOG"
}

# The value of one line of grastate.dat; empty without the file.
saved() {
    [ -e "$DATA_DIR/grastate.dat" ] || return 0
    sed -n "s/^$1:[[:space:]]*\([^[:space:]]*\)[[:space:]]*\$/\1/p" \
        "$DATA_DIR/grastate.dat" | tr A-F a-f | tail -n 1
}

# A clean stop writes the position into grastate.dat, and Galera uses it.
# Otherwise it uses the recovered position.
refuse_undecided() {
    [ -s "$DATA_DIR/grastate.dat" ] || die "continue refused: $DATA_DIR" \
        "has no grastate.dat"
    history=$(saved uuid)
    case $history in
    "${decided%%:*}" | "${NO_POSITION%%:*}") ;;
    *) die "continue refused: $DATA_DIR has the history $history, but the" \
        "decision was for $decided" ;;
    esac
    case $(saved seqno) in
    '' | -*) standing=$(echo "$position" | tr A-F a-f) ;;
    *) standing=$history:$(saved seqno) ;;
    esac
    [ "$standing" = "$decided" ] || die "continue refused: $DATA_DIR" \
        "is at ${standing:-no position}, but the decision was for $decided"
}

# Galera bootstraps from data only if safe_to_bootstrap is 1.
mark_safe() {
    write_grastate "s/^uuid:.*/uuid:    ${decided%%:*}/" \
        's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/'
}

continue_history() {
    has_database || die "continue refused: $DATA_DIR contains no complete" \
        "database"
    recovered_position
    refuse_undecided
    mark_safe
    position=$decided
}

# While the server that died is still in the component of the others, to rejoin
# takes 13 to 37 s; with this wait, 8 to 9 s (measured). A boot of the guest
# takes longer than the wait.
wait_for_others() {
    if [ -z "$order" ] && [ -e "$DATA_DIR/gvwstate.dat" ] &&
            [ -n "$started_before" ]; then
        say "the server did not stop cleanly: waiting $FORGET_SECONDS s"
        sleep "$FORGET_SECONDS" &
        wait $!
    fi
}

# Data that was restored from a backup begins a history of its own: the cluster
# of the backup may still exist. The agent creates the mark when the data is
# complete; it is valid for one start, like the order.
RESTORED=$TRANSFER_DIR/restored

begin_history() {
    [ -e "$RESTORED" ] && has_database || die "restored refused: $DATA_DIR" \
        "does not hold a complete backup that was never started. Restore it" \
        "again"
    for name in grastate.dat gvwstate.dat galera.cache; do
        rm -f "${DATA_DIR:?}/$name"
    done
    sync_data
    rm -f "$RESTORED" || say "cannot remove $RESTORED"
    if [ -e "$RESTORED" ]; then
        die "the mark $RESTORED could not be removed; the server was not" \
            "started. Make $TRANSFER_DIR writable for $(id -u)"
    fi
    sync "$TRANSFER_DIR" 2> /dev/null || sync
    say "beginning a new history with the restored data"
}
