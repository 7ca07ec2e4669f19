import { ask } from './socket.ts';

const METADATA_API = 3;
const METADATA_VERSION = 1;
const CORRELATION_ID = 1;

/** Kafka is ready when its metadata lists a broker: a broker that may not serve yet ("fenced") is not listed. */
export async function kafkaProbe(port: number): Promise<void> {
  const brokers = await ask(port, metadataRequest(), (received) => {
    if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return undefined;
    return received.readInt32BE(8); // length, correlation id, then the number of brokers
  });
  if (brokers < 1) throw new Error('the broker does not serve yet');
}

/** A metadata request of the Kafka protocol, version 1, with an empty list of topics. */
function metadataRequest(): Buffer {
  const body = Buffer.alloc(2 + 2 + 4 + 2 + 4);
  body.writeInt16BE(METADATA_API, 0);
  body.writeInt16BE(METADATA_VERSION, 2);
  body.writeInt32BE(CORRELATION_ID, 4);
  body.writeInt16BE(-1, 8); // no client id
  body.writeInt32BE(0, 10); // no topics
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length, 0);
  return Buffer.concat([length, body]);
}
