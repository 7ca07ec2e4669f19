import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/**
 * kafkajs 2.2.4: after every answer its request queue sets a timer for requests that wait, also when none does. The time is negative then,
 * so the timer fires at once and sets the next one: 1,000 wake-ups a second for every connection, for ever, and a
 * TimeoutNegativeWarning in Node.js 24. Without a waiting request there is nothing to check: whatever has to wait sets the timer itself.
 */
export function calmRequestQueue(): void {
  const { prototype } = RequestQueue;
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function calm(this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
