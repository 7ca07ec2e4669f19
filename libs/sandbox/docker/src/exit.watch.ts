import type { IncomingMessage } from 'node:http';
import { addAbortSignal } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';

/** How long after it did not answer an engine is asked again. */
const ASK_AGAIN_MS = 1_000;

type Condition = 'next-exit' | 'not-running';

/**
 * Watches for the end of one container, by a request that the engine holds open until then.
 *
 * 1. The engine has taken the request when `begin` resolves: it tells only of ends that come after that, and it may take
 *    requests in another order than they were sent.
 * 2. When the connection is cut, as by an engine that starts again, the engine is asked anew until it answers.
 */
export class ExitWatch {
  private constructor(
    private readonly container: Docker.Container,
    private readonly answer: IncomingMessage,
    private readonly stopping: AbortController,
  ) {}

  /** To be called before the container is started. */
  static async begin(container: Docker.Container): Promise<ExitWatch> {
    const stopping = new AbortController();
    return new ExitWatch(container, await ask(container, 'next-exit', stopping.signal), stopping);
  }

  /**
   * The exit code of pid 1; undefined when the engine does not know the container any more, or `stop` was called. Never rejects. To be called
   * once, after the start.
   */
  async code(): Promise<number | undefined> {
    const { signal } = this.stopping;
    for (let answer = Promise.resolve(this.answer); !signal.aborted; answer = this.askAgain()) {
      try {
        return await codeIn(await answer, signal);
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return undefined;
        await delay(ASK_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** The end does not matter any more. */
  stop(): void {
    this.stopping.abort();
    this.answer.destroy();
  }

  private askAgain(): Promise<IncomingMessage> {
    return ask(this.container, 'not-running', this.stopping.signal);
  }
}

/** Resolves when the engine has begun to answer, which it does as soon as it watches. */
function ask(
  container: Docker.Container,
  condition: Condition,
  abortSignal: AbortSignal,
): Promise<IncomingMessage> {
  const request = {
    path: `/containers/${container.id}/wait?`,
    method: 'POST',
    options: { _query: { condition }, _body: {} },
    isStream: true,
    statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
    abortSignal,
  };
  return new Promise((resolve, reject) => {
    container.modem.dial(request, (error: Error | null, answer: IncomingMessage) => {
      if (error) reject(error);
      else resolve(answer);
    });
  });
}

async function codeIn(answer: IncomingMessage, signal: AbortSignal): Promise<number> {
  const chunks: Buffer[] = [];
  for await (const chunk of addAbortSignal(signal, answer)) chunks.push(chunk as Buffer);
  return (JSON.parse(Buffer.concat(chunks).toString()) as { StatusCode: number }).StatusCode;
}
