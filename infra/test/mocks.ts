/** Answers in the place of AWS and Aiven: what a resource would have once it is made, and what a look-up would find. */

const ACCOUNT = "123456789012";
const REGION = "eu-west-1";

export type Values = Readonly<Record<string, unknown>>;

export interface NewResource {
  readonly type: string;
  readonly name: string;
  readonly inputs: Values;
  /** Of one that is there already and only read; else empty. */
  readonly id: string;
}

export interface Call {
  readonly token: string;
  readonly inputs: Values;
}

/** Where the stack was told to look for a network. */
export const SHARED_VPC_ID = "vpc-shared";

/** What a kind of resource has beyond its inputs. */
const MADE: Readonly<Record<string, (name: string, inputs: Values) => Values>> = {
  "aws:lb/loadBalancer:LoadBalancer": (name) => ({
    arn: arn("elasticloadbalancing", `loadbalancer/app/${name}/1`),
    arnSuffix: `app/${name}/1`,
    dnsName: `${name}.elb.example`,
    zoneId: "ZONE",
  }),
  "aws:lb/targetGroup:TargetGroup": (name) => ({
    arn: arn("elasticloadbalancing", `targetgroup/${name}/1`),
  }),
  "aws:ec2/vpc:Vpc": (_, { tags }) => ({
    cidrBlock: "10.0.0.0/16",
    tagsAll: { "sst:component-version": "2", "sst:ref-version": "2", ...(tags as Values) },
  }),
  "aws:cloudfront/distribution:Distribution": () => ({
    domainName: "d1.cloudfront.example",
    hostedZoneId: "ZONE",
  }),
  "aws:s3/bucket:Bucket": (name) => ({
    bucket: name,
    bucketRegionalDomainName: `${name}.s3.example`,
    region: REGION,
  }),
  "aws:ssm/parameter:Parameter": () => ({ version: 7 }),
  "docker-build:index:Image": () => ({ digest: `sha256:${"0".repeat(64)}`, ref: "image" }),
  "aws:acm/certificate:Certificate": () => ({
    domainValidationOptions: [
      {
        domainName: "example",
        resourceRecordName: "r",
        resourceRecordType: "CNAME",
        resourceRecordValue: "v",
      },
    ],
  }),
  "aiven:index/kafkaUser:KafkaUser": () => ({ password: "made-by-aiven-kafka" }),
  "aiven:index/valkeyUser:ValkeyUser": () => ({ password: "made-by-aiven-valkey" }),
};

/** What a look-up finds, beyond what it was asked with. */
const FOUND: Readonly<Record<string, (inputs: Values) => Values>> = {
  "aws:index/getRegion:getRegion": () => ({ region: REGION, name: REGION }),
  "aws:index/getCallerIdentity:getCallerIdentity": () => ({ accountId: ACCOUNT }),
  "aws:index/getPartition:getPartition": () => ({ partition: "aws" }),
  "aws:index/getAvailabilityZones:getAvailabilityZones": () => ({
    names: ["a", "b", "c"].map((zone) => REGION + zone),
    zoneIds: ["1", "2", "3"],
  }),
  "aws:iam/getPolicyDocument:getPolicyDocument": (inputs) => ({ json: JSON.stringify(inputs) }),
  "aws:ec2/getAmi:getAmi": () => ({ id: "ami-1", architecture: "arm64" }),
  "aws:ec2/getManagedPrefixList:getManagedPrefixList": ({ name }) => ({ id: `pl-${String(name)}` }),
  "aws:ec2/getSubnets:getSubnets": (inputs) => {
    const side = JSON.stringify(inputs).includes("Private") ? "private" : "public";
    return { ids: [`subnet-${side}-a`, `subnet-${side}-b`] };
  },
  "aws:ec2/getRouteTable:getRouteTable": () => ({ routeTableId: "rtb-1" }),
  "aws:ec2/getInternetGateway:getInternetGateway": () => ({ internetGatewayId: "igw-1" }),
  "aws:ec2/getSecurityGroups:getSecurityGroups": (inputs) => ({
    ids: JSON.stringify(inputs).includes('"default"') ? ["sg-default"] : [],
  }),
  "aws:ec2/getNatGateways:getNatGateways": () => ({ ids: [] }),
  "aws:ec2/getInstances:getInstances": () => ({ ids: [] }),
  "aws:ec2/getEips:getEips": () => ({ allocationIds: [] }),
  "aws:route53/getZone:getZone": () => ({
    zoneId: "ZONE",
    linkedServiceDescription: `arn:aws:servicediscovery:${REGION}:${ACCOUNT}:namespace/ns-1`,
  }),
  "aws:ecr/getAuthorizationToken:getAuthorizationToken": () => ({
    proxyEndpoint: "https://registry.example",
    userName: "AWS",
    password: "registry-password",
  }),
  "aiven:index/getKafka:getKafka": () => ({
    components: [
      { component: "kafka", kafkaAuthenticationMethod: "certificate", host: "kafka.example", port: 11 },
      { component: "kafka", kafkaAuthenticationMethod: "sasl", host: "kafka.example", port: 12 },
    ],
  }),
  "aiven:index/getProject:getProject": () => ({ caCert: "made-by-aiven-ca" }),
  "aiven:index/getValkey:getValkey": () => ({ serviceHost: "valkey.example", servicePort: 13 }),
};

export function made({ type, name, inputs, id }: NewResource): { id: string; state: Values } {
  const own = {
    arn: arn("mock", `${type.split(":").pop() ?? ""}/${name}`),
    name,
    ...MADE[type]?.(name, inputs),
    ...inputs,
  };
  return { id: id === "" ? `${name}-id` : id, state: own };
}

export function found({ token, inputs }: Call): Values {
  return { id: token, ...inputs, ...FOUND[token]?.(inputs) };
}

function arn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
}
