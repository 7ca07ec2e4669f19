/**
 * Holds the documents to the code: every path in docs/**, README.md and CONTRIBUTING.md that is written as code and starts with
 * a folder of ours must exist, and where a table's row names a path and then symbols, that file must contain each of them.
 * docs/configuration.md has every variable (check-configuration.mjs).
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkConfiguration } from './check-configuration.mjs';

const folders = /^(apps|libs|infra|test|tools|examples|docs)\/[\w./{},*$-]+$/;
const symbol = /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*(\(\))?$/;

function markdown(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return markdown(path);
    return path.endsWith('.md') ? [path] : [];
  });
}

const problems = [];
let checked = 0;
for (const document of ['README.md', 'CONTRIBUTING.md', ...markdown('docs')]) {
  for (const [index, line] of readFileSync(document, 'utf8').split('\n').entries()) {
    const codes = [...line.matchAll(/`([^`]+)`/g)].map((m) => m[1]);
    const isRow = line.startsWith('|');
    let file;
    for (const code of codes) {
      if (folders.test(code) && !/[{*]/.test(code)) {
        checked += 1;
        file = code;
        if (!existsSync(code)) problems.push(`${document}:${index + 1}: ${code} does not exist`);
      } else if (isRow && file?.match(/\.\w+$/) && symbol.test(code) && existsSync(file)) {
        checked += 1;
        const name = code.replace(/\(\)$/, '').split('.').at(-1);
        if (!readFileSync(file, 'utf8').includes(name)) {
          problems.push(`${document}:${index + 1}: ${file} does not contain ${code}`);
        }
      }
    }
  }
}
const configuration = checkConfiguration();
problems.push(...configuration.problems);
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log(
  `${checked} paths and names in the documents are true, ${configuration.checked} variables are described`,
);
