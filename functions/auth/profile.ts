/** What a profile may hold, and whose account a new one becomes. */
import { APIError } from "better-auth/api";
import { readName } from "../core/names.ts";
import { ChatError } from "../lib/errors.ts";
import type { User } from "../protocol.ts";
import type { AccountsOptions } from "./accounts.ts";

interface Profile {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly image?: string | null | undefined;
  readonly color?: unknown;
}

const COLOR = /^#[0-9a-f]{6}$/;
const IMAGE_LENGTH_MAX = 2048;

export function profileHooks(
  { prisma, nameLengthMax, onMember }: AccountsOptions,
  guest: () => User | undefined,
) {
  return {
    create: {
      /** A guest who signs up stays the same user, so that its messages stay its own. */
      before: async (user: Profile) => {
        const data = checked(user, nameLengthMax);
        const { id } = guest() ?? {};
        if (id === undefined) return { data };
        if ((await prisma.user.findUnique({ where: { id } })) !== null) {
          throw new APIError("CONFLICT", { code: "GUEST_IS_MEMBER", message: "This guest has an account." });
        }
        return { data: { ...data, id } };
      },
      after: async ({ id }: { id: string }) => {
        if (guest()?.id === id) await onMember(id);
      },
    },
    update: { before: async (user: Profile) => ({ data: checked(user, nameLengthMax) }) },
  };
}

/** Only what was given, as it may be kept. */
function checked({ name, image, color }: Profile, nameLengthMax: number) {
  if (image !== undefined && image !== null && !isImage(image))
    throw invalid("`image` must be an https URL.");
  if (color !== undefined && color !== null && !(typeof color === "string" && COLOR.test(color))) {
    throw invalid("`color` must be like #1a2b3c.");
  }
  if (name === undefined) return {};
  try {
    return { name: readName(name, "name", nameLengthMax) };
  } catch (error) {
    if (error instanceof ChatError) throw invalid(error.message);
    throw error;
  }
}

function isImage(image: string): boolean {
  return image.length <= IMAGE_LENGTH_MAX && URL.canParse(image) && new URL(image).protocol === "https:";
}

function invalid(message: string): APIError {
  return new APIError("BAD_REQUEST", { code: "INVALID_FIELD", message });
}
