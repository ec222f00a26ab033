/** A certificate and its key, made for tests and good for nothing else. */

const CERTIFICATE =
  "MIIBdTCCARugAwIBAgIUCbu0Yr+UcvMGYsxswWknNEFuOm0wCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjQxMDQxNDBaGA8yMTI2MTAzMTEwNDE0MFowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLpwPsVe6D+P9JS+DyFnw2pgwLnIzOizX05/ILhwr7zpX3fOlSsdkmAHarOMgNsM9dQBtf29Ng4Kbxnp6ExLu+CjUzBRMB0GA1UdDgQWBBTZ1/i2WQGN/0M6+4NbOPGid7IZyjAfBgNVHSMEGDAWgBTZ1/i2WQGN/0M6+4NbOPGid7IZyjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIC9hlEprJQBe6P7AAMCCweb2TaT1uBdlgXYmQLTeGug2AiEA57BGH+zufavxl2wVGfvbYy9QHRgT2E3RufyackQHGWw=";
const KEY =
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1Sfxq/YWehJckPB8pNK9C/6bNrEfs4mesUuwd3tBrT6hRANCAAS6cD7FXug/j/SUvg8hZ8NqYMC5yMzos19OfyC4cK+86V93zpUrHZJgB2qzjIDbDPXUAbX9vTYOCm8Z6ehMS7vg";

export const TEST_CERTIFICATE = pem("CERTIFICATE", CERTIFICATE);
export const TEST_KEY = pem("PRIVATE KEY", KEY);

function pem(title: string, base64: string): string {
  return `-----BEGIN ${title}-----\n${(base64.match(/.{1,64}/g) ?? []).join("\n")}\n-----END ${title}-----\n`;
}
