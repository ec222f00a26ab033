/** A server that takes letters by SMTP and keeps them: just enough of RFC 5321 for a real client. */
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

export interface Taken {
  readonly from: string;
  readonly to: string;
  /** Headers and text, as they came, soft line breaks undone. */
  readonly text: string;
}

export interface SmtpSink {
  readonly url: string;
  readonly letters: readonly Taken[];
  close(): Promise<void>;
}

export async function openSmtpSink(): Promise<SmtpSink> {
  const letters: Taken[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    converse(socket, (letter) => letters.push(letter));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    letters,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function converse(socket: Socket, keep: (letter: Taken) => void): void {
  let [from, to, waiting, isData] = ["", "", "", false];
  socket.write("220 sink\r\n");
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    waiting += chunk;
    for (;;) {
      const end = waiting.indexOf(isData ? "\r\n.\r\n" : "\r\n");
      if (end < 0) return;
      const part = waiting.slice(0, end);
      waiting = waiting.slice(end + (isData ? 5 : 2));
      if (isData) {
        keep({ from, to, text: decode(part) });
        isData = false;
        socket.write("250 kept\r\n");
        continue;
      }
      if (/^MAIL FROM:/i.test(part)) from = part.slice(10);
      if (/^RCPT TO:/i.test(part)) to = part.slice(8);
      isData = /^DATA$/i.test(part);
      socket.write(isData ? "354 go on\r\n" : /^QUIT$/i.test(part) ? "221 bye\r\n" : "250 ok\r\n");
    }
  });
}

function decode(text: string): string {
  if (!/quoted-printable/i.test(text)) return text;
  return text
    .replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
