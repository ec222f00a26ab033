/** The HTTP side of the wire between a simulated client and a node: pages of history, which are all that the SDK asks for by itself. */
import type { Account, Api, HistoryQuery, ListedRoom } from "../../../web/sdk/src/api.ts";
import { ClientError } from "../../../web/sdk/src/errors.ts";
import type { HistoryPage } from "../../../web/sdk/src/view.ts";
import { asChatError } from "../../lib/errors.ts";
import { PAGE_EVENTS } from "../../protocol.ts";
import type { Host } from "./host.ts";
import type { NodeEntry } from "./processes.ts";

const LATENCY_MS = 3;
const ANSWER_TIMEOUT_MS = 15_000;

export class SimulatedApi implements Api {
  readonly #host: Host;
  readonly #anyNode: () => NodeEntry | undefined;

  constructor(host: Host, anyNode: () => NodeEntry | undefined) {
    this.#host = host;
    this.#anyNode = anyNode;
  }

  /** A node that dies on the way never answers. */
  history(token: string, room: string, { before, limit = PAGE_EVENTS }: HistoryQuery): Promise<HistoryPage> {
    return new Promise((resolve, reject) => {
      const cancel = this.#host.after(ANSWER_TIMEOUT_MS, () => reject(new ClientError("unreachable")));
      const answer = (task: () => void): void =>
        void this.#host.after(LATENCY_MS, () => {
          cancel();
          task();
        });
      const node = this.#anyNode();
      if (!node) return answer(() => reject(new ClientError("unreachable")));
      node.host.after(LATENCY_MS, () => {
        node.history(token, room, before, limit).then(
          (page) => answer(() => resolve(page)),
          (error: unknown) => answer(() => reject(ClientError.of(asChatError(error).toBody()))),
        );
      });
    });
  }

  async guest(): Promise<Account> {
    throw new ClientError("unreachable");
  }

  async rooms(): Promise<readonly ListedRoom[]> {
    throw new ClientError("unreachable");
  }

  async createRoom(): Promise<ListedRoom> {
    throw new ClientError("unreachable");
  }

  async request<Answer>(): Promise<Answer> {
    throw new ClientError("unreachable");
  }
}
