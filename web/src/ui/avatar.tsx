/** A round mark with a person's initial, in a colour that belongs to the person. */

export function Avatar({ userId, name }: { userId: string; name: string }) {
  const [initial = "?"] = name.trim();
  return (
    <span className="avatar" aria-hidden="true" style={{ "--hue": hueOf(userId) } as React.CSSProperties}>
      {initial.toUpperCase()}
    </span>
  );
}

/** The same for everyone who looks, spread over the colour wheel. */
function hueOf(userId: string): number {
  let hash = 0;
  for (const character of userId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 9973;
  return (hash * 137) % 360;
}
