/** A message's text as it was typed, with web addresses as links. */

const ADDRESS = /(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]}'])/;

export function MessageBody({ body }: { body: string }) {
  const parts = body.split(ADDRESS);
  return (
    <p className="body" dir="auto">
      {parts.map((part, index) =>
        index % 2 === 0 ? (
          part
        ) : (
          <a key={index} href={part} target="_blank" rel="noopener noreferrer nofollow">
            {part}
          </a>
        ),
      )}
    </p>
  );
}
