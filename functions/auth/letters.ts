/** The letters that accounts send. */
import type { Mail } from "../core/mail.ts";

interface Asked {
  readonly user: { readonly email: string };
  readonly url: string;
  readonly token: string;
}

export function letters(mail: Mail, baseUrl: string) {
  return {
    reset: ({ user, url, token }: Asked): Promise<void> =>
      mail.send({
        to: user.email,
        subject: "A new password for Skat",
        text: [
          `Somebody, hopefully you, wants to set a new password for your account at ${baseUrl}.`,
          `Open this link within an hour:\n${url}`,
          `Programs post {"newPassword", "token"} to /api/auth/reset-password, with this token:\n${token}`,
          "If it was not you, do nothing: your password stays as it is.",
        ].join("\n\n"),
      }),
    verification: ({ user, url }: Asked): Promise<void> =>
      mail.send({
        to: user.email,
        subject: "Is this your address?",
        text: [
          `An account at ${baseUrl} was made with this address.`,
          `If that was you, open this link within an hour:\n${url}`,
          "If it was not you, do nothing.",
        ].join("\n\n"),
      }),
  };
}
