/** A producer or admin that is kept connected, and replaced after every failure: kafkajs never leaves a connection whose peer fell silent. */
import type { Kafka } from "kafkajs";
import type { KafkaConnection } from "./kafka-client.ts";

interface Connectable {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

interface Current<Client> {
  readonly connection: KafkaConnection;
  readonly client: Client;
  readonly connected: Promise<void>;
}

export class KeptClient<Client extends Connectable> {
  readonly #open: () => KafkaConnection;
  readonly #create: (kafka: Kafka) => Client;
  #current: Current<Client> | undefined;
  #isClosed = false;

  constructor(open: () => KafkaConnection, create: (kafka: Kafka) => Client) {
    this.#open = open;
    this.#create = create;
  }

  /** One attempt. Rejects with what `work` or connecting rejected with; the next call then has a new client. */
  async use<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw new Error("the Kafka client is closed");
    const current = (this.#current ??= this.#connect());
    try {
      await current.connected;
      return await work(current.client);
    } catch (error) {
      this.#drop(current);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const current = this.#current;
    this.#current = undefined;
    if (!current) return;
    await current.client.disconnect();
    current.connection.cut();
  }

  #connect(): Current<Client> {
    const connection = this.#open();
    const client = this.#create(connection.kafka);
    return { connection, client, connected: client.connect() };
  }

  /** Without waiting: a silent peer would keep `disconnect` waiting too. */
  #drop(current: Current<Client>): void {
    if (this.#current === current) this.#current = undefined;
    current.connection.cut();
    // It only makes kafkajs forget; its connections are cut, so a failure says nothing.
    current.client.disconnect().catch(() => {});
  }
}
