/** The mailbox of a laptop as a page: the letters that would have been sent. */
import { Hono } from "hono";
import { html } from "hono/html";
import type { KeptLetter, Mailbox } from "../core/mail.ts";

export function createMailbox(mailbox: Mailbox): Hono {
  return new Hono().get("/dev/mailbox", (c) => {
    c.header("Cache-Control", "no-store");
    const letters = mailbox.letters();
    return c.html(
      html`<!doctype html>
        <html lang="en">
          <meta charset="utf-8" />
          <title>Skat: mailbox</title>
          <h1>Mailbox</h1>
          <p>Without SMTP_URL letters are kept here, the last hundred, until the process ends.</p>
          ${letters.length === 0 ? html`<p>There are none.</p>` : letters.map(toArticle)}
        </html>`,
    );
  });
}

function toArticle({ to, subject, text, atMs }: KeptLetter) {
  return html`<article>
    <h2>${subject}</h2>
    <p>To ${to}, ${new Date(atMs).toISOString()}</p>
    <pre>${text}</pre>
    ${[...text.matchAll(/https?:\/\/\S+/g)].map(([url]) => html`<p><a href="${url}">${url}</a></p>`)}
  </article>`;
}
