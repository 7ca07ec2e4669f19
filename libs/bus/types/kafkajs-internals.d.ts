/** What of kafkajs's own request-queue.patch.ts changes. Imported, so that a bundle holds it once. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  class RequestQueue {
    readonly pending: readonly unknown[];
    scheduleCheckPendingRequests(): void;
  }
  export = RequestQueue;
}
