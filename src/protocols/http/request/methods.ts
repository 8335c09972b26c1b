/** What policy knows. Of others nobody knows what they do: `PROPFIND`, and `get`, which some servers take for `GET`. */
export const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export type Method = (typeof METHODS)[number];

export function isMethod(word: string): word is Method {
  return (METHODS as readonly string[]).includes(word);
}
