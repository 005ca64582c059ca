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

# Starts a MariaDB server in a container. Understands what Trove passes:
# options or a whole server command line, MYSQL_ROOT_PASSWORD or
# MARIADB_ROOT_PASSWORD for an empty data directory, and
# MARIADB_AUTO_UPGRADE, which asks for the health check's account to be made
# again in a data directory that came from a backup.

set -eu
umask 0027

HEALTHCHECK_FILE=.my-healthcheck.cnf

say() {
    echo "entrypoint: $*" >&2
}

server_setting() {
    local wanted=$1
    shift
    # The value that the server will use, from its files and its options.
    "$@" --verbose --help 2>/dev/null |
        awk -v wanted="$wanted" \
            '$1 == wanted { print $2; exit }'
}

random_password() {
    head -c 24 /dev/urandom | base64 | tr -d '\n'
}

quoted() {
    # A string literal for SQL.
    local text=${1//\\/\\\\}
    printf "'%s'" "${text//\'/\'\'}"
}

healthcheck_sql() {
    local password=$1 host
    for host in localhost 127.0.0.1 ::1; do
        echo "CREATE USER IF NOT EXISTS healthcheck@'$host';"
        echo "ALTER USER healthcheck@'$host'" \
            "IDENTIFIED BY $(quoted "$password");"
    done
}

write_healthcheck_file() {
    local datadir=$1 password=$2
    (
        umask 0077
        printf '[client]\nuser=healthcheck\npassword=%s\n' "$password" \
            > "$datadir/$HEALTHCHECK_FILE"
    )
}

root_sql() {
    local password
    password=$(quoted "$1")
    echo "DELETE FROM mysql.global_priv" \
        "WHERE User = 'root' AND Host != 'localhost';"
    echo 'FLUSH PRIVILEGES;'
    echo "ALTER USER root@localhost IDENTIFIED BY $password;"
    echo "CREATE USER IF NOT EXISTS root@'%' IDENTIFIED BY $password;"
    echo "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
}

run_sql() {
    # SQL from standard input, by a server that no client can reach.
    local datadir=$1
    mariadbd --no-defaults --bootstrap --datadir="$datadir" \
        --lc-messages-dir=/usr/share/mysql --wsrep-on=OFF \
        --innodb-buffer-pool-size=16M --log-warnings=0
}

initialise() {
    local datadir=$1 password=$2 health
    health=$(random_password)
    say "initialising $datadir"
    mariadb-install-db --no-defaults --datadir="$datadir" --force \
        --skip-name-resolve --skip-test-db --skip-log-bin \
        --auth-root-authentication-method=normal >/dev/null
    {
        echo 'FLUSH PRIVILEGES;'
        root_sql "$password"
        healthcheck_sql "$health"
    } | run_sql "$datadir"
    write_healthcheck_file "$datadir" "$health"
}

renew_healthcheck() {
    local datadir=$1 health
    health=$(random_password)
    say "making the health check's account in $datadir"
    {
        echo 'FLUSH PRIVILEGES;'
        healthcheck_sql "$health"
    } | run_sql "$datadir"
    write_healthcheck_file "$datadir" "$health"
}

prepare() {
    local datadir password
    datadir=$(server_setting datadir "$@")
    datadir=${datadir:-/var/lib/mysql}
    mkdir -p "$datadir"
    password=${MARIADB_ROOT_PASSWORD:-${MYSQL_ROOT_PASSWORD:-}}
    unset MARIADB_ROOT_PASSWORD MYSQL_ROOT_PASSWORD
    if [ ! -d "$datadir/mysql" ]; then
        if [ -z "$password" ]; then
            say "$datadir is empty and there is no password for root:" \
                "set MARIADB_ROOT_PASSWORD"
            exit 1
        fi
        initialise "$datadir" "$password"
    elif [ -n "${MARIADB_AUTO_UPGRADE:-}" ] &&
         [ ! -e "$datadir/$HEALTHCHECK_FILE" ]; then
        renew_healthcheck "$datadir"
    fi
}

if [ $# -eq 0 ] || [ "${1#-}" != "$1" ]; then
    set -- mariadbd "$@"
fi
case $1 in
    mariadbd|mysqld)
        if [ "$(id -u)" = 0 ]; then
            chown mysql:mysql /var/lib/mysql /run/mysqld
            exec setpriv --reuid=mysql --regid=mysql --init-groups \
                "$0" "$@"
        fi
        prepare "$@"
        unset MARIADB_ROOT_PASSWORD MYSQL_ROOT_PASSWORD
        ;;
esac
exec "$@"
