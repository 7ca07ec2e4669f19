import { ask, type Place } from './socket.ts';

const METADATA = { api: 3, version: 1 };
const FIND_COORDINATOR = { api: 10, version: 0 };
const CORRELATION_ID = 1;

/**
 * Kafka is ready when its metadata lists a broker (one that may not serve yet, "fenced", is not listed) and consumer
 * groups find their coordinator. To ask for one makes Kafka create its topic of offsets, which the first consumers would
 * otherwise wait for.
 */
export async function kafkaProbe(place: Place): Promise<void> {
  const noTopics = Buffer.alloc(4);
  const metadata = await exchange(place, METADATA, noTopics);
  if (metadata.readInt32BE(0) < 1) throw new Error('the broker does not serve yet');
  const group = 'openscf.probe';
  const groupId = Buffer.concat([Buffer.of(0, group.length), Buffer.from(group)]);
  const coordinator = await exchange(place, FIND_COORDINATOR, groupId);
  const errorCode = coordinator.readInt16BE(0);
  if (errorCode !== 0) throw new Error(`consumer groups cannot be served yet (error ${errorCode})`);
}

/** One request of the Kafka protocol. Resolves with the body of the answer. */
function exchange(
  place: Place,
  { api, version }: { api: number; version: number },
  body: Buffer,
): Promise<Buffer> {
  const head = Buffer.alloc(4 + 2 + 2 + 4 + 2);
  head.writeInt32BE(head.length - 4 + body.length, 0);
  head.writeInt16BE(api, 4);
  head.writeInt16BE(version, 6);
  head.writeInt32BE(CORRELATION_ID, 8);
  head.writeInt16BE(-1, 12); // no client id
  return ask(place, Buffer.concat([head, body]), (received) => {
    if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return undefined;
    return received.subarray(8); // behind length and correlation id
  });
}
