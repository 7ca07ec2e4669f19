import { CallerError } from '@openscf/contracts';
import { errorCodes, parseTimerDesc } from '@openscf/scf-api';
import { Cron } from 'croner';

/** The fields of a cron expression (scf-api section 5, "Cron"), in their order. */
const FIELDS = [
  { name: 'second', from: 0, to: 59 },
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12, words: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ') },
  { name: 'week', from: 0, to: 6, words: 'SUN MON TUE WED THU FRI SAT'.split(' ') },
  { name: 'year', from: 1970, to: 2099 },
] as const;
type Field = { name: string; from: number; to: number; words?: readonly string[] };

/** `*`, `a`, `a-b`, and each range with `/step`. */
const PART = /^(?:(\*)|([0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?)(?:\/(\d+))?$/;

function numberOf(field: Field, text: string): number | undefined {
  const word = field.words?.indexOf(text.toUpperCase()) ?? -1;
  const value = word >= 0 ? field.from + word : /^\d{1,4}$/.test(text) ? Number(text) : NaN;
  return value >= field.from && value <= field.to ? value : undefined;
}

/** True when the cron library reads this part as SCF does; it knows more forms (L, #, ?) than SCF has. */
function isPart(field: Field, part: string): boolean {
  const [, all, first, last, step] = PART.exec(part) ?? [];
  if (all === undefined && first === undefined) return false;
  if (step !== undefined && (Number(step) < 1 || (all === undefined && last === undefined))) return false;
  if (first === undefined) return true;
  const from = numberOf(field, first);
  const to = last === undefined ? from : numberOf(field, last);
  return from !== undefined && to !== undefined && from <= to;
}

function refusal(at: string, cron: string, why: string): CallerError {
  return new CallerError(
    errorCodes.badCron,
    `${at} ${JSON.stringify(cron.slice(0, 120))} is not accepted: ${why}.`,
  );
}

/** Reads a timer's description as a cron expression of 7 fields that will fire again after `now`. `at` names the field. */
export function timerCronOf(desc: string, now: Date, at = 'TriggerDesc'): string {
  const { cron } = parseTimerDesc(desc);
  const texts = cron.split(' ');
  FIELDS.forEach((field, index) => {
    const text = texts[index] ?? '';
    if (text.split(',').every((part) => isPart(field, part))) return;
    const names = 'words' in field ? ` or ${field.words[0]}-${field.words.at(-1)}` : '';
    const accepts = `${field.from}-${field.to}${names} with , - * /`;
    throw refusal(at, cron, `the ${field.name} is "${text}", it must be ${accepts}`);
  });
  let next: Date | null;
  try {
    next = new Cron(cron, { timezone: 'UTC', paused: true }).nextRun(now);
  } catch (error) {
    throw refusal(at, cron, error instanceof Error ? error.message : String(error));
  }
  if (next === null) throw refusal(at, cron, 'it never fires again');
  return cron;
}
