/** How clients come to a node that may have another process behind its address than the last time. */

const ARRIVALS_MAX = 5;

/** Tries again what a kept connection has failed: it ended with the process behind the proxy, which its first request finds out. */
export async function arriving<T>(task: () => Promise<T>, attempt = 1): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (!(error instanceof TypeError) || attempt === ARRIVALS_MAX) throw error;
    return arriving(task, attempt + 1);
  }
}
