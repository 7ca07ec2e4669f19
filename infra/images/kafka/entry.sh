# KAFKA_LOG_DIRS=/x becomes log.dirs=/x, and so on for every KAFKA_* variable; then Kafka starts.
set -euo pipefail

properties=/tmp/server.properties
env | sed -n 's/^KAFKA_//p' | grep -v '^HEAP_OPTS=' | while IFS='=' read -r name value; do
  echo "$(tr 'A-Z_' 'a-z.' <<<"$name")=$value"
done >"$properties"

# As on one machine without images: one small broker is up sooner, and does with less.
java=(java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j.configuration=file:/opt/kafka/log4j.properties -cp '/opt/kafka/libs/*')
"${java[@]}" kafka.tools.StorageTool format --ignore-formatted -t "${CLUSTER_ID:-b3BlbnNjZi1jb21wb3NlMQ}" -c "$properties"
# shellcheck disable=SC2086 -- several options in one variable
exec "${java[@]}" ${KAFKA_HEAP_OPTS:-} -XX:+ExitOnOutOfMemoryError kafka.Kafka "$properties"
