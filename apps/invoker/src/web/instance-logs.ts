/** Takes the lines of one request. */
export interface RequestLog {
  add(text: string): void;
}

const MARK = '\u0001';

/**
 * Which request a line belongs to, where several run on an instance at once:
 * 1. a line that is marked (`\u0001<request id>\u0001` in front, taken off here) is that request's;
 * 2. a line that holds the id of a running request is that one's;
 * 3. any other is the only one's that runs, or else that one's which began last.
 */
export class InstanceLogs {
  /** In the order in which they began. */
  private readonly running = new Map<string, RequestLog>();

  get size(): number {
    return this.running.size;
  }

  begin(requestId: string, log: RequestLog): void {
    this.running.set(requestId, log);
  }

  end(requestId: string): void {
    this.running.delete(requestId);
  }

  line(text: string): void {
    if (text.startsWith(MARK)) {
      const end = text.indexOf(MARK, 1);
      if (end > 0) {
        const unmarked = text.slice(end + 1);
        (this.running.get(text.slice(1, end)) ?? this.owner(unmarked))?.add(unmarked);
        return;
      }
    }
    this.owner(text)?.add(text);
  }

  private owner(text: string): RequestLog | undefined {
    let last: RequestLog | undefined;
    for (const [requestId, log] of this.running) {
      if (this.running.size > 1 && text.includes(requestId)) return log;
      last = log;
    }
    return last;
  }
}
