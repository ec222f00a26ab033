/** A message's text: its part of Markdown drawn as elements, never as HTML. */
import { memo } from "react";
import { parseMarkdown, type Block, type Inline } from "../markdown.ts";

export const MessageBody = memo(function MessageBody({ body }: { body: string }) {
  return (
    <div className="body">
      {parseMarkdown(body).map((block, index) => (
        <BlockView key={index} block={block} />
      ))}
    </div>
  );
});

function BlockView({ block }: { block: Block }) {
  if (block.kind === "code")
    return (
      <pre dir="ltr" tabIndex={0}>
        <code>{block.text}</code>
      </pre>
    );
  const parts = <Parts parts={block.parts} />;
  return block.kind === "quote" ? <blockquote dir="auto">{parts}</blockquote> : <p dir="auto">{parts}</p>;
}

function Parts({ parts }: { parts: readonly Inline[] }) {
  return parts.map((part, index) => <Part key={index} part={part} />);
}

function Part({ part }: { part: Inline }) {
  switch (part.kind) {
    case "text":
      return part.text;
    case "code":
      return <code dir="ltr">{part.text}</code>;
    case "link":
      return (
        <a href={part.href} target="_blank" rel="noopener noreferrer nofollow" dir="ltr">
          {part.href}
        </a>
      );
    case "strong":
    case "em":
    case "del":
      return <Marked {...part} />;
  }
}

function Marked({ kind: Tag, parts }: Extract<Inline, { parts: unknown }>) {
  return (
    <Tag>
      <Parts parts={parts} />
    </Tag>
  );
}
