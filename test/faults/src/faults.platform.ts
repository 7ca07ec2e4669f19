/** A platform for one spec: its own home, free ports, and as many further invokers as the spec asks for. */
import { randomBytes } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, startPlatform, type Running } from '@openscf/infra-local';
import { signTc3 } from '@openscf/scf-api';
import { eventually, leftovers } from '@openscf/testing';
import tencentcloud from 'tencentcloud-sdk-nodejs-scf';
import { ZipFile } from 'yazl';

type CloudClient = InstanceType<typeof tencentcloud.scf.v20180416.Client>;
export type CreateFunctionRequest = Parameters<CloudClient['CreateFunction']>[0];

const REPOSITORY = join(import.meta.dirname, '../../..');

/** How a call ended, as its sender saw it. */
export interface CallEnd {
  readonly id: string;
  readonly sentAt: number;
  readonly tookMs: number;
  /** 0 when it succeeded; SCF's status code otherwise, -1 when there was no answer of the platform at all. */
  readonly statusCode: number;
  readonly message: string;
  /** What the function returned, when it succeeded. */
  readonly result?: string;
}

export interface Load {
  /** In the order in which they came; grows until it is stopped. */
  readonly ends: readonly CallEnd[];
  stop(): Promise<void>;
}

const REFUSED = 432;
/** So that those who are refused leave the machine to those who run. */
const AFTER_REFUSAL_MS = 30;

export class FaultsPlatform {
  readonly cloud: CloudClient;
  /** The newest of each name. */
  private readonly invokers = new Map<string, ChildProcess>();

  private constructor(
    readonly running: Running,
    readonly home: string,
    private readonly environment: Record<string, string>,
    /** Begins the ids of its invokers; short enough that the names of what they make carry it whole. */
    private readonly mark: string,
  ) {
    const { secretId, secretKey } = running.keys;
    this.cloud = new tencentcloud.scf.v20180416.Client({
      credential: { secretId, secretKey },
      region: 'ap-guangzhou',
      profile: {
        httpProfile: { endpoint: new URL(running.urls.gateway).host, protocol: 'http://', reqTimeout: 60 },
      },
    });
  }

  static async start(environment: Record<string, string>): Promise<FaultsPlatform> {
    const home = await mkdtemp(join(tmpdir(), 'openscf-faults-'));
    const mark = `f${randomBytes(4).toString('hex')}`;
    const running = await startPlatform({
      home,
      environment: { ...environment, OPENSCF_INVOKER_ID: `${mark}-first` },
    });
    return new FaultsPlatform(running, home, environment, mark);
  }

  /** Another invoker on this host, ready to take calls. Its functions can tell it by its region. */
  async startInvoker(name: string): Promise<ChildProcess> {
    const [port = 0, dispatchPort = 0] = await freePorts(2);
    const child = spawn(process.execPath, [join(REPOSITORY, 'apps/invoker/bundle/main.js')], {
      env: {
        ...this.running.environment,
        ...this.environment,
        OPENSCF_INVOKER_ID: `${this.mark}-${name}`,
        OPENSCF_REGION: name,
        OPENSCF_INVOKER_PORT: String(port),
        OPENSCF_INVOKER_DISPATCH_PORT: String(dispatchPort),
      },
      stdio: 'ignore',
    });
    this.invokers.set(name, child);
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/ready`)).ok, { timeoutMs: 30_000 });
    return child;
  }

  async deploy(settings: Partial<CreateFunctionRequest> & { FunctionName: string }, source: string) {
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from(source), 'index.js');
    zip.end();
    await this.cloud.CreateFunction({
      Runtime: 'Nodejs20.19',
      Handler: 'index.main_handler',
      MemorySize: 128,
      Timeout: 10,
      ...settings,
      Code: { ZipFile: (await buffer(zip.outputStream)).toString('base64') },
    });
  }

  /** Headers of a signed request with this body. */
  signed(action: string, body: string): Record<string, string> {
    const { urls, keys } = this.running;
    return signTc3({ action, body, host: new URL(urls.gateway).host, ...keys });
  }

  /** Never rejects. */
  async call(functionName: string, id: string, event: object = {}): Promise<CallEnd> {
    const sentAt = Date.now();
    const ended = (statusCode: number, message: string, result?: string): CallEnd => ({
      id,
      sentAt,
      tookMs: Date.now() - sentAt,
      statusCode,
      message,
      result,
    });
    try {
      const { Result } = await this.cloud.InvokeFunction({
        FunctionName: functionName,
        Event: JSON.stringify({ ...event, id }),
      });
      if (Result?.InvokeResult === 0) return ended(0, '', Result.RetMsg);
      const message = Result?.ErrMsg ?? Result?.RetMsg ?? '';
      return ended(statusOf(Result?.RetMsg ?? ''), message);
    } catch (error) {
      // A refusal is an error of the API: `ResourceLimitReached (432): …`.
      const [, status = '-1'] = /\((\d{3})\): /.exec(String(error)) ?? [];
      return ended(Number(status), String(error));
    }
  }

  /** Calls one after the other from each of so many callers, until it is stopped. */
  load(functionName: string, callers: number, event: object): Load {
    const ends: CallEnd[] = [];
    let isOver = false;
    const caller = async (name: number): Promise<void> => {
      for (let n = 0; !isOver; n += 1) {
        const end = await this.call(functionName, `${name}-${n}`, event);
        ends.push(end);
        if (end.statusCode === REFUSED) await delay(AFTER_REFUSAL_MS);
      }
    };
    const over = Promise.all(Array.from({ length: callers }, (_, name) => caller(name)));
    return {
      ends,
      stop: async () => {
        isOver = true;
        await over;
      },
    };
  }

  /** @throws when something of it is left on the machine */
  async stop(): Promise<void> {
    // What a killed one had is removed by the next one of its name.
    for (const [name, { signalCode }] of [...this.invokers])
      if (signalCode === 'SIGKILL') await this.startInvoker(name);
    for (const invoker of this.invokers.values()) await ended(invoker);
    await this.running.stop();
    const left = await leftovers({ home: this.home, invokerId: this.mark });
    if (left.length > 0) throw new Error(`left behind after the platform was stopped:\n${left.join('\n')}`);
    await rm(this.home, { recursive: true, force: true });
  }
}

/** Lets a process that may be stopped end by itself. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = once(child, 'exit');
  child.kill('SIGCONT');
  child.kill('SIGTERM');
  await end;
}

function statusOf(result: string): number {
  try {
    return (JSON.parse(result) as { statusCode?: number }).statusCode ?? 500;
  } catch {
    return 500;
  }
}
