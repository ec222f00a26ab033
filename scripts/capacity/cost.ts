/** What a plan costs in a year, at prices that are assumptions. Machines are counted as large as at the peak, all year. */
import type { Demand } from "./demand.ts";
import type { Figures, Prices } from "./figures.ts";
import type { Plan } from "./formulas.ts";

export interface Cost {
  readonly nodes: number;
  readonly balancer: number;
  readonly egress: number;
  readonly redis: number;
  readonly log: number;
  readonly consumers: number;
  readonly store: number;
  readonly total: number;
}

const MONTHS = 12;
const CORES_LEAST = 2;

export function costOf(plan: Plan, demand: Demand, figures: Figures, prices: Prices): Cost {
  const { load, nodes, redis, log, store } = plan;
  const egressGb = (load.deliveriesPerYear * (figures.frameBytes + demand.bodyBytes)) / 1e9;
  const parts = {
    nodes: nodes.count * prices.nodeMonth * MONTHS,
    balancer: (prices.balancerMonth + load.connections * prices.balancerConnectionMonth) * MONTHS,
    egress: egressGb * prices.egressGb,
    redis: redis.shards * figures.redisShardGb * prices.redisGbMonth * MONTHS,
    log: (log.brokers * prices.brokerMonth + log.storageGb * prices.logGbMonth) * MONTHS,
    consumers: log.consumers * prices.consumerMonth * MONTHS,
    store:
      (Math.max(CORES_LEAST, Math.ceil(store.cores)) * prices.storeCoreMonth +
        store.storageGb * prices.storeGbMonth) *
      MONTHS,
  };
  return { ...parts, total: Object.values(parts).reduce((sum, part) => sum + part, 0) };
}
