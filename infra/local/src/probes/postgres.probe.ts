import { ask, type Place } from './socket.ts';

const PROTOCOL_3 = 196_608;

/** PostgreSQL is ready when it asks for a password; while it starts or recovers it answers with an error (57P03). */
export async function postgresProbe(place: Place, user: string): Promise<void> {
  const parameters = Buffer.from(`user\0${user}\0database\0postgres\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + parameters.length, 0);
  head.writeInt32BE(PROTOCOL_3, 4);
  const answer = await ask(place, Buffer.concat([head, parameters]), (received) => {
    if (received.length < 5 || received.length < 1 + received.readInt32BE(1)) return undefined;
    return received;
  });
  if (answer.toString('latin1', 0, 1) === 'R') return;
  const message = answer
    .toString('utf8')
    .split('\0')
    .find((field) => field.startsWith('M'));
  throw new Error(message?.slice(1) ?? 'unexpected answer');
}
