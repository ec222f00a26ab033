/** A certificate for 127.0.0.1 that signs itself, and its key: made for tests and good for nothing else. */

const CERTIFICATE =
  "MIIBmzCCAUGgAwIBAgIUDLpFCCSjWivNDPQXGubHrJLvzCQwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNDExMjEyM1oYDzIxMjYxMDMxMTEyMTIzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQv+jGlmkj369eYaG4NJ4kZxGNamCbGsJ3V1Qs2nQ/nTKFJQ+TzJIEmAhRnCSvCwMcj0hEMCMAsLHuywUbg/j4Vo28wbTAdBgNVHQ4EFgQUpkQI/noQg6ba6kzdvpBVT70viF0wHwYDVR0jBBgwFoAUpkQI/noQg6ba6kzdvpBVT70viF0wDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIhAOmM92f1ZmDOLRiC4r6hJjDv8rQ3guVWDm9sbBSDCx6GAiBm9M723UsKZhcKN+OZNAjxstMQJwb+E327zh6/aXC8Mw==";
const KEY =
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg587UjETsa0jV8v5FU4q1PVIMJy16r1rEkO5ONuvf4rmhRANCAAQv+jGlmkj369eYaG4NJ4kZxGNamCbGsJ3V1Qs2nQ/nTKFJQ+TzJIEmAhRnCSvCwMcj0hEMCMAsLHuywUbg/j4V";

export const LOCALHOST_CERTIFICATE = pem("CERTIFICATE", CERTIFICATE);
export const LOCALHOST_KEY = pem("PRIVATE KEY", KEY);

function pem(title: string, base64: string): string {
  return `-----BEGIN ${title}-----\n${(base64.match(/.{1,64}/g) ?? []).join("\n")}\n-----END ${title}-----\n`;
}
