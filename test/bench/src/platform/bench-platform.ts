import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPlatform, type Running } from '@openscf/infra-local';
import { signedHeaders } from './tc3.ts';
import { zipOf } from './zip.ts';

/** What InvokeFunction answers, as far as a workload looks at it. */
export interface Invoked {
  RetMsg: string;
  Log: string;
  InvokeResult: number;
  ErrMsg: string;
  FunctionRequestId: string;
}

export interface Deployment {
  FunctionName: string;
  Runtime: string;
  Handler?: string;
  MemorySize?: number;
  Timeout?: number;
  Namespace?: string;
  [field: string]: unknown;
}

/** A platform of its own for a workload: own home, free ports, everything on that a user would have on. */
export class BenchPlatform {
  readonly running: Running;
  readonly #home: string;

  private constructor(running: Running, home: string) {
    this.running = running;
    this.#home = home;
  }

  static async start(environment: Record<string, string> = {}): Promise<BenchPlatform> {
    const home = mkdtempSync(join(tmpdir(), 'openscf-bench-'));
    return new BenchPlatform(await startPlatform({ home, environment }), home);
  }

  get host(): string {
    return new URL(this.running.urls.gateway).host;
  }

  /** Headers of a signed request; good for five minutes, for any number of requests with the same body. */
  signed(action: string, body: string): Record<string, string> {
    return signedHeaders({ host: this.host, action, body, ...this.running.keys });
  }

  /** @throws Error with the platform's words when it answers with an error */
  async call(action: string, request: object): Promise<Record<string, unknown>> {
    const body = JSON.stringify(request);
    const headers = this.signed(action, body);
    const response = await fetch(this.running.urls.gateway, { method: 'POST', headers, body });
    const { Response: answer } = (await response.json()) as {
      Response: Record<string, unknown> & { Error?: { Code: string; Message: string } };
    };
    if (answer.Error) throw new Error(`${action}: ${answer.Error.Code}: ${answer.Error.Message}`);
    return answer;
  }

  async invoke(functionName: string, event: unknown = {}, more: object = {}): Promise<Invoked> {
    const request = { FunctionName: functionName, Event: JSON.stringify(event), LogType: 'Tail', ...more };
    const { Result } = (await this.call('InvokeFunction', request)) as unknown as { Result: Invoked };
    return Result;
  }

  /** Creates a function from these files. */
  async deploy(deployment: Deployment, files: Record<string, string | Buffer>): Promise<void> {
    const ZipFile = (await zipOf(files)).toString('base64');
    const defaults = { Handler: 'index.main_handler', MemorySize: 128, Timeout: 10 };
    await this.call('CreateFunction', { ...defaults, ...deployment, Code: { ZipFile } });
  }

  async updateCode(functionName: string, files: Record<string, string | Buffer>): Promise<void> {
    const ZipFile = (await zipOf(files)).toString('base64');
    await this.call('UpdateFunctionCode', { FunctionName: functionName, Code: { ZipFile } });
  }

  async stop(): Promise<void> {
    await this.running.stop();
    rmSync(this.#home, { recursive: true, force: true });
  }
}
