/** Answers without an end in memory: JSON objects, one a line. */

export const LINES_TYPE = "application/x-ndjson";

/** A page is read when the one before is on its way, and none once the client is gone. What fails breaks the answer off. */
export function toLines(pages: AsyncIterable<readonly object[]>): ReadableStream<Uint8Array> {
  const iterator = pages[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await iterator.next();
      if (done === true) return controller.close();
      controller.enqueue(encoder.encode(value.map((each) => `${JSON.stringify(each)}\n`).join("")));
    },
    cancel: async () => void (await iterator.return?.()),
  });
}
