/**
 * Holds docs/configuration.md to the code: every variable that the code mentions has a row; every variable that a folder defines
 * has a row in the section whose heading names that folder, and no other has one there.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const LAUNCHER = 'infra/local';
const DOCUMENT = 'docs/configuration.md';
const NAME = /\b(?:OPENSCF_[A-Z0-9_]*[A-Z0-9]|OTEL_EXPORTER_OTLP_ENDPOINT)\b/g;
/** How the configs of services and libs name what they read. */
const DEFINITION = /(?:variable: |limit\(\s*)'((?:OPENSCF|OTEL)_[A-Z0-9_]+)'/g;
/** How the launcher does. */
const READ =
  /(?:variable: |text\(|wholeNumber\(\s*environment,\s*|process\.env\[|handedOn\[|environment\[(?='\w+'\] \|\|))'(OPENSCF_[A-Z0-9_]+)'/g;
const SOURCE = /\.(ts|mjs|js|go|sh|yml)$/;
const SKIPPED = new Set(['node_modules', 'dist', 'bundle']);

function files(path) {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const found = join(path, entry.name);
    if (entry.isDirectory()) return files(found);
    return SOURCE.test(entry.name) ? [found] : [];
  });
}

function namesIn(path, pattern) {
  return [...readFileSync(path, 'utf8').matchAll(pattern)].map((match) => match[1] ?? match[0]);
}

/** Rows by the folder in the section's heading. */
function readSections() {
  const sections = new Map();
  let rows = [];
  for (const line of readFileSync(DOCUMENT, 'utf8').split('\n')) {
    const [, folder] = /^## .*\(`([\w/-]+)`\)/.exec(line) ?? [];
    if (line.startsWith('## ')) sections.set(folder ?? line, (rows = []));
    const [, variable] = /^\| `([A-Z0-9_]+)` \|/.exec(line) ?? [];
    if (variable !== undefined) rows.push(variable);
  }
  return sections;
}

/** @returns problems as lines, and how many variables were looked at */
export function checkConfiguration() {
  const sections = readSections();
  const documented = new Set([...sections.values()].flat());
  const problems = [];
  const mentioned = new Map();
  for (const path of [...['apps', 'libs', 'infra', 'test'].flatMap(files), 'docker-compose.yml'])
    for (const name of namesIn(path, NAME)) if (!mentioned.has(name)) mentioned.set(name, path);
  for (const [name, path] of mentioned)
    if (!documented.has(name)) problems.push(`${DOCUMENT}: ${name} of ${path} is missing`);
  for (const name of documented)
    if (!mentioned.has(name)) problems.push(`${DOCUMENT}: the code does not know ${name}`);

  const defined = new Map();
  for (const path of ['apps', 'libs', LAUNCHER].flatMap(files).filter((path) => !/\.spec\.ts$/.test(path))) {
    const folder = path.startsWith(LAUNCHER) ? LAUNCHER : path.split('/').slice(0, 2).join('/');
    for (const name of namesIn(path, folder === LAUNCHER ? READ : DEFINITION))
      defined.set(folder, (defined.get(folder) ?? new Set()).add(name));
  }
  for (const [folder, names] of defined) {
    const rows = sections.get(folder) ?? [];
    for (const name of names)
      if (!rows.includes(name)) problems.push(`${DOCUMENT}: ${name} is missing in the section of ${folder}`);
  }
  for (const [folder, rows] of sections) {
    if (!/^(apps|libs|infra)\//.test(folder)) continue;
    for (const name of rows)
      if (!defined.get(folder)?.has(name)) problems.push(`${DOCUMENT}: ${folder} does not read ${name}`);
  }
  return { problems, checked: documented.size };
}
