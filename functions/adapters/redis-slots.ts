/** The slot of each partition on a cluster: CRC16 (XMODEM) of its hash tag, as the servers count it. */
import { PARTITIONS } from "../core/room-stream.ts";
import { hashTagOf } from "./redis-names.ts";

export const SLOTS = 16_384;

export const SLOT_OF: readonly number[] = Array.from(
  { length: PARTITIONS },
  (_, partition) => crc16(hashTagOf(partition)) % SLOTS,
);

function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}
