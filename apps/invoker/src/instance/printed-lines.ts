/** What is printed while nobody listens is kept for the next one's log, up to this much. */
const MAX_WAITING_BYTES = 256 * 1024;
/** What a line takes beside its text: a limit by text alone would let empty lines pass without end. */
const LINE_BYTES = 32;

/** Hands the lines of an instance to whoever runs something in it. */
export class PrintedLines {
  private receiver: ((text: string) => void) | undefined;
  private waiting: string[] = [];
  private waitingBytes = 0;

  add(text: string): void {
    if (this.receiver !== undefined) {
      this.receiver(text);
    } else if (this.waitingBytes + text.length + LINE_BYTES <= MAX_WAITING_BYTES) {
      this.waitingBytes += text.length + LINE_BYTES;
      this.waiting.push(text);
    }
  }

  /** Sends lines to the receiver from now on; those that came while there was none first. */
  receive(receiver: ((text: string) => void) | undefined): void {
    this.receiver = receiver;
    if (receiver === undefined) return;
    const { waiting } = this;
    this.waiting = [];
    this.waitingBytes = 0;
    for (const line of waiting) receiver(line);
  }
}
