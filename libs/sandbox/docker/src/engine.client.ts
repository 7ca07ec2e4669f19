import { SandboxError } from '@openscf/sandbox-api';
import Docker from 'dockerode';

/** Where the engine is; by default the standard socket, or what DOCKER_HOST says. */
export interface EngineOptions {
  socketPath?: string;
  /** How long an answer may take; for answers that are streams, until they begin. Default: 60,000. */
  requestTimeoutMs?: number;
}

/** On two cores with ten times the work they can do, an engine takes up to six seconds to start a container. */
const REQUEST_TIMEOUT_MS = 60_000;

type Dial = Docker['modem']['dial'];

/**
 * A client of the engine each of whose requests ends: by itself it waits for ever for an answer that does not come, and for the
 * rest of one whose connection was cut. What is late rejects with SandboxError `engine-timed-out` that names the request.
 */
export function engineClient({
  requestTimeoutMs = REQUEST_TIMEOUT_MS,
  ...place
}: EngineOptions = {}): Docker {
  const docker = new Docker(place);
  docker.modem.dial = bounded(docker.modem.dial.bind(docker.modem), requestTimeoutMs);
  return docker;
}

function bounded(dial: Dial, timeoutMs: number): Dial {
  return (request, callback) => {
    const late = new AbortController();
    let settled = false;
    const settle: typeof callback = (error, answer) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      callback?.(error, answer);
    };
    const timer = setTimeout(() => {
      const [path] = request.path.split('?');
      const what = `${request.method ?? 'GET'} ${path}`;
      settle(
        new SandboxError(
          'engine-timed-out',
          `The Docker engine did not answer ${what} within ${timeoutMs} ms`,
        ),
        null,
      );
      late.abort();
    }, timeoutMs);
    const signals = [late.signal, request.abortSignal].filter((signal) => signal !== undefined);
    dial({ ...request, abortSignal: AbortSignal.any(signals) }, settle);
  };
}
