/** Where tasks run: a network of production's own that all other stages share, and a door that only the load balancer passes. */
import type { Settings } from "./settings.ts";
import { PORTS } from "./stage.ts";

/** Of SST's networks. */
const VPC_CIDR = "10.0.0.0/16";
const ANYWHERE = "0.0.0.0/0";
const ALL = { protocol: "-1", fromPort: 0, toPort: 0 } as const;

export interface Network {
  readonly vpc: sst.aws.Vpc;
  readonly cluster: sst.aws.Cluster;
  /** Of the load balancer. */
  readonly door: aws.ec2.SecurityGroup;
}

export function createNetwork({ vpcId, domain }: Settings): Network {
  const vpc = vpcId === undefined ? createVpc() : sst.aws.Vpc.get("Vpc", vpcId);
  const door = createDoor(vpc, domain === undefined ? 80 : 443);
  const tasks = new aws.ec2.SecurityGroup("Tasks", {
    description: "Skat: tasks hear the load balancer alone, on one port",
    vpcId: vpc.id,
    ingress: [{ protocol: "tcp", fromPort: PORTS.node, toPort: PORTS.node, securityGroups: [door.id] }],
    egress: [{ ...ALL, cidrBlocks: [ANYWHERE] }],
  });
  const cluster = new sst.aws.Cluster("Cluster", {
    vpc: {
      id: vpc.id,
      securityGroups: [tasks.id],
      containerSubnets: vpc.privateSubnets,
      loadBalancerSubnets: vpc.publicSubnets,
    },
  });
  return { vpc, cluster, door };
}

/** Out through instances with fixed addresses, which the engines' allow-lists can name. In, SST would let the whole world. */
function createVpc(): sst.aws.Vpc {
  return new sst.aws.Vpc("Vpc", {
    az: 2,
    nat: "ec2",
    transform: {
      natSecurityGroup: (args) => {
        args.ingress = [{ ...ALL, cidrBlocks: [VPC_CIDR] }];
      },
    },
  });
}

/** Only CloudFront comes in: around it there is neither encryption nor a page. */
function createDoor(vpc: sst.aws.Vpc, port: number): aws.ec2.SecurityGroup {
  const cloudFront = aws.ec2.getManagedPrefixListOutput({
    name: "com.amazonaws.global.cloudfront.origin-facing",
  });
  return new aws.ec2.SecurityGroup("Door", {
    description: "Skat: the load balancer hears CloudFront alone",
    vpcId: vpc.id,
    ingress: [{ protocol: "tcp", fromPort: port, toPort: port, prefixListIds: [cloudFront.id] }],
    egress: [{ ...ALL, cidrBlocks: [VPC_CIDR] }],
  });
}
