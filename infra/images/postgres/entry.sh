# Makes the cluster, with the role and database of POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD_FILE, at the first
# start; then runs PostgreSQL with the arguments given.
set -euo pipefail

data=/var/lib/postgresql/18/docker
as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
bin=/opt/postgres/bin

if [ ! -e "$data" ]; then
  install -o postgres -m 400 "$POSTGRES_PASSWORD_FILE" /tmp/password
  install -d -o postgres /var/lib/postgresql/18
  rm -rf "$data.new"
  "${as_postgres[@]}" "$bin/initdb" -D "$data.new" --username="$POSTGRES_USER" --pwfile=/tmp/password \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --locale-provider=builtin --builtin-locale=C.UTF-8
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$data.new/pg_hba.conf"
  echo "CREATE DATABASE $POSTGRES_DB" | "${as_postgres[@]}" "$bin/postgres" --single -D "$data.new" postgres
  mv "$data.new" "$data"
fi
exec "${as_postgres[@]}" "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories= "$@"
