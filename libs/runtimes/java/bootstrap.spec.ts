import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BootstrapProcess, interpreters, prepared } from '../bootstrap-process.fake.js';

const sources = fileURLToPath(new URL('.', import.meta.url));
const compiler = join(dirname(prepared), 'tools/ecj/ecj.jar');
/** Java 8 runs in instances only: it is bound to the place of its own C library. */
const javas = interpreters('java', []).filter((path) => !path.includes('/java8/') && existsSync(compiler));

it('knows the kinds of frames', async () => {
  const kinds = 'HELLO = 1, INIT = 2, READY = 3, INIT_FAILED = 4, INVOKE = 5, RESULT = 6, ERROR = 7';
  expect(await readFile(join(sources, 'bootstrap/openscf/Channel.java'), 'utf8')).toContain(kinds);
});

const POJOS = `package example;
import com.qcloud.scf.runtime.Context;
import java.io.*;
import java.util.*;
import java.util.concurrent.CompletableFuture;

public class Hello {
    public enum Color { RED, GREEN }
    public static class Inner { public int n; public Color color; }
    public static class Event {
        private String name; private List<Inner> list; private Map<String, Long> counts; private boolean on; private byte[] data;
        @com.fasterxml.jackson.annotation.JsonProperty("Records") private List<String> records;
        public String getName() { return name; }
        public void setName(String name) { this.name = name; }
        public List<Inner> getList() { return list; }
        public void setList(List<Inner> list) { this.list = list; }
        public Map<String, Long> getCounts() { return counts; }
        public void setCounts(Map<String, Long> counts) { this.counts = counts; }
        public boolean isOn() { return on; }
        public void setOn(boolean on) { this.on = on; }
        public byte[] getData() { return data; }
        public void setData(byte[] data) { this.data = data; }
        public List<String> getRecords() { return records; }
        public void setRecords(List<String> records) { this.records = records; }
    }
    private int calls;
    public Event pojo(Event event, Context context) { if (event.getList() != null) event.getList().get(0).n++; return event; }
    public Object any(Object event) { return event; }
    public String text(String event) { return event; }
    public int count() { return ++calls; }
    public long sum(long[] numbers) { long sum = 0; for (long n : numbers) sum += n; return sum; }
    public Object context(Object event, Context context) {
        return new Object[] { context.getRequestId(), context.getTimeLimitInMs(), context.getMemoryLimitInMb(), context.toString() };
    }
    public static void stream(InputStream input, OutputStream output, Context context) throws IOException {
        for (int b = input.read(); b >= 0; b = input.read()) output.write(b);
    }
    public void plain(InputStream input, OutputStream output) throws IOException { output.write("hello".getBytes()); }
    public CompletableFuture<String> later(Object event) { return CompletableFuture.supplyAsync(() -> "late"); }
    public Object broken(Map<String, Object> event) {
        inner((String) event.get("why"));
        return null;
    }
    private void inner(String why) {
        if (why.equals("stack")) inner(why);
        if (why.equals("memory")) throw new OutOfMemoryError("none left");
        if (why.equals("exit")) System.exit(7);
        throw new IllegalStateException("broken", new RuntimeException("deep"));
    }
    public Object strange(Map<String, Object> event) {
        if (event.get("what").equals("nan")) return Double.NaN;
        if (event.get("what").equals("getter")) return new Object() { public int getN() { throw new IllegalStateException("no n"); } };
        List<Object> list = new ArrayList<>(); list.add(list); return list;
    }
    public Object environment(Object event) throws IOException {
        return new Object[] { System.getenv("MINE"), System.getenv().get("MINE"), System.getProperty("user.dir"),
            new BufferedReader(new InputStreamReader(getClass().getResourceAsStream("/told.txt"))).readLine(), System.in.read() };
    }
    public Object print(Object event) { System.out.print("ü"); System.err.println("bad"); return null; }
    public Object echo(Map<String, String> event) { return event.get("text") + event.get("more"); }
}`;

const LOADING = `package example;
public class Loading { static { if (true) throw new IllegalStateException("no config"); } public void go() {} }`;
const ABSENT = `package example;
public class Absent { public static class Library {} Library library = new Library(); public void go() {} }`;

describe.each(javas)('Java bootstrap on %s', (java) => {
  let folder = '';
  let running: BootstrapProcess | undefined;
  let code: Record<string, Buffer> = {};

  const compile = (from: string, to: string, ...more: string[]) =>
    execFileSync('java', ['-jar', compiler, '-8', '-nowarn', '-encoding', 'UTF-8', ...more, '-d', to, from]);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openscf-java-'));
    for (const part of ['bootstrap', 'fallback']) {
      await cp(join(sources, part), join(folder, part), { recursive: true });
      compile(join(folder, part), join(folder, part));
      const manifest = part === 'bootstrap' ? ['-m', join(folder, part, 'META-INF/MANIFEST.MF')] : [];
      execFileSync('python3', ['-c', ZIP, join(folder, part), join(folder, `${part}.jar`), ...manifest]);
    }
    execFileSync('go', ['build', '-o', join(folder, 'launch'), '.'], { cwd: join(sources, 'launcher') });
    await mkdir(join(folder, 'user/example'), { recursive: true });
    const { writeFile } = await import('node:fs/promises');
    for (const [name, text] of Object.entries({ Hello: POJOS, Loading: LOADING, Absent: ABSENT }))
      await writeFile(join(folder, 'user/example', `${name}.java`), text);
    const classPath = ['-cp', [join(folder, 'bootstrap'), join(folder, 'fallback')].join(':')];
    compile(join(folder, 'user'), join(folder, 'classes'), ...classPath);
    const names = globSync('**/*.class', { cwd: join(folder, 'classes') });
    code = Object.fromEntries(
      await Promise.all(
        names.map(async (name) => [name, await readFile(join(folder, 'classes', name))] as const),
      ),
    );
  }, 60_000);

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  async function start(files: Record<string, string | Buffer> = code): Promise<BootstrapProcess> {
    const options = [
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Xshare:auto',
      '-Dfile.encoding=UTF-8',
      '-Xmx256m',
    ];
    const command = [join(folder, 'launch'), java, ...options, '-jar', join(folder, 'bootstrap.jar')];
    running = await BootstrapProcess.start(command, files, { LANG: 'C.UTF-8' });
    return running;
  }

  async function ready(method: string, environment?: Record<string, string>): Promise<BootstrapProcess> {
    const process = await start();
    expect(await process.init(`example.Hello::${method}`, environment)).toMatchObject({ kind: 'ready' });
    return process;
  }

  it('maps objects by their setters, getters, public fields and annotations', async () => {
    const process = await ready('pojo');
    const event = {
      name: 'ü"\n',
      list: [{ n: 1, color: 'GREEN' }],
      counts: { a: 5_000_000_000 },
      on: true,
      data: 'AQI=',
      Records: ['r'],
    };
    const { body } = await process.invoke({ ...event, unknown: [1] });
    expect(JSON.parse(body)).toEqual({ ...event, list: [{ n: 2, color: 'GREEN' }] });
    expect(JSON.parse((await process.invoke({ NAME: 'x' })).body)).toMatchObject({ name: 'x', list: null });
  });

  it.each([
    ['any', { a: [1, 2.5, -3e-7, 12345678901234567890n.toString(), null, true, '\ud83d\ude00'] }, undefined],
    ['text', '"plain"', 'plain'],
    ['text', { a: 1 }, '{"a":1}'],
    ['sum', [1, 2, 3], 6],
    ['stream', { a: 1 }, undefined],
    ['plain', {}, 'hello'],
    ['later', {}, 'late'],
    ['count', {}, 1],
  ])('calls %s with %o', async (method, event, result) => {
    const process = await ready(method);
    expect(JSON.parse((await process.invoke(event)).body)).toEqual(result ?? event);
  });

  it('keeps the object between invocations', async () => {
    const process = await ready('count');
    await process.invoke({});
    expect((await process.invoke({})).body).toBe('2');
  });

  it('gives the context of SCF', async () => {
    const process = await ready('context');
    const [id, time, memory, text] = JSON.parse(
      (await process.invoke({}, { request_id: 'r-1' })).body,
    ) as unknown[];
    expect([id, time, memory]).toEqual(['r-1', 3000, 128]);
    expect(JSON.parse(text as string)).toMatchObject({ namespace: 'default', request_id: 'r-1' });
  });

  it('takes code that comes after its start, and the variables of the function', async () => {
    const process = await start({});
    await process.attach({ ...code, 'told.txt': 'told' });
    expect(await process.init('example.Hello::environment', { MINE: 'ü=1' })).toMatchObject({
      kind: 'ready',
    });
    const { body } = await process.invoke({});
    expect(JSON.parse(body)).toEqual(['ü=1', 'ü=1', process.codeRoot, 'told', -1]);
  });

  it('finds classes in jars of the code and of its folder lib', async () => {
    await mkdir(join(folder, 'jar'), { recursive: true });
    execFileSync('python3', ['-c', ZIP, join(folder, 'classes'), join(folder, 'jar/code.jar')]);
    const process = await start({ 'lib/code.jar': await readFile(join(folder, 'jar/code.jar')) });
    expect(await process.init('example.Hello::count')).toMatchObject({ kind: 'ready' });
    expect((await process.invoke({})).body).toBe('1');
  });

  it('shows the frames of the user code only, and goes on', async () => {
    const process = await ready('broken');
    const { kind, head } = await process.invoke({ why: 'state' });
    expect(kind).toBe('error');
    expect(head).toMatchObject({
      reason: 'exception',
      message: 'java.lang.IllegalStateException: broken',
      recycle: false,
    });
    expect(head['stackTrace']).toMatch(
      /^java\.lang\.IllegalStateException: broken\n\tat example\.Hello\.inner\(Hello\.java:\d+\)\n\tat example\.Hello\.broken\(/,
    );
    expect(head['stackTrace']).toMatch(/\nCaused by: java\.lang\.RuntimeException: deep\n/);
    expect(head['stackTrace']).not.toMatch(/openscf|reflect/);
    expect((await process.invoke({ why: 'stack' })).head).toMatchObject({ recycle: false });
    expect((await process.invoke({ why: 'memory' })).head).toMatchObject({ recycle: true });
  });

  it('says which part of the event does not fit', async () => {
    const process = await ready('pojo');
    expect((await process.invoke({ list: [{ n: 'x' }] })).head).toMatchObject({
      reason: 'exception',
      message: 'java.lang.IllegalArgumentException: event.list[0].n does not fit int: "x"',
    });
  });

  it.each([
    ['nan', /NaN/],
    ['getter', /getN\(\) .* threw .*no n/],
    ['circle', /holds itself/],
  ])('says that a result (%s) cannot be encoded as JSON', async (what, why) => {
    const process = await ready('strange');
    const { head } = await process.invoke({ what });
    expect(head).toMatchObject({ reason: 'result-not-json' });
    expect(head['message']).toMatch(/^the return value of the handler cannot be encoded as JSON: /);
    expect(head['message']).toMatch(why);
  });

  it('takes and gives back 6 MB, and no more', async () => {
    const process = await ready('echo');
    const text = 'x'.repeat(6 * 1024 * 1024 - 2);
    expect((await process.invoke({ text, more: '' })).body).toHaveLength(6 * 1024 * 1024);
    expect((await process.invoke({ text, more: '!' })).head).toMatchObject({ reason: 'result-too-large' });
    expect((await process.invoke({ text: 'still ', more: 'here' })).body).toBe('"still here"');
  });

  it.each(['{', '{"a":1,}', '[01]', '"\\x"', '{} {}', ''])('says that %o is not JSON', async (event) => {
    const process = await ready('any');
    expect((await process.invoke(event)).head).toMatchObject({ reason: 'event-not-json' });
  });

  it.each([
    ['a missing class', 'example.None::go', /the class .* does not exist: example\.None/],
    ['a missing method', 'example.Hello::none', /"example\.Hello::none" is no method of example\.Hello/],
    ['a handler without colons', 'example.Hello', /accepted is package\.Class::method/],
  ])('reports %s', async (_name, handler, message) => {
    const { kind, head } = await (await start()).init(handler);
    expect(kind).toBe('initFailed');
    expect(head).toMatchObject({ reason: 'handler-not-found' });
    expect(head['message']).toMatch(message);
  });

  it('reports an error while loading', async () => {
    const { head } = await (await start()).init('example.Loading::go');
    expect(head).toMatchObject({
      reason: 'load-failed',
      message: 'java.lang.IllegalStateException: no config',
    });
    expect(head['stackTrace']).toMatch(/\tat example\.Loading\.<clinit>/);
  });

  it('reports a library that is missing', async () => {
    const without = Object.fromEntries(Object.entries(code).filter(([name]) => !name.includes('$Library')));
    const { head } = await (await start(without)).init('example.Absent::go');
    expect(head).toMatchObject({ reason: 'load-failed' });
    expect(head['message']).toMatch(/NoClassDefFoundError: L?example\/Absent\$Library/);
  });

  it('lets out what was printed before the result', async () => {
    const process = await ready('print');
    await process.invoke({});
    await vi.waitFor(() => expect(process.output).toMatch(/bad\n/));
    expect(process.output).toContain('ü');
  });

  it('leaves the process with the code that the user asked for', async () => {
    const process = await ready('broken');
    await expect(process.invoke({ why: 'exit' })).rejects.toThrow('exited with 7');
  });

  it('ends when the invoker is gone', async () => {
    const process = await ready('count');
    process.hangUp();
    expect(await process.exited()).toBe(0);
  });
});

/** Packs a folder as a jar. */
const ZIP = `
import sys, os, zipfile
with zipfile.ZipFile(sys.argv[2], 'w') as jar:
    for folder, _, names in os.walk(sys.argv[1]):
        for name in names:
            path = os.path.join(folder, name)
            jar.write(path, os.path.relpath(path, sys.argv[1]))
`;
