import type { ColdStart } from '@openscf/contracts';

/** SCF's platform lines (scf-api.md "Log lines"), in the form of real captures: with a space after `RequestId:`. */

const MB = 1024 * 1024;

export function startLine(requestId: string): string {
  return `START RequestId: ${requestId}`;
}

export function initReportLine(
  requestId: string,
  cold: ColdStart,
  memoryMb: number,
  memoryBytes: number,
): string {
  const parts = `PullCode: ${ms(cold.pullCodeMs)} InitRuntime: ${ms(cold.initRuntimeMs)} InitFunction: ${ms(cold.initFunctionMs)}`;
  return `Init Report RequestId: ${requestId} Coldstart: ${ms(cold.totalMs)} (${parts}) ${memory(memoryMb, memoryBytes)}`;
}

export function errorLine(requestId: string, error: string): string {
  return `ERROR RequestId: ${requestId} Result:${error}`;
}

export function responseLine(requestId: string, retMsg: string): string {
  return `Response RequestId: ${requestId} RetMsg:${retMsg}`;
}

export function endLine(requestId: string): string {
  return `END RequestId: ${requestId}`;
}

export function reportLine(
  requestId: string,
  durationMs: number,
  memoryMb: number,
  memoryBytes: number,
): string {
  return `Report RequestId: ${requestId} Duration: ${ms(durationMs)} ${memory(memoryMb, memoryBytes)}`;
}

function ms(value: number): string {
  return `${Math.ceil(value)}ms`;
}

function memory(memoryMb: number, memoryBytes: number): string {
  return `Memory: ${memoryMb}MB MemUsage: ${(memoryBytes / MB).toFixed(2)}MB`;
}
