/** Which client a request comes from, as far as the proxies on the way are trusted. */
import { isIPv6 } from "node:net";

/**
 * The address that the outermost trusted proxy saw: of `X-Forwarded-For`, to which each proxy adds at the right, the entry that
 * many from the right. Without trusted proxies, and where the header is too short, it is the peer itself.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, trustedHops: number): string {
  if (trustedHops === 0 || forwardedFor === undefined) return plain(peer);
  const hops = forwardedFor.split(",").map((hop) => hop.trim());
  return plain(hops.at(-trustedHops) ?? peer);
}

/** What an address is counted by: one network of IPv6 (/64) is one client's. This machine's own is not counted. */
export function rateKeyOf(address: string): string | undefined {
  if (address === "::1" || address.startsWith("127.")) return undefined;
  return isIPv6(address) ? networkOf(address) : address.slice(0, 64);
}

/** IPv4 as such, also where it is written as IPv6. */
function plain(address: string): string {
  const text = address.toLowerCase();
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1] ?? text;
}

function networkOf(address: string): string {
  const [head = "", tail] = (address.split("%")[0] ?? "").split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill("0"), ...(tail ? tail.split(":") : [])];
  return `${all
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
