import { channelFrame, readFailure, type RuntimeFailure } from './channel.types.js';
import type { InstanceInvocation, InstanceStream, InvocationEnd, StreamReceiver } from './instance.types.js';

/** The user's code shares a process with the bootstrap, and may have written to the channel itself. */
const NOT_AN_ANSWER: RuntimeFailure = {
  reason: 'exited',
  message: 'the channel carried what is no answer',
  stackTrace: '',
  recycle: true,
};

/** One invocation of an event function on an instance's stream: it ends once, by answer, time-out or the instance's end. */
export class EventRun implements StreamReceiver {
  private timer: NodeJS.Timeout | undefined;
  private stream: InstanceStream | undefined;
  private isOver = false;

  constructor(private readonly invocation: InstanceInvocation) {}

  begin(stream: InstanceStream): void {
    const { head, event, timeoutMs } = this.invocation;
    this.stream = stream;
    this.timer = setTimeout(() => this.timedOut(), timeoutMs);
    stream.send(channelFrame.invoke, head, event);
  }

  onFrame(kind: number, head: Buffer, body: Buffer): void {
    if (kind === channelFrame.result) this.end({ kind: 'result', body });
    else if (kind === channelFrame.error) this.end({ kind: 'failure', failure: readFailure(head) });
    else this.end({ kind: 'failure', failure: NOT_AN_ANSWER });
  }

  onGone(end: InvocationEnd): void {
    this.end(end);
  }

  private timedOut(): void {
    // An instance that has lost its channel is over, and not because of the time: its exit follows.
    if (this.stream?.isReachable === true) this.end({ kind: 'timed-out' });
  }

  private end(end: InvocationEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    this.invocation.onEnd(end);
    const reusable = end.kind === 'result' || (end.kind === 'failure' && end.failure.recycle !== true);
    this.stream?.closeThen(!reusable, () => this.invocation.onSettled());
  }
}
