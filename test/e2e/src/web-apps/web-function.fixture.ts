import { onTestFinished } from 'vitest';
import { makeFunction, type FunctionSettings, type FunctionUnderTest } from '../function.fixture.js';
import { cloud, platform } from '../platform.js';
import { zipOfApp } from './app-cache.js';

export interface WebFunctionUnderTest extends FunctionUnderTest {
  /** Its function URL by path, without the last `/`. */
  url: string;
}

/** A web function with a function URL that asks for no signature; both are removed when the test has ended. */
export async function makeWebFunction(settings: FunctionSettings): Promise<WebFunctionUnderTest> {
  const fn = await makeFunction({ Type: 'HTTP', Timeout: 30, InitTimeout: 60, ...settings });
  const { TriggerInfo } = await cloud.CreateTrigger({
    FunctionName: fn.name,
    TriggerName: 'url',
    Type: 'http',
    TriggerDesc: JSON.stringify({ AuthType: 'NONE', NetConfig: { EnableExtranet: true } }),
  });
  const { NetConfig } = JSON.parse(TriggerInfo?.TriggerDesc ?? '{}') as {
    NetConfig: { ExtranetUrl: string };
  };
  const [label = ''] = new URL(NetConfig.ExtranetUrl).hostname.split('.');
  return { ...fn, url: new URL(`/url/${label}`, platform.gateway).href };
}

/** A web function whose code is a folder of `cachedApp`. */
export async function makeWebApp(
  folder: string,
  settings: Omit<FunctionSettings, 'zip' | 'source'>,
): Promise<WebFunctionUnderTest> {
  return makeWebFunction({ ...settings, zip: await zipOfApp(folder) });
}

/** An open WebSocket; closed when the test has ended. */
export async function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'));
  onTestFinished(() => socket.close());
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error(`${url} cannot be opened`)), { once: true });
  });
  return socket;
}

/** What comes next on a socket. */
export function nextMessage(socket: WebSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.addEventListener('message', ({ data }) => resolve(String(data)), { once: true });
    socket.addEventListener('close', ({ code }) => reject(new Error(`closed with ${code}`)), { once: true });
  });
}
