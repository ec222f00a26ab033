/**
 * The mechanisms that keep the guarantees, each with a patch that takes it out and the suite that must notice.
 *
 * A patch replaces text that occurs just once in its file, so that one which no longer fits is told instead of passing for applied.
 */

import { MESSAGE_MUTATIONS } from "./messages.ts";
import { HISTORY_MUTATIONS } from "./history.ts";
import { CONSUMER_MUTATIONS } from "./consumer.ts";
import { OPERATION_MUTATIONS } from "./operation.ts";
import { ACCESS_MUTATIONS } from "./access.ts";
import { CLUSTER_MUTATIONS } from "./cluster.ts";
import { EVENT_PERIOD_MUTATIONS } from "./event-periods.ts";
import { INFRA_MUTATIONS } from "./infra.ts";
import { OWN_DATA_MUTATIONS } from "./own-data.ts";
import { PAGE_MUTATIONS } from "./page.ts";
import { READ_MARK_MUTATIONS } from "./read-marks.ts";
import { SOCKETIO_MUTATIONS } from "./socketio.ts";

export interface Mutation {
  readonly name: string;
  /** The rule or guarantee it keeps, and what it is. */
  readonly mechanism: string;
  readonly file: string;
  readonly edits: readonly (readonly [search: string, replace: string])[];
  /** The test file that goes red, and which of its titles: a regular expression. */
  readonly noticedBy: readonly [file: string, titles: string];
}

export const MUTATIONS: readonly Mutation[] = [
  ...MESSAGE_MUTATIONS,
  ...HISTORY_MUTATIONS,
  ...CONSUMER_MUTATIONS,
  ...OPERATION_MUTATIONS,
  ...ACCESS_MUTATIONS,
  ...CLUSTER_MUTATIONS,
  ...READ_MARK_MUTATIONS,
  ...OWN_DATA_MUTATIONS,
  ...EVENT_PERIOD_MUTATIONS,
  ...PAGE_MUTATIONS,
  ...INFRA_MUTATIONS,
  ...SOCKETIO_MUTATIONS,
];
