/** The load balancer between CloudFront and the nodes: it keeps sockets open and lets nothing through that it has no rule for. */
import type { Network } from "./network.ts";
import type { Settings } from "./settings.ts";
import { TIMEOUTS } from "./stage.ts";

export interface Balancer {
  readonly alb: sst.aws.Alb;
  /** As the nodes' rules name it. */
  readonly listen: "443/https" | "80/http";
  /** How CloudFront gets there. */
  readonly origin: { readonly domainName: $util.Input<string>; readonly isEncrypted: boolean };
}

export function createBalancer({ vpc, door }: Network, { domain }: Settings): Balancer {
  const name = domain === undefined ? undefined : `origin.${domain}`;
  const alb = new sst.aws.Alb("Balancer", {
    vpc: { id: vpc.id, publicSubnets: vpc.publicSubnets, privateSubnets: vpc.privateSubnets },
    ...(name === undefined ? {} : { domain: name }),
    listeners: [name === undefined ? { port: 80, protocol: "http" } : { port: 443, protocol: "https" }],
    transform: {
      // SST's own group is open to the world; it stays, closed, and the door takes its place.
      securityGroup: (args) => {
        args.ingress = [];
      },
      loadBalancer: (args) => {
        args.securityGroups = [door.id];
        args.idleTimeout = TIMEOUTS.balancerIdleSeconds;
        args.dropInvalidHeaderFields = true;
      },
      listener: (args) => {
        if (name !== undefined) args.sslPolicy = "ELBSecurityPolicy-TLS13-1-2-2021-06";
      },
    },
  });
  return {
    alb,
    listen: name === undefined ? "80/http" : "443/https",
    origin: { domainName: name ?? alb.dnsName, isEncrypted: name !== undefined },
  };
}
