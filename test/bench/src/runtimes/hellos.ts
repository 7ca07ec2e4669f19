import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PreparedRuntime } from './manifest.types.ts';

/** A function that does next to nothing. */
export interface Hello {
  /** Host folder of its code. */
  code: string;
  handler: string;
}

const FILES: Record<string, { handler: string; files: Record<string, string> }> = {
  nodejs: {
    handler: 'index.main_handler',
    files: { 'index.js': 'exports.main_handler = async (event) => event;\n' },
  },
  python: {
    handler: 'index.main_handler',
    files: { 'index.py': 'def main_handler(event, context):\n    return event\n' },
  },
  php: {
    handler: 'index.main_handler',
    files: { 'index.php': '<?php\nfunction main_handler($event, $context) { return $event; }\n' },
  },
  java: {
    handler: 'example.Hello::handle',
    files: {
      'Hello.java': [
        'package example;',
        'import java.util.Map;',
        'public class Hello {',
        '    public Map<String, Object> handle(Map<String, Object> event) { return event; }',
        '}',
        '',
      ].join('\n'),
    },
  },
  CustomRuntime: {
    handler: 'index.main_handler',
    files: {
      bootstrap: [
        '#!/bin/bash',
        'api=http://$SCF_RUNTIME_API:$SCF_RUNTIME_API_PORT/runtime',
        'curl -s -X POST "$api/init/ready"',
        'while true; do',
        '  event=$(curl -s "$api/invocation/next")',
        '  curl -s -X POST -d "$event" "$api/invocation/response"',
        'done',
        '',
      ].join('\n'),
    },
  },
};

/** Makes the code of all hellos in a temporary folder. `compiler`: the jar of Eclipse's compiler for Java. */
export function hellos(
  project: string,
  compiler: string,
): { of: (runtime: PreparedRuntime) => Hello; close: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'openscf-hello-'));
  chmodSync(folder, 0o755);
  for (const [name, { files }] of Object.entries(FILES)) {
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) {
      writeFileSync(join(folder, name, file), text);
      chmodSync(join(folder, name, file), 0o755);
    }
  }
  const java = join(folder, 'java');
  execFileSync('java', ['-jar', compiler, '-8', '-nowarn', '-d', java, join(java, 'Hello.java')]);
  const go = join(folder, 'Go1');
  mkdirSync(go);
  execFileSync('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(go, 'main'), '.'], {
    cwd: join(project, 'examples/go-hello/src'),
    env: { ...process.env, CGO_ENABLED: '0' },
  });
  return {
    of: ({ name, language }) => {
      if (name === 'Go1') return { code: go, handler: 'main' };
      const key = FILES[name] === undefined ? language : name;
      const hello = FILES[key];
      if (hello === undefined) throw new Error(`there is no hello for the language ${language}`);
      return { code: join(folder, key), handler: hello.handler };
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}
