// What the entry says, and how it ends when something is wrong.

/** A sentence for a person, with the last lines of what failed. */
export class EntryError extends Error {
  constructor(sentence, tail = []) {
    super(sentence);
    this.tail = tail;
  }
}

export function fail(error) {
  const isOurs = error instanceof EntryError;
  console.error(`✘ ${isOurs ? error.message : error.stack}`);
  for (const line of isOurs ? error.tail : []) console.error(`    ${line}`);
  process.exitCode = 1;
}

/** Runs one step and prints its seconds. */
export async function step(name, work) {
  const since = Date.now();
  process.stdout.write(`… ${name}\n`);
  await work();
  process.stdout.write(`✔ ${name} ${((Date.now() - since) / 1000).toFixed(1)}s\n`);
}
