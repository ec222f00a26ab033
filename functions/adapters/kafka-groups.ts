/** Removing consumer groups, which brokers allow once nobody is in them. */
import kafkajs, { type Admin } from "kafkajs";
import { sleep, type Runtime } from "../core/runtime.ts";
import { kafkaErrorType } from "./kafka-client.ts";

const POLL_MS = 200;

/** Waits for those who are in it to leave. Answers whether it is gone; rejects with what the broker refuses otherwise. */
export async function removeGroup(
  admin: Admin,
  group: string,
  runtime: Runtime,
  deadlineMs: number,
): Promise<boolean> {
  while (!(await isGone(admin, group))) {
    if (runtime.elapsed() > deadlineMs) return false;
    await sleep(runtime, POLL_MS);
  }
  return true;
}

async function isGone(admin: Admin, group: string): Promise<boolean> {
  try {
    await admin.deleteGroups([group]);
    return true;
  } catch (error) {
    const cause = causeOf(error);
    const type = kafkaErrorType(cause);
    if (type === "NON_EMPTY_GROUP") return false;
    if (type === "GROUP_ID_NOT_FOUND") return true;
    throw cause;
  }
}

/** What the broker says of the group, which kafkajs wraps. */
function causeOf(error: unknown): unknown {
  return error instanceof kafkajs.KafkaJSDeleteGroupsError ? (error.groups?.[0]?.error ?? error) : error;
}
