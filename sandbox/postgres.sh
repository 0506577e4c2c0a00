#!/bin/sh
# Starts PostgreSQL as the entrypoint of the official image does, as far as examples use it:
# https://github.com/docker-library/docs/tree/master/postgres
set -eu
user="${POSTGRES_USER:-postgres}" name="${POSTGRES_DB:-${POSTGRES_USER:-postgres}}"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    (umask 077 && printf %s "$POSTGRES_PASSWORD" >/tmp/password)
    initdb -D "$PGDATA" -U "$user" --pwfile /tmp/password --auth-local trust --auth-host scram-sha-256 \
        --encoding UTF8 --locale C
    rm /tmp/password
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    pg_ctl -D "$PGDATA" -w -o "-k /tmp -c listen_addresses=''" start
    [ "$name" = postgres ] || psql -h /tmp -U "$user" -d postgres -c "CREATE DATABASE \"$name\""
    for file in /docker-entrypoint-initdb.d/*.sql; do
        [ ! -e "$file" ] || psql -h /tmp -U "$user" -d "$name" -v ON_ERROR_STOP=1 -f "$file"
    done
    pg_ctl -D "$PGDATA" -w -m fast stop
fi
exec postgres -D "$PGDATA" -k /tmp -c 'listen_addresses=*' "$@"
