/** Who may do what, written down once more, cell by cell, as it was decided: `core/permissions.ts` must agree. */
import type { RoomKind } from "../protocol.ts";

export const PARTS = ["owner", "moderator", "member", "read-only", "stranger", "banned"] as const;
export type Part = (typeof PARTS)[number];

const CODES: Readonly<Record<string, string>> = {
  y: "ok",
  ".": "forbidden",
  n: "not_member",
  u: "unknown_room",
  b: "banned",
  o: "last_owner",
};

/** Verbs in the order in which one user can do them one after another. */
export const MATRIX: Readonly<Record<RoomKind, string>> = {
  //              owner moderator member read-only stranger banned
  public: `
    see             y    y    y    y    y    y
    read            y    y    y    y    n    b
    listMembers     y    y    y    y    n    b
    send            y    y    y    .    n    b
    setTopic        y    y    .    .    n    b
    rename          y    .    .    .    n    b
    archive         y    .    .    .    n    b
    invite          y    y    .    .    n    b
    listInvitations y    y    .    .    n    b
    revoke          y    y    .    .    n    b
    mute            y    y    .    .    n    b
    unmute          y    y    .    .    n    b
    setRole         y    .    .    .    n    b
    remove          y    y    .    .    n    b
    ban             y    y    .    .    n    b
    listBans        y    y    .    .    n    b
    unban           y    y    .    .    n    b
    audit           y    .    .    .    n    b
    leave           o    y    y    y    n    b
    join            y    y    y    y    y    b`,
  private: `
    see             y    y    y    y    u    u
    read            y    y    y    y    u    u
    listMembers     y    y    y    y    u    u
    send            y    y    y    .    u    u
    setTopic        y    y    .    .    u    u
    rename          y    .    .    .    u    u
    archive         y    .    .    .    u    u
    invite          y    y    .    .    u    u
    listInvitations y    y    .    .    u    u
    revoke          y    y    .    .    u    u
    mute            y    y    .    .    u    u
    unmute          y    y    .    .    u    u
    setRole         y    .    .    .    u    u
    remove          y    y    .    .    u    u
    ban             y    y    .    .    u    u
    listBans        y    y    .    .    u    u
    unban           y    y    .    .    u    u
    audit           y    .    .    .    u    u
    join            y    y    y    y    u    u
    leave           o    y    y    y    u    u`,
  direct: `
    see             -    -    y    -    u    -
    read            -    -    y    -    u    -
    listMembers     -    -    y    -    u    -
    send            -    -    y    -    u    -
    setTopic        -    -    .    -    u    -
    rename          -    -    .    -    u    -
    archive         -    -    .    -    u    -
    invite          -    -    .    -    u    -
    listInvitations -    -    .    -    u    -
    revoke          -    -    .    -    u    -
    mute            -    -    .    -    u    -
    unmute          -    -    .    -    u    -
    setRole         -    -    .    -    u    -
    remove          -    -    .    -    u    -
    ban             -    -    .    -    u    -
    listBans        -    -    .    -    u    -
    unban           -    -    .    -    u    -
    audit           -    -    .    -    u    -
    leave           -    -    .    -    u    -
    join            -    -    y    -    u    -`,
};

/** For one kind and part: each verb with its answer; none where a room of that kind has no such part. */
export function columnOf(kind: RoomKind, part: Part): readonly (readonly [verb: string, answer: string])[] {
  return MATRIX[kind]
    .trim()
    .split("\n")
    .map((row) => row.trim().split(/ +/))
    .map(([verb = "", ...cells]) => [verb, CODES[cells[PARTS.indexOf(part)] ?? ""] ?? ""] as const)
    .filter(([, answer]) => answer !== "");
}
