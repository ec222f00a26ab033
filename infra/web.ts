/** The page on CloudFront, and on the same origin what it speaks to: `/ws` and `/api/*` go to the nodes. */
import type { Balancer } from "./balancer.ts";
import type { Settings } from "./settings.ts";
import { TIMEOUTS } from "./stage.ts";

/** What the nodes serve to the world; health and metrics are not among it. */
export function nodePaths({ socketIo }: Settings): readonly string[] {
  return ["/ws", "/api/*", ...(socketIo === undefined ? [] : ["/socket.io/*"])];
}

/** CloudFront's own policies, by their fixed ids. */
const POLICIES = {
  cachingDisabled: "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
  allViewer: "216adef6-5c7f-47e4-b989-5492eafa07d3",
  securityHeaders: "67f7725c-6f97-4210-82d7-5512b31e9d03",
} as const;
const ORIGIN_ID = "nodes";

/** As a node serves the page: hashed files for good, and the document and the service worker to be asked for each time. */
const FILES = [
  // What was compressed ahead is for nodes; CloudFront compresses by itself.
  { files: "**", ignore: "**/*.{br,gz}", cacheControl: "no-cache" },
  { files: "assets/**", ignore: "**/*.{br,gz}", cacheControl: "public, max-age=31536000, immutable" },
];

export function createWeb(balancer: Balancer, settings: Settings): sst.aws.StaticSite {
  const { domain } = settings;
  return new sst.aws.StaticSite("Web", {
    path: "web",
    build: { command: "node ../node_modules/vite/bin/vite.js build", output: "dist" },
    ...(domain === undefined ? {} : { domain }),
    assets: { fileOptions: FILES },
    // SST writes types of variables that the page does not have; there they are in nobody's way.
    vite: { types: "../.sst/vite-env.d.ts" },
    transform: {
      cdn: (args) => {
        args.origins = $output(args.origins).apply((origins) => [...origins, originOf(balancer)]);
        args.orderedCacheBehaviors = nodePaths(settings).map(passOn);
        args.defaultCacheBehavior = $output(args.defaultCacheBehavior).apply((behavior) => ({
          ...behavior,
          responseHeadersPolicyId: POLICIES.securityHeaders,
        }));
      },
    },
  });
}

function originOf({ origin }: Balancer) {
  return {
    originId: ORIGIN_ID,
    domainName: origin.domainName,
    customOriginConfig: {
      httpPort: 80,
      httpsPort: 443,
      originProtocolPolicy: origin.isEncrypted ? "https-only" : "http-only",
      originReadTimeout: 60,
      originKeepaliveTimeout: TIMEOUTS.cdnKeepAliveSeconds,
      originSslProtocols: ["TLSv1.2"],
    },
  };
}

/** Every header as it came, for the upgrade is in them, and nothing kept. */
function passOn(pathPattern: string) {
  return {
    pathPattern,
    targetOriginId: ORIGIN_ID,
    viewerProtocolPolicy: "https-only",
    allowedMethods: ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
    cachedMethods: ["GET", "HEAD"],
    compress: false,
    cachePolicyId: POLICIES.cachingDisabled,
    originRequestPolicyId: POLICIES.allViewer,
  };
}
