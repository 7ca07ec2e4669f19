/** The same small function in every language: prints a line, answers with its event and the request's id or a greeting. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { exampleSource } from '../example.fixture.js';
import { cachedApp } from '../web-apps/app-cache.js';
import { zipOf, zipOfFolder } from '../zip.factory.js';

export interface Hello {
  /** What is told apart of one runtime. */
  form: string;
  handler: string;
  zip(): Promise<Buffer>;
  /** Of its result for this event; with the request's id where the program knows it. */
  result(event: object, requestId: string): unknown;
  /** Printed by it. */
  line(event: object, requestId: string): string;
}

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../..', import.meta.url));
const greeting = (event: object) => ({ message: 'Hello, Ada!', event });
const seen = (_: object, requestId: string) => `hello runs for request ${requestId}`;

const nodejs: Hello = {
  form: 'main_handler',
  handler: 'index.main_handler',
  zip: () => zipOfFolder(exampleSource('hello/nodejs')),
  result: greeting,
  line: seen,
};

const python: Hello = { ...nodejs, zip: () => zipOfFolder(exampleSource('hello/python')) };

const PYTHON_2 = `# -*- coding: utf-8 -*-
def main_handler(event, context):
    print "hello runs for request %s" % context["request_id"]
    return {"message": u"Hello, %s!" % event["name"], "event": event}
`;
const python2: Hello = { ...nodejs, zip: () => zipOf({ 'index.py': PYTHON_2 }) };

const PHP = `<?php
function main_handler($event, $context) {
    print "hello runs for request $context->request_id\\n";
    return ['message' => "Hello, $event->name!", 'event' => $event];
}
`;
const php: Hello = { ...nodejs, zip: () => zipOf({ 'index.php': PHP }) };

const JAVA = `package demo;

import com.qcloud.scf.runtime.Context;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;

public class Hello {
    public static class Event {
        private String name;
        public String getName() { return name; }
        public void setName(String name) { this.name = name; }
    }

    public static class Greeting {
        private final String message;
        private final Event event;
        Greeting(String message, Event event) { this.message = message; this.event = event; }
        public String getMessage() { return message; }
        public Event getEvent() { return event; }
    }

    public Greeting greet(Event event, Context context) {
        System.out.println("hello runs for request " + context.getRequestId());
        return new Greeting("Hello, " + event.getName() + "!", event);
    }

    public void copy(InputStream in, OutputStream out, Context context) throws IOException {
        System.out.println("hello runs for request " + context.getRequestId());
        out.write("{\\"message\\":\\"Hello, Ada!\\",\\"event\\":".getBytes("UTF-8"));
        byte[] piece = new byte[4096];
        for (int read; (read = in.read(piece)) > 0; ) out.write(piece, 0, read);
        out.write('}');
    }
}
`;

/** Classes for Java 8 and newer, as a build tool would leave them. */
async function javaClasses(): Promise<Buffer> {
  const folder = await cachedApp('hello-java', JAVA, async (draft) => {
    const source = join(draft, 'source/demo/Hello.java');
    await mkdir(join(source, '..'), { recursive: true });
    await writeFile(source, JAVA);
    const context = join(repository, 'libs/runtimes/java/bootstrap');
    const options = ['--release', '8', '-Xlint:none', '-implicit:none', '-sourcepath', context];
    await run('javac', [...options, '-d', join(draft, 'classes'), source]);
  });
  return zipOfFolder(join(folder, 'classes'));
}

const javaObjects: Hello = { ...nodejs, form: 'objects', handler: 'demo.Hello::greet', zip: javaClasses };
const javaStreams: Hello = { ...javaObjects, form: 'streams', handler: 'demo.Hello::copy' };

/** What a compiler makes of an example's sources and those in `also`, kept until one of them changes. */
async function compiled(
  name: string,
  program: string,
  also: string,
  compile: (source: string, output: string) => Promise<unknown>,
): Promise<Buffer> {
  const source = exampleSource(name);
  const recipe = await Promise.all([source, join(repository, also)].map(textsOf));
  const folder = await cachedApp(name, recipe, async (draft) => {
    await compile(source, join(draft, program));
  });
  return zipOfFolder(folder);
}

async function textsOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(paths.sort().map((path) => readFile(path, 'utf8')));
}

const go: Hello = {
  form: 'the Go module',
  handler: 'main',
  zip: () =>
    compiled('go-hello', 'main', 'libs/runtimes/go', (cwd, output) =>
      run('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', output, '.'], {
        cwd,
        env: { ...process.env, CGO_ENABLED: '0' },
      }),
    ),
  result: (event, requestId) => ({ message: 'Hello from Go', event, requestId }),
  line: (_, requestId) => `asked by ${requestId}`,
};

const shell: Hello = {
  form: 'a shell script',
  handler: 'index.main_handler',
  zip: () => zipOfFolder(exampleSource('custom-runtime-shell')),
  result: (event) => ({ message: 'Hello from a shell', event }),
  line: (event) => `got ${JSON.stringify(event)}`,
};

const RUSTC = ['-O', '--edition', '2021', '-C', 'target-feature=+crt-static', '-C', 'strip=symbols'];
const rust: Hello = {
  form: 'a Rust program',
  handler: 'index.main_handler',
  zip: () =>
    compiled('custom-runtime-rust', 'bootstrap', 'examples/custom-runtime-rust/src', (source, output) =>
      run('rustc', [...RUSTC, '-o', output, join(source, 'main.rs')]),
    ),
  result: (event) => ({ message: 'Hello from Rust', event }),
  line: (event, requestId) => `${requestId} ${Buffer.byteLength(JSON.stringify(event))} bytes`,
};

const BY_LANGUAGE: Record<string, Hello[]> = {
  nodejs: [nodejs],
  python: [python],
  php: [php],
  java: [javaObjects, javaStreams],
};
const BY_RUNTIME: Record<string, Hello[]> = {
  'Python2.7': [python2],
  Go1: [go],
  CustomRuntime: [shell, rust],
};

/** @throws when a language has come and nobody has written its hello */
export function hellosOf({ name, language }: { name: string; language: string }): Hello[] {
  const hellos = BY_RUNTIME[name] ?? BY_LANGUAGE[language];
  if (hellos === undefined) throw new Error(`no hello is written for ${name}, whose language is ${language}`);
  return hellos;
}
