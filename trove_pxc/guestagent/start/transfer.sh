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

# Detects data that an interrupted state transfer (SST) left incomplete, and
# watches each transfer until its data is on the disk.

# Marks: a state transfer may not be on the disk yet. The mark on the volume
# survives a loss of power, the mark in memory does not.
UNSYNCED=$TRANSFER_DIR/unsynced
SINCE_BOOT=$ORDER_DIR/unsynced
# Mark: the server was evicted, and may have committed writes that no other
# member has.
CAST_OUT=$TRANSFER_DIR/cast-out

# Whether the last transfer was interrupted before all data was on the disk.
transfer_was_interrupted() {
    if [ -e "$UNSYNCED" ] && [ ! -e "$SINCE_BOOT" ]; then
        return 0
    fi
    [ -e "$DATA_DIR/sst_in_progress" ] || return 1
    ! data_is_untouched
}

# Whether a transfer provably ended before it changed the data, for example an
# IST whose donor did not answer. sst_in_progress is not enough to decide this:
# the joiner's script of PXC creates it for IST, too. The agent uses the same
# rule: transfer_changed_nothing in trove_pxc/galera/position.py, which has the
# sources.
data_is_untouched() {
    [ -n "$SST_FOLDERS" ] && has_database && [ -e "$DATA_DIR/ibdata1" ] ||
        return 1
    for name in $SST_FOLDERS; do
        [ ! -e "$DATA_DIR/$name" ] || return 1
    done
    case $(saved uuid) in
    "${NO_POSITION%%:*}") return 1 ;;
    ????????-????-????-????-????????????) ;;
    *) return 1 ;;
    esac
}

# watch_transfers would treat the file as a running transfer.
forget_transfer() {
    [ -e "$DATA_DIR/sst_in_progress" ] || return 0
    say "a state transfer ended before it changed the data; using the data"
    rm -f "$DATA_DIR/sst_in_progress"
}

# Incomplete data must not be used for a position or to restore the last view.
# The joiner's script of PXC 8 refuses to start while its folder exists
# ("FATAL: Found existing .../sst-xb-tmpdir", K8SPXC-327).
set_spoiled_aside() {
    case $order in
    bootstrap | continue | restored)
        die "$order refused: $1, so the data in $DATA_DIR is incomplete" ;;
    esac
    say "$1: requesting a full copy of the data"
    rm -f "$DATA_DIR/gvwstate.dat"
    if [ -e "$DATA_DIR/grastate.dat" ]; then
        mv -f "$DATA_DIR/grastate.dat" "$DATA_DIR/grastate.dat.spoiled"
    fi
    for name in $SST_FOLDERS; do
        rm -rf "${DATA_DIR:?}/$name"
    done
}

# A full copy would fail when the volume is full, and would load its donor.
refuse_without_room() {
    # shellcheck disable=SC2046 # one word for each column
    set -- $(df -Pk "$DATA_DIR" | tail -n 1)
    [ "$4" -ge "$ROOM_KIB" ] || die "this member was evicted from its" \
        "cluster and needs a full copy of the data, but its volume has only" \
        "$4 KiB of free space. It starts when $ROOM_KIB KiB are free"
}

# Incremental backups build on positions in this data directory (InnoDB's LSNs),
# which it identifies. rsync would keep it, although it replaces the data.
LINEAGE=$DATA_DIR/.trove-pxc-lineage

# Runs in the background. A transfer takes at least the second that the script
# of the joiner sleeps. A step that fails is tried again: the volume may be
# full, or the folder of orders belongs to root until the agent starts.
watch_transfers() {
    set +e
    arrives=
    while kill -0 $$ 2> /dev/null; do
        if [ -e "$DATA_DIR/sst_in_progress" ]; then
            arrives=yes
            rm -f "$LINEAGE"
            [ -e "$SINCE_BOOT" ] || mark_unsynced
        elif [ -n "$arrives" ] || [ -e "$SINCE_BOOT" ]; then
            settle_transfer && arrives=
        fi
        sleep 0.5
    done
}

# Workaround unsynced-transfer.
mark_unsynced() {
    works_around unsynced-transfer || return
    touch "$UNSYNCED" 2> /dev/null || return
    sync "$UNSYNCED" "$TRANSFER_DIR" 2> /dev/null || sync
    touch "$SINCE_BOOT" 2> /dev/null
}

settle_transfer() {
    sync_data && rm -f "$UNSYNCED" "$CAST_OUT" || return
    sync "$TRANSFER_DIR" 2> /dev/null || sync
    rm -f "$SINCE_BOOT" || return
    say "all data of the state transfer is on the disk"
}

# Workaround slow-joiner-script. The server puts its own folder in front of
# PATH, so a program in another folder would not be found.
shorten_sleeps() {
    works_around slow-joiner-script || return 0
    export BASH_ENV="$here/joiner-sleep.sh"
}
