#!/bin/sh
# Does what the entrypoint of the official image does for us: as MongoDB's own user it makes the administrator at the
# first start, on a server that only this container reaches, and then serves with log-ins on.
#
#   docker-entrypoint.sh mongod --bind_ip_all
set -eu

if [ "$(id -u)" = 0 ]; then
  chown -R 999:999 /data/db
  exec setpriv --reuid 999 --regid 999 --clear-groups "$0" "$@"
fi

serve="python3 /usr/local/bin/secantusd --standalone --storage-path /data/db/store --port 27017"
export HOME=/data/db
cd /data/db
if [ ! -e /data/db/ready ]; then
  $serve --host 127.0.0.1 &
  python3 /usr/local/lib/make-user.py "$MONGO_INITDB_ROOT_USERNAME" "$MONGO_INITDB_ROOT_PASSWORD_FILE"
  kill $!
  wait $! || true
  touch /data/db/ready
fi
exec $serve --host 0.0.0.0 --sync-on-commit --auth
