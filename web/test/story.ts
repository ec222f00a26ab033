/** A small believable world for the page: people of several scripts who talk in a few rooms. Used by its tests and its pictures. */
import { createApi, createClient, LOBBY, type Client, type ListedRoom } from "@skat/client";
import { WebSocket } from "ws";

export interface Story {
  /** The one whose page is looked at; its sign-in as the page keeps it. */
  readonly account: { readonly token: string; readonly user: { readonly id: string; readonly name: string } };
  readonly rooms: Readonly<Record<"design" | "release" | "translation" | "direct", string>>;
}

type Name = "nora" | "yusuf" | "misaki" | "tomas";
type Cast = Readonly<Record<Name, Client>>;

const NAMES: Readonly<Record<Name, string>> = {
  nora: "Nora Lindqvist",
  yusuf: "يوسف حدّاد",
  misaki: "佐藤 美咲",
  tomas: "Tomás Rivera",
};

export async function tellStory(url: string): Promise<Story> {
  const api = createApi(url);
  const accounts = await Promise.all(
    Object.entries(NAMES).map(async ([name, title]) => [name, await api.guest(title)] as const),
  );
  const cast = Object.fromEntries(
    accounts.map(([name, { token, user }]) => [
      name,
      createClient({ url, token, user, WebSocket }).connect(),
    ]),
  ) as unknown as Cast;
  const [[, account]] = accounts as [(typeof accounts)[number]];
  const idOf = (name: Name) => cast[name].getSnapshot().user.id;
  try {
    const rooms = await makeRooms(cast, idOf);
    await talk(cast, rooms);
    return { account, rooms };
  } finally {
    for (const client of Object.values(cast)) client.close();
  }
}

async function makeRooms(cast: Cast, idOf: (name: Name) => string): Promise<Story["rooms"]> {
  const { nora, yusuf, misaki, tomas } = cast;
  const make = async (by: Client, name: string, topic: string, kind = "public") =>
    (await by.request<ListedRoom>("POST", "/rooms", { name, topic, kind })).id;
  const design = await make(nora, "Design review", "Every Tuesday: what ships, what waits, and why");
  const release = await make(misaki, "発売準備", "5月の発売に向けて");
  const translation = await make(yusuf, "فريق الترجمة", "النصوص والمصطلحات", "private");
  await make(tomas, "Coffee & keyboards ☕", "Switches, layouts, and what to drink with them");
  await make(misaki, "Reading club", "One short story a week");
  const { code } = await yusuf.request<{ code: string }>("POST", `/rooms/${translation}/invitations`, {});
  await nora.request("POST", `/invitations/${code}`);
  const direct = (await tomas.request<ListedRoom>("POST", "/direct", { users: [idOf("nora")] })).id;
  await nora.request("POST", `/rooms/${release}/join`);
  for (const client of [yusuf, misaki, tomas]) await client.request("POST", `/rooms/${design}/join`);
  await nora.request("PATCH", `/rooms/${design}/members/${idOf("misaki")}`, { role: "moderator" });
  return { design, release, translation, direct };
}

async function talk(cast: Cast, { design, release, translation, direct }: Story["rooms"]): Promise<void> {
  const say = (by: Name, room: string, body: string, replyTo?: string) => tell(cast[by], room, body, replyTo);
  await say("tomas", LOBBY, "Welcome, everybody. The house rules are in *Design review*.");
  await say(
    "tomas",
    design,
    "Morning! The new sign-in page is on the preview: https://preview.example.org/sign-in",
  );
  await say("tomas", design, "Please look at it on your phone too, **especially** in the dark.");
  const question = await say(
    "misaki",
    design,
    "確認しました。とても落ち着いた印象です ✨\n一つだけ、入力欄の枠が少し薄いかもしれません。",
  );
  await say("nora", design, "Good catch. The contrast was 2.6 : 1, it has to be at least 3 : 1.", question);
  await say("nora", design, "```\n--field: #8a8f8a;  /* 3.2 : 1 on paper */\n```");
  const thanks = await say("yusuf", design, "راجعت النسخة العربية: الاتجاه صحيح والأرقام في مكانها 👏");
  await say(
    "yusuf",
    design,
    "> The second tick follows as soon as it works again.\nكيف نترجم كلمة `tick` هنا؟",
  );
  await say("tomas", design, "¡Genial! I would say “marca” in Spanish, so perhaps علامة in Arabic?", thanks);
  await say("nora", design, "Then علامة it is. Shipping it at noon 🚀");
  await say("misaki", release, "ロゴの最終版をアップしました。");
  await say("misaki", release, "金曜日までにご意見をください 🙏");
  await say("yusuf", translation, "صباح الخير! القائمة الجديدة جاهزة للمراجعة.");
  await say("tomas", direct, "Do you have ten minutes after lunch?");
}

async function tell(by: Client, room: string, body: string, replyTo?: string): Promise<string> {
  const signal = AbortSignal.timeout(30_000);
  by.join(room);
  await by.joined(room, { signal });
  const { id } = by.send(room, body, replyTo === undefined ? {} : { replyTo });
  await by.saved(id, { signal });
  return id;
}
