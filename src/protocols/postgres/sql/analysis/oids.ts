/** OIDs of PostgreSQL's own types that the grammar or its rules speak of; the same on every server (pg_type.dat). */
export const OID = {
  bool: 16,
  bytea: 17,
  char: 18,
  name: 19,
  int8: 20,
  int2: 21,
  int2vector: 22,
  int4: 23,
  text: 25,
  oid: 26,
  oidvector: 30,
  json: 114,
  xml: 142,
  float4: 700,
  float8: 701,
  unknown: 705,
  bpchar: 1042,
  varchar: 1043,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  timetz: 1266,
  bit: 1560,
  varbit: 1562,
  numeric: 1700,
  refcursor: 1790,
  regclass: 2205,
  record: 2249,
  cstring: 2275,
  any: 2276,
  anyarray: 2277,
  void: 2278,
  recordArray: 2287,
  anyelement: 2283,
  anynonarray: 2776,
  anyenum: 3500,
  tsvector: 3614,
  jsonb: 3802,
  anyrange: 3831,
  jsonpath: 4072,
  anymultirange: 4537,
  anycompatiblemultirange: 4538,
  anycompatible: 5077,
  anycompatiblearray: 5078,
  anycompatiblenonarray: 5079,
  anycompatiblerange: 5080,
} as const;

/** Functions by which a type is subscripted (pg_proc.dat). */
export const SUBSCRIPT = { array: 6179, raw: 6180, jsonb: 6098 } as const;

/** Access methods. */
export const BTREE = 403;
export const HASH = 405;

/** Operators of arrays and records, which are good for what their elements are good for (pg_operator.dat). */
export const ARRAY_OPERATORS = { eq: 1070, lt: 1072, gt: 1073 } as const;
export const RECORD_OPERATORS = { eq: 2988, lt: 2990, gt: 2991 } as const;

/** They stand for whatever type is there: `IsPolymorphicType`. */
export const POLYMORPHIC: ReadonlySet<number> = new Set([
  OID.anyelement,
  OID.anyarray,
  OID.anynonarray,
  OID.anyenum,
  OID.anyrange,
  OID.anymultirange,
  OID.anycompatible,
  OID.anycompatiblearray,
  OID.anycompatiblenonarray,
  OID.anycompatiblerange,
  OID.anycompatiblemultirange,
]);

/** Functions that SQL/JSON calls without their being written (pg_proc.dat). */
export const JSON_FUNCTIONS = { convertFrom: 1714, convertTo: 1717, toJson: 3176, toJsonb: 3787 } as const;

/** Aggregates of SQL/JSON: plain, without NULLs, of keys that are not repeated, and both. */
export const JSON_AGGREGATES = {
  json: { array: [3175, 6276], object: [3197, 6280, 6281, 6282] },
  jsonb: { array: [3267, 6284], object: [3270, 6288, 6289, 6290] },
} as const satisfies Record<string, Record<string, readonly number[]>>;
