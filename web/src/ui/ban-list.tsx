/** Who is banned from a room, and the way back. */
import type { ListedRoom } from "@skat/client";
import type { RoomCalls } from "../room-calls.ts";
import { texts } from "../texts.ts";
import { FaultLine } from "./fault-line.tsx";
import { useForm } from "./use-form.ts";
import { useLoaded } from "./use-loaded.ts";

export function BanList({ calls, room }: { calls: RoomCalls; room: ListedRoom }) {
  const { value, fault, reload } = useLoaded(`bans ${room.id}`, calls.bans);
  const form = useForm();
  return (
    <>
      <FaultLine fault={form.fault ?? fault} />
      {value?.length === 0 && <p className="muted">{texts.room.noBans}</p>}
      <ul className="items">
        {value?.map(({ user, reason }) => (
          <li key={user.id} className="item">
            <p className="item-main">
              <bdi className="item-title">{user.name}</bdi>
              {reason !== "" && <bdi className="hint">{reason}</bdi>}
            </p>
            <button onClick={() => void form.run(async () => void (await calls.unban(user.id), reload()))}>
              {texts.room.unban}
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
