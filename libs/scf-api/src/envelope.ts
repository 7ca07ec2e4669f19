/**
 * The texts of answers (scf-api section 3, "Responses"). Every one carries RequestId; HTTP status and headers are the gateway's.
 * A request id is a UUID made by us and needs no escaping.
 */

export function responseText(response: object, requestId: string): string {
  return JSON.stringify({ Response: { ...response, RequestId: requestId } });
}

export function errorText(code: string, message: string, requestId: string): string {
  return JSON.stringify({ Response: { Error: { Code: code, Message: message }, RequestId: requestId } });
}

/** `Result` of Invoke and InvokeFunction. Sizes in bytes, times in ms. */
export interface InvokeResult {
  log: string;
  /** The result or SCF's error, as JSON text. */
  retMsg: string;
  errMsg: string;
  memoryBytes: number;
  durationMs: number;
  billedMs: number;
  functionRequestId: string;
  /** 0 done, 1 the function failed, -1 the platform failed. */
  invokeResult: 0 | 1 | -1;
}

/**
 * The same envelope written by hand: it is on the path of every sync call. Clients of Go and Java insist on whole numbers for
 * MemUsage and BillDuration.
 */
export function resultText(result: InvokeResult, requestId: string): string {
  const log = result.log === '' ? '""' : JSON.stringify(result.log);
  const errMsg = result.errMsg === '' ? '""' : JSON.stringify(result.errMsg);
  return (
    `{"Response":{"Result":{"MemUsage":${Math.round(result.memoryBytes)},"Log":${log},` +
    `"RetMsg":${JSON.stringify(result.retMsg)},"BillDuration":${Math.ceil(result.billedMs)},` +
    `"FunctionRequestId":"${result.functionRequestId}","Duration":${result.durationMs},"ErrMsg":${errMsg},` +
    `"InvokeResult":${result.invokeResult}},"RequestId":"${requestId}"}}`
  );
}

/** What an accepted async call answers: only the id is set. */
export function acceptedResult(functionRequestId: string): InvokeResult {
  return {
    log: '',
    retMsg: '',
    errMsg: '',
    memoryBytes: 0,
    durationMs: 0,
    billedMs: 0,
    functionRequestId,
    invokeResult: 0,
  };
}
