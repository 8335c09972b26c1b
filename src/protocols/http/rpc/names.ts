const MOST = { tool: 128, prompt: 256, uri: 2048 } as const;

/** What a server may take out of a name, or show as something else: controls, marks of direction, blanks. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Whether a tool's name is one that every reader has alike: visible ASCII. @see SEP-986 */
export function isToolName(name: string): boolean {
  return name.length <= MOST.tool && /^[\x21-\x7e]+$/.test(name);
}

/** Whether a prompt's name is one that every reader has alike: it is its own compatible form, and all of it is seen. */
export function isPromptName(name: string): boolean {
  return name.length <= MOST.prompt && name !== '' && name.trim() === name && isOneForm(name);
}

/**
 * Whether a URI leads to one place whoever reads it: without dot segments, backslashes and blanks, and what is
 * percent-encoded in it needs to be, and is not twice. Templates are read as URIs with names in braces.
 *
 * Pure, linear.
 *
 * @see RFC 3986 §6.2.2
 */
export function isPlainUri(uri: string, template = false): boolean {
  if (uri.length > MOST.uri || !/^[a-z][a-z0-9+.-]{0,63}:/.test(uri) || !isOneForm(uri)) return false;
  if (/[\s\p{Z}"<>\\^`|]/u.test(uri) || (!template && /[{}]/.test(uri))) return false;
  if (/%(?![0-9A-F]{2})/.test(uri)) return false;
  const codes = uri.match(/%[0-9A-F]{2}/g) ?? [];
  if (codes.some((code) => !needsEncoding(Number.parseInt(code.slice(1), 16)))) return false;
  const [, behind = ''] = /^[^:]*:(.*)$/s.exec(uri) ?? [];
  return !behind.split(/[/?#]/).some((segment) => segment === '.' || segment === '..');
}

/** Not what stands for itself, nor a delimiter or an end to some servers, nor the sign of encoding itself. */
function needsEncoding(code: number): boolean {
  if (code < 0x20 || code === 0x7f) return false;
  return !/[A-Za-z0-9._~/\\%-]/.test(String.fromCharCode(code));
}

function isOneForm(text: string): boolean {
  return text === text.normalize('NFKC') && !UNSEEN.test(text);
}

/** Whether a message could ask for it under this name: what is listed by another is of no use. */
export function isAskable(
  type: 'McpMethod' | 'McpTool' | 'McpPrompt' | 'McpResource',
  name: string,
): boolean {
  if (type === 'McpTool') return isToolName(name);
  if (type === 'McpPrompt') return isPromptName(name);
  return type === 'McpMethod' || isPlainUri(name, true);
}
