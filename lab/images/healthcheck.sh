#!/bin/bash
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

# Tells whether the MariaDB server in this container is well. Options:
# --defaults-file FILE, or --datadir DIR, for the account's credentials, and
# the tests --connect, --innodb_initialized and --galera_online.

set -eu

defaults=/var/lib/mysql/.my-healthcheck.cnf
tests=()

ask() {
    mariadb --defaults-file="$defaults" --protocol=socket \
        --batch --skip-column-names -e "$1"
}

connect() {
    [ "$(ask 'SELECT 1')" = 1 ]
}

innodb_initialized() {
    [ "$(ask "SELECT 1 FROM information_schema.ENGINES
              WHERE engine = 'innodb' AND support IN ('YES', 'DEFAULT')"
        )" = 1 ]
}

galera_online() {
    [ "$(ask "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS
              WHERE VARIABLE_NAME = 'WSREP_LOCAL_STATE'")" = 4 ]
}

while [ $# -gt 0 ]; do
    case $1 in
        --defaults-file) defaults=$2; shift ;;
        --defaults-file=*) defaults=${1#*=} ;;
        --datadir) defaults=$2/.my-healthcheck.cnf; shift ;;
        --datadir=*) defaults=${1#*=}/.my-healthcheck.cnf ;;
        --connect|--innodb_initialized|--galera_online)
            tests+=("${1#--}") ;;
        *) echo "healthcheck: unknown option $1" >&2; exit 2 ;;
    esac
    shift
done
for name in "${tests[@]}"; do
    if ! "$name"; then
        echo "healthcheck: $name failed" >&2
        exit 1
    fi
done
