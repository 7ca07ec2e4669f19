import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isPassedBack } from './http-headers.policy.js';

/** The answer of an event function, as HTTP. */
export interface IntegratedResponse {
  readonly statusCode: number;
  readonly headers: [string, string][];
  readonly body: Buffer;
}

/** scf-api, section 5: what is answered to a value that looks integrated and is not. */
export const WRONG_SHAPE =
  '{"errno":403,"error":"Invalid scf response format. please check your scf response format."}';

const JSON_TYPE: [string, string] = ['Content-Type', 'application/json'];
/**
 * An object with a `statusCode` is an integrated response and must have its shape; any other value is a body of its own,
 * answered as JSON with 200.
 * @returns undefined for an integrated response of a wrong shape
 */
export function readIntegrated(result: Buffer): IntegratedResponse | undefined {
  const value = parse(result);
  if (value === undefined || !('statusCode' in value)) {
    return { statusCode: 200, headers: [JSON_TYPE], body: result };
  }
  const { statusCode, headers = {}, body = '', isBase64Encoded = false } = value as Record<string, unknown>;
  const lines = readHeaders(headers ?? {});
  if (!isStatus(statusCode) || lines === undefined || typeof isBase64Encoded !== 'boolean') return undefined;
  if (typeof body !== 'string') return undefined;
  if (!lines.some(([name]) => name.toLowerCase() === 'content-type')) lines.push(JSON_TYPE);
  return { statusCode, headers: lines, body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8') };
}

function parse(result: Buffer): object | undefined {
  // Most answers that are not objects are told by their first byte.
  if (result[0] !== 0x7b) return undefined;
  try {
    return JSON.parse(result.toString()) as object;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 200 && value <= 599;
}

/** A value may be a list: a line for each. Content-Length is the gateway's. */
function readHeaders(headers: unknown): [string, string][] | undefined {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return undefined;
  const lines: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') return undefined;
      const text = String(one);
      if (!isHeader(name, text)) return undefined;
      if (isPassedBack(lower) && lower !== 'content-length') lines.push([name, text]);
    }
  }
  return lines;
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}
