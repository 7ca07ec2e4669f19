// The first function through every door, with the clients that users have: the official SDK, a Kafka producer, an S3
// client. Can be run any number of times: what is there already is brought up to date.
import type { Report } from '../caches/cache.ts';
import type { Keys } from '../home/keys.ts';
import type { Settings } from '../settings.ts';
import type { Progress } from '../progress/progress.ts';
import { sentenceFor } from '../launch.errors.ts';
import { deployHello, HELLO, HELLO_PYTHON } from './deploy.ts';
import { fireByKafka, fireByObject, fireBySdk, fireByTimer } from './doors.ts';
import { cloudClient, type Fired } from './cloud-client.ts';

/** Deploys hello in both languages, fires it through each door and says each result. Returns how many doors failed. */
export async function firstLight(
  { settings, keys }: { settings: Settings; keys: Keys },
  progress: Progress,
  report: Report,
): Promise<number> {
  const client = cloudClient(settings, keys);
  report('deploying hello');
  const deployed = await Promise.allSettled([
    deployHello(client, HELLO, 'nodejs', 'Nodejs22'),
    deployHello(client, HELLO_PYTHON, 'python', 'Python3.11'),
  ]);
  const failures = deployed.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  for (const failure of failures) progress.say(`✘ deploying hello: ${sentenceFor(failure)}`);
  if (failures.length > 0) return failures.length;
  report('firing hello through each door');
  const doors: [string, () => Promise<Fired>][] = [
    ['SDK call, Node.js', () => fireBySdk(client, HELLO)],
    ['SDK call, Python', () => fireBySdk(client, HELLO_PYTHON)],
    ['Kafka record', () => fireByKafka(client, settings)],
    ['object put', () => fireByObject(client, settings, keys)],
    ['timer', () => fireByTimer(client)],
  ];
  const results = await Promise.all(doors.map(([name, fire]) => sayResult(progress, name, fire)));
  return results.filter((isGood) => !isGood).length;
}

async function sayResult(progress: Progress, name: string, fire: () => Promise<Fired>): Promise<boolean> {
  try {
    const { requestId, tookMs, functionMs, answer } = await fire();
    const times = `${Math.round(tookMs)} ms, function ${functionMs.toFixed(1)} ms`;
    progress.say(`  ✔ ${name.padEnd(18)} request ${requestId}  ${times}  ${answer.slice(0, 60)}`);
    return true;
  } catch (error) {
    progress.say(`  ✘ ${name.padEnd(18)} ${sentenceFor(error)}`);
    return false;
  }
}
