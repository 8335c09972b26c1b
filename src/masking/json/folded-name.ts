/**
 * A name as those have it that tell the fewest apart: in one case, and letters that have another one's capital as that one.
 * Servers in Go read `\u017ftatus` for `status`, and those that ignore case `\u212aey` for `key`. Pure.
 *
 * @see https://pkg.go.dev/encoding/json#Unmarshal "preferring an exact match but also accepting a case-insensitive match"
 */
export function foldedName(name: string): string {
  return name.toUpperCase().toLowerCase();
}
