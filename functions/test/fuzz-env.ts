/** The settings under which inputs are judged instead of counted. */
const OFTEN = "100000000/60";

export const FUZZ_ENV = {
  STAGE: "fuzz",
  AUTH_SECRET: "a secret that only the inputs of the fuzzer know",
  FRAMES_PER_SECOND: "1000000",
  FRAME_BURST: "1000000",
  RATE_GUESTS: OFTEN,
  RATE_SIGN_INS: OFTEN,
  RATE_UPGRADES: OFTEN,
  RATE_REQUESTS: OFTEN,
  RATE_JOINS: OFTEN,
  RATE_ROOMS_MADE: OFTEN,
  RATE_EXPORTS: OFTEN,
  RATE_SENDS: OFTEN,
  RATE_ROOM_SENDS: OFTEN,
} as const;
