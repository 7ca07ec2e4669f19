# Runs the service of the name given. "keys" makes the keys of a new platform; "setup" waits for the parts and makes
# MinIO's user for people.
set -eu

export OPENSCF_KEYS="${OPENSCF_KEYS:-/keys}"
cd /opt/openscf
case "$1" in
  keys | setup) exec node "infra/images/src/$1.ts" ;;
esac

. "$OPENSCF_KEYS/secrets/minio-root"
export OPENSCF_MINIO_ROOT_USER="$MINIO_ROOT_USER" OPENSCF_MINIO_ROOT_PASSWORD="$MINIO_ROOT_PASSWORD"
export OPENSCF_POSTGRES_URL="postgres://openscf:$(cat "$OPENSCF_KEYS/secrets/postgres-password")@postgres:5432/openscf"
export OPENSCF_MASTER_KEY_FILE="$OPENSCF_KEYS/master.key" OPENSCF_ROOT_CREDENTIALS_FILE="$OPENSCF_KEYS/credentials"
exec node --enable-source-maps --disable-warning=TimeoutNegativeWarning "apps/$1/dist/main.js"
