/** The rooms there are, and a small form for a new one. */
import { useId, useState, type FormEvent } from "react";
import { LOBBY, type ListedRoom } from "@skat/client";
import { errorText, texts } from "../texts.ts";
import { toFault, type Fault } from "./fault.ts";

export interface RoomListProps {
  readonly rooms: readonly ListedRoom[];
  readonly fault: Fault | undefined;
  readonly current: string;
  readonly unread: ReadonlyMap<string, number>;
  readonly nameLengthMax: number;
  readonly onReload: () => void;
  readonly onOpen: (id: string) => void;
  readonly onCreate: (name: string) => Promise<void>;
}

export function RoomList(props: RoomListProps) {
  const { rooms, fault, current, unread, onOpen, onReload } = props;
  return (
    <nav className="rooms" aria-label={texts.rooms.title}>
      <h2>{texts.rooms.title}</h2>
      <ul>
        {rooms.map(({ id, name }) => (
          <li key={id}>
            <button
              className="room"
              aria-current={id === current ? "page" : undefined}
              onClick={() => onOpen(id)}
            >
              <span className="room-name">{id === LOBBY ? texts.rooms.lobby : name}</span>
              {(unread.get(id) ?? 0) > 0 && (
                <span className="unread">{texts.rooms.unread(unread.get(id) ?? 0)}</span>
              )}
            </button>
          </li>
        ))}
      </ul>
      {fault && (
        <p className="error" role="alert">
          {errorText(fault)}{" "}
          <button className="link" onClick={onReload}>
            {texts.rooms.retry}
          </button>
        </p>
      )}
      <NewRoom {...props} />
    </nav>
  );
}

function NewRoom({ nameLengthMax, onCreate }: Pick<RoomListProps, "nameLengthMax" | "onCreate">) {
  const [name, setName] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const id = useId();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (name.trim() === "") return;
    setBusy(true);
    setFault(undefined);
    try {
      await onCreate(name.trim());
      setName("");
    } catch (error) {
      setFault(toFault(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form className="new-room" onSubmit={submit}>
      <label className="visually-hidden" htmlFor={id}>
        {texts.rooms.newName}
      </label>
      <input
        id={id}
        value={name}
        placeholder={texts.rooms.newName}
        maxLength={nameLengthMax}
        autoComplete="off"
        onChange={({ target }) => setName(target.value)}
      />
      <button disabled={isBusy || name.trim() === ""}>{texts.rooms.create}</button>
      {fault && (
        <p className="error" role="alert">
          {errorText(fault)}
        </p>
      )}
    </form>
  );
}
