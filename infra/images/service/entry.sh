# Runs the service of the name given. "keys" makes the keys of a new platform; "setup" waits for the parts and makes
# MinIO's user for people.
set -eu

export OPENSCF_KEYS="${OPENSCF_KEYS:-/keys}"
cd /opt/openscf
case "$1" in
  keys | setup) exec node "infra/local/src/images/$1.ts" ;;
esac

# The engine hides parts of /proc and makes it and the cgroups read-only; in containers inside this one the kernel then
# refuses a /proc of their own, and limits cannot be set.
open_for_sandboxes() {
  while read -r _ _ _ _ place _; do
    case "$place" in
      /proc/*) umount "$place" ;;
      /sys/fs/cgroup*) mount -o remount,bind,rw "$place" ;;
    esac
  done </proc/self/mountinfo
}
if [ "$1" = invoker ]; then
  open_for_sandboxes
  node infra/local/src/images/runtimes.ts
fi

. "$OPENSCF_KEYS/secrets/minio-root"
export OPENSCF_MINIO_ROOT_USER="$MINIO_ROOT_USER" OPENSCF_MINIO_ROOT_PASSWORD="$MINIO_ROOT_PASSWORD"
export OPENSCF_POSTGRES_URL="postgres://openscf:$(cat "$OPENSCF_KEYS/secrets/postgres-password")@postgres:5432/openscf"
export OPENSCF_MASTER_KEY_FILE="$OPENSCF_KEYS/master.key" OPENSCF_ROOT_CREDENTIALS_FILE="$OPENSCF_KEYS/credentials"
exec node --enable-source-maps --disable-warning=TimeoutNegativeWarning "apps/$1/dist/main.js"
