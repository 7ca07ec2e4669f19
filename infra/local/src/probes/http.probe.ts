import { request } from 'node:http';
import { hostAndPort, type Place } from './socket.ts';

/** Good when the path answers 200 within the time. Rejects with the status, and the start of the body, otherwise. */
export function httpProbe(place: Place, path: string, timeoutMs = 1_500): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...hostAndPort(place), path, agent: false, timeout: timeoutMs }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      answer.on('end', () =>
        answer.statusCode === 200
          ? resolve()
          : reject(new Error(`${path}: ${answer.statusCode} ${body.slice(0, 200)}`)),
      );
    });
    asked.on('timeout', () => asked.destroy(new Error(`${path}: no answer within ${timeoutMs} ms`)));
    asked.on('error', reject);
    asked.end();
  });
}
